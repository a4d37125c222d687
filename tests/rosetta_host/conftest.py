"""A framework of the tests' own: a folder whose example needs NumPy alone and can be told to go wrong."""

import sys
import time
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

from rosetta_host.catalog import frameworks
from rosetta_host.environments import environment

TOML = """
name = "Alpha"
package = "numpy"
since = "2020"
home_page = "https://example.org"
[environment]
python = "3.11"
"""

EXAMPLE = """
import numpy as np
import os
import time

from rosetta_common.data import minibatches
from workloads.gru import imdb_for_library, params


def load_data():
    return imdb_for_library()


def create_symbol():
    return None


def init_model(symbol):
    np.random.seed(params.seed)
    return {"fc.bias": np.zeros(2)}


def train(model, x, y):
    for data, target in minibatches(x, y, params.batch_size):
        time.sleep(0.001)
    return 0.5


def predict(model, x):
    return np.stack([np.ones(len(x)), np.zeros(len(x))], axis=1)


def evaluate(model, x, y):
    return float(np.mean(y == 0))


def export_weights(model):
    return dict(model)


def import_weights(model, weights):
    model.update(weights)


if __name__ == "__main__":
    x_train, x_test, y_train, y_test = load_data()
    model = init_model(create_symbol())
    train(model, x_train, y_train)
    predict(model, x_test)
    evaluate(model, x_test, y_test)
"""


def wait_for(condition):
    """Wait until a condition holds, for at most a minute."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def written_to(path):
    """Whether a file is there and holds something."""
    return path.exists() and path.stat().st_size > 0


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """BLAS threads spin while they wait: on cores that others share, one thread is faster than two."""
    with threadpool_limits(1):
        yield


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """examples/alpha, on the Python that runs the tests."""
    path = tmp_path / "examples" / "alpha"
    path.mkdir(parents=True)
    (path / "framework.toml").write_text(TOML)
    for name in ("requirements.in", "requirements.txt"):
        (path / name).write_text("numpy==2.3.5\n")
    (path / "gru.py").write_text(EXAMPLE)
    monkeypatch.setattr(frameworks, "EXAMPLES", tmp_path / "examples")
    monkeypatch.setattr(environment, "ensure", lambda implementation, device="cpu": Path(sys.executable))
    return path
