"""The runner inside a framework's environment, on an example that needs NumPy alone."""

import json
import os
import platform
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]

EXAMPLE = """
import numpy as np
from rosetta_common.data import minibatches
from workloads.gru import imdb_for_library, params

def load_data():
    return imdb_for_library()

def create_symbol():
    return {}

def init_model(symbol):
    np.random.seed(params.seed)
    symbol["w"] = np.random.uniform(-1, 1, 3).astype(params.dtype)
    return symbol

def train(model, x, y):
    steps = 0
    for data, target in minibatches(x, y, params.batch_size):
        model["w"] = model["w"] + 1
        steps += 1
    return float(steps)

def predict(model, x):
    return np.stack([x[:, 0] * 0.0 + 1, x[:, 0] * 0.0], axis=1)

def evaluate(model, x, y):
    return float(np.mean(y == 0))

def export_weights(model):
    return dict(w=model["w"].copy())

def import_weights(model, weights):
    model["w"] = weights["w"]
"""


@pytest.fixture
def example(tmp_path):
    path = tmp_path / "gru.py"
    path.write_text(EXAMPLE)
    return path


def call(*arguments, cwd=None, stdin="", **variables):
    # Python 3.6 has no capture_output.
    environ = dict(os.environ, **dict({"PYTHONPATH": str(ROOT)}, **variables))
    return subprocess.run(
        [sys.executable, "-m", "rosetta_common", *map(str, arguments)],
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        env=environ,
        cwd=cwd,
    )


def test_run_times_every_stage_and_hands_over_the_scores(example, tmp_path):
    done = call("run", example, "--folder", tmp_path, "--epochs", "2")
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "result.json").read_text())
    assert set(result["times"]) == {"imported", "load", "build", "predict", "evaluate", "epochs"}
    assert len(result["times"]["epochs"]) == 2
    assert result["losses"] == [20.0, 20.0]
    assert result["steps"] == 40
    assert result["parameters"] == {"w": 3}
    assert result["peak_resident"] > 10e6
    assert result["python"] == platform.python_version()
    assert result["packages"]["numpy"] == np.__version__
    assert np.load(str(tmp_path / "scores.npy")).shape == (320, 2)
    events = [json.loads(line)["event"] for line in done.stdout.splitlines()]
    assert events.count("trained") == 2
    assert events[-1] == "done"


@pytest.mark.parametrize(("samples", "kept"), [(1280, 19), (64, 0), (64 * 821, 274)])
def test_the_seconds_of_single_steps_are_those_of_the_last_epoch_and_not_too_many(example, tmp_path, samples, kept):
    text = example.read_text()
    pause = (
        '        model["epochs"] = model.get("epochs", 0) + (steps == 0)\n        time.sleep(0.004 / model["epochs"])\n'
    )
    text = "import time\n" + text.replace("        steps += 1\n", pause + "        steps += 1\n")
    some = f"return [np.resize(array, ({samples},) + array.shape[1:]) for array in imdb_for_library()]"
    text = text.replace("return imdb_for_library()", some)
    example.write_text(text)
    done = call("run", example, "--folder", tmp_path, "--epochs", "2")
    assert done.returncode == 0, done.stderr
    seconds = json.loads((tmp_path / "result.json").read_text())["step_seconds"]
    assert len(seconds) == kept
    assert all(second >= 0.002 for second in seconds)
    assert not seconds or sorted(seconds)[len(seconds) // 2] < 0.004


@pytest.mark.parametrize(
    ("loss", "name"),
    [
        ("np.float32(2)", "numpy.float32"),
        ("np.float64(2)", "numpy.float64"),
        ("np.ones(1)", "numpy.ndarray"),
        ("2", "int"),
    ],
)
def test_a_loss_that_is_no_python_float_is_refused_by_name(example, tmp_path, loss, name):
    """Where a framework only queues its work, a loss of its own may not be computed when the clock stops."""
    text = example.read_text()
    assert text.count("return float(steps)") == 1
    example.write_text(text.replace("return float(steps)", "return " + loss))
    done = call("run", example, "--folder", tmp_path)
    assert done.returncode == 1
    assert f"error: train returned {name}, not a Python float" in done.stderr
    assert not (tmp_path / "result.json").exists()


def test_weights_that_are_not_computed_when_train_returns_fail_the_run(example, tmp_path):
    """Reading them waits for what is left; the second reading waits for nothing."""
    text, read = example.read_text(), 'return dict(w=model["w"].copy())'
    assert text.count(read) == 1
    text = text.replace("    return float(steps)", "    model['left'] = 0.5\n    return float(steps)")
    text = text.replace("    " + read, "    time.sleep(model.pop('left', 0))\n    " + read)
    text = "import time\n" + text
    example.write_text(text)
    done = call("run", example, "--folder", tmp_path)
    assert done.returncode == 1
    assert "error: train returned before the weights were computed: to read them took 0.5" in done.stderr


def test_first_step_trains_on_the_first_samples_only(example, tmp_path):
    assert call("run", example, "--folder", tmp_path, "--samples", "64").returncode == 0
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["steps"] == 1
    assert "predict" not in result["times"]


def test_with_turns_each_line_of_input_is_an_epoch_until_there_are_no_more(example, tmp_path):
    done = call("run", example, "--folder", tmp_path, "--samples", "128", "--epochs", "9", "--turns", stdin="\n\n")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "result.json").read_text())["losses"] == [2.0, 2.0]


