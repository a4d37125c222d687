"""The toy's defaults are inferred as they are; patched, the answer changes; broken, the record says so."""

import shutil

import msgspec
import numpy as np
import pytest

from rosetta_host import __main__ as cli
from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import UserError
from rosetta_host.command_line import commands
from rosetta_host.defaults import collect, infer
from rosetta_host.defaults.spec import QUESTIONS
from rosetta_host.records import convert, store
from rosetta_host.records.codes import Code
from rosetta_host.records.store import Statement

TOY = frameworks.ROOT / "tests" / "toy" / "defaults.py"

ANSWERS = {
    "convolution.weights": "uniform, He's, ± √(6 / fan in)",
    "convolution.bias": "zeros",
    "convolution.padding": "none",
    "convolution.stride": "1",
    "convolution.flip": "not turned: a correlation",
    "convolution.activation": "none",
    "convolution.channels": "channels first",
    "convolution.number": "3 × 3",
    "convolution.pair": "3 × 3",
    "dense.weights": "normal, Glorot's, σ = √(2 / (fan in + fan out))",
    "dense.bias": "none",
    "dense.activation": "none",
    "dense.float64": "float32 comes out",
    "embedding.weights": "uniform, ± 0.05",
    "gru.input_weights": "uniform, Glorot's, ± √(6 / (fan in + fan out))",
    "gru.recurrent_weights": "orthogonal",
    "gru.bias": "zeros",
    "gru.biases": "one",
    "gru.reset_gate": "after the recurrent product",
    "gru.gate": "sigmoid",
    "gru.output": "the last state",
    "max_pool.stride": "2",
    "max_pool.edge": "dropped",
    "max_pool.ties": "the first of them",
    "lstm.order": Statement(Code.GATES, items=("i", "f", "g", "o")),
    "lstm.forget_bias": "1",
    "lstm.biases": "one",
    "lstm.peepholes": "none",
    "lstm.output": "every state",
    "batch_norm.share": "0.1",
    "batch_norm.epsilon": "1e-05",
    "batch_norm.epsilon_place": Statement(Code.INSIDE_ROOT),
    "batch_norm.running_variance": Statement(Code.OVER_N_MINUS_1),
    "batch_norm.training_uses": Statement(Code.OWN_STATISTICS),
    "layer_norm.epsilon": "1e-06",
    "layer_norm.epsilon_place": Statement(Code.INSIDE_ROOT),
    "gelu.form": Statement(Code.WITH_TANH),
    "leaky_relu.slope": "0.01",
    "average_pool.border": Statement(Code.BORDER_COUNTED),
    "strided_convolution.edge": Statement(Code.PADDED_AT_END),
    "hard_sigmoid.form": "hard sigmoid, x / 6 + 1/2 between 0 and 1",
    "transposed_convolution.size": Statement(Code.WHOLE),
    "transposed_convolution.kernel": Statement(Code.NOT_ROTATED),
    "resize.grid": Statement(Code.HALF_PIXELS),
    "momentum.kind": "classical, rate outside the velocity: v ← μ v + g, w ← w − η v",
    "momentum.not_finite": "they pass: the weight is lost",
    "momentum.clipping": "taken as it is",
    "adam.learning_rate": "must be given",
    "adam.beta1": "0.9",
    "adam.beta2": "0.999",
    "adam.epsilon": "1e-07",
    "adam.epsilon_place": "beside the corrected root",
    "adam.correction": "from the first step on",
    "adamw.decay": "0.01",
    "adamw.times_rate": Statement(Code.TIMES_RATE),
    "rmsprop.smoothing": "0.9",
    "rmsprop.start": "0",
    "rmsprop.epsilon": "1e-08",
    "rmsprop.epsilon_place": Statement(Code.OUTSIDE_ROOT),
    "clip_norm.over": Statement(Code.OVER_ALL),
    "cross_entropy.soft_max": "in the loss",
    "cross_entropy.reduction": "the mean",
    "cross_entropy.labels": "class numbers, int64; class numbers, int32; class numbers, uint8",
    "dropout.scaling": "what is kept counts double",
    "dropout.unsaid": "it does not drop",
    "loader.order": "as they lie",
    "loader.last_batch": "it comes, smaller",
    "shuffled_loader.unit": "samples",
    "padding.side": "none",
    "padding.value": "none",
    "padding.cut": "none",
    "input_gradient.unasked": "left out",
}


