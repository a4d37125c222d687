"""The codes that records hold in place of sentences. `docs/_ext/core/texts.py` has their texts."""

from __future__ import annotations

from enum import StrEnum, auto


class Code(StrEnum):
    """What a framework does where an argument is left out; some have values or parts, see `store.Statement`."""

    REFUSED = auto()
    MUST_BE_GIVEN = auto()
    NONE = auto()
    UNKNOWN = auto()

    # With values or parts.
    NUMBER = auto()
    NEARLY_ONE = auto()
    KERNEL = auto()
    DTYPE = auto()
    LABELS = auto()
    EITHER = auto()
    KEPT_BECOMES = auto()
    CLIPPED = auto()

    # Distributions; their items are rules of the fans, their value is a scale where it is no rule's.
    ZEROS = auto()
    CONSTANT = auto()
    ORTHOGONAL = auto()
    UNIFORM = auto()
    NORMAL = auto()
    TRUNCATED_NORMAL = auto()
    ALL_GATES_AS_ONE_MATRIX = auto()
    GATES_AND_NEW_STATE = auto()

    # Layers.
    SAME_SIZE = auto()
    CORRELATION = auto()
    CONVOLUTION = auto()
    CHANNELS_FIRST = auto()
    CHANNELS_LAST = auto()
    RELU = auto()
    TANH = auto()
    SIGMOID = auto()
    HARD_SIGMOID_FIFTH = auto()
    HARD_SIGMOID_SIXTH = auto()
    ONE_BIAS = auto()
    TWO_BIASES = auto()
    ONE_BIAS_AND_NEW_STATE = auto()
    AFTER_PRODUCT = auto()
    BEFORE_PRODUCT = auto()
    EVERY_STATE = auto()
    LAST_STATE = auto()
    DROPPED = auto()
    POOLED_ALONE = auto()
    POOLED_WITH_SIXTH = auto()
    FIRST_TIED = auto()
    OTHER_TIED = auto()
    EACH_TIED = auto()
    SHARED_BY_TIED = auto()
    KEPT_DOUBLED = auto()
    KEPT_UNCHANGED = auto()
    DROPS = auto()
    DOES_NOT_DROP = auto()
    COMPUTED = auto()
    LEFT_OUT = auto()
    GATES = auto()
    ADDED_IN_FORMULA = auto()
    RANDOM = auto()
    LAST_CELL_STATE = auto()
    PEEPHOLES = auto()
    PEEPHOLES_LATE = auto()
    OWN_STATISTICS = auto()
    RUNNING_STATISTICS = auto()
    OVER_N = auto()
    OVER_N_MINUS_1 = auto()
    OVER_N_MINUS_1_WITH_EPSILON = auto()
    WITH_ERF = auto()
    WITH_TANH = auto()
    BORDER_COUNTED = auto()
    BORDER_NOT_COUNTED = auto()
    PADDED_AT_END = auto()
    PADDED_ON_BOTH_SIDES = auto()
    WHOLE = auto()
    FIRST_CUT = auto()
    LAST_CUT = auto()
    ROTATED = auto()
    NOT_ROTATED = auto()
    HALF_PIXELS = auto()
    ALIGNED_CORNERS = auto()
    ALIGNED_FIRST = auto()

    # Optimizers.
    CLASSICAL_RATE_OUTSIDE = auto()
    CLASSICAL_RATE_INSIDE = auto()
    CLASSICAL_CONSTANT_RATE = auto()
    CLASSICAL = auto()
    NESTEROV_RATE_OUTSIDE = auto()
    NESTEROV_RATE_INSIDE = auto()
    NESTEROV_CONSTANT_RATE = auto()
    NESTEROV = auto()
    UNIT_GAIN_RATE_OUTSIDE = auto()
    UNIT_GAIN_RATE_INSIDE = auto()
    UNIT_GAIN_CONSTANT_RATE = auto()
    UNIT_GAIN = auto()
    DAMPENED_RATE_OUTSIDE = auto()
    DAMPENED_RATE_INSIDE = auto()
    DAMPENED_CONSTANT_RATE = auto()
    PASS = auto()
    SURVIVES = auto()
    ONE_PASSES = auto()
    TAKEN_AS_IT_IS = auto()
    CORRECTED_ROOT = auto()
    RAW_ROOT = auto()
    FROM_FIRST_STEP = auto()
    A_STEP_LATE = auto()
    NOT_CORRECTED = auto()
    OUTSIDE_ROOT = auto()
    INSIDE_ROOT = auto()
    TIMES_RATE = auto()
    WITHOUT_RATE = auto()
    OVER_ALL = auto()
    OVER_EACH = auto()
    GRADIENTS_LOST = auto()

    # Losses and data.
    IN_LOSS = auto()
    IN_NETWORK = auto()
    NETWORK_DECIDES = auto()
    MEAN = auto()
    SUM = auto()
    LOSS_PER_SAMPLE = auto()
    IN_ORDER = auto()
    SHUFFLED = auto()
    SMALLER_BATCH = auto()
    BATCH_DROPPED = auto()
    FILLED_WITH_FIRST = auto()
    FILLED = auto()
    NOTHING = auto()
    SAMPLES = auto()
    SAMPLES_TWICE = auto()
    SAMPLES_NEARBY = auto()
    WHOLE_BATCHES = auto()
    IN_FRONT = auto()
    BEHIND = auto()
    TOO_LONG_LEFT_OUT = auto()


