"""What docs/lessons/lessons.toml declares, and which names the command knows."""

import pytest

from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import UserError
from rosetta_host.lessons import declarations

TOML = """
accuracy_implementations = ["alpha"]

[too-slow]
seed = [9]
title = "Slow"
workload = "gru"
mutants = ["slower"]
timed = true

[only-told]
title = "Told"
workload = "cnn"
"""


def read(tmp_path, text=TOML):
    path = tmp_path / "lessons.toml"
    path.write_text(text)
    return declarations.read(path)


def implementations(folder):
    (folder / "mutants.toml").write_text('[gru.slower]\nedits = [["return 0.5", "return 0.6"]]\n')
    return list(frameworks.implementations().values())


def test_the_declared_lessons_fit_the_examples():
    declarations.check(declarations.read(), frameworks.implementations().values())


def test_a_lesson_is_a_table(tmp_path):
    declared = read(tmp_path)
    assert list(declared.by_slug) == ["too-slow", "only-told"]
    assert declared.accuracy_implementations == ["alpha"]
    slow = declared.by_slug["too-slow"]
    assert (slow.seed, slow.mutants, slow.timed, slow.accuracy, slow.gpu) == ([9], ["slower"], True, False, None)


def test_which_lessons_a_mutant_belongs_to(tmp_path):
    declared = read(tmp_path)
    assert declared.of_mutant("gru", "slower") == ["too-slow"]
    assert declared.of_mutant("cnn", "slower") == []


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("timed", "timd", r"\[too-slow\], is not valid: .*unknown field `timd`"),
        ('"gru"', '"gnu"', r"\[too-slow\], is not valid: there is no workload 'gnu'"),
        ('title = "Told"\n', "", r"\[only-told\], is not valid: .*`title`"),
        ('workload = "gru"\n', "", r"\[too-slow\], is not valid: `mutants` need a `workload`"),
        ('["alpha"]', "[1]", "accuracy_implementations, is not valid"),
        ("[only-told]", "[only-told", "is not valid"),
    ],
)
def test_what_is_not_valid_is_named_with_its_key(tmp_path, old, new, sentence):
    assert TOML.count(old) == 1
    with pytest.raises(UserError, match=r"docs/lessons/lessons\.toml.*" + sentence):
        read(tmp_path, TOML.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            '"slower"',
            '"slowr"',
            r"\[too-slow\] mutants: no .* gru mutant 'slowr'; did you mean 'slower'",
        ),
        ('["alpha"]', '["alhpa"]', "accuracy_implementations: there is no framework 'alhpa'; did you mean 'alpha'"),
    ],
)
def test_what_no_folder_offers_is_named_with_its_key(folder, tmp_path, old, new, sentence):
    known = implementations(folder)
    declarations.check(read(tmp_path), known)
    with pytest.raises(UserError, match=sentence):
        declarations.check(read(tmp_path, TOML.replace(old, new)), known)


def test_names_of_lessons_and_ids_are_told_apart(tmp_path):
    declared = read(tmp_path)
    everything, no_implementation = declarations.select(declared, [], ["alpha", "beta"])
    assert (list(everything), no_implementation) == (["too-slow", "only-told"], [])
    assert declarations.select(declared, ["beta"], ["alpha", "beta"]) == (everything, ["beta"])
    one, named = declarations.select(declared, ["alpha", "only-told"], ["alpha", "beta"])
    assert (list(one), named) == (["only-told"], ["alpha"])
    with pytest.raises(UserError, match="There is no lesson or framework 'to-slow': did you mean 'too-slow'"):
        declarations.select(declared, ["to-slow"], ["alpha"])