@pytest.fixture
def toy(folder):
    """The toy's probes in examples/alpha."""
    return shutil.copy(TOY, folder / "defaults.py")


def asked(*options):
    """The record and the exit code of `defaults` with these options."""
    code = cli.main(["defaults", "alpha", *options])
    return store.read_all([commands.LOCAL])[-1], code


def statements(record):
    return {name: answer.statement for name, answer in record.answers.items()}


def expected(answers):
    return {name: statement(words) for name, words in answers.items()}


def statement(words):
    """A statement; one in words is written as in the records of schema 2, which are short."""
    if isinstance(words, Statement):
        return words
    return msgspec.convert(convert.statement(words), store.Statement)


read_all = store.read_all


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """Records of the tests' own, and no others."""
    monkeypatch.setattr(commands, "LOCAL", tmp_path / "records")
    monkeypatch.setattr(store, "read_all", lambda folders=(tmp_path / "records",): read_all(folders))


def test_every_default_of_the_toy_is_inferred(toy):
    record, code = asked()
    assert statements(record) == expected(ANSWERS)
    assert (record.status, code) == ("ok", 0)
    assert record.kind == record.workload == "defaults"


def test_every_facet_has_an_answer():
    assert list(ANSWERS) == [f"{question}.{facet}" for question, (_, facets) in QUESTIONS.items() for facet in facets]


