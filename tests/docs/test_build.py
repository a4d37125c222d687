"""The real site builds without a warning, and a second build does again only what changed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.goals import FAR, told

pytestmark = pytest.mark.timed

ROOT = Path(__file__).resolve().parents[2]
CLEAN, UNCHANGED = 90.0, 10.0  # seconds


class Build:
    """The real pages, built into a folder of their own, from a copy of the examples."""

    def __init__(self, folder: Path) -> None:
        self.html, self.trees, self.examples = folder / "html", folder / "trees", folder / "examples"
        self.options = ["-W", "--keep-going", "--no-color", "-d", self.trees]
        self.options += ["-D", f"rosetta_examples={self.examples}"]
        shutil.copytree(ROOT / "examples", self.examples, ignore=shutil.ignore_patterns("__pycache__"))

    def run(self, *options: str) -> tuple[float, set[str]]:
        """Build; gives the seconds that took and the pages that were read. A warning is a failure."""
        start = time.perf_counter()
        command = [sys.executable, "-m", "sphinx", *self.options, *options, ROOT / "docs", self.html]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert not done.stderr
        read = re.findall(r"reading sources\.\.\. \[ *\d+%\] (\S+)", done.stdout)
        return time.perf_counter() - start, set(read)

    def sources(self) -> set[str]:
        """All pages that have been read from a source: unlike the search, which is made."""
        return {path.relative_to(self.trees).with_suffix("").as_posix() for path in self.trees.rglob("*.doctree")}

    def pages(self, text: str) -> set[str]:
        """The built pages that hold a text."""
        found = [path for path in self.html.rglob("*.html") if text in path.read_text("utf-8")]
        return {path.relative_to(self.html).with_suffix("").as_posix() for path in found}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> tuple[Build, float]:
    """A build on all cores, as the session `docs` does it: one that names the first and last page of each part read."""
    build = Build(tmp_path_factory.mktemp("build"))
    seconds, _ = build.run("-j", "auto")
    return build, seconds


def test_from_scratch_and_with_nothing_changed(clean, capsys) -> None:
    build, seconds = clean
    assert len(build.sources()) > 1
    again, read_again = build.run()
    assert not read_again
    with capsys.disabled():
        print("\n" + told("the site from scratch", seconds, CLEAN, "s"))
        print(told("the site with nothing changed", again, UNCHANGED, "s"))
    assert seconds <= FAR * CLEAN
    assert again <= FAR * UNCHANGED


def test_one_example_changed_and_only_the_pages_that_show_it_are_read(clean) -> None:
    build, _ = clean
    path = sorted(build.examples.glob("*/gru.py"))[0]
    source = path.read_text("utf-8")
    changed = source.replace("def predict(model, x):", "def predict(model, x):  # changed")
    assert changed != source
    path.write_text(changed, "utf-8")
    showing = build.pages(f"{path.parent.name}/{path.name}")  # in examples/, and in downloads/
    _, read = build.run()
    docs = ROOT / "docs"
    using = re.compile(
        r"\{feeds\}`batches`(?!`)(?! ``)"
    )  # what every example draws from; not where the role is explained
    pages = [path for path in docs.rglob("*.md") if using.search(path.read_text("utf-8"))]
    saying = {path.relative_to(docs).with_suffix("").as_posix() for path in pages}
    assert read == showing | saying | {"lessons/index"}  # which says what still holds of each example as it is
    assert read < build.sources()
    assert build.pages("# changed")
