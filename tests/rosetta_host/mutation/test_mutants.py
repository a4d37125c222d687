"""What mutants.toml may say, and what comes of it."""

import pytest

from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import UserError
from rosetta_host.mutation import mutants

FITS = 'edits = [["return 0.5", "return 0.6"]]'


def offered(folder, text):
    (folder / "mutants.toml").write_text(text)
    return mutants.offered(frameworks.implementations()["alpha"], "gru")


def test_each_table_is_a_mutant_of_its_implementation_and_workload(folder):
    found = offered(
        folder,
        f'[gru.slow]\nharmless = true\n{FITS}\n[gru.gone]\nunsupported = "It has none."\n'
        f'[gru.fed]\nvariant = "train_with_loader"\n{FITS}\n[cnn.other]\n{FITS}\n',
    )
    assert list(found) == ["slow", "gone", "fed"]
    assert found["slow"].harmless
    assert found["slow"].label == "alpha gru slow"
    assert found["fed"].case.verb == "train_with_loader"
    assert found["gone"].unsupported == "It has none."


def test_a_mutant_may_be_of_one_device(folder):
    found = offered(folder, f'[gru.slow]\ndevice = "gpu"\n{FITS}\n[gru.other]\n{FITS}\n')
    assert [one.device for one in found.values()] == ["gpu", None]


def test_a_mutant_may_be_of_one_back_end(folder):
    path = folder / "framework.toml"
    path.write_text(path.read_text() + '[backend.fast]\nname = "Fast"\n[backend.slow]\nname = "Slow"\n')
    (folder / "mutants.toml").write_text(f'[gru.lazy]\nbackend = "fast"\n{FITS}\nunsupported = "It is dense there."\n')
    fast, slow = (
        mutants.offered(frameworks.implementations()[f"alpha-{name}"], "gru")["lazy"] for name in ("fast", "slow")
    )
    assert (bool(fast.edits), fast.unsupported) == (True, None)
    assert (bool(slow.edits), slow.unsupported) == (False, "It is dense there.")


def test_a_mutant_of_one_back_end_tells_the_others_why(folder):
    path = folder / "framework.toml"
    path.write_text(path.read_text() + '[backend.fast]\nname = "Fast"\n')
    (folder / "mutants.toml").write_text(f'[gru.lazy]\nbackend = "fast"\n{FITS}\n')
    with pytest.raises(UserError, match=r"gru\.lazy: `backend` wants both `edits` and, for the other backends"):
        mutants.offered(frameworks.implementations()["alpha-fast"], "gru")


def test_a_patch_changes_the_text_and_leaves_the_file(folder):
    before = (folder / "gru.py").read_text()
    patched = offered(folder, f"[gru.slow]\n{FITS}\n")["slow"].patched()
    assert patched == before.replace("return 0.5", "return 0.6") != before
    assert (folder / "gru.py").read_text() == before


def test_a_folder_without_a_file_offers_none(folder):
    assert mutants.offered(frameworks.implementations()["alpha"], "gru") == {}


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ('edits = [["no such text", "x"]]', r"gru\.slow: 'no such text' occurs 0 times in gru\.py, not once"),
        ('edits = [["return", "x"]]', r"gru\.slow: 'return' occurs \d+ times in gru\.py, not once"),
        ("harmless = true", r"gru\.slow: one of `edits` and `unsupported` must be given"),
        (FITS + '\nunsupported = "No."', r"gru\.slow: one of `edits` and `unsupported` must be given"),
        (FITS + '\nbackend = "fast"', r"gru\.slow: there is no backend 'fast'"),
        (FITS + "\nharmles = true", "is not valid: .*unknown field `harmles`"),
        (FITS + '\ndevice = "tpu"', "is not valid: .*'tpu'"),
        ("edits = [", "is not valid"),
    ],
)
def test_what_is_not_valid_is_named(folder, table, sentence):
    with pytest.raises(UserError, match=r"alpha/mutants\.toml.*" + sentence):
        offered(folder, f"[gru.slow]\n{table}\n")