RELU = (
    'return {"output": output, "weight": weight, "bias"',
    'return {"output": np.maximum(output, 0), "weight": weight, "bias"',
)
PATCHES = [  # what is written instead, and the answers that must change
    (
        [("axis=(2, 3))\n    output", "axis=(2, 3))[..., ::-1, ::-1]\n    output")],
        {"convolution.flip": "turned by half a circle: a convolution"},
    ),
    ([RELU], {"convolution.activation": "ReLU"}),
    (
        [("windows = np.lib", "x = np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)])\n    windows = np.lib")],
        {"convolution.padding": "1 on each side, the size is kept"},
    ),
    (
        [("np.array(output.shape)", "np.array(output.transpose(0, 2, 3, 1).shape)")],
        {"convolution.channels": "channels last"},
    ),
    ([("(kernel, kernel) if", "(kernel, 1) if")], {"convolution.number": "3 × 1"}),
    ([("uniform((1000, 64), 0.05)", "random.normal(0, 1, (1000, 64))")], {"embedding.weights": "normal, σ = 1"}),
    ([("r * (h @ w_n.T)", "(r * h) @ w_n.T")], {"gru.reset_gate": "before the recurrent product"}),
    (
        [("return 1 / (1 + np.exp(-z))", "return np.clip(0.2 * z + 0.5, 0, 1)")],
        {"gru.gate": "hard sigmoid, x / 5 + 1/2 between 0 and 1"},
    ),
    (
        [("np.zeros(96)}", 'np.zeros(96), "bias_hh": np.zeros(32)}')],
        {"gru.biases": "one, and a second in the new state"},
    ),
    (
        [("np.sqrt(6 / (48 + 32))", "np.sqrt(6 / (48 + 96))")],
        {"gru.input_weights": "uniform, Glorot's, ± √(6 / (fan in + fan out)), all gates as one matrix"},
    ),
    (
        [("np.eye(4)[windows.argmax(axis=4)]", "(windows == windows.max(axis=4, keepdims=True))")],
        {"max_pool.ties": "each of them, in full"},
    ),
    (
        [("velocity + gradient", "velocity + (1 - momentum) * gradient")],
        {"momentum.kind": "unit gain, rate outside the velocity: v ← μ v + (1 − μ) g, w ← w − η v"},
    ),
    (
        [("learning_rate * velocity", "learning_rate * (gradient + momentum * velocity)")],
        {"momentum.kind": "Nesterov's, rate outside the velocity: v ← μ v + g, w ← w − η (g + μ v)"},
    ),
    (
        [("velocity + gradient", "velocity + learning_rate * gradient"), ("learning_rate * velocity", "velocity")],
        {"momentum.kind": "classical, rate inside the velocity: v ← μ v + η g, w ← w − v"},
    ),
    (
        [
            ("velocity + gradient", "velocity + learning_rate * (1 - momentum) * gradient"),
            ("learning_rate * velocity", "velocity"),
        ],
        {"momentum.kind": "unit gain, rate inside the velocity: v ← μ v + η (1 − μ) g, w ← w − v"},
    ),
    (
        [
            ("velocity + gradient", "velocity + learning_rate * gradient"),
            ("learning_rate * velocity", "(learning_rate * gradient + momentum * velocity)"),
        ],
        {"momentum.kind": "Nesterov's, rate inside the velocity: v ← μ v + η g, w ← w − (η g + μ v)"},
    ),
    (
        [("velocity + gradient", "velocity + (1 - momentum * velocity.any()) * gradient")],
        {"momentum.kind": "dampened, rate outside the velocity: unit gain from the second step on"},
    ),
    (
        [("in zip(gradients, l", "in zip(np.clip(np.nan_to_num(gradients, posinf=0), -9, 9), l")],
        {"momentum.not_finite": "the weight survives them", "momentum.clipping": "clipped: moves by -0.111"},
    ),
    ([("0.9 * mean + 0.1 *", "0.8 * mean + 0.2 *"), ("(1 - 0.9**step)", "(1 - 0.8**step)")], {"adam.beta1": "0.8"}),
    (
        [
            ('astype("float64"), 1)', 'astype("float64"), 2)'),
            (
                "mean / (1 - 0.9**step) / (root + 1e-7)",
                "mean / (1 - 0.9**step) / (root + 1e-8 / np.sqrt(1 - 0.999**step))",
            ),
        ],
        {
            "adam.correction": "as if the first step were the second",
            "adam.epsilon": "1e-08",
            "adam.epsilon_place": "beside the root before its correction",
        },
    ),
    (
        [("(root + 1e-7)", "(root + 1e-8 / np.sqrt(1 - 0.999**step))")],
        {"adam.epsilon": "1e-08", "adam.epsilon_place": "beside the root before its correction"},
    ),
    (
        [("root = np.sqrt(square / (1 - 0.999**step))", "root = np.sqrt(square)"), ("mean / (1 - 0.9**step)", "mean")],
        {
            "adam.correction": "none: the first step is three times as long",
            "adam.epsilon": "1e-07",
            "adam.epsilon_place": "beside the root before its correction",
        },
    ),
    (
        [("i, f, g, o = np.split", "f, i, g, o = np.split"), ("[0.0, 1, 0, 0]", "[1.0, 0, 0, 0]")],
        {"lstm.order": Statement(Code.GATES, items=("f", "i", "g", "o"))},
    ),
    (
        [("gate(f) * c", "gate(f + 1) * c"), ("[0.0, 1, 0, 0]", "[0.0, 0, 0, 0]")],
        {"lstm.forget_bias": Statement(Code.ADDED_IN_FORMULA, 1.0)},
    ),
    (
        [
            ("gate(o)", "gate(o + bias[32:64] * c)"),
            ('"bias_ih": bias}', '"bias_ih": bias, "peepholes": np.stack([0 * h[0], 0 * h[0], bias[32:64]])}'),
        ],
        {"lstm.peepholes": Statement(Code.PEEPHOLES)},
    ),
    (
        [
            ("gate(o)", "(gate(o) + bias[32:64] * c)"),
            ('"bias_ih": bias}', '"bias_ih": bias, "peepholes": np.stack([0 * h[0], 0 * h[0], bias[32:64]])}'),
        ],
        {"lstm.peepholes": Statement(Code.PEEPHOLES_LATE)},
    ),
    ([("np.stack(states, axis=1)", "c")], {"lstm.output": Statement(Code.LAST_CELL_STATE)}),
    (
        [("0.9 * average + 0.1 *", "0.99 * average + 0.01 *"), ("0.9 * spread + 0.1 *", "0.99 * spread + 0.01 *")],
        {"batch_norm.share": "0.01"},
    ),
    ([("np.repeat([0.0, 1, 0, 0], 32)", "uniform(128, 0.2)")], {"lstm.forget_bias": Statement(Code.RANDOM)}),
    (
        [("variance + 1e-5", "variance + 1e-3"), ("batch.var(axis=0, ddof=1)", "4 / 3 * (variance + 1e-3)")],
        {
            "batch_norm.epsilon": "0.001",
            "batch_norm.running_variance": Statement(Code.OVER_N_MINUS_1_WITH_EPSILON),
        },
    ),
    ([("ddof=1", "ddof=0")], {"batch_norm.running_variance": Statement(Code.OVER_N)}),
    (
        [
            (
                "axis=0), batch.var(axis=0)\n",
                "axis=0), batch.var(axis=0)\n        center = average if seen else center\n",
            )
        ],
        {"batch_norm.training_uses": Statement(Code.RUNNING_STATISTICS)},
    ),
    ([("1e-5), average", "1e-3), average")], {"batch_norm.epsilon": "0.001"}),
    ([("+ 1e-6)", "+ 1e-3)")], {"layer_norm.epsilon": "0.001"}),
    (
        [("np.sqrt(x.var(axis=1, keepdims=True) + 1e-6)", "(x.std(axis=1, keepdims=True) + 1e-5)")],
        {"layer_norm.epsilon": "1e-05", "layer_norm.epsilon_place": Statement(Code.OUTSIDE_ROOT)},
    ),
    ([("0.01 * x, x)", "0.3 * x, x)")], {"leaky_relu.slope": "0.3"}),
    (
        [
            (
                "axis=(2, 3)).mean(axis=(4, 5))",
                "axis=(2, 3)).sum(axis=(4, 5)) / np.outer([2, 3, 3, 2], [2, 3, 3, 2])",
            )
        ],
        {"average_pool.border": Statement(Code.BORDER_NOT_COUNTED)},
    ),
    (
        [("(0, 0), (0, 1), (0, 1)])", "(0, 0), (1, 0), (1, 0)])")],
        {"strided_convolution.edge": Statement(Code.PADDED_ON_BOTH_SIDES)},
    ),
    ([("x / 6 + 0.5", "x / 5 + 0.5")], {"hard_sigmoid.form": "hard sigmoid, x / 5 + 1/2 between 0 and 1"}),
    (
        [("row, column] * weight", "row, column] * weight[..., ::-1, ::-1]")],
        {"transposed_convolution.kernel": Statement(Code.ROTATED)},
    ),
    (
        [
            (
                'return {"output": output, "weight": weight}\n\n\ndef resize',
                'return {"output": output[..., :-1, :-1], "weight": weight}\n\n\ndef resize',
            )
        ],
        {"transposed_convolution.size": Statement(Code.LAST_CUT)},
    ),
    (
        [
            (
                'return {"output": output, "weight": weight}\n\n\ndef resize',
                'return {"output": output[..., 1:, 1:], "weight": weight}\n\n\ndef resize',
            )
        ],
        {"transposed_convolution.size": Statement(Code.FIRST_CUT)},
    ),
    ([("(np.arange(6) + 0.5) / 2 - 0.5", "np.arange(6) * 2 / 5")], {"resize.grid": Statement(Code.ALIGNED_CORNERS)}),
    ([("(np.arange(6) + 0.5) / 2 - 0.5", "np.arange(6) / 2")], {"resize.grid": Statement(Code.ALIGNED_FIRST)}),
    (
        [("limit / norm * gradient", "limit / np.linalg.norm(gradient) * gradient")],
        {"clip_norm.over": Statement(Code.OVER_EACH)},
    ),
    ([("limit / norm * gradient", "0 * gradient")], {"clip_norm.over": Statement(Code.GRADIENTS_LOST)}),
    ([("0.01 * learning_rate * weight", "0.01 * weight")], {"adamw.times_rate": Statement(Code.WITHOUT_RATE)}),
    (
        [("0.9 * square + (1 - 0.9)", "0.99 * square + (1 - 0.99)")],
        {"rmsprop.smoothing": "0.99"},
    ),
    (
        [
            (
                "square, seen = np.zeros(len(weight)), []\n    for gradient",
                "square, seen = np.ones(len(weight)), []\n    for gradient",
            )
        ],
        {
            "rmsprop.start": "1",
            "rmsprop.epsilon": Statement(Code.NONE),
            "rmsprop.epsilon_place": Statement(Code.NONE),
        },
    ),
    (
        [("(np.sqrt(square) + 1e-8)", "np.sqrt(square + 1e-7)")],
        {"rmsprop.epsilon": "1e-07", "rmsprop.epsilon_place": Statement(Code.INSIDE_ROOT)},
    ),
    ([(".mean()\n\n\ndef dropout", ".sum()\n\n\ndef dropout")], {"cross_entropy.reduction": "the sum"}),
    (
        [("scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))", "np.log(scores)")],
        {"cross_entropy.soft_max": "in the network"},
    ),
    (
        [("2 * x * random", "x * random"), ('"unsaid": x', '"unsaid": x / 2')],
        {"dropout.scaling": "not at all: the test has to halve"},
    ),
    (
        [("range(0, len(x), batch_size)", "range(0, len(x) - batch_size + 1, batch_size)")],
        {"loader.last_batch": "it is dropped"},
    ),
    (
        [
            (
                "loader(random.permutation(x), batch_size)",
                "[batch for i in random.permutation(103) for batch in [loader(x, batch_size)[i]]]",
            )
        ],
        {"shuffled_loader.unit": "whole batches"},
    ),
    ([("np.zeros(0)", "x")], {"input_gradient.unasked": "computed all the same"}),
    ([('raise TypeError("the toy takes class indices")', "return 7.0")], {}),
]


