"""Reads a record of an older schema as one of the current schema: the only module that knows their differences.

Schema 2 named the presets and the certificates as they are named now, and since then `train` compiles wherever the
framework can. Schema 3 has a type for each kind of record, a lesson's record says what it measures, and
answers, checks and the coverage of functions have codes where they were sentences.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rosetta_host.records import checks
from rosetta_host.records.codes import Code, Coverage, Rule

CompiledSince = Mapping[tuple[str, str], int]  # (folder, workload) -> the schema since which its `train` compiles

# What the ways of training are called since `train` compiles, by what they were called before. Step by step from a
# loader is a way that no example has, and old records do.
EAGER_WITH_LOADER = "train_eager_with_loader"
BECAME_COMPILED = {None: "train_eager", "train_compiled": None, "train_with_loader": EAGER_WITH_LOADER}
WITH_VARIANT = ("benchmark", "certificate", "lesson")  # kinds of record that are of one way of training
KINDS_OF_SCHEMA_1 = {"parity": "certificate"}

COVERAGE = {
    "every line": Coverage.EVERY_LINE,
    "called": Coverage.CALLED,
    "compiled from its source": Coverage.COMPILED,
    "not executed": Coverage.NOT_RUN,
}
# The answers about defaults that schema 2 wrote out, but for those with values of their own.
ANSWERS = {
    "refused": Code.REFUSED,
    "must be given": Code.MUST_BE_GIVEN,
    "none": Code.NONE,
    "unknown": Code.UNKNOWN,
    "0.9999 or more": Code.NEARLY_ONE,
    "zeros": Code.ZEROS,
    "orthogonal": Code.ORTHOGONAL,
    "1 on each side, the size is kept": Code.SAME_SIZE,
    "not turned: a correlation": Code.CORRELATION,
    "turned by half a circle: a convolution": Code.CONVOLUTION,
    "channels first": Code.CHANNELS_FIRST,
    "channels last": Code.CHANNELS_LAST,
    "ReLU": Code.RELU,
    "tanh": Code.TANH,
    "sigmoid": Code.SIGMOID,
    "hard sigmoid, x / 5 + 1/2 between 0 and 1": Code.HARD_SIGMOID_FIFTH,
    "hard sigmoid, x / 6 + 1/2 between 0 and 1": Code.HARD_SIGMOID_SIXTH,
    "one": Code.ONE_BIAS,
    "two": Code.TWO_BIASES,
    "one, and a second in the new state": Code.ONE_BIAS_AND_NEW_STATE,
    "after the recurrent product": Code.AFTER_PRODUCT,
    "before the recurrent product": Code.BEFORE_PRODUCT,
    "every state": Code.EVERY_STATE,
    "the last state": Code.LAST_STATE,
    "dropped": Code.DROPPED,
    "pooled alone": Code.POOLED_ALONE,
    "pooled with the sixth": Code.POOLED_WITH_SIXTH,
    "the first of them": Code.FIRST_TIED,
    "another one of them": Code.OTHER_TIED,
    "each of them, in full": Code.EACH_TIED,
    "shared between them": Code.SHARED_BY_TIED,
    "what is kept counts double": Code.KEPT_DOUBLED,
    "not at all: the test has to halve": Code.KEPT_UNCHANGED,
    "it drops": Code.DROPS,
    "it does not drop": Code.DOES_NOT_DROP,
    "computed all the same": Code.COMPUTED,
    "left out": Code.LEFT_OUT,
    "classical, rate outside the velocity: v ← μ v + g, w ← w − η v": Code.CLASSICAL_RATE_OUTSIDE,
    "classical, rate inside the velocity: v ← μ v + η g, w ← w − v": Code.CLASSICAL_RATE_INSIDE,
    "classical, at a constant learning rate": Code.CLASSICAL_CONSTANT_RATE,
    "classical: v ← μ v + g": Code.CLASSICAL,
    "Nesterov's, rate outside the velocity: v ← μ v + g, w ← w − η (g + μ v)": Code.NESTEROV_RATE_OUTSIDE,
    "Nesterov's, rate inside the velocity: v ← μ v + η g, w ← w − (η g + μ v)": Code.NESTEROV_RATE_INSIDE,
    "Nesterov's, at a constant learning rate": Code.NESTEROV_CONSTANT_RATE,
    "Nesterov's": Code.NESTEROV,
    "unit gain, rate outside the velocity: v ← μ v + (1 − μ) g, w ← w − η v": Code.UNIT_GAIN_RATE_OUTSIDE,
    "unit gain, rate inside the velocity: v ← μ v + η (1 − μ) g, w ← w − v": Code.UNIT_GAIN_RATE_INSIDE,
    "unit gain, at a constant learning rate": Code.UNIT_GAIN_CONSTANT_RATE,
    "unit gain: v ← μ v + (1 − μ) g": Code.UNIT_GAIN,
    "dampened, rate outside the velocity: unit gain from the second step on": Code.DAMPENED_RATE_OUTSIDE,
    "dampened, rate inside the velocity: unit gain from the second step on": Code.DAMPENED_RATE_INSIDE,
    "dampened, at a constant learning rate": Code.DAMPENED_CONSTANT_RATE,
    "they pass: the weight is lost": Code.PASS,
    "the weight survives them": Code.SURVIVES,
    "one of the two passes": Code.ONE_PASSES,
    "taken as it is": Code.TAKEN_AS_IT_IS,
    "beside the corrected root": Code.CORRECTED_ROOT,
    "beside the root before its correction": Code.RAW_ROOT,
    "from the first step on": Code.FROM_FIRST_STEP,
    "as if the first step were the second": Code.A_STEP_LATE,
    "none: the first step is three times as long": Code.NOT_CORRECTED,
    "in the loss": Code.IN_LOSS,
    "in the network": Code.IN_NETWORK,
    "the network's own affair": Code.NETWORK_DECIDES,
    "the mean": Code.MEAN,
    "the sum": Code.SUM,
    "a loss a sample": Code.LOSS_PER_SAMPLE,
    "as they lie": Code.IN_ORDER,
    "shuffled": Code.SHUFFLED,
    "it comes, smaller": Code.SMALLER_BATCH,
    "it is dropped": Code.BATCH_DROPPED,
    "filled up with the first samples": Code.FILLED_WITH_FIRST,
    "filled up": Code.FILLED,
    "nothing": Code.NOTHING,
    "samples": Code.SAMPLES,
    "samples, some of them twice": Code.SAMPLES_TWICE,
    "samples, not far from where they lie": Code.SAMPLES_NEARBY,
    "whole batches": Code.WHOLE_BATCHES,
    "in front": Code.IN_FRONT,
    "behind": Code.BEHIND,
    "it leaves out what is too long": Code.TOO_LONG_LEFT_OUT,
}
NUMBER = r"(-?\d[\d.]*(?:e-?\d+)?)"
WITH_VALUE = {NUMBER: Code.NUMBER, f"all {NUMBER}": Code.CONSTANT, f"clipped: moves by {NUMBER}": Code.CLIPPED}
WITH_ITEMS = {
    r"(\d+) × (\d+)": Code.KERNEL,
    r"(\w+) comes out": Code.DTYPE,
    r"what is kept becomes \[(.+)\]": Code.KEPT_BECOMES,
}
DISTRIBUTIONS = {"uniform": Code.UNIFORM, "normal": Code.NORMAL, "truncated normal": Code.TRUNCATED_NORMAL}
RULES = {"Glorot's": Rule.GLOROT, "He's": Rule.HE, "LeCun's": Rule.LECUN}
FANS = {"± √(1 / fan in)": Rule.FAN_IN, "± √(1 / fan out)": Rule.FAN_OUT}
# Checks whose name differs from that in `checks.NAMES`.
RENAMED_CHECKS = {"start: law": "start: distribution"}
LABELS = {"a column of them": "column", "one-hot rows": "one_hot"}

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
    """With the variant's current name, where `train` is compiled now."""
    since = compiled_since.get((str(content.get("framework")), str(content.get("workload"))), schema)
    if schema >= since or content.get("kind") not in WITH_VARIANT or content.get("historic"):
        return content
    variant = content.get("variant")
    return {**content, "variant": BECAME_COMPILED.get(variant, variant)}


