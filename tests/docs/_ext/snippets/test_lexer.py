"""What has the color of plain text needs no mark, operators get none, and everything else keeps its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pygments.styles import get_style_by_name
from pygments.token import Text

from _ext.snippets.lexer import PLAIN

CONF = (Path(__file__).resolve().parents[4] / "docs" / "conf.py").read_text("utf-8")


@pytest.mark.parametrize("style", re.findall(r'^pygments_\w*style = "(.+)"$', CONF, re.MULTILINE))
def test_in_the_sites_styles_these_tokens_look_like_plain_text(style: str) -> None:
    known = get_style_by_name(style)
    assert {str(known.style_for_token(token)) for token in PLAIN} == {str(known.style_for_token(Text))}


def test_only_what_has_a_color_is_marked(site) -> None:
    site.page("index", "```python\n\ndef total(x):\n    return sum(x) + 1  # of all\n```")
    assert not site.build()
    html = site.html("index")
    assert '<span class="k">def</span> <span class="nf">total</span>(x):' in html
    assert '<span class="k">return</span> <span class="nb">sum</span>(x) + <span class="mi">1</span>  <span' in html
    assert '<span class="c1"># of all</span>' in html