@pytest.mark.parametrize(("edits", "changed"), PATCHES)
def test_a_default_that_changes_is_noticed(toy, edits, changed):
    text = TOY.read_text("utf-8")
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    with open(toy, "w", encoding="utf-8") as file:
        file.write(text)
    record, _ = asked()
    assert statements(record) == expected({**ANSWERS, **changed})


def edit(path, old, new):
    text = path.read_text("utf-8")
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new), "utf-8")


def test_a_change_is_shown_beside_the_last_answer(toy, folder, capsys):
    asked()
    edit(folder / "defaults.py", "1e-7", "1e-3")
    asked()
    assert "changed: adam.epsilon: 1e-07 → 0.001" in capsys.readouterr().out


def test_an_answer_of_a_gpu_is_not_the_last_one_of_a_cpu(toy, folder, capsys):
    record, _ = asked()
    answers = {**record.answers, "adam.epsilon": store.Answer(Code.NUMBER, 0.5)}
    other = msgspec.structs.replace(record, device="gpu", answers=answers, created=store.now())
    store.write(other, commands.LOCAL)
    edit(folder / "defaults.py", "1e-7", "1e-3")
    asked()
    assert "changed: adam.epsilon: 1e-07 → 0.001" in capsys.readouterr().out


def test_a_refusal_is_an_answer(toy, folder):
    edit(
        folder / "defaults.py",
        "    rows, columns = (kernel, kernel)",
        '    if kernel == 3:\n        raise ValueError("a pair, please")\n    rows, columns = (kernel, kernel)',
    )
    record, code = asked()
    answer = record.answers["convolution.number"]
    assert (answer.code, answer.reason, code) == ("refused", "ValueError: a pair, please", 0)


