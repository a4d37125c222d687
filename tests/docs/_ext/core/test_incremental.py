"""A build on what an earlier one left gives the site that a build from scratch would give."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]


def test_a_page_that_is_gone_leaves_no_file(site) -> None:
    site.page("other", "Soon gone.")
    assert not site.build()
    (site.docs / "other.md").unlink()
    with (site.docs / "conf.py").open("a", encoding="utf-8") as conf:
        conf.write("html_use_index = False\n")
    html = site.folder / "html"
    assert (html / "genindex.html").exists()
    assert not site.build()
    assert {path.name for path in html.glob("*.html")} == {"index.html", "search.html"}


def test_a_new_title_is_in_the_navigation_of_all_pages(site) -> None:
    (site.docs / "index.md").write_text("# Home\n\n```{toctree}\none\ntwo\n```\n", "utf-8")
    for name in ("one", "two"):
        (site.docs / f"{name}.md").write_text(f"# {name}\n", "utf-8")
    assert not site.build()
    (site.docs / "two.md").write_text("# Renamed\n", "utf-8")
    assert not site.build()
    assert site.read == ["two"]
    assert "Renamed" in site.html("one")


def test_a_new_style_sheet_has_a_new_address_on_all_pages(site) -> None:
    site.page("other", "No snippet.")
    assert not site.build()
    before = site.html("other")
    sheet = site.docs / "_static" / "rosetta.css"
    sheet.write_text(sheet.read_text("utf-8") + "/* changed */\n", "utf-8")
    # A process of its own, as a reader's: Sphinx keeps the digests of files as long as it runs.
    command = [sys.executable, "-m", "sphinx", "-W", "-d", site.folder / "doctrees", site.docs, site.folder / "html"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "docs")))}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert "0 added, 0 changed, 0 removed" in done.stdout
    assert site.html("other") != before
    assert (site.folder / "html" / "_static" / "rosetta.css").read_text("utf-8") == sheet.read_text("utf-8")


SETTING = """
def setup(app):
    app.connect("html-page-context", lambda app, page, template, context, doctree: context.update(title="Changed"))
"""


def test_new_settings_are_in_all_pages(site) -> None:
    site.page("other", "No snippet.")
    assert not site.build()
    with (site.docs / "conf.py").open("a", encoding="utf-8") as conf:
        conf.write(SETTING)
    assert not site.build()
    assert all("<title>Changed" in site.html(page) for page in ("index", "other"))


def test_a_place_that_is_gone_is_missed_by_the_page_that_leads_there(site) -> None:
    site.page("other", "(there)=\n## There")
    site.page("index", "[A link](there)")
    assert not site.build()
    site.page("other", "## There")
    assert "index.md" in site.build()


def test_with_nothing_changed_nothing_is_written(site) -> None:
    assert not site.build()
    path = site.folder / "html" / "index.html"
    os.utime(path, (0, 0))
    site.build()  # an old file is written again
    assert path.stat().st_mtime > 0
    before = path.stat().st_mtime_ns
    site.build()
    assert path.stat().st_mtime_ns == before
