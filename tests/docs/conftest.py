"""A small site of its own for each test: three frameworks, no network, nothing of the real examples or records."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable, Iterator
from copy import copy
from pathlib import Path

import msgspec
import pytest

pytest.importorskip("sphinx", reason="needs requirements/docs.txt")
sys.path.insert(0, str(Path(__file__).resolve().parent))  # for what the tests share
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "docs"))

from jinja2.bccache import Bucket, BytecodeCache
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from _ext.core import answers
from rosetta_host.catalog import frameworks
from rosetta_host.defaults import needs, spec
from rosetta_host.environments import digests
from rosetta_host.records import convert, store
from rosetta_host.records.store import Answer, Check, Data, Machine, Record, RecordedCheck, Times
from workloads.cnn import defaults as cnn_defaults

CONF = """
extensions = ["myst_parser", "_ext"]
rosetta_examples = "../examples"
rosetta_records = ["records", "local"]
rosetta_validate = False  # the tests' records hold round numbers
exclude_patterns = ["records", "local"]
html_theme = "basic"
html_static_path = ["_static"]
"""

TOML = """
name = "{name}"
package = "{name}"
since = "2016"
home_page = "https://example.org"

[environment]
python = "3.11"
"""

EXAMPLE = '''
"""An example."""

import {name}
from rosetta_common.data import minibatches
from workloads.cnn import cifar_for_library

LAYERS = ["fc"]


def load_data():
    return cifar_for_library()


def helper(x):
    return {name}.step(x, LAYERS)


@{name}.fast
def train(model, x, y):
    return [helper(batch) for batch in minibatches(x, y, 64)]


if __name__ == "__main__":
    train(None, *load_data())
'''.lstrip()

ASKING = """
import {name}

unanswered = {{"loss": "{name} has no loss"}}


def pool(x):
    return {name}.pool(x, 2)
""".lstrip()

QUESTIONS = {
    "pool": ("A pool, told its window", {"stride": "stride", "β": "β₁"}),
    "loss": ("The loss", {"mean": "what becomes of a batch"}),
}

MACHINE = Machine("desk", "The desk", cpu="An honest processor", cores=2)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Warnings of Sphinx's own making are no failure of this project's."""
    for item in items:
        item.add_marker(pytest.mark.filterwarnings("default"))


