"""The one list of frameworks, read from folders."""

import pytest

from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import UserError

MINIMAL = """
name = "Alpha"
package = "alpha"
since = "2020"
home_page = "https://example.org"
[environment]
python = "3.11"
"""


def add(examples, name, text=MINIMAL):
    folder = examples / name
    folder.mkdir()
    (folder / "framework.toml").write_text(text)
    (folder / "cnn.py").write_text("")
    return folder


def test_a_new_folder_is_a_new_implementation(tmp_path):
    add(tmp_path, "beta")
    add(tmp_path, "alpha")
    implementations = frameworks.implementations(tmp_path)
    assert list(implementations) == ["alpha", "beta"]
    assert implementations["alpha"].workloads == ["cnn"]
    assert implementations["alpha"].environment.python == "3.11"


@pytest.mark.parametrize("form", ["rate inside", "rate outside"])
def test_a_form_of_the_momentum_needs_a_rate_that_changes(tmp_path, form):
    folder = add(tmp_path, "alpha", MINIMAL + f'[cnn.forms]\nmomentum = "{form}"\n')
    with pytest.raises(UserError, match=r"alpha/framework\.toml declares .* its cnn\.py has no set_learning_rate\."):
        frameworks.implementations(tmp_path)
    (folder / "cnn.py").write_text("\ndef set_learning_rate(model, learning_rate):\n    pass\n")
    assert frameworks.implementations(tmp_path)["alpha"].workload("cnn").forms == {"momentum": form}


def test_an_environment_may_be_another_implementations(tmp_path):
    add(tmp_path, "alpha")
    borrowed = MINIMAL.partition("[environment]")[0] + 'environment = "alpha"\n'
    add(tmp_path, "beta", borrowed)
    implementation = frameworks.implementations(tmp_path)["beta"]
    assert implementation.environment_id == "alpha"
    assert implementation.environment_folder == tmp_path / "alpha"


def test_an_environment_that_no_folder_describes_is_refused(tmp_path):
    add(tmp_path, "beta", MINIMAL.partition("[environment]")[0] + 'environment = "alpha"\n')
    with pytest.raises(UserError, match=r"beta/framework\.toml: no framework declares the environment 'alpha' of beta"):
        frameworks.implementations(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('color = "red"\n' + MINIMAL, "color"),
        ("name = \n", "not valid"),
        (MINIMAL.replace('since = "2020"', ""), "since"),
        (MINIMAL.replace('"3.11"', '"3.11.7"'), r"\$\.environment\.python"),
        (
            MINIMAL + "[backend.one]\nenvironment = 'x'\n",
            r"alpha/framework\.toml, \[backend\.one\], lacks the key `name`",
        ),
        (MINIMAL + "[backend.one]\nname = 'One'\ncolor = 'red'\n", r"\[backend\.one\], is not valid: .*color"),
        (MINIMAL + "backend = 3\n", "backend"),
        (MINIMAL + "[cnn.tolerances.loss]\nlimit = 1.0\n", "reason"),
    ],
)
def test_a_framework_toml_that_is_wrong_is_refused_in_one_sentence(tmp_path, text, words):
    add(tmp_path, "alpha", text)
    with pytest.raises(UserError, match=words):
        frameworks.implementations(tmp_path)


BACKENDS = (
    MINIMAL
    + """
[variables.COLOUR]
value = "red"
reason = "it shows"
[backend.one]
name = "Alpha on One"
[backend.one.variables.COLOUR]
value = "blue"
[backend.two]
name = "Alpha on Two"
environment = "beta"
[backend.two.cnn]
partial_batch = true
"""
)


def test_each_backend_is_an_implementation_with_its_own_keys_over_the_folders(tmp_path):
    folder = add(tmp_path, "alpha", BACKENDS)
    add(tmp_path, "beta", MINIMAL.replace("3.11", "3.9"))
    one, two, _ = frameworks.implementations(tmp_path).values()
    assert [
        (implementation.id, implementation.name, implementation.title, implementation.backend)
        for implementation in (one, two)
    ] == [
        ("alpha-one", "Alpha on One", "Alpha", "one"),
        ("alpha-two", "Alpha on Two", "Alpha", "two"),
    ]
    assert one.folder == two.folder == folder
    assert (one.framework.variables["COLOUR"].value, one.framework.variables["COLOUR"].reason) == ("blue", "it shows")
    assert two.framework.variables["COLOUR"].value == "red"
    assert (one.environment_id, one.environment.python) == ("alpha-one", "3.11")
    assert (two.environment_id, two.environment.python, two.environment_folder) == ("beta", "3.9", tmp_path / "beta")
    assert (one.workload("cnn").partial_batch, two.workload("cnn").partial_batch) == (False, True)


TUNING = '[{}.variables]\nFAST = {{ value = "1", tuning = true, reason = "it is faster" }}\n'


@pytest.mark.parametrize(
    ("toml", "function", "tuned"),
    [
        ("", "", []),
        (TUNING.format("environment").replace("true", "false"), "", []),
        (TUNING.format("environment"), "", [("cnn", "train"), ("gru", "train")]),
        (TUNING.format("gru"), "", [("gru", "train")]),
        ("", "\ndef train_tuned(model, x, y):\n    return 0.0\n", [("cnn", "train_tuned")]),
        (TUNING.format("cnn"), "\ndef train_tuned(model, x, y):\n    return 0.0\n", [("cnn", "train_tuned")]),
    ],
    ids=["nothing", "no tuning", "the environment's", "one example's", "a function", "both"],
)
def test_an_example_has_a_tuned_case_where_a_variable_or_a_function_only_makes_it_faster(
    tmp_path, toml, function, tuned
):
    folder = add(tmp_path, "alpha", MINIMAL + toml)
    (folder / "cnn.py").write_text(f"\ndef train(model, x, y):\n    return 0.0\n{function}")
    (folder / "gru.py").write_text("\ndef train(model, x, y):\n    return 0.0\n")
    cases = frameworks.implementations(tmp_path)["alpha"].cases(["cnn", "gru"])
    assert [(case.workload, case.verb) for case in cases if case.tuned] == tuned


def test_a_hyphen_in_a_folders_name_is_refused_so_that_no_two_implementations_share_an_id(tmp_path):
    add(tmp_path, "alpha-one")
    with pytest.raises(UserError, match="alpha-one has a hyphen"):
        frameworks.implementations(tmp_path)


def test_an_unknown_id_suggests_the_nearest(tmp_path):
    add(tmp_path, "pytorch")
    add(tmp_path, "cntk")
    with pytest.raises(UserError, match="no framework 'pytroch': did you mean 'pytorch'"):
        frameworks.select(["pytroch"], tmp_path)
    assert [implementation.id for implementation in frameworks.select([], tmp_path)] == ["cntk", "pytorch"]
    assert [implementation.id for implementation in frameworks.select(["cntk"], tmp_path)] == ["cntk"]


def test_the_projects_own_folders_are_valid():
    implementations = frameworks.implementations()
    assert implementations
    for implementation in implementations.values():
        assert implementation.workloads == ["cnn", "gru"]
        assert (implementation.environment_folder / implementation.environment.requirements).exists()
