"""What the CNN needs of a framework's defaults, function by function."""

from rosetta_host.defaults.needs import DENSE, GLOROT, LOSS, MOST, WorkloadDefaults, number
from rosetta_host.records.codes import Code
from rosetta_host.records.store import Statement

KERNEL = Statement(Code.KERNEL, items=("3", "3"))
CLASSICAL = (Code.CLASSICAL_RATE_OUTSIDE, Code.CLASSICAL_RATE_INSIDE)  # alike at the CNN's constant rate

defaults = WorkloadDefaults(
    needs={
        "load_data": {"convolution.channels": MOST, "cross_entropy.labels": MOST},
        "create_symbol": {
            "convolution.padding": Code.SAME_SIZE,
            "convolution.activation": Code.NONE,
            "convolution.number": KERNEL,
            "convolution.pair": KERNEL,
            "convolution.stride": number(1),
            "max_pool.stride": number(2),
            "dense.activation": Code.NONE,
            "dropout.scaling": Code.KEPT_DOUBLED,
            "max_pool.ties": MOST,
        },
        "init_model": {
            "momentum.kind": CLASSICAL,
            **LOSS,
            "convolution.weights": GLOROT,
            "convolution.bias": Code.ZEROS,
            **DENSE,
            "momentum.clipping": Code.TAKEN_AS_IT_IS,
        },
        "train": {"dropout.unsaid": Code.DROPS, "input_gradient.unasked": Code.LEFT_OUT},
        "train_with_loader": {
            "loader.order": Code.SHUFFLED,
            "loader.last_batch": Code.BATCH_DROPPED,
            "shuffled_loader.unit": Code.SAMPLES,
        },
        "predict": {"dropout.unsaid": Code.DOES_NOT_DROP},
        "export_weights": {"convolution.flip": Code.CORRELATION},
    },
    idioms=(
        "convolution.channels",
        "convolution.padding",
        "max_pool.stride",
        "cross_entropy.soft_max",
        "cross_entropy.labels",
        "cross_entropy.reduction",
        "dropout.unsaid",
        "convolution.weights",
        "dense.weights",
        "momentum.kind",
    ),
)
