"""Who takes whose weights, and how: drawn from records."""

from __future__ import annotations

import re
from html import unescape

import pytest

from rosetta_common import weights
from rosetta_host.catalog import frameworks
from rosetta_host.environments import digests
from rosetta_host.records.store import Check, Record

NAMES = ["ada", "bell", "curie"]
LIMIT = 1e-6


def moved(giver: str, figure: float = 2e-7) -> Check:
    return Check(giver, True, figure, LIMIT, figures={"samples": 100, "other labels": 0, "ties": 0})


def kept_out(giver: str, **changes: object) -> Check:
    figures = {"samples": 100, "other labels": 7, "ties": 0, "left over": 5e-3}
    fields = {"ok": False, "figure": 4e-4, "limit": LIMIT, "reason": "it has no such bias", "figures": figures}
    return Check(giver, **{**fields, "by_design": True, **changes})


@pytest.fixture
def record(site):
    """record("ada", moved("bell")): Ada took Bell's weights; `day` orders the records."""

    def make(name: str, *checks: Check, day: int = 1, **changes: object) -> Record:
        implementations = frameworks.implementations(site.examples)
        givers = {check.name: digests.digests(implementations[check.name], "cnn") for check in checks}
        fields = {"kind": "transfer", "seed": 0, "givers": givers}
        return site.record(
            name, **{**fields, "checks": list(checks), "created": f"202601{day:02d}T000000.000000Z", **changes}
        )

    return make


@pytest.fixture
def all_moved(record):
    for name in NAMES:
        record(name, *(moved(giver) for giver in NAMES if giver != name))


def tables(site, directive: str = "transfer") -> tuple[str, list[list[list[str]]]]:
    """The page's text without its tables, and each table as rows of cells."""
    site.page("index", f"```{{{directive}}} cnn\n```")
    assert not site.build()
    html = re.search(r'<div class="body" role="main">(.*)<div class="clearer">', site.html("index"), re.DOTALL)[1]
    found = re.findall(r"<table.*?</table>", html, re.DOTALL)

    def text(part: str) -> str:
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", part)).split())

    rows = [
        [re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL) for row in re.findall(r"<tr.*?</tr>", one, re.DOTALL)]
        for one in found
    ]
    rest = re.sub(r"<table.*?</table>", "", html, flags=re.DOTALL)
    return text(rest), [[[text(cell) for cell in cells] for cells in one] for one in rows]


def test_every_pair_is_counted_and_has_a_cell(site, record) -> None:
    record("ada", moved("bell", 1e-7), moved("curie"))
    record("bell", moved("ada"), moved("curie", 3e-7))
    record("curie", moved("ada"), moved("bell"))
    text, (matrix, runs) = tables(site)
    assert "6 of 6 ordered pairs predict the same labels after the move, for all of 100 test samples" in text
    assert "scores differ by at most 3e-7 (limit 1e-6)." in text
    assert matrix == [
        ["from ↓ to →", "Ada", "Bell", "Curie"],
        ["Ada", "", "✓ 2e-7", "✓ 2e-7"],
        ["Bell", "✓ 1e-7", "", "✓ 2e-7"],
        ["Curie", "✓ 2e-7", "✓ 3e-7", ""],
    ]
    assert runs[2] == ["Bell", "1.2", "2 of 2", "3e-7", "no certificate ✗", "The desk", "cpu", "2026-01-01"]


def test_what_cannot_be_held_says_why_and_what_then_happens(site, record, all_moved) -> None:
    record("curie", kept_out("ada"), kept_out("bell"), day=2)
    text, (matrix, runs) = tables(site)
    assert "4 of 6 ordered pairs predict the same" in text
    assert "2 cannot be represented in the form of the receiver, by design." in text
    assert [row[3] for row in matrix[1:]] == ["✗ form", "✗ form", ""]
    assert "To Curie from Ada, Bell: it has no such bias (up to 5e-3 is lost);" in text
    assert "scores then differ by up to 4e-4, and up to 7 of 100 labels." in text
    assert runs[3][2:4] == ["0 of 2", "–"]


def test_a_pair_that_fails_is_no_success_and_leads_to_its_run(site, record, all_moved) -> None:
    record(
        "bell", moved("curie"), kept_out("ada", by_design=False, reason="the scores are others"), day=2, status="failed"
    )
    text, (matrix, _) = tables(site)
    assert "5 of 6 ordered pairs" in text
    assert "1 failed." in text
    assert "To Bell from Ada: the scores are others" in text
    assert matrix[1] == ["Ada", "", "✗ failed", "✓ 2e-7"]
    (link,) = re.findall(r'<td class="is-failed"><p><a [^>]*href="#([\w-]+)"', site.html("index"))
    assert re.search(rf'<th [^>]*id="{link}"[^>]*><p>Bell</p></th>', site.html("index"))


