"""Style sheets stand in the pages, and only those that can."""

from __future__ import annotations

import pytest
from _ext import styles
from sphinx.errors import ExtensionError


def written(folder, text: str):
    path = folder / "sheet.css"
    path.write_text(text, "utf-8")
    return path


def test_a_sheet_is_taken_as_it_is_without_its_map(tmp_path) -> None:
    text = 'a { background: url("data:image/png;base64,AA") }\n/*# sourceMappingURL=sheet.css.map*/\n'
    assert styles.sheet(written(tmp_path, text)) == 'a { background: url("data:image/png;base64,AA") }'


@pytest.mark.parametrize("text", ["a { background: url(file.png) }", "@import 'other.css';"])
def test_a_sheet_that_loads_another_file_is_an_error(tmp_path, text: str) -> None:
    with pytest.raises(ExtensionError, match=r"sheet\.css loads another file"):
        styles.sheet(written(tmp_path, text))


PAGE = '{% extends "!page.html" %}{% block css %}<style>{{ styles() }}</style>{% endblock %}'


def test_the_page_asks_for_no_style_sheet(site) -> None:
    (site.docs / "_templates").mkdir()
    (site.docs / "_templates" / "page.html").write_text(PAGE, "utf-8")
    (site.docs / "_static" / "basic.css").write_text("", "utf-8")
    with open(site.docs / "conf.py", "a", encoding="utf-8") as conf:
        conf.write('templates_path = ["_templates"]\n')
    assert not site.build()
    html = site.html("index")
    assert 'rel="stylesheet"' not in html
    assert ".rosetta-tabs" in html.partition("<style>")[2].partition("</style>")[0]
