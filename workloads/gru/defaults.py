"""What the GRU needs of a framework's defaults, function by function."""

from rosetta_host.defaults.needs import DENSE, GLOROT, LOSS, MOST, WorkloadDefaults, number
from rosetta_host.records.codes import Code
from rosetta_host.records.store import Statement
from workloads.gru.hyperparameters import params

ONE_MATRIX = Statement(Code.ALL_GATES_AS_ONE_MATRIX, parts=(GLOROT,))

defaults = WorkloadDefaults(
    needs={
        "load_data": {
            "padding.side": Code.BEHIND,
            "padding.cut": Code.IN_FRONT,
            "padding.value": number(0),
            "cross_entropy.labels": MOST,
        },
        "create_symbol": {
            "gru.reset_gate": Code.AFTER_PRODUCT,
            "gru.gate": Code.SIGMOID,
            "gru.biases": Code.TWO_BIASES,
            "gru.output": MOST,
            "dense.activation": Code.NONE,
        },
        "init_model": {
            "adam.epsilon": number(params.epsilon),
            "adam.epsilon_place": Code.CORRECTED_ROOT,
            "adam.correction": Code.FROM_FIRST_STEP,
            "adam.learning_rate": number(params.learning_rate),
            "adam.beta1": number(params.beta1),
            "adam.beta2": number(params.beta2),
            **LOSS,
            "embedding.weights": Statement(Code.UNIFORM, params.embedding_bound),
            "gru.input_weights": ONE_MATRIX,
            "gru.recurrent_weights": ONE_MATRIX,
            "gru.bias": Code.ZEROS,
            **DENSE,
        },
    },
    idioms=(
        "padding.side",
        "gru.reset_gate",
        "gru.biases",
        "gru.output",
        "cross_entropy.soft_max",
        "cross_entropy.labels",
        "cross_entropy.reduction",
        "embedding.weights",
        "dense.weights",
        "adam.epsilon",
        "adam.epsilon_place",
    ),
)