def test_the_seed_reaches_the_example(example, tmp_path):
    weights = []
    for seed in (0, 1):
        program = {"settings": {}, "train": "train", "steps": [["init", seed], ["export", "w"]]}
        (tmp_path / "program.json").write_text(json.dumps(program))
        assert call("trace", example, "--folder", tmp_path).returncode == 0
        weights.append(np.load(str(tmp_path / "w.npz"))["w"].tolist())
    assert weights[0] != weights[1]


def test_trace_follows_its_program(example, tmp_path):
    np.savez(str(tmp_path / "given.npz"), w=np.zeros(3, np.float32))
    steps = [["init", 0], ["import", "given"], ["train", [0] * 130, "loop"], ["export", "after"], ["predict", "scores"]]
    steps += [["evaluate", "test"], ["reading", "now"]]
    program = {"settings": {"dtype": "float64"}, "train": "train", "steps": steps}
    (tmp_path / "program.json").write_text(json.dumps(program))
    done = call("trace", example, "--folder", tmp_path)
    assert done.returncode == 0, done.stderr
    after = np.load(str(tmp_path / "after.npz"))["w"]
    assert after.tolist() == [2, 2, 2]
    assert after.dtype == np.float64
    trained = json.loads((tmp_path / "loop.trained").read_text())
    assert (trained["type"], trained["loss"]) == ("float", 2.0)
    assert trained["seconds"] > 0
    assert json.loads((tmp_path / "now.reading").read_text())[1] > 0
    assert 0 < float((tmp_path / "test.accuracy").read_text()) < 1
    assert not list(tmp_path.glob("*.part"))
    assert "lines" not in json.loads((tmp_path / "result.json").read_text())
    assert len(np.load(str(tmp_path / "scores.npy"))) == 320


def test_trace_goes_on_where_a_loss_is_no_number(example, tmp_path):
    example.write_text(example.read_text().replace("return float(steps)", "return {}"))
    program = {"settings": {}, "train": "train", "steps": [["init", 0], ["train", [0], "step"]]}
    (tmp_path / "program.json").write_text(json.dumps(program))
    assert call("trace", example, "--folder", tmp_path).returncode == 0
    trained = json.loads((tmp_path / "step.trained").read_text())
    assert trained["type"] == "dict"
    assert trained["loss"] != trained["loss"]  # not a number


def test_trace_notes_the_lines_that_ran_in_any_thread_and_what_was_made_of_others(example, tmp_path):
    example.write_text(
        EXAMPLE.replace(
            "import numpy as np\n",
            "import inspect\nimport library\nimport numpy as np\nimport os\nimport threading\n",
            1,
        )
        + textwrap.dedent(
            """
            def worker():
                done.append(1)

            done = []

            def never():
                return 1

            def train(model, x, y):
                thread = threading.Thread(target=worker)
                thread.start()
                thread.join()
                if not done:
                    never()
                inspect.getsource(never)
                library.step()
                with open("written.py", "w") as file:
                    file.write("def fast__step():\\n    return 1.0\\n")
                with open("written.py") as file:
                    exec(compile(file.read(), os.path.abspath("written.py"), "exec"), globals())
                return fast__step()
            """
        )
    )
    (tmp_path / "installed").mkdir()
    (tmp_path / "installed" / "library.py").write_text("def step():\n    pass\n")
    program = {"settings": {}, "train": "train", "lines": True, "steps": [["init", 0], ["train", [0], "step"]]}
    (tmp_path / "program.json").write_text(json.dumps(program))
    folders = os.pathsep.join([str(ROOT), str(tmp_path / "installed")])
    done = call("trace", example, "--folder", tmp_path, cwd=str(tmp_path), PYTHONPATH=folders)
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "result.json").read_text())
    ran = result["lines"]
    assert "fast__step" in result["elsewhere"]
    assert not {"loads", "step"} & set(result["elsewhere"])
    lines = example.read_text().splitlines()
    assert [lines[number - 1] for number in result["sources"]] == ["def never():"]
    executed = {lines[number - 1].strip() for number in ran}
    assert {
        "done.append(1)",
        "thread.join()",
        "if not done:",
        "return fast__step()",
        "return imdb_for_library()",
    } <= executed
    assert not {"never()", "return float(np.mean(y == 0))"} & executed


