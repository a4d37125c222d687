"""What stands under a snippet: the line, what is folded, and whose run it is."""

from __future__ import annotations

import re
from html import unescape

from rosetta_host.records.codes import Coverage
from rosetta_host.records.store import Check, Executed, Machine, Times

EVERY_LINE, NOT_RUN = Executed(Coverage.EVERY_LINE), Executed(Coverage.NOT_RUN)
TOWER = Machine("tower", "The tower")

TRAIN = "```{rosetta} cnn.train\n```"


def build(site, text: str = TRAIN) -> str:
    site.page("index", text)
    return site.build()


def captions(site, page: str = "index") -> dict[str, str]:
    """Framework -> the line under its snippet, on a page with one set of tabs."""
    panel = r'data-framework="(\w+)"[^>]* role="tabpanel".*?(<p class="rosetta-ran.*?</p>)'
    found = re.findall(panel, site.html(page), re.DOTALL)
    return {name: re.sub(r"<[^>]+>", "", caption) for name, caption in found}


def folded(site) -> str:
    """What is folded under the first snippet that has a run."""
    found = re.search(r"<details.*?</details>", site.html("index"), re.DOTALL)
    assert found
    return re.sub(r"<[^>]+>", "", found[0])


def test_the_line_tells_what_ran_and_whether_it_is_certified(site) -> None:
    site.record("ada", losses=[1.25], epochs=1, train_rate=611.4)
    site.record("ada", kind="certificate")
    site.record("bell", historic=True)
    assert not build(site)
    found = captions(site)
    assert found["ada"] == "ran: Ada, version 1.2 · certified ✓ · loss 1.250 after 1 epoch · 611 images/s on The desk"
    assert found["bell"] == "Bell: not run yet"


def test_a_run_in_the_locked_environment_speaks_before_a_newer_one_in_a_python_as_found(site) -> None:
    site.record("ada", losses=[1.25], epochs=1, version="2.1")
    site.record("ada", losses=[1.5], epochs=1, version="2.0", environment="as found", device="gpu")
    assert not build(site)
    assert captions(site)["ada"].startswith("ran: Ada, version 2.1 ")


def test_each_verb_tells_what_it_gave(site) -> None:
    ends = {
        "load_data": "x: float32 (7, 3) · y: int32 (7,)",
        "create_symbol": "1,234 parameters",
        "init_model": "built in 0.25 s",
        "predict": "scores: float32 (7, 2) · 9,000 images/s on The desk",
        "evaluate": "accuracy 75.0% after 1 epoch",
    }
    for path in site.examples.glob("*/cnn.py"):
        defined = "".join(f"\n\ndef {verb}():\n    pass\n" for verb in ends if verb != "load_data")
        path.write_text(path.read_text("utf-8") + defined, "utf-8")
    shapes = {"x": "float32 (7, 3)", "y": "int32 (7,)", "scores": "float32 (7, 2)"}
    times = Times(build=0.25, train=100.0, epochs=[100.0])
    site.record("ada", shapes=shapes, parameters=1234, times=times, epochs=1, predict_rate=9000.0)
    for verb, end in ends.items():
        assert not build(site, f"```{{rosetta}} cnn.{verb}\n```")
        assert captions(site)["ada"].endswith(f" · {end}")


def test_a_run_from_uncommitted_changes_says_so(site) -> None:
    site.record("ada", losses=[1.25], epochs=1, commit="abc123+")
    site.record("bell", losses=[1.25], epochs=1, commit="abc123")
    assert not build(site)
    found = captions(site)
    assert " · from uncommitted changes · " in found["ada"]
    assert "uncommitted" not in found["bell"]


def test_all_of_the_run_is_folded_with_the_command_and_the_record(site) -> None:
    record = site.record(losses=[1.5, 0.75], epochs=2, threads=2, python="3.11.7", times=Times(load=1.5, epochs=[50.0]))
    assert not build(site)
    text = folded(site)
    assert "Loss of each epoch: 1.500 0.750" in text
    assert "Seconds: data 1.5 s · an epoch 50 s" in text
    assert "The desk, 2 threads, Python 3.11.7, 2026-01-02" in text
    assert "nox -s benchmark -- --preset full --workload cnn ada" in text
    (path,) = re.findall(r'href="(records/[^"]+)"', site.html("index"))
    published = site.folder / "html" / path
    assert published.read_bytes() == (site.docs / path).read_bytes()
    assert record.created in path


def test_a_run_on_a_gpu_and_in_a_python_as_found_says_so(site) -> None:
    how = {"device": "gpu", "environment": "as found", "threads": 2}
    site.record(losses=[1.5], epochs=1, train_rate=9.0, python="3.11.7", **how)
    site.record(kind="certificate", **how)
    assert not build(site)
    assert captions(site)["ada"].endswith(
        " · certified ✓ · loss 1.500 after 1 epoch · 9 images/s on the GPU of The desk"
    )
    text = unescape(folded(site))
    assert "The desk, on its GPU, 2 threads, Python 3.11.7 in an external interpreter, not in the locked" in text
    assert 'benchmark -- --preset full --workload cnn --device gpu --python "$(command -v python3)" ada' in text


def test_all_of_the_run_stands_once_on_a_page_and_its_later_snippets_lead_there(site) -> None:
    for path in site.examples.glob("*/cnn.py"):
        path.write_text(path.read_text("utf-8") + "\n\ndef evaluate():\n    pass\n", "utf-8")
    site.record("ada", accuracy=0.5, epochs=1)
    assert not build(site, f"{TRAIN}\n\n```{{rosetta}} cnn.evaluate\n```")
    html = site.html("index")
    assert len(re.findall(r'<a [^>]*href="#run-benchmark-ada-cnn">all of this run</a>', html)) == 1
    (provenance,) = re.findall(r"<details.*?</details>", html, re.DOTALL)
    assert 'id="run-benchmark-ada-cnn"' in provenance
    assert "accuracy 50.0%" in re.sub(r"<[^>]+>", "", html)


