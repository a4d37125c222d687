"""The limits of a certificate: what its figures are held against. Change one, and every certificate is stale.

They are measured, in five ways of computing float32 and with every error of mutants.toml: see "How the numbers are
made". Plain numbers alone, so that the site reads them without what runs frameworks.
"""

from rosetta_common import run

# Check -> the most that its figure may be in float32, on a CPU and on a GPU alike.
LIMITS = {
    "cnn": {
        "scores": 1e-6,
        "loss": 1e-5,
        "step median": 5e-4,
        "step worst": 2e-2,
        "tensor median": 3e-3,
        "loop": 2e-2,
        "schedule": 2e-2,
    },
    "gru": {
        "scores": 1e-6,
        "loss": 1e-5,
        "step median": 5e-5,
        "step worst": 1e-3,
        "tensor median": 5e-4,
        "loop": 1e-3,
        "schedule": 1e-3,
    },
}
FLOAT64_LIMIT = 1e-10  # of each of them in float64
ROUNDING = 1e-6  # of an accuracy that a framework computes in float32
AGREEMENT_LIMIT = 0.7  # of two epochs' batches; independent shuffles agree on 0.3 to 0.45 of the samples
DROPOUT_LIMIT = 0.05  # on a rate: four standard deviations of the units that are counted
WORK_LEFT = run.WORK_LEFT  # of a step: what of it may still be computed when `train` returns
LOSS_FLOOR = {"cnn": 1e-8, "gru": 3e-9}  # of the worst of five losses, which float32 leaves 8e-8 and 2e-8 off at least
# The least that a step in float32 is off, where the weights' own rounding lets it be seen: what is closer to the
# oracle was computed in float64. The error that 95 in 100 such movements stay below is 5e-7 (the CNN) and 1e-6 (the
# GRU) in the most exact frameworks, and 1e-7 and 2e-7 in a step in float64 whose end is rounded.
PRECISION_FLOOR = {"cnn": 3e-7, "gru": 4.5e-7}
