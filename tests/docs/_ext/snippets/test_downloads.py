"""What a reader takes along is on the built site, says what it is, and is never shown as current when it is not."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path

import pytest

from rosetta_host.catalog import frameworks
from rosetta_host.publishing import notebooks, standalone

PAGE = "```{downloads}\n```"

# A directive that shows what `links` gives, as a snippet's caption does.
CAPTION = """
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

class Caption(SphinxDirective):
    required_arguments = 1

    def run(self):
        from _ext.core import store
        from _ext.snippets import downloads
        implementation = store.store(self.config).implementations[self.arguments[0]]
        found = downloads.links(self.env, implementation, "cnn")
        return [nodes.paragraph("", "", *found, classes=[f"caption-{implementation.id}"])]

def setup(app):
    app.add_directive("caption", Caption)
"""


def served(site) -> dict[str, bytes]:
    """The files under downloads/, by their path in it."""
    folder = site.folder / "html" / "downloads"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def unpacked(site, name: str) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(served(site)[f"{name}.zip"])) as packed:
        return {entry: packed.read(entry).decode() for entry in packed.namelist()}


def write_notebook(site, name: str = "ada", **changes: str) -> Path:
    """A notebook of this implementation's CNN, of the present code and lock, but for these changes."""
    implementation = frameworks.implementations(site.examples)[name]
    digests = {**notebooks.digests(standalone.script([implementation], "cnn"), implementation), **changes}
    path = notebooks.path(implementation, "cnn", site.docs / "notebooks")
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"metadata": {notebooks.KEY: {"digests": digests}}}), "utf-8")
    return path


def section(site, name: str) -> str:
    """A framework's part of the page."""
    return site.html("deep/page").partition(f'id="download-{name}"')[2].partition("</section>")[0]


@pytest.fixture
def site(site):
    (site.docs / "deep").mkdir()
    (site.docs / "conf.py").write_text(
        (site.docs / "conf.py").read_text("utf-8") + 'exclude_patterns += ["notebooks"]\n'
    )
    site.page("deep/page", PAGE)
    return site


def test_every_folder_has_its_files_on_the_site_and_on_the_page(site) -> None:
    assert not site.build()
    assert set(served(site)) == {f"{name}{end}" for name in ("ada", "bell", "curie") for end in (".zip", "/cnn.py")}
    implementations = frameworks.implementations(site.examples)
    assert served(site)["bell/cnn.py"].decode() == standalone.script([implementations["bell"]], "cnn").text
    links = re.findall(r'href="(\.\./downloads/[^"]+)"', section(site, "bell"))
    assert links == ["../downloads/bell/cnn.py", "../downloads/bell.zip"]
    assert all((site.folder / "html" / "deep" / link).exists() for link in links)


def test_a_list_leads_to_each_framework_those_shown_first_before_the_others(site) -> None:
    toml = site.examples / "bell" / "framework.toml"
    toml.write_text("shown_first = true\n" + toml.read_text("utf-8"), "utf-8")
    assert not site.build()
    html = site.html("deep/page")
    (jump,) = re.findall(r'<p class="rosetta-jump">(.*?)</p>', html)
    order = ["bell", "ada", "curie"]
    assert re.findall(r'href="#download-(\w+)"', jump) == order
    assert re.findall(r'<section class="rosetta-download is-of-(\w+) is-promotable" id="download-', html) == order


def test_a_reader_chooses_frameworks_on_the_page_and_theirs_come_first(site) -> None:
    assert not site.build()
    html = site.html("deep/page")
    assert html.index('class="rosetta-bar"') < html.index('id="download-ada"')
    assert html.index('id="download-curie"') < html.index("rosetta.promote()", html.index("<body"))


def test_the_page_says_how_to_make_the_environment(site) -> None:
    toml = site.examples / "ada" / "framework.toml"
    more = 'requirements_gpu = "requirements-gpu.txt"\n'
    toml.write_text(f'needs = "An old compiler."\n{toml.read_text("utf-8")}{more}', "utf-8")
    (toml.parent / "requirements-gpu.in").write_text("# For a GPU of 2018.\nada-gpu==1\n", "utf-8")
    (toml.parent / "requirements-gpu.txt").write_text("ada-gpu==1\n", "utf-8")
    site.build()
    (toml.parent / "requirements-gpu.in").write_text("# For a GPU of 2019.\nada-gpu==1\n", "utf-8")
    site.build()
    text = re.sub(r"<[^>]+>", "", section(site, "ada"))
    for expected in (
        "Python 3.11.",
        "Needs: An old compiler.",
        "For a GPU of 2019. Install this instead:",
        "uv pip sync requirements-gpu.txt",
        "uv venv --python 3.11",
        "uv pip sync requirements.txt",
        "python cnn.py",
    ):
        assert expected in text


def test_the_archive_holds_the_scripts_the_lists_and_the_commands(site) -> None:
    folder = site.examples / "ada"
    toml = (folder / "framework.toml").read_text("utf-8")
    (folder / "framework.toml").write_text(toml + 'setup = "setup_it.py"\nrequirements_gpu = "requirements-gpu.txt"\n')
    for name, text in {"setup_it.py": "x = 1\n", "stub.c": "int x;\n", "requirements-gpu.txt": "ada-gpu==1\n"}.items():
        (folder / name).write_text(text, "utf-8")
    site.build()
    held = unpacked(site, "ada")
    names = ["README.txt", "cnn.py", "requirements-gpu.txt", "requirements.txt", "setup_it.py", "stub.c"]
    assert list(held) == [f"ada/{name}" for name in names]
    assert held["ada/stub.c"] == "int x;\n"
    readme = held["ada/README.txt"]
    for expected in (
        "cnn.py   the CNN",
        "python setup_it.py\n    python cnn.py",
        "uv pip sync requirements-gpu.txt",
        "license",
    ):
        assert expected in readme
    assert "gru.py" not in readme


