"""Weights that move between toys: each to each, with what cannot be held, and with errors that must be noticed."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rosetta_host import __main__ as cli
from rosetta_host.catalog import frameworks
from rosetta_host.certificate import oracle, protocol
from rosetta_host.environments import environment
from rosetta_host.records import store

TOY = frameworks.ROOT / "tests" / "toy"
PAGES = frameworks.ROOT / "docs" / "concepts"

TAKES = "    model.weights.update({name: weight.astype(params.dtype) for name, weight in weights.items()})\n"
GIVES = "    return {name: weight.copy() for name, weight in model.weights.items()}\n"
GRADIENTS = 'oracle.gradients("gru", model.weights, data, target)'
SWAPPED = """    for name in list(weights):
        if name.startswith("gru."):
            r, z, n = np.split(weights[name], 3)
            weights = dict(weights, **{name: np.concatenate([z, r, n])})
"""


def without(biases):
    """The edits of a toy whose GRU has fewer biases: what it lacks it neither trains nor takes."""
    kept = f'oracle.exists("gru", "gru.bias_hh", {{"biases": "{biases}"}})'
    return [
        (GRADIENTS, GRADIENTS[:-1] + f', {{"biases": "{biases}"}})'),
        (TAKES, TAKES + f'    model.weights["gru.bias_hh"] *= {kept}\n'),
    ]


BEFORE = '{"reset_gate": "before"}'
SCORES = 'oracle.scores("gru", model.weights, x)'

IMPORT = "def import_weights("
# A framework that is handed transposed arrays, and keeps the bytes.
KEEP = """def keep(array):
    return np.frombuffer(array.tobytes(), np.float32).reshape(array.shape).T.astype(np.float64)