def _from_2(content: Content) -> Content:
    """With the fields that schema 3 demands of each kind."""
    kind = str(content.get("kind"))
    if kind in ("certificate", "lesson"):
        content = {**content, "checks": [_check(check) for check in content.get("checks", [])]}
    if "executed" in content:
        functions = content["executed"]
        content = {**content, "executed": {name: _executed(functions[name]) for name in functions}}
    if kind == "lesson":
        measure = "accuracy" if content.get("preset") else "time" if _is_timed(content) else "size"
        return {"measure": measure, **content}
    if kind == "defaults":
        answers = content.get("answers", {})
        return {**content, "answers": {name: _answer(answer) for name, answer in answers.items()}}
    return {"checks": [], **content} if kind == "transfer" else content


def _is_timed(content: Content) -> bool:
    """Whether a lesson's record is of time; one that failed holds no pairs, but the data on which it was to run."""
    return bool(content.get("pairs") or content.get("data"))


def _check(check: Content) -> Content:
    """A check with a code in place of its name."""
    name = str(check["name"])
    code, subject = checks.coded(RENAMED_CHECKS.get(name, name))
    return {**check, "code": code, "subject": subject}


def _executed(state: str) -> Content:
    """How much of a function ran; "8 of 12 lines" says it of one that ran in part."""
    if match := re.fullmatch(r"(\d+) of (\d+) lines", state):
        return {"code": Coverage.SOME_LINES, "lines": [int(count) for count in match.groups()]}
    return {"code": COVERAGE[state]}