def test_a_rate_that_cannot_change_leaves_its_place_in_the_momentum_open(toy, folder):
    edit(
        folder / "defaults.py",
        "    velocity, seen = np.zeros_like(weight), []",
        """    if len(set(learning_rates)) > 1:
        raise NotImplementedError("the rate stays")
    velocity, seen = np.zeros_like(weight), []""",
    )
    record, code = asked()
    answer = record.answers["momentum.kind"]
    assert answer.code == Code.CLASSICAL_CONSTANT_RATE
    assert (answer.reason, code) == ("NotImplementedError: the rate stays", 0)


def test_a_rate_that_changes_nothing_is_told(toy, folder):
    edit(
        folder / "defaults.py", "zip(gradients, learning_rates,", "zip(gradients, learning_rates[:1] * len(gradients),"
    )
    record, code = asked()
    answer = record.answers["momentum.kind"]
    assert (answer.code, code) == ("unknown", 1)
    assert "a changed rate" in answer.reason


@pytest.mark.parametrize(("place", "weight"), [(infer.OUTSIDE, -0.119), (infer.INSIDE, -0.200)])
def test_where_the_rate_stands_shows_once_it_changes(place, weight):
    for rates, expected in (((0.1, 0.1), -0.29), ((0.1, 0.01), weight)):
        seen = infer.stepped(np.zeros(1), np.ones((2, 1)), rates, 0.9, "classical", place)
        np.testing.assert_allclose(seen[-1], expected, rtol=1e-14)


def test_labels_that_are_misread_are_told(toy, folder):
    edit(folder / "defaults.py", 'raise TypeError("the toy takes class indices")', "return 7.0")
    record, _ = asked()
    assert "one-hot rows: taken, and misread" in record.answers["cross_entropy.labels"].reason


