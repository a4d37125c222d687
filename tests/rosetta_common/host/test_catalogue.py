"""The one list of frameworks, read from folders."""

import pytest

from rosetta_common.host import catalogue
from rosetta_common.host.catalogue import UserError

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


def test_a_new_folder_is_a_new_row(tmp_path):
    add(tmp_path, "beta")
    add(tmp_path, "alpha")
    rows = catalogue.rows(tmp_path)
    assert list(rows) == ["alpha", "beta"]
    assert rows["alpha"].workloads == ["cnn"]
    assert rows["alpha"].environment.python == "3.11"


def test_an_environment_may_be_another_rows(tmp_path):
    add(tmp_path, "alpha")
    borrowed = MINIMAL.partition("[environment]")[0] + 'environment = "alpha"\n'
    add(tmp_path, "beta", borrowed)
    row = catalogue.rows(tmp_path)["beta"]
    assert row.environment_id == "alpha"
    assert row.environment_folder == tmp_path / "alpha"


def test_an_environment_that_no_folder_describes_is_refused(tmp_path):
    add(tmp_path, "beta", MINIMAL.partition("[environment]")[0] + 'environment = "alpha"\n')
    with pytest.raises(UserError, match=r"beta/framework\.toml names the environment 'alpha'"):
        catalogue.rows(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('colour = "red"\n' + MINIMAL, "colour"),
        ("name = \n", "not valid"),
        (MINIMAL.replace('since = "2020"', ""), "since"),
        (MINIMAL + "[cnn.tolerances.loss]\nlimit = 1.0\n", "reason"),
    ],
)
def test_a_framework_toml_that_is_wrong_is_refused_in_one_sentence(tmp_path, text, words):
    add(tmp_path, "alpha", text)
    with pytest.raises(UserError, match=words):
        catalogue.rows(tmp_path)


def test_an_unknown_id_suggests_the_nearest(tmp_path):
    add(tmp_path, "pytorch")
    add(tmp_path, "cntk")
    with pytest.raises(UserError, match="no framework 'pytroch': did you mean 'pytorch'"):
        catalogue.select(["pytroch"], tmp_path)
    assert [row.id for row in catalogue.select([], tmp_path)] == ["cntk", "pytorch"]
    assert [row.id for row in catalogue.select(["cntk"], tmp_path)] == ["cntk"]


def test_the_projects_own_folders_are_valid():
    rows = catalogue.rows()
    assert rows
    for row in rows.values():
        assert row.workloads == ["cnn", "gru"]
        assert (row.environment_folder / row.environment.requirements).exists()
