"""What the pages are made of: the list of frameworks and the records, read once a build.

Each page notes what it used, by content. Sphinx alone compares times of modification, which a git
checkout or a cache restores wrongly, and never sees a new folder.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util import logging

from _ext.core import verdicts
from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import Row, UserError
from rosetta_host.certificate import coverage
from rosetta_host.environments.digests import example_digest
from rosetta_host.records import store as record_store
from rosetta_host.records.codes import Coverage
from rosetta_host.records.store import CertificateRecord, Executed, R, Record

logger = logging.getLogger(__name__)

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
    by_row: dict[str, list[Record]] = field(default_factory=dict)
    files: dict[int, str] = field(default_factory=dict)  # id of a record -> its file, as seen from its folder
    local: set[int] = field(default_factory=set)
    shared: dict[str, str] = field(default_factory=dict)  # digests of what many pages use
    settings: dict[str, Any] = field(default_factory=dict)  # workload -> its usual setting: see comparison.py

    def load(self) -> None:
        """Read the catalogue and every record, oldest first. A file that is no record is a warning."""
        try:
            self.rows = frameworks.rows(self.examples)
        except UserError as error:
            raise ExtensionError(str(error)) from None
        since = frameworks.compiled_since(self.rows.values())
        for folder in self.folders:
            for path in record_store.paths([folder]):
                try:
                    record = record_store.read(path, since)
                except UserError as error:
                    logger.warning("%s", error, type="rosetta", subtype="record")
                    continue
                self.records.append(record)
                self.files[id(record)] = path.relative_to(folder).as_posix()
                if folder != self.folders[0]:
                    self.local.add(id(record))
        self.records.sort(key=lambda record: record.created)
        for each in self.records:
            self.by_row.setdefault(each.row, []).append(each)
        self.shared = {
            "frameworks": digest(sorted(self.examples.glob("*/framework.toml"))),
            "records": digest(record_store.paths(self.folders)),
        }

    def path(self, record: Record) -> str:
        """The record's file, as seen from the folder of records that holds it."""
        return self.files[id(record)]

    def is_local(self, record: Record) -> bool:
        """Whether the record is of this machine, just now, and not published."""
        return id(record) in self.local

    def of_kind(self, kind: type[R], **wanted: object) -> list[R]:
        """The records of a kind with these fields or properties, oldest first."""
        records = self.by_row.get(str(wanted["row"]), []) if "row" in wanted else self.records
        return [
            record
            for record in record_store.of_kind(records, kind)
            if all(getattr(record, name) == value for name, value in wanted.items())
        ]

    def verdict(self, run: Record) -> verdicts.Verdict:
        return verdicts.verdict(run, record_store.of_kind(self.records, CertificateRecord))

    def executed(self, row: str, workload: str, example: str | None) -> dict[str, Executed]:
        """Function -> how the certificates of this very code executed it: those of its variants too, all one file.

        Those of a row's own environment: in another, a library's function of the same name may have counted.
        """
        same = self.of_kind(CertificateRecord, status="ok", row=row, workload=workload, environment=None)
        return coverage.together([record.executed for record in same if record.digests.get("example") == example])

    def idle(self, row: Row, workload: str) -> list[str] | None:
        """The functions of an example as it is that no certificate executed; None where no certificate says."""
        functions = self.executed(row.id, workload, example_digest(row.example(workload)))
        return [name for name in functions if functions[name].code == Coverage.NOT_RUN] if functions else None

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


def _publish(app: Sphinx, error: Exception | None) -> None:
    """Put the committed records into the site, so that a page can link to what it says."""
    if error is None and app.builder.format == "html":
        committed = store(app.config).folders[0]
        for path in record_store.paths([committed]):
            copy = Path(app.outdir, "records", path.relative_to(committed))
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


def _tell_what_did_not_run(app: Sphinx, error: Exception | None) -> None:
    """Name the functions of examples, all of which some page shows, that no certificate of their code executed."""
    for row in store(app.config).rows.values() if error is None else ():
        for workload in row.workloads:
            idle = store(app.config).idle(row, workload)
            if idle is None:
                logger.info("%s %s: no certificate of this code says what was executed", row.id, workload)
            elif idle:
                logger.info("%s %s: not executed: %s", row.id, workload, ", ".join(idle))


def setup(app: Sphinx) -> None:
    app.add_config_value("rosetta_examples", "../examples", "env")
    app.add_config_value("rosetta_records", ["records", "_local"], "env")
    app.connect("builder-inited", _start)
    app.connect("env-get-outdated", _outdated)
    app.connect("env-purge-doc", _purge)
    app.connect("env-merge-info", _merge)
    app.connect("build-finished", _publish)
    app.connect("build-finished", _tell_what_did_not_run)