"""

# Folder -> its declared forms, and what in its file differs from the toy's.
GOOD = {
    "plain": ("", []),
    "transposing": (
        "",
        [(TAKES, TAKES.replace("weight.astype(params.dtype)", "keep(weight.T)")), (IMPORT, KEEP + IMPORT)],
    ),
    "folded": ('biases = "folded"', without("folded")),
    "lacking": ('biases = "no b_hn"', without("no b_hn")),
    "before": (
        'reset_gate = "before"',
        [(GRADIENTS, GRADIENTS[:-1] + f", {BEFORE})"), (SCORES, SCORES[:-1] + f", {BEFORE})")],
    ),
}
BAD = {
    "plain": ("", []),
    "swaps": ("", [(TAKES, SWAPPED + TAKES)]),
    "swaps_twice": (
        "",
        [(TAKES, SWAPPED + TAKES), (GIVES, "    weights = model.weights\n" + SWAPPED + GIVES.replace("model.", ""))],
    ),
    "lacking_and_wrong": ('biases = "no b_hn"', [*without("no b_hn"), (SCORES, "1.01 * " + SCORES)]),
    "breaks": ("", [(TAKES, "    raise RuntimeError('no way in')\n")]),
    "nan": ("", [(GIVES, GIVES.replace("weight.copy()", "weight * np.nan"))]),
}


def make(folder, forms, edits):
    shutil.copytree(TOY, folder)
    text = (folder / "gru.py").read_text()
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / "gru.py").write_text(text)
    toml = folder / "framework.toml"
    toml.write_text(f"{toml.read_text()}\n[gru.forms]\n{forms}\n")


def sweep(folder, folders):
    """The exit code, and implementation -> its record, of a sweep over these folders through the command line."""
    for name, (forms, edits) in folders.items():
        make(folder / "examples" / name, forms, edits)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frameworks, "EXAMPLES", folder / "examples")
        patch.setattr(environment, "ensure", lambda implementation, device="cpu": Path(sys.executable))
        code = cli.main(["transfer", "--records", str(folder / "records"), "--machine", "here"])
    paths = store.paths([folder / "records"])
    assert {path.parent for path in paths} == {folder / "records" / "transfer" / "here"}
    assert len(paths) == len(folders)
    return code, {record.implementation: record for record in map(store.read, paths)}


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    code, found = sweep(tmp_path_factory.mktemp("good"), GOOD)
    assert code == 0
    return found


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    code, found = sweep(tmp_path_factory.mktemp("bad"), BAD)
    assert code == 1
    return found


def check(moved, giver, taker):
    (found,) = (check for check in moved[taker].checks if check.name == giver)
    return found


@pytest.mark.parametrize(
    ("giver", "taker"),
    [(giver, taker) for giver in GOOD for taker in GOOD if giver != taker and "before" not in (giver, taker)],
)
def test_what_can_be_moved_predicts_the_same(good, giver, taker):
    found = check(good, giver, taker)
    assert found.limit == 1e-6
    assert found.figures["samples"] == 100
    if taker == "lacking" and giver != "lacking":
        assert (found.ok, found.by_design) == (False, True)
        assert found.reason == "its new gate has no recurrent bias"
        assert 1e-6 < found.figure < found.figures["left over"] < 1e-2
    else:
        assert (found.ok, found.by_design, found.reason) == (True, False, None)
        assert found.figures["other labels"] == 0
        assert found.figure < 1e-6


def test_another_place_of_the_reset_gate_is_no_fault_but_no_success_either(good):
    for giver, taker, its, other in (("plain", "before", "before", "after"), ("before", "plain", "after", "before")):
        found = check(good, giver, taker)
        assert (found.ok, found.by_design) == (False, True)
        assert found.reason == f"its reset gate comes {its} the recurrent product, the giver's {other} it"
        assert found.figure > 1e-6


def test_a_record_says_what_took_part(good):
    record = good["plain"]
    assert (record.kind, record.status, record.workload, record.device) == ("transfer", "ok", "gru", "cpu")
    assert record.version == np.__version__
    assert record.times.process > 0
    assert [check.name for check in record.checks] == list(record.givers) == sorted(set(GOOD) - {"plain"})
    assert record.givers["folded"] == good["folded"].digests


def test_a_swap_of_gates_is_noticed(bad):
    found = check(bad, "plain", "swaps")
    assert (found.ok, found.by_design) == (False, False)
    swapped = "gru.weight_ih, gru.weight_hh, gru.bias_ih, gru.bias_hh"
    assert found.reason == f"not the same when it comes back: {swapped}"
    assert bad["swaps"].status == "failed"
    assert f"from FAILED plain {found.figure:.1e} (limit 1e-06) at sample" in bad["swaps"].reason
    assert check(bad, "swaps", "plain").ok  # what it gives is right


@pytest.mark.parametrize(("giver", "taker"), [("plain", "swaps_twice"), ("swaps_twice", "plain")])
def test_a_swap_that_undoes_itself_is_noticed_by_the_scores(bad, giver, taker):
    found = check(bad, giver, taker)
    assert (found.ok, found.by_design, found.reason) == (False, False, "the scores are others")
    assert found.figure > found.limit


def test_what_a_form_lacks_hides_no_error(bad):
    found = check(bad, "plain", "lacking_and_wrong")
    assert (found.ok, found.by_design) == (False, False)
    assert found.reason.startswith("its new gate has no recurrent bias; and the scores are not those")


@pytest.mark.parametrize(
    ("implementation", "reason"),
    [("breaks", "RuntimeError: no way in"), ("nan", "embedding, gru.weight_ih, gru.weight_hh")],
)
def test_an_implementation_that_fails_is_a_record_and_stops_no_other(bad, implementation, reason):
    assert (bad[implementation].status, bad[implementation].checks) == ("failed", [])
    assert bad[implementation].reason.startswith(reason)
    assert ("breaks" in bad["plain"].givers, "nan" in bad["plain"].givers) == (True, False)


def test_layouts_are_measured(good, bad):
    assert set(good["plain"].layouts.values()) == {"as it is"}
    assert good["transposing"].layouts["gru.weight_ih"] == "transposed"
    assert good["lacking"].layouts["gru.bias_hh"] == "it has none"
    assert bad["swaps"].layouts["gru.bias_ih"] == "gates z, r, n"
    assert bad["breaks"].layouts == {}


FORMS = {"reset_gate": "after", "biases": "two"}


def trained():
    """Canonical weights, whose biases are not zero."""
    return protocol.canonical_weights("gru")


@pytest.mark.parametrize(
    ("forms", "left"),
    [
        ({"biases": "two"}, []),
        ({"biases": "folded"}, []),
        ({"biases": "no b_hn"}, range(200, 300)),
        ({"biases": "no b_hn", "reset_gate": "before"}, []),
    ],
)
def test_what_is_folded_computes_the_same_but_for_what_is_left(forms, left):
    forms = FORMS | forms
    fitted, rest, _ = oracle.model("gru").fit(trained(), forms, forms)
    assert np.flatnonzero(rest).tolist() == list(left)
    assert not (fitted["gru.bias_hh"] * (1 - oracle.exists("gru", "gru.bias_hh", forms))).any()
    x = protocol.steps_samples("gru").encoded("gru", "float32").x_test[:3]
    whole = {**fitted, "gru.bias_hh": fitted["gru.bias_hh"] + rest}
    np.testing.assert_allclose(
        oracle.scores("gru", whole, x, {"reset_gate": forms["reset_gate"]}),
        oracle.scores("gru", trained(), x, {"reset_gate": forms["reset_gate"]}),
        atol=1e-7,
    )


def test_a_single_implementation_has_nowhere_to_go(capsys):
    name = next(iter(frameworks.implementations()))
    assert cli.main(["transfer", name]) == 2
    assert capsys.readouterr().out.startswith("error: A transfer needs two frameworks: name at least two")


@pytest.mark.parametrize(("taker", "close"), [("plain", True), ("swaps", False)])
def test_the_two_files_of_the_page_move_weights(tmp_path, taker, close):
    protocol.write_samples("gru", tmp_path / "data", protocol.steps_samples("gru"))
    expected = ""
    for file, name in (("give_weights.py", "plain"), ("take_weights.py", taker)):
        make(tmp_path / name, *{**GOOD, **BAD}[name]) if not (tmp_path / name).exists() else None
        text = (PAGES / file).read_text()
        assert text.count("import cnn as example") == 1
        (tmp_path / file).write_text(text.replace("import cnn as example", "import gru as example"))
        environ = {"PYTHONPATH": f"{tmp_path / name}:{frameworks.ROOT}", "ROSETTA_DATA": str(tmp_path / "data")}
        environ["OMP_NUM_THREADS"] = environ["OPENBLAS_NUM_THREADS"] = "1"
        command = [sys.executable, tmp_path / file]
        expected = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=True).stdout
    figure = float(re.fullmatch(r"The scores differ by (\S+) at most\.\n", expected)[1])
    assert (figure < 1e-6) == close


def test_the_page_names_frameworks_that_there_are():
    page = (PAGES / "weights.md").read_text("utf-8")
    (named,) = re.findall(r"nox -s transfer -- (.*)", page)
    assert set(named.split()) <= set(frameworks.implementations())
    by_hand = re.findall(
        r"PYTHONPATH=examples/(\w+) \.rosetta/environments/([\w-]+)-\*/bin/python docs/concepts/(\w+\.py)", page
    )
    assert [file for _, _, file in by_hand] == ["give_weights.py", "take_weights.py"]
    for folder, environment_id, _ in by_hand:
        assert frameworks.implementations()[folder].environment_id == environment_id