class Rule(StrEnum):
    """Whose rule sets the scale of an initial distribution from the fans of a layer."""

    GLOROT = auto()
    HE = auto()
    LECUN = auto()
    FAN_IN = auto()
    FAN_OUT = auto()


class CheckCode(StrEnum):
    """A check of a certificate. The last one fails where the others cannot be made."""

    WEIGHTS = auto()
    SCORES_BEFORE = auto()
    SCORES_AFTER = auto()
    SCORES_BACK = auto()
    LOSS = auto()
    STEP_MEDIAN = auto()
    STEP_WORST = auto()
    TENSOR_MEDIAN = auto()
    LOOP = auto()
    SCHEDULE = auto()
    SCHEDULE_CHANGED_RATE = auto()
    EVALUATE = auto()
    PRECISION_TYPES = auto()
    PRECISION_LOSS = auto()
    PRECISION_ROUNDING = auto()
    DONE_LOSS = auto()
    DONE_WEIGHTS = auto()
    THREAD_SCORES = auto()
    THREAD_STEP = auto()
    START_DISTRIBUTION = auto()
    START_SAME_SEED = auto()
    START_OTHER_SEED = auto()
    SHUFFLE_ONCE_OTHER_SEED = auto()
    SHUFFLE_ONCE_FIRST_EPOCH = auto()
    SHUFFLE_ONCE_SECOND_EPOCH = auto()
    SHUFFLE_SAMPLES = auto()
    SHUFFLE_SEEDS = auto()
    SHUFFLE_EPOCHS = auto()
    DROPOUT_OFF = auto()
    DROPOUT_OTHER_SEED = auto()
    DROPOUT_RATE = auto()
    JUDGMENT = auto()


class Coverage(StrEnum):
    """How much of a function a certificate ran, the least first.

    compiled: the framework asked for its source. called: a function of its name ran from a file that the framework
    wrote.
    """

    NOT_RUN = auto()
    COMPILED = auto()
    CALLED = auto()
    SOME_LINES = auto()
    EVERY_LINE = auto()


class Disturbance(StrEnum):
    """What shared the machine with a turn, beyond what a ranked sweep allows."""

    OTHER_WORK = auto()
    STEAL = auto()
    FREQUENCY = auto()
    MEMORY = auto()
    MATMUL_RATE = auto()