def test_a_missing_verb_is_named_without_a_traceback(tmp_path):
    path = tmp_path / "gru.py"
    path.write_text(textwrap.dedent(EXAMPLE).replace("def evaluate", "def estimate"))
    done = call("run", path, "--folder", tmp_path)
    assert done.returncode == 1
    assert done.stderr.strip().endswith("lacks the function evaluate.")
    assert "Traceback" not in done.stderr


def test_an_unknown_workload_is_refused(example, tmp_path):
    other = tmp_path / "mlp.py"
    other.write_text(EXAMPLE)
    done = call("run", other, "--folder", tmp_path)
    assert done.returncode == 1
    assert "must have the name of a folder of workloads/" in done.stderr
    assert "Traceback" not in done.stderr


def test_broken_data_is_one_sentence(example, tmp_path):
    done = call("run", example, "--folder", tmp_path, ROSETTA_DATA=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_help_says_what_each_command_does():
    done = call("run", "--help")
    assert done.returncode == 0
    assert "--epochs" in done.stdout


def test_trace_trains_with_the_function_that_its_program_names(example, tmp_path):
    example.write_text(example.read_text() + "\n\ndef train_with_loader(model, x, y):\n    return 7.0\n")
    program = {"settings": {}, "train": "train_with_loader", "steps": [["init", 0], ["train", [0] * 64, "step"]]}
    (tmp_path / "program.json").write_text(json.dumps(program))
    assert call("trace", example, "--folder", tmp_path).returncode == 0
    assert json.loads((tmp_path / "step.trained").read_text())["loss"] == 7.0
    program["train"] = "train_with_magic"
    (tmp_path / "program.json").write_text(json.dumps(program))
    assert call("trace", example, "--folder", tmp_path).stderr.strip().endswith("has no function train_with_magic.")


def traced_watch(example, folder):
    """What `watch` left of an import of the weights 1, 2, 3."""
    np.savez(str(folder / "numbered.npz"), w=np.array([1, 2, 3], np.float32))
    program = {"settings": {}, "train": "train", "steps": [["init", 0], ["watch", "numbered"], ["export", "after"]]}
    (folder / "program.json").write_text(json.dumps(program))
    done = call("trace", example, "--folder", folder)
    assert done.returncode == 0, done.stderr
    with np.load(str(folder / "numbered-made.npz")) as made:
        return [made[name].tolist() for name in made.files], done.stdout


def test_trace_shows_what_a_framework_was_handed(example, tmp_path):
    example.write_text(example.read_text().replace('weights["w"]', 'weights["w"][::-1]'))
    assert traced_watch(example, tmp_path)[0][-1] == [3, 2, 1]
    assert np.load(str(tmp_path / "after.npz"))["w"].tolist() == [3, 2, 1]


def test_trace_goes_on_where_a_framework_refuses_what_is_watched(example, tmp_path):
    refusing = "raise TypeError('a plain array, please')"
    example.write_text(example.read_text().replace('model["w"] = weights["w"]', refusing))
    made, out = traced_watch(example, tmp_path)
    assert made == []
    assert "nothing was watched: TypeError: a plain array, please" in out


def test_a_framework_may_ask_for_an_example_by_the_name_of_its_module(example, tmp_path):
    """As those do that compile a function from its source, and whatever pickles one."""
    asks = "import pickle; assert pickle.loads(pickle.dumps(init_model)) is init_model"
    head = "def init_model(symbol):\n"
    example.write_text(example.read_text().replace(head, f"{head}    {asks}\n"))
    done = call("run", example, "--folder", tmp_path)
    assert done.returncode == 0, done.stderr