def test_implementations_with_environments_of_their_own_share_an_archive(site) -> None:
    folder = site.examples / "ada"
    toml = (folder / "framework.toml").read_text("utf-8")
    for name in ("one", "two"):
        toml += f'[backend.{name}]\nname = "Ada on {name}"\nenvironment = {{ requirements = "{name}.txt" }}\n'
        (folder / f"{name}.txt").write_text(f"{name}==1\n", "utf-8")
    (folder / "framework.toml").write_text(toml, "utf-8")
    site.build()
    assert list(unpacked(site, "ada")) == ["ada/README.txt", "ada/ada-one/one.txt", "ada/ada-two/two.txt", "ada/cnn.py"]
    assert "Ada on one, Python 3.11." in section(site, "ada")
    assert "uv pip sync ada-two/two.txt" in unpacked(site, "ada")["ada/README.txt"]


def test_the_same_sources_give_the_same_bytes(site) -> None:
    site.build()
    first = served(site)
    for path in site.examples.rglob("*"):
        path.touch()
    site.build()
    assert served(site) == first
    with zipfile.ZipFile(io.BytesIO(first["ada.zip"])) as packed:  # two builds may be less than a tick apart
        assert {entry.date_time[0] for entry in packed.infolist()} == {1980}


def test_a_current_notebook_is_linked_and_packed(site) -> None:
    content = write_notebook(site).read_text("utf-8")
    site.build()
    assert 'href="../downloads/ada/ada-cnn.ipynb"' in section(site, "ada")
    assert unpacked(site, "ada")["ada/ada-cnn.ipynb"] == content
    assert "ada-cnn.ipynb   the CNN as a notebook, with its output from Ada" in unpacked(site, "ada")["ada/README.txt"]


def test_a_missing_notebook_is_said(site) -> None:
    site.build()
    assert "no notebook: not run yet" in section(site, "ada")


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (("requirements.txt", "", "ada==2\n"), "the lock changed since it ran"),
        (("cnn.py", "64", "65"), "the code changed since it ran"),
    ],
)
def test_a_notebook_of_another_code_or_lock_is_said_and_not_offered(site, edit, why) -> None:
    write_notebook(site)
    site.build()
    path = site.examples / "ada" / edit[0]
    path.write_text(path.read_text("utf-8").replace(edit[1], edit[2], 1), "utf-8")
    site.build()
    assert f"no notebook: {why}" in section(site, "ada")
    assert not [name for name in served(site) if name.endswith(".ipynb")]
    assert not [name for name in unpacked(site, "ada") if name.endswith(".ipynb")]


def test_prose_in_an_example_may_change(site) -> None:
    write_notebook(site)
    path = site.examples / "ada" / "cnn.py"
    path.write_text(path.read_text("utf-8").replace("def helper", "# A helper.\ndef helper"), "utf-8")
    site.build()
    assert 'href="../downloads/ada/ada-cnn.ipynb"' in section(site, "ada")


@pytest.mark.parametrize("content", ["{}", "no JSON", '{"metadata": {"rosetta": {}}}'])
def test_a_file_that_is_no_executed_notebook_is_a_warning(site, content: str) -> None:
    write_notebook(site).write_text(content, "utf-8")
    assert "ada-cnn.ipynb" in site.build()
    assert "ipynb</a>" not in section(site, "ada")


def test_an_example_that_cannot_run_alone_is_said_with_its_reason(site) -> None:
    path = site.examples / "ada" / "cnn.py"
    path.write_text("from rosetta_common import weights\n" + path.read_text("utf-8"), "utf-8")
    assert not site.build()
    assert "no script: examples/ada/cnn.py, line 1, cannot run alone" in section(site, "ada")
    assert "ada/cnn.py" not in served(site)
    assert "ada/cnn.py" not in unpacked(site, "ada")


def test_a_folder_without_an_example_offers_nothing(site) -> None:
    (site.examples / "ada" / "cnn.py").unlink()
    assert not site.build()
    assert "download-ada" not in site.html("deep/page")
    assert not [name for name in served(site) if name.startswith("ada")]


def test_links_for_a_caption_lead_from_any_page_and_say_what_is_not_there(site) -> None:
    (site.docs / "conf.py").write_text((site.docs / "conf.py").read_text("utf-8") + CAPTION, "utf-8")
    write_notebook(site)
    site.page("deep/other", "```{caption} ada\n```\n\n```{caption} bell\n```")
    site.build()
    found = re.findall(r'<p class="caption-(\w+)">(.*?)</p>', site.html("deep/other"))
    assert [(name, re.sub(r"<[^>]+>", "", text)) for name, text in found] == [
        ("ada", "cnn.py · notebook · ada.zip"),
        ("bell", "cnn.py · no notebook: not run yet · bell.zip"),
    ]
    links = re.findall(r'href="([^"]+)"', found[0][1])
    assert links == [f"../downloads/{path}" for path in ("ada/cnn.py", "ada/ada-cnn.ipynb", "ada.zip")]
    assert all((site.folder / "html" / "deep" / link).exists() for link in links)
