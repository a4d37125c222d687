"""Reads a record of an older schema as one of today's: the one place that knows what has changed between them.

Schema 2 named the presets and the certificates as they are named now, and since then `train` compiles wherever the
framework can. Schema 3 has a type for each kind of record, and a lesson's record says what it measures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CompiledSince = Mapping[tuple[str, str], int]  # (folder, workload) -> the schema since which its `train` compiles

# What the ways of training are called since `train` compiles, by what they were called before. Step by step from a
# loader is a way that no example has, and old records do.
EAGER_WITH_LOADER = "train_eager_with_loader"
BECAME_COMPILED = {None: "train_eager", "train_compiled": None, "train_with_loader": EAGER_WITH_LOADER}
WITH_VARIANT = ("benchmark", "certificate", "lesson")  # kinds of record that are of one way of training
KINDS_OF_SCHEMA_1 = {"parity": "certificate"}
LISTS = {"certificate": "checks", "transfer": "checks", "defaults": "answers"}  # which schema 3 always has

Content = dict[str, Any]  # a record as its JSON file holds it


def converted(content: Content, compiled_since: CompiledSince) -> Content:
    """The content of a record of schema 1 or 2 as one of schema 3.

    compiled_since: which examples' `train` became the compiled step, and with which schema.
    """
    schema = content["schema"]
    if schema == 1:
        content = _from_1(content)
    return _from_2(_with_variant(content, schema, compiled_since))


def _from_1(content: Content) -> Content:
    """With the names of schema 2."""
    kind, lane = content.get("kind"), content.get("lane")
    renamed = {**content, "kind": KINDS_OF_SCHEMA_1.get(str(kind), kind), **({"preset": lane} if lane else {})}
    if "checks" in content:
        checks = [{**check, "name": check["name"].replace("drop-out: ", "dropout: ")} for check in content["checks"]]
        renamed["checks"] = checks
    return renamed


def _with_variant(content: Content, schema: int, compiled_since: CompiledSince) -> Content:
    """With the variant's name of today, where `train` has become compiled since."""
    since = compiled_since.get((str(content.get("framework")), str(content.get("workload"))), schema)
    if schema >= since or content.get("kind") not in WITH_VARIANT or content.get("historic"):
        return content
    variant = content.get("variant")
    return {**content, "variant": BECAME_COMPILED.get(variant, variant)}


def _from_2(content: Content) -> Content:
    """With the fields that schema 3 demands of each kind."""
    kind = str(content.get("kind"))
    if kind == "lesson":
        measure = "accuracy" if content.get("preset") else "time" if _is_timed(content) else "size"
        return {"measure": measure, **content}
    return {LISTS[kind]: {} if kind == "defaults" else [], **content} if kind in LISTS else content


def _is_timed(content: Content) -> bool:
    """Whether a lesson's record is of time; one that failed holds no pairs, but the data on which it was to run."""
    return bool(content.get("pairs") or content.get("data"))
