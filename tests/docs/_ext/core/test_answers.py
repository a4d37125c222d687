"""What most frameworks answer, and which answers count."""

from __future__ import annotations

import pytest

from _ext.core import answers
from _ext.core.store import Store
from rosetta_host.records.codes import Code
from rosetta_host.records.store import Answer, Statement


@pytest.fixture
def read(site):
    """The answers as a build reads them."""

    def now() -> answers.Answers:
        store = Store(site.examples, [site.docs / "records", site.docs / "local"])
        store.load()
        return answers.Answers(store)

    return now


def test_what_more_than_half_answer_is_usual_and_the_others_are_odd(ask, read) -> None:
    for name, stride in (("ada", "1"), ("bell", "2"), ("curie", "2")):
        ask(name, {"pool.stride": stride, "loss.mean": str(ord(name[0]))})
    found = read()
    assert found.usual == {"pool.stride": Statement(Code.NUMBER, 2)}
    assert [found.is_odd(asked, "pool.stride") for asked in found.asked.values()] == [True, False, False]
    assert not any(found.is_odd(asked, "loss.mean") for asked in found.asked.values())


def test_half_is_no_majority(ask, read) -> None:
    ask("ada", {"pool.stride": "1"})
    ask("bell", {"pool.stride": "2"})
    assert read().usual == {}


def test_the_back_ends_of_a_folder_have_one_voice(site, ask, read) -> None:
    toml = site.examples / "bell" / "framework.toml"
    toml.write_text(toml.read_text("utf-8") + "".join(f'[backend.{b}]\nname = "Bell on {b}"\n' for b in "xyz"), "utf-8")
    for name in ("bell-x", "bell-y", "bell-z"):
        ask(name, {"pool.stride": "2"})
    for name in ("ada", "curie"):
        ask(name, {"pool.stride": "1"})
    assert read().usual == {"pool.stride": Statement(Code.NUMBER, 1)}
    ask("curie", {"pool.stride": "3"}, created="20270101T000000.000000Z")
    assert read().usual == {}


@pytest.mark.parametrize("lacking", ["unknown: it could not be told", "none: there is no pool"])
def test_no_voice_for_what_is_no_answer(ask, read, lacking: str) -> None:
    ask("ada", {"pool.stride": lacking})
    ask("bell", {"pool.stride": lacking})
    ask("curie", {"pool.stride": "2"})
    assert read().usual == {"pool.stride": Statement(Code.NUMBER, 2)}


def test_none_without_a_reason_is_an_answer() -> None:
    assert answers.is_given(Answer(Code.NONE))
    assert answers.is_given(Answer(Code.REFUSED, reason="TypeError"))


def test_the_newest_run_speaks_wherever_it_ran_and_one_cut_short_never(ask, read) -> None:
    ask("ada", {"pool.stride": "1"}, created="20260101T000000.000000Z")
    newest = ask("ada", {"pool.stride": "2"}, created="20260102T000000.000000Z", local=True)
    ask("ada", created="20260103T000000.000000Z", status="interrupted")
    assert read().asked["ada"].record == newest


@pytest.mark.parametrize("file", ["defaults.py", "requirements.txt", "framework.toml"])
def test_an_answer_holds_for_the_code_the_declarations_and_the_lock(site, ask, read, file: str) -> None:
    ask("ada", {"pool.stride": "2"})
    path = site.examples / "ada" / file
    path.write_text(path.read_text("utf-8") + "\n# a comment\n", "utf-8")
    if file != "requirements.txt":
        assert read().asked["ada"].changed == ()
    path.write_text(path.read_text("utf-8").replace("3.11", "3.12").replace("2)", "3)") + "\n", "utf-8")
    found = read().asked["ada"]
    assert file.removesuffix(".txt").replace("requirements", "lock") in found.changed
    assert found.current("pool.stride") is None
    assert found.answer("pool.stride").value == 2


def test_a_file_that_is_gone_or_broken_holds_nothing(site, ask, read) -> None:
    ask("ada", {"pool.stride": "2"})
    path = site.examples / "ada" / "defaults.py"
    path.write_text("def (", "utf-8")
    assert read().asked["ada"].changed == ("defaults.py",)
    path.unlink()
    assert read().asked["ada"].changed == ("defaults.py",)