def test_a_run_that_gave_nothing_fails_in_both_directions(site, record, all_moved) -> None:
    record("bell", day=2, status="timeout", reason="It was stopped after 900 seconds.")
    text, (matrix, runs) = tables(site)
    assert "2 of 6 ordered pairs" in text
    assert "4 failed." in text
    assert [row[2] for row in matrix[1:]] == ["✗ failed", "", "✗ failed"]
    assert matrix[2][1:] == ["✗ failed", "", "✗ failed"]
    assert "To Bell from Ada, Curie: timeout: It was stopped after 900 seconds." in text
    assert runs[2][2] == "timeout: It was stopped after 900 seconds."


def test_a_run_that_gave_its_weights_fails_as_a_taker_only(site, record, all_moved) -> None:
    record("bell", day=2, status="failed", reason="no way in", givers={"ada": {}})
    _, (matrix, _) = tables(site)
    assert [row[2] for row in matrix[1:]] == ["✗ failed", "", "✓ 2e-7"]
    assert matrix[2][1:] == ["✓ 2e-7", "", "✓ 2e-7"]


@pytest.mark.parametrize("status", ["interrupted", "unsupported"])
def test_a_run_that_was_cut_short_decides_nothing(site, record, all_moved, status: str) -> None:
    record("bell", day=2, status=status, reason="Python 3.6 is missing on this machine.")
    text, _ = tables(site)
    assert "6 of 6 ordered pairs" in text


def test_the_newest_record_of_a_pair_decides(site, record, all_moved) -> None:
    record("bell", moved("ada", 5e-7), day=2)
    _, (matrix, _) = tables(site)
    assert [row[2] for row in matrix[1:]] == ["✓ 5e-7", "", "✓ 2e-7"]


def test_what_has_not_run_and_what_has_changed_since_say_so(site, record) -> None:
    record("ada", moved("bell"))
    path = site.examples / "bell" / "cnn.py"
    path.write_text(path.read_text("utf-8").replace("64", "65"), "utf-8")
    text, (matrix, _) = tables(site)
    assert "1 of 1 ordered pairs" in text
    assert "5 have not been tried." in text
    assert matrix[2] == ["Bell", "✓ 2e-7 edited since", "", "not run"]


def test_an_edit_of_the_taker_shows_as_well(site, record) -> None:
    record("ada", moved("bell"))
    path = site.examples / "ada" / "cnn.py"
    path.write_text(path.read_text("utf-8").replace("64", "65"), "utf-8")
    assert tables(site)[1][0][2][1] == "✓ 2e-7 edited since"


def test_every_row_and_column_is_named_for_a_screen_reader(site, all_moved) -> None:
    tables(site)
    found = re.findall(r"<th\b([^>]*)>", site.html("index"))
    kinds = ["column" if 'class="head"' in one else re.search(r'scope="(\w+)"', one)[1] for one in found]
    assert kinds == ["column"] * 4 + ["row"] * 3 + ["column"] * 8 + ["row"] * 3


def test_nothing_was_moved_yet(site) -> None:
    text, found = tables(site)
    assert "No weights have been moved yet" in text
    assert not found


def test_an_unknown_workload_is_an_error(site) -> None:
    site.page("index", "```{transfer} rnn\n```")
    assert re.search(r"index\.md:6: .*There is no workload 'rnn'", site.build())


# Layouts

SHAPES = weights.shapes("cnn")


def test_layouts_are_grouped_and_what_all_take_as_it_is_is_a_sentence(site, record) -> None:
    plain = dict.fromkeys(SHAPES, "as it is")
    kernels = {
        name: "height × width × in × out" for name in SHAPES if name.startswith("conv") and name.endswith("weight")
    }
    record("ada", moved("bell"), layouts=plain)
    record("bell", moved("ada"), layouts={**plain, **kernels, "fc2.weight": "transposed"})
    _, ((_, *body),) = tables(site, "layouts")
    assert {*body[2][1:]} == {"not run"}
    record("curie", moved("ada"), layouts=plain)
    text, ((head, *body),) = tables(site, "layouts")
    assert head == ["Framework", "conv1.weight conv2.weight conv3.weight conv4.weight", "fc2.weight"]
    assert body[1] == ["Bell", "height × width × in × out", "transposed"]
    assert (
        "Every framework takes "
        "conv1.bias, conv2.bias, conv3.bias, conv4.bias, fc1.weight, fc1.bias, fc2.bias as they are."
        in text.replace(" ,", ",")
    )


def test_what_was_not_seen_says_so(site, record) -> None:
    record("ada", moved("bell"))
    _, ((_, *body),) = tables(site, "layouts")
    assert body[0][1] == "not seen"
