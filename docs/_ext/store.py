"""What the pages are made of: the list of frameworks and the records, read once a build.

Each page notes what it used, by content. Sphinx alone compares times of modification, which a git
checkout or a cache restores wrongly, and never sees a new folder.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from weakref import WeakKeyDictionary

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util import logging

from rosetta_common.host import catalogue, records
from rosetta_common.host.catalogue import Row, UserError
from rosetta_common.host.records import Record

from . import certified

logger = logging.getLogger(__name__)
HERE = Path(__file__).parent

ALWAYS = "read this page again"  # noted by a page with a warning: Sphinx tells of it once, this site each time


def digest(paths: Iterable[Path]) -> str:
    """One digest of files' names and contents; a file that does not exist counts as such."""
    total = hashlib.sha256()
    for path in paths:
        content = hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b"absent"
        total.update(str(path).encode() + b"\0" + content)
    return total.hexdigest()


@dataclass
class Store:
    """The frameworks and records of one build. The first folder of records is the committed one, others are local."""

    examples: Path
    folders: list[Path]
    rows: dict[str, Row] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    local: set[int] = field(default_factory=set)
    shared: dict[str, str] = field(default_factory=dict)  # digests of what many pages use

    def load(self) -> None:
        """Read the catalogue and every record, oldest first. A file that is no record is a warning."""
        try:
            self.rows = catalogue.rows(self.examples)
        except UserError as error:
            raise ExtensionError(str(error)) from None
        for folder in self.folders:
            for path in records.paths([folder]):
                try:
                    record = records.read(path)
                except UserError as error:
                    logger.warning("%s", error, type="rosetta", subtype="record")
                    continue
                self.records.append(record)
                if folder != self.folders[0]:
                    self.local.add(id(record))
        self.records.sort(key=lambda record: record.created)
        self.shared = {
            "frameworks": digest(sorted(self.examples.glob("*/framework.toml"))),
            "records": digest(records.paths(self.folders)),
        }

    def is_local(self, record: Record) -> bool:
        """Whether the record is of this machine, just now, and not published."""
        return id(record) in self.local

    def of(self, **wanted: object) -> list[Record]:
        """The records with these fields or properties, oldest first."""
        return [r for r in self.records if all(getattr(r, key) == value for key, value in wanted.items())]

    def verdict(self, run: Record) -> certified.Verdict:
        return certified.verdict(run, self.records)

    def name(self, record: Record) -> str:
        """What to call a record's row: as the seed did, as the catalogue does, or by its id."""
        if record.name:
            return record.name
        return self.rows[record.row].name if record.row in self.rows else record.row


_stores: WeakKeyDictionary[Config, Store] = WeakKeyDictionary()


def store(config: Config) -> Store:
    """The store of the build with this configuration."""
    return _stores[config]


def note(env: BuildEnvironment, *paths: Path) -> None:
    """Note that the page being read shows these files, the list of frameworks and the records."""
    used = _used(env)[env.docname]
    used.update(store(env.config).shared)
    used.update({str(path): digest([path]) for path in paths})


def note_warning(env: BuildEnvironment) -> None:
    """Have the page being read again by the next build, so that its warning is not lost."""
    _used(env)[env.docname][ALWAYS] = ""


def _used(env: BuildEnvironment) -> dict[str, dict[str, str]]:
    """Page -> what it used -> its digest. An attribute, so that Sphinx keeps it from build to build."""
    used: dict[str, dict[str, str]] = vars(env).setdefault("rosetta_used", defaultdict(dict))
    return used


def _start(app: Sphinx) -> None:
    folders = [Path(app.confdir, folder).resolve() for folder in app.config.rosetta_records]
    _stores[app.config] = Store(Path(app.confdir, app.config.rosetta_examples).resolve(), folders)
    _stores[app.config].load()


def _outdated(app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    now = store(app.config).shared

    def same(key: str, was: str) -> bool:
        return key != ALWAYS and (now[key] if key in now else digest([Path(key)])) == was

    return [page for page, used in _used(env).items() if not all(same(*pair) for pair in used.items())]


def _purge(app: Sphinx, env: BuildEnvironment, page: str) -> None:
    _used(env).pop(page, None)


def _merge(app: Sphinx, env: BuildEnvironment, pages: set[str], other: BuildEnvironment) -> None:
    _used(env).update({page: used for page, used in _used(other).items() if page in pages})


def setup(app: Sphinx) -> None:
    app.add_config_value("rosetta_examples", "../examples", "env")
    app.add_config_value("rosetta_records", ["records", "_local"], "env")
    app.connect("builder-inited", _start)
    app.connect("env-get-outdated", _outdated)
    app.connect("env-purge-doc", _purge)
    app.connect("env-merge-info", _merge)
