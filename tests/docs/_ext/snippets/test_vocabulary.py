"""The framework's names in a step of an example."""

from __future__ import annotations

from _ext.snippets.vocabulary import names_of_questions, vocabulary

EXAMPLE = """
import numpy as np
import ada
from ada import nn, Trainer
from rosetta_common.data import minibatches
from types import SimpleNamespace


class Network(nn.Module):
    def __init__(self):
        self.conv = nn.Conv(3, 50)

    def forward(self, x):
        return ada.relu(self.conv(x)).reshape(-1)


def create_symbol():
    return Network()


def init_model(symbol):
    return SimpleNamespace(network=symbol, optimizer=ada.optim.SGD(symbol.parameters()))


def train(model, x, y):
    for data, target in minibatches(np.array(x), y, 64):
        loss = ada.loss(model.network(data), target)
        loss.backward()
        model.optimizer.step()
        losses = [loss]
        losses.append(loss)
    return Trainer(losses), ada.relu
"""


def test_names_are_listed_once_in_the_order_of_the_file(tmp_path) -> None:
    path = tmp_path / "example.py"
    path.write_text(EXAMPLE, "utf-8")
    assert vocabulary(path, "create_symbol") == ["nn.Module", "nn.Conv", "ada.relu"]
    assert vocabulary(path, "init_model") == ["ada.optim.SGD", ".parameters()"]


def test_methods_of_the_framework_count_and_those_of_lists_arrays_and_the_example_do_not(tmp_path) -> None:
    path = tmp_path / "example.py"
    path.write_text(EXAMPLE, "utf-8")
    assert vocabulary(path, "train") == ["ada.loss", ".backward()", ".step()", "Trainer", "ada.relu"]


def test_a_step_that_is_not_there_has_no_names(tmp_path) -> None:
    path = tmp_path / "example.py"
    path.write_text(EXAMPLE, "utf-8")
    assert vocabulary(path, "train_tuned") == []


DEFAULTS = """
import ada
import numpy as np
from ada import nn


def arrays(tensor):
    return tensor.numpy()


def convolution(x):
    return arrays(nn.Conv(3)(ada.tensor(x)))


def pool(x):
    layer = nn.Pool(2)
    return np.array(ada.stack([layer(ada.tensor(x))]))


def decayed(x):
    return ada.optim.decayed(ada.tensor(x))


def gelu(x):
    return ada.tensor(x).gelu()
"""


def test_a_question_is_about_its_classes_else_its_functions_else_its_methods(tmp_path) -> None:
    path = tmp_path / "defaults.py"
    path.write_text(DEFAULTS, "utf-8")
    assert names_of_questions(path) == {
        "arrays": [".numpy()"],
        "convolution": ["nn.Conv"],
        "pool": ["nn.Pool"],
        "decayed": ["ada.optim.decayed"],
        "gelu": [".gelu()"],
    }


def test_without_a_file_no_question_has_names(tmp_path) -> None:
    assert names_of_questions(tmp_path / "defaults.py") == {}