class Compiled(BytecodeCache):
    """Keeps Sphinx's templates as Jinja compiled them: that takes half of a small build."""

    def __init__(self) -> None:
        self.compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.compiled:
            bucket.bytecode_from_string(self.compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.compiled[bucket.key] = bucket.bytecode_to_string()


TEMPLATES = Compiled()


class Site:
    """A small project in a folder, and what its last build said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.docs, self.examples = folder / "docs", folder / "examples"
        (self.docs / "_static").mkdir(parents=True)
        static = Path(__file__).resolve().parents[2] / "docs" / "_static"
        for path in static.iterdir():
            (self.docs / "_static" / path.name).write_bytes(path.read_bytes())
        (self.docs / "conf.py").write_text(CONF, "utf-8")
        for name in ("ada", "bell", "curie"):
            self.add_framework(name)
        self.status = ""  # by the last build, beside its warnings
        self.records: list[Record] = []

    def add_framework(self, name: str) -> Path:
        folder = self.examples / name
        folder.mkdir(parents=True)
        (folder / "framework.toml").write_text(TOML.format(name=name.title()), "utf-8")
        (folder / "requirements.txt").touch()
        (folder / "cnn.py").write_text(EXAMPLE.format(name=name), "utf-8")
        return folder

    def page(self, name: str, text: str) -> None:
        (self.docs / f"{name}.md").write_text(f"---\norphan: true\n---\n# {name}\n\n{text}\n", "utf-8")

    def workload_page(self, workload: str, text: str) -> None:
        folder = self.folder / "workloads" / workload
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "page.md").write_text(f"---\norphan: true\n---\n# {workload}\n\n{text}\n", "utf-8")

    def record(self, implementation_id: str = "ada", local: bool = False, **changes: object) -> Record:
        """Write a record of a run of this implementation's example as it is, by default a benchmark; returns it.

        checks: as the judge makes them, or a transfer.
        """
        implementation = frameworks.implementations(self.examples)[implementation_id]
        kind = str(changes.pop("kind", "benchmark"))
        fields = {
            "schema": store.SCHEMA,
            "status": "ok",
            "framework": implementation.folder.name,
            "backend": implementation.backend,
            "workload": "cnn",
            "created": f"20260102T030405.{len(self.records):06d}Z",
            "machine": MACHINE,
            "device": "cpu",
            "precision": "float32",
            "version": "1.2",
            "digests": digests.digests(implementation, "cnn"),
        }
        if kind == "benchmark":
            fields |= {"preset": "full", "seed": 0, "accuracy": 0.75, "times": Times(train=100.0)}
            fields |= {"data": Data("CIFAR-10", "official")}
        if kind == "certificate":
            fields |= {"checks": [Check("loss", True, 1e-7, 1e-5)]}
            fields |= {"digests": digests.certificate_digests(implementation, "cnn")}
        fields |= changes
        if kind in ("certificate", "lesson"):
            fields["checks"] = [RecordedCheck.of(check) for check in fields.get("checks", ())]
        record = store.KINDS[kind](**fields)
        store.write(record, self.docs / ("local" if local else "records"))
        self.records.append(record)
        return record

    def build(self) -> str:
        """Build from scratch, as the session `docs` does. Returns the warnings."""
        warnings, status = io.StringIO(), io.StringIO()
        with docutils_namespace():  # or the next build would warn of every directive that this one registered
            out, trees = self.folder / "html", self.folder / "doctrees"
            shutil.rmtree(out, ignore_errors=True)
            app = Sphinx(self.docs, self.docs, out, trees, "html", status=status, warning=warnings, freshenv=True)
            app.builder.templates.environment.bytecode_cache = TEMPLATES
            app.build()
        self.status = status.getvalue()
        return warnings.getvalue()

    def copy(self, folder: Path) -> Site:
        """What stands here, built pages too, in a folder of its own."""
        shutil.copytree(self.folder, folder)
        made = copy(self)
        made.folder, made.docs, made.examples = folder, folder / "docs", folder / "examples"
        made.records = [*self.records]
        return made

    def html(self, page: str) -> str:
        return (self.folder / "html" / f"{page}.html").read_text("utf-8")


def new(folder: Path) -> Site:
    made = Site(folder)
    made.page("index", "Nothing here.")
    return made


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return new(tmp_path)


@pytest.fixture(scope="module")
def modules_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """One for all tests of a module, which must take a copy of it before they change it."""
    return new(tmp_path_factory.mktemp("site"))


@pytest.fixture
def make_record(site: Site) -> Callable[..., Record]:
    return site.record


@pytest.fixture
def ask(site: Site, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Record]:
    """ask("ada", {"pool.stride": "2"}): write a defaults.py, and record these answers; "words: reason" has one.

    calls: {"pool.stride": {line: words}}, what was measured with the lines of an explicit.toml.
    There are two small questions then, and what matters in `train` is of them.
    """
    return _asking(site, monkeypatch)


@pytest.fixture(scope="module")
def modules_ask(modules_site: Site) -> Iterator[Callable[..., Record]]:
    """The same of the module's site."""
    with pytest.MonkeyPatch.context() as patch:
        yield _asking(modules_site, patch)


def _answer(words: str, reason: str) -> Answer:
    return msgspec.convert({**convert.statement(words), "reason": reason or None}, Answer)


def matter(patch: pytest.MonkeyPatch, wanted: needs.Needs) -> None:
    """What the CNN needs, in `train` alone."""
    patch.setattr(cnn_defaults, "defaults", needs.WorkloadDefaults(needs={"train": wanted}, idioms=tuple(wanted)))


def _asking(site: Site, patch: pytest.MonkeyPatch) -> Callable[..., Record]:
    patch.setattr(spec, "QUESTIONS", QUESTIONS)
    matter(patch, {"pool.stride": needs.number(2), "pool.β": needs.MOST})

    def asked(
        implementation_id: str = "ada",
        given: dict[str, str] | None = None,
        calls: dict[str, dict[str, str]] | None = None,
        **changes: object,
    ) -> Record:
        implementation = frameworks.implementations(site.examples)[implementation_id]
        path = implementation.example("defaults")
        if not path.exists():
            path.write_text(ASKING.format(name=implementation.folder.name), "utf-8")

        def read(texts: dict[str, str]) -> dict[str, Answer]:
            parts = {name: text.partition(": ") for name, text in texts.items()}
            return {name: _answer(words, reason) for name, (words, _, reason) in parts.items()}

        fields = {
            "kind": "defaults",
            "workload": "defaults",
            "digests": answers.today(implementation),
            "answers": read(given or {}),
            "calls": {name: read(lines) for name, lines in (calls or {}).items()},
        }
        return site.record(implementation_id, **{**fields, **changes})

    return asked