def test_the_loss_of_the_call_before_is_no_answer_to_other_labels(toy, folder):
    edit(folder / "defaults.py", 'raise TypeError("the toy takes class indices")', "return cross_entropy.last")
    loss = "-log_soft_max[np.arange(len(labels)), labels].mean()"
    edit(folder / "defaults.py", f"return {loss}", f"cross_entropy.last = {loss}\n    return cross_entropy.last")
    record, _ = asked()
    assert "class indices, float32: taken, and misread" in record.answers["cross_entropy.labels"].reason


def test_a_call_that_ends_the_process_is_a_refusal_and_the_rest_is_asked(toy, folder):
    edit(folder / "defaults.py", "    weight = uniform((1000, 64), 0.05)", "    import os\n    os.abort()")
    record, code = asked()
    assert record.answers["embedding.weights"].code == "refused"
    assert "SIGABRT" in record.answers["embedding.weights"].reason
    assert record.answers["input_gradient.unasked"].code == "left_out"
    assert code == 0


def test_an_unknown_answer_fails_and_says_which(toy, folder, capsys):
    edit(folder / "defaults.py", "windows.max(axis=4)", "windows.max(axis=4) + 1")
    record, code = asked()
    assert (record.status, code) == ("failed", 1)
    assert "max_pool.stride" in record.reason


def test_a_probe_that_returns_something_else_is_told(toy, folder):
    edit(folder / "defaults.py", '{"output": weight[indices], "weight": weight}', "weight")
    record, code = asked()
    assert "broke its contract" in record.answers["embedding.weights"].reason
    assert code == 1


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"padding":', '"paddling":', "did you mean 'padding'"),
        (
            '"padding": "the toy has nothing that pads sequences", ',
            "",
            "neither a function nor a reason in `unanswered` for padding",
        ),
        ("unanswered = {", "unanswered = dict() or {", "must be a plain dict"),
        ("def adam(", "def adam)", "is not valid: line"),
    ],
)
def test_a_mistake_in_the_file_is_one_sentence(toy, folder, old, new, expected):
    edit(folder / "defaults.py", old, new)
    with pytest.raises(UserError, match=expected.replace("(", r"\(")):
        collect.read(folder / "defaults.py")
    record, code = asked()
    assert record.status == "failed"
    assert expected in record.reason
    assert code == 1


def test_answers_of_older_code_alone_are_stale(toy, folder, capsys):
    asked()
    assert cli.main(["defaults", "alpha", "--stale"]) == 0
    assert "Stale: 0 of 1 frameworks." in capsys.readouterr().out
    edit(folder / "defaults.py", "windows.max(axis=4)", "windows.max(axis=4) + 0")
    assert cli.main(["defaults", "alpha", "--stale"]) == 0
    assert "Stale: 1 of 1 frameworks." in capsys.readouterr().out


def test_a_folder_without_probes_is_passed_over(folder, capsys):
    assert cli.main(["defaults", "alpha"]) == 0
    assert "alpha: it has no defaults.py" in capsys.readouterr().out


def test_a_framework_may_have_nothing_to_answer(folder):
    nothing = f"unanswered = {dict.fromkeys(QUESTIONS, 'the toy has no layers')}\n"
    (folder / "defaults.py").write_text(nothing)
    record, code = asked()
    assert (record.status, code) == ("ok", 0)
    assert record.answers["adam.beta1"].reason == "the toy has no layers"
    assert record.version
    (folder / "defaults.py").write_text(nothing + "import toy_that_is_not_there\n")
    record, code = asked()
    assert (record.status, code) == ("failed", 1)
    assert "toy_that_is_not_there" in record.log


@pytest.fixture
def explicit_toml(folder):
    """Writes explicit.toml beside the toy's probes."""

    def write(text):
        (folder / "explicit.toml").write_text(text, "utf-8")

    return write