def _answer(answer: Content) -> Content:
    """An answer with a statement in place of its words."""
    return {**statement(answer["words"]), **{name: value for name, value in answer.items() if name != "words"}}


def statement(words: str) -> Content:
    """The words of an answer as the content of a `store.Statement`. Raises LookupError for words never used."""
    if words in ANSWERS:
        return {"code": ANSWERS[words]}
    for pattern, code in WITH_VALUE.items():
        if match := re.fullmatch(pattern, words):
            return {"code": code, "value": float(match[1])}
    for pattern, code in WITH_ITEMS.items():
        if match := re.fullmatch(pattern, words):
            return {"code": code, "items": match.groups()}
    if match := re.fullmatch(r"gates: (.+); new state: (.+)", words):
        return {"code": Code.GATES_AND_NEW_STATE, "parts": [statement(part) for part in match.groups()]}
    if words.endswith(", all gates as one matrix"):
        return {"code": Code.ALL_GATES_AS_ONE_MATRIX, "parts": [statement(words.rpartition(", ")[0])]}
    if all(label in LABELS or label.startswith("class numbers, ") for label in words.split("; ")):
        kinds = [LABELS.get(label) or label.removeprefix("class numbers, ") for label in words.split("; ")]
        return {"code": Code.LABELS, "items": kinds}
    if " or " in words and all(part in ANSWERS for part in words.split(" or ")):
        return {"code": Code.EITHER, "parts": [statement(part) for part in words.split(" or ")]}
    return _distribution(words)


def _distribution(words: str) -> Content:
    """ "normal, LeCun's, σ = √(1 / fan in)" or "uniform, ± 0.05"; two rules that agree are joined by ", or "."""
    kind, _, scales = words.partition(", ")
    if match := re.fullmatch(f"(?:±|σ =) {NUMBER}", scales):
        return {"code": DISTRIBUTIONS[kind], "value": float(match[1])}
    rules = [FANS.get(scale) or RULES[scale.partition(",")[0]] for scale in scales.split(", or ")]
    return {"code": DISTRIBUTIONS[kind], "items": rules}
