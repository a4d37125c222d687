"""Style sheets stand in the pages, and only those that can."""

from __future__ import annotations

from pathlib import Path

import pytest
from sphinx.errors import ExtensionError

from _ext.theme import inline_css


def written(folder, text: str):
    path = folder / "sheet.css"
    path.write_text(text, "utf-8")
    return path


def test_a_sheet_is_taken_as_it_is(tmp_path) -> None:
    text = 'a { background: url("data:image/png;base64,AA") }'
    assert inline_css.sheet(written(tmp_path, text)) == text


@pytest.mark.parametrize("text", ["a { background: url(file.png) }", "@import 'other.css';"])
def test_a_sheet_that_loads_another_file_is_an_error(tmp_path, text: str) -> None:
    with pytest.raises(ExtensionError, match=r"sheet\.css loads another file"):
        inline_css.sheet(written(tmp_path, text))


def test_the_page_asks_for_no_style_sheet_and_has_them_all(site) -> None:
    templates = Path(__file__).resolve().parents[4] / "docs" / "_templates"
    with open(site.docs / "conf.py", "a", encoding="utf-8") as conf:
        conf.write(f'html_theme = "furo"\npygments_dark_style = "monokai"\ntemplates_path = [{str(templates)!r}]\n')
    assert not site.build()
    html = site.html("index")
    assert 'rel="stylesheet"' not in html
    inside = html.partition("</head>")[0]
    assert ".rosetta-tabs" in inside
    assert "/*" not in inside
    assert 'body[data-theme="dark"] .highlight' in inside
