"""What a reader sees for the codes of records."""

from __future__ import annotations

from rosetta_host.defaults.infer import LABELS
from rosetta_host.records.codes import Code, Coverage, Rule
from rosetta_host.records.store import Executed, Statement

# {value}, {items} and {parts} are those of the statement, {scale} that of a distribution.
TEXTS = {
    Code.REFUSED: "refused",
    Code.MUST_BE_GIVEN: "must be given",
    Code.NONE: "none",
    Code.UNKNOWN: "unknown",
    # With values or parts.
    Code.NUMBER: "{value:g}",
    Code.NEARLY_ONE: "0.9999 or more",
    Code.KERNEL: "{items}",
    Code.DTYPE: "{items} comes out",
    Code.LABELS: "{items}",
    Code.EITHER: "{parts}",
    Code.KEPT_BECOMES: "kept units become {items}",
    Code.CLIPPED: "clipped: moves by {value:.3g}",
    # Distributions; their items are rules of the fans, their value is a scale where it is no rule's.
    Code.ZEROS: "zeros",
    Code.CONSTANT: "all {value:g}",
    Code.ORTHOGONAL: "orthogonal",
    Code.UNIFORM: "uniform, {scale}",
    Code.NORMAL: "normal, {scale}",
    Code.TRUNCATED_NORMAL: "truncated normal, {scale}",
    Code.ALL_GATES_AS_ONE_MATRIX: "{parts}, all gates as one matrix",
    Code.GATES_AND_NEW_STATE: "gates: {gates}; new gate: {new_state}",
    # Layers.
    Code.SAME_SIZE: "1 on each side, the size is kept",
    Code.CORRELATION: "not rotated: a correlation",
    Code.CONVOLUTION: "rotated by 180 degrees: a convolution",
    Code.CHANNELS_FIRST: "channels first",
    Code.CHANNELS_LAST: "channels last",
    Code.RELU: "ReLU",
    Code.TANH: "tanh",
    Code.SIGMOID: "sigmoid",
    Code.HARD_SIGMOID_FIFTH: "hard sigmoid, x / 5 + 1/2 between 0 and 1",
    Code.HARD_SIGMOID_SIXTH: "hard sigmoid, x / 6 + 1/2 between 0 and 1",
    Code.ONE_BIAS: "one",
    Code.TWO_BIASES: "two",
    Code.ONE_BIAS_AND_NEW_STATE: "one, and a second in the new gate",
    Code.AFTER_PRODUCT: "after the recurrent product",
    Code.BEFORE_PRODUCT: "before the recurrent product",
    Code.EVERY_STATE: "every state",
    Code.LAST_STATE: "the last state",
    Code.DROPPED: "dropped",
    Code.POOLED_ALONE: "pooled alone",
    Code.POOLED_WITH_SIXTH: "pooled with the sixth",
    Code.FIRST_TIED: "the first of them",
    Code.OTHER_TIED: "another one of them",
    Code.EACH_TIED: "each of them, in full",
    Code.SHARED_BY_TIED: "shared between them",
    Code.KEPT_DOUBLED: "kept units are scaled by 1 / (1 − rate)",
    Code.KEPT_UNCHANGED: "not in training: outputs are scaled at test time",
    Code.DROPS: "it drops",
    Code.DOES_NOT_DROP: "it does not drop",
    Code.COMPUTED: "computed anyway",
    Code.LEFT_OUT: "left out",
    Code.GATES: "{items}",
    Code.ADDED_IN_FORMULA: "{value:g}, added in the formula and not stored",
    Code.RANDOM: "random, as its other biases",
    Code.LAST_CELL_STATE: "the last cell state",
    Code.PEEPHOLES: "yes",
    Code.PEEPHOLES_LATE: "yes; that of the output gate is added after its sigmoid",
    Code.OWN_STATISTICS: "its own statistics",
    Code.RUNNING_STATISTICS: "the running statistics",
    Code.OVER_N: "divided by n, as in training",
    Code.OVER_N_MINUS_1: "divided by n − 1; training divides by n",
    Code.OVER_N_MINUS_1_WITH_EPSILON: "divided by n − 1, with ε in it; training divides by n",
    Code.WITH_ERF: "exact, with erf",
    Code.WITH_TANH: "approximate, with tanh",
    Code.BORDER_COUNTED: "it counts: the sum is always divided by 9",
    Code.BORDER_NOT_COUNTED: "it does not count: a corner is the mean of 4",
    Code.PADDED_AT_END: "the end alone",
    Code.PADDED_ON_BOTH_SIDES: "both sides, and the last row of padding is not used",
    Code.WHOLE: "2 n + 1",
    Code.FIRST_CUT: "2 n, without the first one",
    Code.LAST_CUT: "2 n, without the last one",
    Code.ROTATED: "rotated by 180 degrees",
    Code.NOT_ROTATED: "not rotated: the gradient of a convolution",
    Code.HALF_PIXELS: "the edges of the outer pixels",
    Code.ALIGNED_CORNERS: "the centers of the corner pixels",
    Code.ALIGNED_FIRST: "the centers of the first pixels",
    # Optimizers.
    Code.CLASSICAL_RATE_OUTSIDE: "classical, rate outside the velocity: v ← μ v + g, w ← w − η v",
    Code.CLASSICAL_RATE_INSIDE: "classical, rate inside the velocity: v ← μ v + η g, w ← w − v",
    Code.CLASSICAL_CONSTANT_RATE: "classical, at a constant learning rate",
    Code.CLASSICAL: "classical: v ← μ v + g",
    Code.NESTEROV_RATE_OUTSIDE: "Nesterov's, rate outside the velocity: v ← μ v + g, w ← w − η (g + μ v)",
    Code.NESTEROV_RATE_INSIDE: "Nesterov's, rate inside the velocity: v ← μ v + η g, w ← w − (η g + μ v)",
    Code.NESTEROV_CONSTANT_RATE: "Nesterov's, at a constant learning rate",
    Code.NESTEROV: "Nesterov's",
    Code.UNIT_GAIN_RATE_OUTSIDE: "unit gain, rate outside the velocity: v ← μ v + (1 − μ) g, w ← w − η v",
    Code.UNIT_GAIN_RATE_INSIDE: "unit gain, rate inside the velocity: v ← μ v + η (1 − μ) g, w ← w − v",
    Code.UNIT_GAIN_CONSTANT_RATE: "unit gain, at a constant learning rate",
    Code.UNIT_GAIN: "unit gain: v ← μ v + (1 − μ) g",
    Code.DAMPENED_RATE_OUTSIDE: "dampened, rate outside the velocity: unit gain from the second step on",
    Code.DAMPENED_RATE_INSIDE: "dampened, rate inside the velocity: unit gain from the second step on",
    Code.DAMPENED_CONSTANT_RATE: "dampened, at a constant learning rate",
    Code.PASS: "they propagate: the weight becomes NaN",
    Code.SURVIVES: "the weight survives them",
    Code.ONE_PASSES: "one of the two propagates",
    Code.TAKEN_AS_IT_IS: "taken as it is",
    Code.CORRECTED_ROOT: "outside the root, after bias correction: √v̂ + ε",
    Code.RAW_ROOT: "outside the root, before bias correction: √v + ε",
    Code.FROM_FIRST_STEP: "from the first step on",
    Code.A_STEP_LATE: "as if the first step were the second",
    Code.NOT_CORRECTED: "none: the first step is three times as long",
    Code.OUTSIDE_ROOT: "outside the root: √v + ε",
    Code.INSIDE_ROOT: "inside the root: √(v + ε)",
    Code.TIMES_RATE: "the learning rate: w ← w − η λ w",
    Code.WITHOUT_RATE: "nothing: w ← w − λ w",
    Code.OVER_ALL: "that of all gradients together",
    Code.OVER_EACH: "that of each parameter's gradient",
    Code.GRADIENTS_LOST: "none: no gradient is left, and the weights stay as they are",
    # Losses and data.
    Code.IN_LOSS: "in the loss",
    Code.IN_NETWORK: "in the network",
    Code.NETWORK_DECIDES: "left to the network",
    Code.MEAN: "the mean",
    Code.SUM: "the sum",
    Code.LOSS_PER_SAMPLE: "one loss per sample",
    Code.IN_ORDER: "not shuffled",
    Code.SHUFFLED: "shuffled",
    Code.SMALLER_BATCH: "kept, smaller",
    Code.BATCH_DROPPED: "dropped",
    Code.FILLED_WITH_FIRST: "filled up with the first samples",
    Code.FILLED: "filled up",
    Code.NOTHING: "nothing",
    Code.SAMPLES: "samples",
    Code.SAMPLES_TWICE: "samples, some of them twice",
    Code.SAMPLES_NEARBY: "samples, each within a buffer",
    Code.WHOLE_BATCHES: "whole batches",
    Code.IN_FRONT: "at the start",
    Code.BEHIND: "at the end",
    Code.TOO_LONG_LEFT_OUT: "sequences that are too long are left out",
}
# The scale that a rule sets: the bound of a uniform distribution, and the standard deviation of a normal one.
BOUNDS = {
    Rule.GLOROT: "Glorot's, ± √(6 / (fan in + fan out))",
    Rule.HE: "He's, ± √(6 / fan in)",
    Rule.LECUN: "LeCun's, ± √(3 / fan in)",
    Rule.FAN_IN: "± √(1 / fan in)",
    Rule.FAN_OUT: "± √(1 / fan out)",
}
DEVIATIONS = {
    Rule.GLOROT: "Glorot's, σ = √(2 / (fan in + fan out))",
    Rule.HE: "He's, σ = √(2 / fan in)",
    Rule.LECUN: "LeCun's, σ = √(1 / fan in)",
}
COVERAGE = {
    Coverage.EVERY_LINE: "every line",
    Coverage.SOME_LINES: "{lines[0]} of {lines[1]} lines",
    Coverage.CALLED: "called",
    Coverage.COMPILED: "compiled from its source",
    Coverage.NOT_RUN: "not executed",
}
SEPARATORS = {Code.KERNEL: " × ", Code.LABELS: "; ", Code.GATES: ", "}  # between the items of a statement


def text(statement: Statement) -> str:
    """A statement about a default, for a reader."""
    names = LABELS if statement.code == Code.LABELS else {}
    items = SEPARATORS.get(statement.code, ", ").join(names.get(item, item) for item in statement.items)
    parts = " or ".join(map(text, statement.parts))
    fields = {"value": statement.value, "items": items, "parts": parts, "scale": _scale(statement)}
    if statement.code == Code.GATES_AND_NEW_STATE:
        fields["gates"], fields["new_state"] = map(text, statement.parts)
    return TEXTS[statement.code].format(**fields)


def _scale(statement: Statement) -> str:
    """What sets the scale of a distribution: a rule, two that agree, or a number."""
    is_uniform = statement.code == Code.UNIFORM
    if statement.value is not None:
        return f"{'±' if is_uniform else 'σ ='} {statement.value:g}"
    rules = BOUNDS if is_uniform else DEVIATIONS
    return ", or ".join(rules[Rule(item)] for item in statement.items if item in rules)


def executed_text(executed: Executed) -> str:
    """How much of a function a certificate ran, for a reader."""
    return COVERAGE[executed.code].format(lines=executed.lines)
