"""What the pages are made of: the list of frameworks and the records, read once a build."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError
from sphinx.util import logging

from _ext.core import verdicts
from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import Implementation, UserError
from rosetta_host.certificate import coverage
from rosetta_host.environments.digests import example_digest
from rosetta_host.records import store as record_store
from rosetta_host.records.codes import Coverage
from rosetta_host.records.store import CertificateRecord, Executed, R, Record
from rosetta_host.validation import validate
from rosetta_host.validation.reference import Reference

logger = logging.getLogger(__name__)


@dataclass
class Store:
    """The frameworks and records of one build. The first folder of records is the committed one, others are local."""

    examples: Path
    folders: list[Path]
    implementations: dict[str, Implementation] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    by_implementation: dict[str, list[Record]] = field(default_factory=dict)
    files: dict[int, str] = field(default_factory=dict)  # id of a record -> its file, as seen from its folder
    local: set[int] = field(default_factory=set)
    settings: dict[str, Any] = field(default_factory=dict)  # workload -> its usual setting: see comparison.py

    def load(self) -> None:
        """Read the catalog and every record, oldest first. A file that is no record is a warning."""
        try:
            self.implementations = frameworks.implementations(self.examples)
        except UserError as error:
            raise ExtensionError(str(error)) from None
        since = frameworks.compiled_since(self.implementations.values())
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
            self.by_implementation.setdefault(each.implementation, []).append(each)

    def refuse(self) -> None:
        """Leave out the committed records that cannot be true, with a warning for each.

        The time of the build is not compared with theirs, so that the same sources build the same site.
        """
        committed = {
            self.folders[0] / self.path(record): record for record in self.records if not self.is_local(record)
        }
        refused = validate.refusals(committed, Reference.of(committed, self.implementations))
        for why in refused.values():
            logger.warning("%s", why[0], type="rosetta", subtype="record")
        left_out = {id(committed[path]) for path in refused}
        self.records = [record for record in self.records if id(record) not in left_out]
        for implementation, records in self.by_implementation.items():
            self.by_implementation[implementation] = [record for record in records if id(record) not in left_out]

    def path(self, record: Record) -> str:
        """The record's file, as seen from the folder of records that holds it."""
        return self.files[id(record)]

    def is_local(self, record: Record) -> bool:
        """Whether the record is of this machine, just now, and not published."""
        return id(record) in self.local

    def of_kind(self, kind: type[R], **wanted: object) -> list[R]:
        """The records of a kind with these fields or properties, oldest first."""
        records = (
            self.by_implementation.get(str(wanted["implementation"]), [])
            if "implementation" in wanted
            else self.records
        )
        return [
            record
            for record in record_store.of_kind(records, kind)
            if all(getattr(record, name) == value for name, value in wanted.items())
        ]

    def verdict(self, run: Record) -> verdicts.Verdict:
        return verdicts.verdict(run, record_store.of_kind(self.records, CertificateRecord))

    def executed(self, implementation: str, workload: str, example: str | None) -> dict[str, Executed]:
        """Function -> how the certificates of this very code executed it: those of its variants too, all one file.

        Those of an implementation's own environment: in another, a library's function of the same name may have
        counted."""
        same = self.of_kind(
            CertificateRecord, status="ok", implementation=implementation, workload=workload, environment=None
        )
        return coverage.together([record.executed for record in same if record.digests.get("example") == example])

    def idle(self, implementation: Implementation, workload: str) -> list[str] | None:
        """The functions of an example as it is that no certificate executed; None where no certificate says."""
        functions = self.executed(implementation.id, workload, example_digest(implementation.example(workload)))
        return [name for name in functions if functions[name].code == Coverage.NOT_RUN] if functions else None

    def certificates(self, workload: str | None = None) -> list[CertificateRecord]:
        """All certificates, without those of variants that an example no longer has, whose proof nobody can repeat."""
        records = self.of_kind(CertificateRecord, workload=workload) if workload else self.of_kind(CertificateRecord)
        return [record for record in records if self._has_variant(record)]

    def _has_variant(self, record: CertificateRecord) -> bool:
        implementation = self.implementations.get(record.implementation)
        if implementation is None or record.variant is None:
            return True
        return any(case.variant == record.variant for case in implementation.cases([record.workload]))

    def name(self, record: Record) -> str:
        """What to call a record's implementation: as the original notebooks did, as the catalog does, or by its id."""
        if record.name:
            return record.name
        return (
            self.implementations[record.implementation].name
            if record.implementation in self.implementations
            else record.implementation
        )


_stores: WeakKeyDictionary[Config, Store] = WeakKeyDictionary()


def store(config: Config) -> Store:
    """The store of the build with this configuration."""
    return _stores[config]


def _start(app: Sphinx) -> None:
    folders = [Path(app.confdir, folder).resolve() for folder in app.config.rosetta_records]
    _stores[app.config] = Store(Path(app.confdir, app.config.rosetta_examples).resolve(), folders)
    _stores[app.config].load()
    if app.config.rosetta_validate:
        _stores[app.config].refuse()


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
    for implementation in store(app.config).implementations.values() if error is None else ():
        for workload in implementation.workloads:
            idle = store(app.config).idle(implementation, workload)
            if idle is None:
                logger.info("%s %s: no certificate of this code says what was executed", implementation.id, workload)
            elif idle:
                logger.info("%s %s: not executed: %s", implementation.id, workload, ", ".join(idle))


def setup(app: Sphinx) -> None:
    app.add_config_value("rosetta_examples", "../examples", "env")
    app.add_config_value("rosetta_records", ["records", "_local"], "env")
    app.add_config_value("rosetta_validate", True, "env")
    app.connect("builder-inited", _start)
    app.connect("build-finished", _publish)
    app.connect("build-finished", _tell_what_did_not_run)
