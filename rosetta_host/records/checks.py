"""The codes of a certificate's checks, and the names by which the judge and a terminal know them."""

from __future__ import annotations

from rosetta_host.records.codes import CheckCode

NAMES = {
    CheckCode.WEIGHTS: "weights",
    CheckCode.SCORES_BEFORE: "scores before",
    CheckCode.SCORES_AFTER: "scores after",
    CheckCode.SCORES_BACK: "scores back",
    CheckCode.LOSS: "loss",
    CheckCode.STEP_MEDIAN: "step median",
    CheckCode.STEP_WORST: "step worst",
    CheckCode.TENSOR_MEDIAN: "tensor median",
    CheckCode.LOOP: "loop",
    CheckCode.SCHEDULE: "schedule",
    CheckCode.SCHEDULE_CHANGED_RATE: "schedule: changed rate",
    CheckCode.EVALUATE: "evaluate",
    CheckCode.PRECISION_TYPES: "precision: types",
    CheckCode.PRECISION_LOSS: "precision: loss",
    CheckCode.PRECISION_ROUNDING: "precision: rounding",
    CheckCode.DONE_LOSS: "done: loss",
    CheckCode.DONE_WEIGHTS: "done: weights",
    CheckCode.THREAD_SCORES: "one thread: scores",
    CheckCode.THREAD_STEP: "one thread: step",
    CheckCode.START_DISTRIBUTION: "start: distribution",
    CheckCode.START_SAME_SEED: "start: same seed, same weights",
    CheckCode.START_OTHER_SEED: "start: other seed, other weights",
    CheckCode.SHUFFLE_ONCE_OTHER_SEED: "shuffle: every sample once, other seed",
    CheckCode.SHUFFLE_ONCE_FIRST_EPOCH: "shuffle: every sample once, first epoch",
    CheckCode.SHUFFLE_ONCE_SECOND_EPOCH: "shuffle: every sample once, second epoch",
    CheckCode.SHUFFLE_SAMPLES: "shuffle: samples, not blocks",
    CheckCode.SHUFFLE_SEEDS: "shuffle: seeds in different orders",
    CheckCode.SHUFFLE_EPOCHS: "shuffle: epochs in different orders",
    CheckCode.DROPOUT_OFF: "dropout: off in prediction",
    CheckCode.DROPOUT_OTHER_SEED: "dropout: other seed, other units",
    CheckCode.JUDGMENT: "judgment",
}
CODES = {name: code for code, name in NAMES.items()}
FLOAT64 = "float64"  # the subject of every check of the float64 pass
PASS = f"{FLOAT64}: "
PLACE = "dropout: rate at place "  # followed by the number of the layer, which is the subject


def coded(name: str) -> tuple[CheckCode, str | None]:
    """The code and the subject of the check with this name. Raises LookupError for a name that has no code."""
    if name.startswith(PASS):
        return coded(name.removeprefix(PASS))[0], FLOAT64
    if name.startswith(PLACE):
        return CheckCode.DROPOUT_RATE, name.removeprefix(PLACE)
    if name not in CODES:
        raise LookupError(f"The check {name!r} has no code. Add one to `NAMES` in rosetta_host/records/checks.py.")
    return CODES[name], None


def named(code: CheckCode, subject: str | None) -> str:
    """The name of the check with this code and subject."""
    if code == CheckCode.DROPOUT_RATE:
        return f"{PLACE}{subject}"
    return (PASS if subject == FLOAT64 else "") + NAMES[code]