def test_a_run_without_seconds_says_none(site) -> None:
    site.record(times=Times())
    assert not build(site)
    assert "Seconds" not in folded(site)


def test_a_certificate_is_repeated_as_one(site) -> None:
    site.record(kind="certificate")
    assert not build(site)
    assert "nox -s certificate -- --workload cnn ada" in folded(site)


def test_a_run_that_is_not_published_has_no_link_to_a_record(site) -> None:
    site.record(local=True)
    assert not build(site)
    assert "nox -s benchmark" in folded(site)
    assert 'href="records/' not in site.html("index")


def test_the_median_of_two_epochs_is_their_mean(site) -> None:
    site.record(losses=[1.5, 0.75], epochs=2, times=Times(epochs=[40.0, 60.0]))
    assert not build(site)
    assert "an epoch 50 s" in folded(site)


def test_a_loss_of_several_epochs_is_drawn(site) -> None:
    site.record(losses=[1.5, None, 0.75], epochs=3)
    assert not build(site)
    assert 'aria-label="The loss goes from 1.500 to 0.750 in 2 epochs."' in site.html("index")
    assert "1.500 not finite 0.750" in folded(site)


def test_the_line_says_why_not(site) -> None:
    site.record("ada")
    site.record("ada", kind="certificate", status="failed", checks=[Check("loss", False, 1.0, 1e-5)])
    site.record("bell", status="oom", reason="8 GiB were not enough")
    build(site)
    found = captions(site)
    assert "certificate failed ✗: loss: 1, limit 1e-05" in found["ada"]
    assert found["bell"] == "oom (8 GiB were not enough): Bell, version 1.2 · 2026-01-02"
    assert found["curie"] == "Curie: not run yet"


def test_an_edit_is_told_from_a_comment(site) -> None:
    site.record("ada")
    path = site.examples / "ada" / "cnn.py"
    path.write_text(path.read_text("utf-8").replace("def train(", "# A remark.\ndef train("), "utf-8")
    build(site)
    assert captions(site)["ada"].startswith("ran: ")
    path.write_text(path.read_text("utf-8").replace("64", "65"), "utf-8")
    site.build()
    assert captions(site)["ada"] == "edited since it last ran: Ada, version 1.2 · 2026-01-02"


def test_a_run_of_this_very_code_goes_before_a_newer_one_of_other_code(site) -> None:
    site.record(created="20260101T000000.000000Z", version="1.1")
    site.record(created="20260102T000000.000000Z", version="1.2", digests={"example": "other"})
    build(site)
    assert "Ada, version 1.1" in captions(site)["ada"]


def test_all_of_the_data_goes_before_the_sample(site) -> None:
    site.record(created="20260101T000000.000000Z", version="1.1", preset="epoch")
    site.record(created="20260102T000000.000000Z", version="1.2", preset="quick")
    build(site)
    assert "Ada, version 1.1" in captions(site)["ada"]


def test_what_a_certificate_executed_is_told_with_its_variants(site) -> None:
    site.record("ada")
    site.record("ada", kind="certificate", executed={"train": EVERY_LINE, "load_data": NOT_RUN})
    loaded = {"train": Executed(Coverage.CALLED), "load_data": Executed(Coverage.SOME_LINES, (2, 3))}
    site.record(
        "ada", kind="certificate", variant="train_with_loader", created="20260103T000000.000000Z", executed=loaded
    )
    assert not build(site)
    assert "Line coverage in its certificate: train: every line" in folded(site)
    assert "not executed" not in captions(site)["ada"]
    assert not build(site, "```{rosetta} cnn.load_data\n```")
    assert "Line coverage in its certificate: train: every line; load_data: 2 of 3 lines" in folded(site)


def test_a_function_that_no_certificate_executed_is_named_on_its_page_and_by_the_build(site) -> None:
    site.record("ada")
    site.record("ada", kind="certificate", executed={"train": NOT_RUN, "load_data": EVERY_LINE})
    assert not build(site)
    assert captions(site)["ada"].endswith("· not run in its certificate: train")
    assert "ada cnn: not executed: train\n" in site.status
    assert "bell cnn: no certificate of this code says what was executed\n" in site.status


def test_a_caption_takes_the_machine_of_most_runs_before_a_newer_one(site) -> None:
    for name in ("ada", "bell"):
        site.record(name, losses=[1.25], epochs=1, train_rate=10.0)
    site.record("ada", losses=[1.25], epochs=1, train_rate=99.0, machine=TOWER, created="20270101T000000.000000Z")
    assert not build(site)
    assert captions(site)["ada"].endswith("10 images/s on The desk")


def rates(site) -> list[str]:
    assert not build(site, "```{rosetta} cnn.train\n:pair: ada bell\n```")
    return re.findall(r"\d+ images/s on [\w ]+", site.html("index"))


def test_the_rates_of_a_pair_are_of_one_machine_and_preset_or_left_out(site) -> None:
    site.record("ada", epochs=1, train_rate=10.0)
    site.record("bell", epochs=1, train_rate=20.0, machine=TOWER)
    assert rates(site) == []
    site.record("ada", epochs=1, train_rate=15.0, machine=TOWER, preset="epoch")
    assert rates(site) == []
    site.record("ada", epochs=1, train_rate=30.0, machine=TOWER)
    assert rates(site) == ["30 images/s on The tower", "20 images/s on The tower"]