def test_a_line_is_measured_as_the_default_is(toy, explicit_toml, capsys):
    explicit_toml(
        """
[embedding]
weights = ["bound = uniform(...); bound = 2 * bound", "bound = uniform(...); bound = 0 * bound"]

[gru]
gate = ["z = sigmoid(...); z = (z > 2) * 0.5", "sigmoid(..., y=1)"]
"""
    )
    record, code = asked()
    assert statements(record) == expected(ANSWERS)
    assert code == 0
    lines = record.calls["embedding.weights"]
    assert {line: answer.statement for line, answer in lines.items()} == expected(
        {
            "bound = uniform(...); bound = 2 * bound": "uniform, ± 0.1",
            "bound = uniform(...); bound = 0 * bound": "zeros",
        }
    )
    wrong, refused = record.calls["gru.gate"].values()
    assert (wrong.code, refused.code) == (Code.UNKNOWN, Code.REFUSED)
    output = capsys.readouterr().out
    assert "explicit.toml: gru.gate: sigmoid(..., y=1): TypeError: " in output
    assert "explicit.toml: embedding.weights" not in output


def test_a_line_of_two_facets_is_measured_once(toy, explicit_toml, monkeypatch):
    explicit_toml('[adam]\nbeta1 = ["np.sqrt(...)"]\nbeta2 = ["np.sqrt(...)"]\n')
    names = []
    monkeypatch.setattr(
        collect, "_result", lambda folder, call, real=collect._result: names.append(call.name) or real(folder, call)
    )
    record, _ = asked()
    assert [name for name in names if "explicit" in name] == ["adam-explicit-0"]
    assert record.calls["adam.beta1"]["np.sqrt(...)"].value == 0.9
    assert record.calls["adam.beta2"]["np.sqrt(...)"].value == 0.999


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[adm]", "alpha/explicit.toml: There is no function of defaults.py 'adm': did you mean 'adam'?"),
        ("[padding]", "alpha/explicit.toml: There is no function of defaults.py 'padding'"),
        (
            '[adam]\nepsilo = ["a(...)"]',
            "alpha/explicit.toml, [adam]: There is no facet 'epsilo': did you mean 'epsilon'?",
        ),
        ('[adam]\nepsilon = "a(...)"', "alpha/explicit.toml is not valid: Expected `array`, got `str`"),
        ("[adam", "alpha/explicit.toml is not valid: "),
        ('[adam]\nepsilon = ["a("]', "alpha/explicit.toml, adam.epsilon: 'a(' is not Python"),
        ('[adam]\nepsilon = [""]', "'' is not Python"),
        ('[adam]\nepsilon = ["a(1)"]', "'a(1)' does not begin with a call such as"),
        ('[adam]\nepsilon = ["a(..., 1)"]', "does not begin with a call such as"),
        ('[adam]\nepsilon = ["a().b(...)"]', "does not begin with a call such as"),
        ('[adam]\nepsilon = ["x.y = a(...)"]', "does not begin with a call such as"),
        ('[adam]\nepsilon = ["a = 1"]', "does not begin with a call such as"),
    ],
)
def test_a_line_that_cannot_be_measured_is_one_sentence(toy, explicit_toml, text, message):
    explicit_toml(text)
    record, code = asked()
    assert (record.status, code) == ("failed", 1)
    assert message in record.reason


def test_an_answer_is_stale_once_a_line_is_another(toy, explicit_toml):
    explicit_toml('[adam]\nepsilon = ["np.sqrt(...)"]')
    record, _ = asked()
    implementation = frameworks.implementations()["alpha"]
    explicit_toml('# A comment.\n[adam]\nepsilon = ["np.sqrt(...)"]')
    assert collect.holds(implementation, "cpu", [record])
    explicit_toml('[adam]\nepsilon = ["np.exp(...)"]')
    assert not collect.holds(implementation, "cpu", [record])


def test_what_no_line_gives_is_listed(toy, explicit_toml, capsys):
    explicit_toml('[embedding]\nweights = ["bound = uniform(...); bound = 2 * bound"]')
    record, _ = asked()
    answers = {
        **record.answers,
        "embedding.weights": store.Answer(Code.UNIFORM, 0.1),
        "adam.epsilon": store.Answer(Code.NUMBER, 0.5),
        "padding.side": store.Answer(Code.BEHIND),  # the toy has nothing that pads
        "dense.float64": store.Answer(Code.REFUSED, reason="no"),
    }
    store.write(msgspec.structs.replace(record, framework="beta", answers=answers, created=store.now()), commands.LOCAL)
    capsys.readouterr()
    records = len(store.read_all([commands.LOCAL]))
    assert cli.main(["defaults", "alpha", "--missing"]) == 0
    assert capsys.readouterr().out.splitlines() == ["alpha: adam.epsilon: 0.5"]
    assert len(store.read_all([commands.LOCAL])) == records
