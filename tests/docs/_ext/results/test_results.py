"""Tables of records."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from shown import Shown, page, tables, text

from _ext.core.store import Store
from _ext.results.results import lines
from rosetta_host.benchmark.peaks import PEAKS
from rosetta_host.catalog import workloads
from rosetta_host.records.store import BenchmarkRecord, Data, Machine, Times

OTHER = Machine("tower", "The tower", gpu="A large one", memory=8 * 2**30)
MUSEUM = Machine("museum", "The museum")


@pytest.fixture
def html(site):
    """Builds the results page."""

    def build(directive: str = "results", argument: str = "cnn") -> str:
        site.page("index", f"```{{{directive}}} {argument}\n```")
        assert not site.build()
        return site.html("index")

    return build


@pytest.fixture
def only(html):
    """Builds the page and gives its one table."""

    def build() -> Shown:
        (table,) = tables(html())
        return table

    return build


def store_of(site) -> Store:
    store = Store(site.examples, [site.docs / "records", site.docs / "local"])
    store.load()
    return store


def test_a_row_holds_what_a_reader_asks_for(site, only) -> None:
    site.record(times=Times(train=100.4), epochs=10, train_rate=4980.0)
    site.record(kind="certificate")
    table = only()
    assert table.row("Ada") == {
        "Framework": "Ada | 1.2 · 2026-01-02",
        "Accuracy": "75.0%",
        "Training time": "100 s",
        "Images/s": "4,980 | no ceiling known",
        "Certificate": "certified ✓",
    }
    assert table.caption.endswith("; 10 epochs")


def test_the_machine_is_described(site, html) -> None:
    site.record()
    assert "An honest processor · 2 cores" in html()


def test_what_a_script_reads_is_the_number_itself(site, only) -> None:
    for seed, seconds in enumerate((100.25, 100.75)):
        site.record(times=Times(train=seconds), seed=seed, created=f"2026010{seed + 1}T000000.000000Z")
    table = only()
    row = table.row("Ada")
    assert row["Training time"] == "100 s ± 0.4 s"
    assert row["Accuracy"] == "75.0% ± 0.0%"
    assert row["Framework"].endswith("2 seeds")
    assert [cell.value if cell is None else cell["value"] for cell in table.line("Ada").find_all("data")] == [
        "ada",
        "0.75",
        "100.5",
        "3",
    ]
    assert [cell["value"] for cell in table.table.thead.find_all("data")] == [
        "framework",
        "accuracy",
        "time",
        "certificate",
    ]


def test_compiling_stands_apart_from_the_steady_training_that_ranks(site, only) -> None:
    built_in = {"ada": Times(build=30.0, first_step=2.0, step=2.0, train=90.0)}  # where each compiles
    built_in["bell"] = Times(build=0.0, first_step=32.0, step=2.0, train=110.0)
    for name, times in built_in.items():
        site.record(name, times=times)
    site.record("curie", times=Times(train=70.0))
    table = only()
    shown = ("Steady training", "Compile", "Sum")
    assert {name: [table.row(name)[title] for title in shown] for name in table.names} == {
        "Curie": ["70 s | with compiling", "–", "–"],
        "Bell": ["80 s", "30 s", "110 s"],
        "Ada": ["90 s", "30 s", "120 s"],
    }
    assert text(table.table.thead.find(class_="by-ratio")) == "Ratio | of steady training, to the marked row"


def test_a_failure_stays_with_its_reason_where_its_numbers_would_stand(site, only) -> None:
    site.record("ada", status="timeout", reason="no epoch ended in 900 s", accuracy=None, times=None)
    site.record("bell", times=Times(train=500.0), train_rate=100.0)
    table = only()
    row = table.row("Ada")
    assert row["Accuracy"] == "timeout: no epoch ended in 900 s"
    assert "Training time" not in row
    assert row["Certificate"] == "no certificate ✗"
    assert table.names == ["Bell", "Ada"]
    assert "is-failed" in table.line("Ada")["class"]
    assert "is-failed" not in table.line("Bell")["class"]


def test_the_certified_stand_first_and_then_the_fast(site) -> None:
    for name, seconds in (("ada", 1.0), ("bell", 3.0), ("curie", 2.0)):
        site.record(name, times=Times(train=seconds))
    for name in ("bell", "curie"):
        site.record(name, kind="certificate")
    store = store_of(site)
    found = lines(store, store.of_kind(BenchmarkRecord))
    assert [line.record.framework for line in found] == ["curie", "bell", "ada"]


def test_the_newest_run_is_shown_with_the_seeds_that_ran_alike(site) -> None:
    site.record(created="20260101T000000.000000Z", seed=0, accuracy=0.1, version="1.1")
    site.record(created="20260101T000001.000000Z", seed=4, accuracy=0.2, digests={"example": "other"})
    site.record(created="20260102T000000.000000Z", seed=0, accuracy=0.7)
    site.record(created="20260103T000000.000000Z", seed=1, accuracy=0.8)
    site.record(created="20260104T000000.000000Z", seed=2, accuracy=None, times=None, status="oom")
    site.record(created="20260105T000000.000000Z", seed=3, accuracy=0.9)
    store = store_of(site)
    (line,) = lines(store, store.of_kind(BenchmarkRecord))
    mean, deviation = line.accuracy
    assert mean == pytest.approx(0.8)
    assert deviation == pytest.approx(0.1)
    assert line.record.seed == 3


def test_runs_on_other_data_are_not_averaged(site) -> None:
    site.record(created="20260101T000000.000000Z", seed=0, accuracy=0.1, data=Data("CIFAR-10", "unofficial copy"))
    site.record(created="20260102T000000.000000Z", seed=1, accuracy=0.7)
    store = store_of(site)
    (line,) = lines(store, store.of_kind(BenchmarkRecord))
    assert (line.accuracy, len(line.runs)) == ((0.7, None), 1)


def test_a_new_failure_hides_an_old_success(site) -> None:
    site.record(created="20260101T000000.000000Z")
    site.record(created="20260102T000000.000000Z", status="failed", reason="it no longer installs")
    store = store_of(site)
    (line,) = lines(store, store.of_kind(BenchmarkRecord))
    assert line.record.status == "failed"
    assert line.time is None


def several(site) -> None:
    """Runs on three machines, in three presets, on two devices."""
    site.record(created="20260101T000000.000000Z", machine=OTHER, device="gpu")
    site.record(created="20260102T000000.000000Z", preset="epoch")
    site.record(created="20260103T000000.000000Z", preset="quick", local=True)
    site.record(created="20260104T000000.000000Z", historic=True, machine=MUSEUM, source="A book.")


def test_a_long_note_is_folded_and_a_short_one_is_not(site, only) -> None:
    site.record("ada", environment="as found", threads=2, times=Times(train=1.0))
    site.record("bell")
    cell = only().line("Ada").find_all("td")[-1]
    assert cell.details.summary.get_text() == "1 note"
    assert "external interpreter" in cell.details.get_text()
    assert "2 threads" in text(cell)
    assert "2 threads" not in cell.details.get_text()


def test_machines_presets_and_devices_are_never_mixed(site, html) -> None:
    several(site)
    shown = " ".join(page(html()).find(role="main").get_text().split())
    order = ["This machine’s own runs, not published: CNN on CIFAR-10, preset quick"]
    order += ["The desk", "Preset epoch", "on the CPU"]
    order += ["The tower", "8 GiB of memory · A large one", "Preset full", "on the GPU"]
    order += ["The museum", "Historic, quoted from: A book."]
    order += ["The desk (this machine, just now", "Preset quick", "never ranked"]
    at = 0
    for expected in order:
        assert expected in shown[at:], f"{expected} is missing, or in the wrong order"
        at = shown.index(expected, at) + len(expected)


def test_the_controls_offer_what_exists_and_are_hidden_without_a_script(site, html) -> None:
    several(site)
    shown = page(html())
    bar = shown.find(id="runs")
    assert bar.has_attr("hidden")
    offered = {one["name"]: [option["value"] for option in one.find_all("option")] for one in bar.find_all("select")}
    assert offered == {
        "workload": ["cnn"],
        "machine": ["desk", "tower", "museum", "desk-local"],
        "preset": ["full", "epoch", "quick"],
        "device": ["cpu", "gpu"],
        "ratio": [""],
    }
    assert bar.find_next_sibling("script")["src"].startswith("_static/results.js?v=")
    found = json.loads(bar["data-tables"])
    assert [(one["machine"], one["preset"], one["device"]) for one in found] == [
        ("desk", "epoch", "cpu"),
        ("tower", "full", "gpu"),
        ("museum", "full", "cpu"),
        ("desk-local", "quick", "cpu"),
    ]
    for one in found:
        assert len(shown.find("section", id=one["id"], class_="rosetta-part").find_all("table")) == 1


def test_the_controls_open_with_the_table_of_most_rows(site, html) -> None:
    for name in ("ada", "bell"):
        site.record(name, preset="epoch")
        site.record(name, historic=True, machine=MUSEUM)
    site.record("bell", preset="full", created="20260105T000000.000000Z")
    site.record("ada", machine=OTHER, created="20260106T000000.000000Z")
    site.record("ada", preset="quick", local=True)
    site.record("ada", workload="gru", preset="epoch")
    found = json.loads(page(html(argument="gru cnn")).find(id="runs")["data-tables"])
    assert found.pop(0)["workload"] == "gru"
    assert [(one["machine"], one["preset"]) for one in found] == [
        ("desk", "epoch"),
        ("tower", "full"),
        ("desk", "full"),
        ("museum", "full"),
        ("desk-local", "quick"),
    ]


def test_the_script_lies_where_a_page_in_a_folder_finds_it(site) -> None:
    site.record()
    (site.docs / "deep").mkdir()
    site.page("deep/page", "```{results}\n```")
    assert not site.build()
    assert page(site.html("deep/page")).find(id="runs").find_next("script")["src"].startswith("../_static/results.js")
    assert not page(site.html("index")).find(src=re.compile("results"))


def test_all_networks_stand_on_a_page_unless_one_is_asked_for(site, html) -> None:
    site.record()
    site.record(workload="gru")
    assert [one.get_text().rstrip("¶") for one in page(html(argument="")).find_all("h2")] == [
        "CNN on CIFAR-10",
        "GRU on IMDB",
    ]
    assert len(tables(html(argument="gru"))) == 1


def test_two_sets_of_controls_are_an_error(site) -> None:
    site.record()
    site.page("index", "```{results} cnn\n```\n\n```{results} gru\n```")
    assert re.search(r"index\.md:\d+: .*One {results} a page", site.build())


def test_an_unofficial_copy_is_marked(site, only) -> None:
    site.record("ada", data=Data("CIFAR-10", "unofficial copy"))
    site.record("bell")
    assert only().row("Ada")["Certificate"].endswith("| unofficial copy")
    site.record("bell", created="20270101T000000.000000Z", data=Data("CIFAR-10", "unofficial copy"))
    table = only()
    assert table.caption.endswith("; unofficial copy")
    assert "unofficial copy" not in text(table.table.tbody)


def test_the_page_reads_well_with_the_seeds_table_alone(site, html) -> None:
    site.record(historic=True, name="As The Seed Wrote It", machine=MUSEUM)
    built = html()
    assert "This project has no recorded benchmark yet" in built
    (table,) = tables(built)
    assert table.row("As The Seed Wrote It")["Framework"] == "As The Seed Wrote It | here: Ada"
    assert table.caption.endswith("historic, no certificate")


def test_a_page_without_a_record_has_no_controls(html) -> None:
    built = html()
    assert "This project has no recorded benchmark yet" in built
    assert page(built).find(id="runs") is None
    assert "results.js" not in built


def test_a_file_that_is_no_record_is_a_warning(site) -> None:
    path = site.docs / "records" / "benchmark" / "desk" / "x.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"accuracy": 1}', "utf-8")
    assert "is not a record" in site.build()


def test_a_verdict_leads_to_its_certificate(site) -> None:
    site.record()
    site.record(kind="certificate")
    site.page("index", "```{results} cnn\n```\n\n```{certificates} cnn\n```")
    site.build()
    shown = page(site.html("index"))
    there = shown.find("a", string="certified ✓")["href"]
    assert shown.find(id=there.removeprefix("#")).name == "tr"


def test_a_plot_shows_the_empty_bar_only_for_an_uncertified_run(site) -> None:
    for name in ("ada", "bell"):
        site.record(name)
        site.record(name, kind="certificate")
    site.page("index", "```{results} cnn\n```")
    site.build()
    assert "An empty bar" not in site.html("index")
    path = Path(site.examples, "ada", "cnn.py")
    path.write_text(path.read_text("utf-8").replace("64", "65"), "utf-8")
    site.record("ada", created="20270101T000000.000000Z")
    site.build()
    assert "An empty bar" in site.html("index")
    (table,) = tables(site.html("index"))
    assert table.row("Ada")["Certificate"] == "certificate stale ✗ | differs from the certificate: example"


def test_a_failed_run_has_no_bar(site, html) -> None:
    for name in ("ada", "bell"):
        site.record(name)
    site.record("curie", status="oom", reason="it ate all", accuracy=None, times=None)
    drawn = page(html()).find("svg").get_text()
    assert "Bell" in drawn
    assert "Curie" not in drawn


def test_the_seeds_row_stands_beside_todays(site, html) -> None:
    site.record("ada", machine=OTHER, historic=True, accuracy=0.78, times=Times(train=168.0), source="a table")
    site.record("ada")
    site.record("bell")
    today, _ = tables(html())
    assert today.row("Ada")["Original, K80"] == "168 s | 78%"
    assert today.row("Bell")["Original, K80"] == ""


def test_a_rate_is_compared_with_the_machines_own_and_a_slow_framework_says_why(site, only) -> None:
    toml = site.examples / "bell" / "framework.toml"
    toml.write_text(toml.read_text("utf-8") + '[cnn]\nslow_because = "it waits for its pool"\n', "utf-8")
    machine = Machine("desk", "The desk", matmul_rate=371e9)
    for name, rate in (("ada", 500.0), ("bell", 100.0)):
        site.record(name, machine=machine, train_rate=rate)
    table = only()
    assert table.row("Ada")["Images/s"] == "500 | 50% of GEMM"
    assert table.row("Bell")["Images/s"] == "100 | 10% of GEMM"
    assert table.row("Bell")["Certificate"].endswith("| it waits for its pool")
    site.record("bell", machine=machine, train_rate=300.0, created="20260103T000000.000000Z")
    assert "it waits" not in text(only().table)


def test_why_one_framework_is_slow_stands_in_its_row_and_not_in_the_caption(site, only) -> None:
    toml = site.examples / "bell" / "framework.toml"
    toml.write_text(toml.read_text("utf-8") + '[cnn]\nslow_because = "it waits for its pool"\n', "utf-8")
    site.record("bell", machine=Machine("desk", "The desk", matmul_rate=371e9), train_rate=100.0)
    table = only()
    assert table.row("Bell")["Certificate"].endswith("| it waits for its pool")
    assert "it waits" not in text(table.table.caption)


def test_a_run_in_a_python_as_found_says_so(site, only) -> None:
    site.record("ada", environment="as found")
    site.record("bell")
    table = only()
    expected = "in an external interpreter, not in the locked environment"
    assert expected in table.row("Ada")["Certificate"]
    assert expected not in table.row("Bell")["Certificate"]


def test_a_gpus_rate_is_held_against_its_makers_peak_and_not_against_the_cpus(site, only) -> None:
    machine = Machine("desk", "The desk", matmul_rate=371e9, gpu="NVIDIA H100 80GB HBM3")
    rate = PEAKS[machine.gpu].rate / workloads.get("cnn").flop()
    site.record(machine=machine, train_rate=rate / 4, device="gpu")
    site.record("bell", machine=machine, train_rate=rate / 4, device="gpu", precision="tf32")
    table = only()
    assert table.row("Ada")["Images/s"].endswith("| 25% of the published float32 peak")
    assert table.row("Bell (tf32)")["Images/s"].endswith("| no ceiling known")


def test_where_no_ceiling_is_known_that_is_said(site, only) -> None:
    site.record(
        machine=Machine("desk", "The desk", matmul_rate=371e9, gpu="Of tomorrow"), train_rate=500.0, device="gpu"
    )
    assert only().row("Ada")["Images/s"] == "500 | no ceiling known"


def test_a_review_is_held_against_the_machine_too(site, html) -> None:
    machine = Machine("desk", "The desk", matmul_rate=1e3 * workloads.get("gru").flop())
    site.record(workload="gru", machine=machine, train_rate=100.0)
    (table,) = tables(html(argument="gru"))
    assert table.row("Ada")["Reviews/s"] == "100 | 10% of GEMM"


@pytest.mark.parametrize(("device", "of"), [("cpu", "GEMM"), ("gpu", "the published float32 peak")])
def test_more_than_all_is_no_share_and_its_row_says_what_it_can_mean(site, only, device, of) -> None:
    machine = Machine("desk", "The desk", matmul_rate=371e9, gpu="NVIDIA H100 80GB HBM3")
    rate = (371e9 if device == "cpu" else PEAKS[machine.gpu].rate) / workloads.get("cnn").flop()
    for name, times in (("ada", 1.05), ("bell", 0.5)):
        site.record(name, machine=machine, train_rate=times * rate, device=device)
    table = only()
    row = table.row("Ada")
    assert row["Images/s"].endswith(f"| more than all of {of}")
    assert "%" not in row["Images/s"]
    assert f"more than all of {of}, which is impossible: " in row["Certificate"]
    assert "Winograd" in row["Certificate"]
    assert "cannot be" not in table.row("Bell")["Certificate"]


def test_a_run_from_uncommitted_changes_says_so(site, only) -> None:
    site.record("ada", commit="abc123+")
    site.record("bell", commit="abc123")
    table = only()
    assert "from uncommitted changes" in table.row("Ada")["Certificate"]
    assert "uncommitted" not in table.row("Bell")["Certificate"]


def test_one_seed_from_uncommitted_changes_marks_the_mean(site, only) -> None:
    site.record("ada", seed=0, commit="abc123+")
    site.record("ada", seed=1, commit="abc123")
    site.record("bell", commit="abc123")
    assert "from uncommitted changes" in only().row("Ada")["Certificate"]


def certified(site, **accuracies: float) -> None:
    for name, accuracy in accuracies.items():
        site.record(name, kind="certificate")
        site.record(name, accuracy=accuracy)


def test_an_accuracy_farther_from_the_others_than_seeds_lie_apart_is_pointed_out(site, only) -> None:
    for seed, accuracy in enumerate((0.750, 0.755, 0.760)):  # a standard deviation of half a point
        site.record("ada", seed=seed, accuracy=accuracy, variant="train_compiled")
    certified(site, ada=0.76, bell=0.755, curie=0.735)
    table = only()
    assert text(table.table).count("points below the median of this table") == 1
    expected = "2.0 points below the median of this table (the standard deviation between seeds is 0.5)"
    assert expected in table.row("Curie")["Certificate"]


@pytest.mark.parametrize(
    "changes",
    [
        {"accuracies": (0.74, 0.75, 0.76)},  # three times a whole point
        {"preset": "epoch"},
        {"workload": "gru"},
        {"digests": [{"example": str(number)} for number in range(3)]},
        {"local": True},
        {"accuracies": (0.75,)},
    ],
)
def test_without_a_spread_that_is_so_small_nothing_is_pointed_out(site, html, changes) -> None:
    digests = changes.pop("digests", None)
    for seed, accuracy in enumerate(changes.pop("accuracies", (0.750, 0.755, 0.760))):
        own = {"digests": digests[seed]} if digests else {}
        site.record("ada", seed=seed, accuracy=accuracy, variant="train_compiled", **own, **changes)
    certified(site, ada=0.76, bell=0.755, curie=0.735)
    assert "of this table" not in page(html()).get_text()


def test_rows_are_held_against_the_first_certified_one(site, only) -> None:
    for name, seconds in (("ada", 50.0), ("bell", 200.0), ("curie", 300.0)):
        site.record(name, times=Times(train=seconds), train_rate=1000 / seconds)
    for name in ("bell", "curie"):
        site.record(name, kind="certificate")
    table = only()
    assert {name: table.row(name)["Ratio"] for name in table.names} == {
        "Bell": "1.00× | rate 1.00×",
        "Curie": "1.50× | rate 0.67×",
        "Ada": "0.25× | rate 4.00×",
    }
    assert text(table.table.thead.find(class_="by-ratio")) == "Ratio | of training time, to the marked row"
    assert [name for name in table.names if "is-reference" in table.line(name).get("class", [])] == ["Bell"]


def test_without_a_certified_row_nothing_is_held_against_another(site, only) -> None:
    for name in ("ada", "bell"):
        site.record(name)
    table = only()
    assert "is-unheld" in table.table["class"]
    assert table.row("Ada")["Ratio"] == "–"


def test_ratios_stay_within_a_table(site, html) -> None:
    for name in ("ada", "bell"):
        site.record(name, kind="certificate")
        site.record(name, times=Times(train=100.0 if name == "ada" else 200.0))
        site.record(name, times=Times(train=7.0 if name == "ada" else 70.0), machine=OTHER, preset="epoch")
    ratios = [sorted(table.row(name)["Ratio"] for name in table.names) for table in tables(html())]
    assert sorted(ratios) == [["1.00×", "10.0×"], ["1.00×", "2.00×"]]


def test_the_quick_preset_is_not_ranked(site, only) -> None:
    for name, seconds in (("bell", 1.0), ("ada", 2.0)):
        site.record(name, preset="quick", local=True, times=Times(train=seconds))
    table = only()
    assert "is-ranked" not in table.table["class"]
    assert "Ratio" not in table.head
    assert table.names == ["Ada", "Bell"]


def test_a_variant_is_a_row_of_its_own(site, only) -> None:
    site.record("ada")
    site.record("ada", variant="train_with_loader")
    table = only()
    assert sorted(table.names) == ["Ada", "Ada (with its own data loader)"]
    assert table.line("Ada (with its own data loader)").find("data")["value"] == "ada.train_with_loader"


def test_lives(site) -> None:
    toml = site.examples / "bell" / "framework.toml"
    life = 'last_release = "0.9"\nretired = true\nsuccessor = "Ada"\nneeds = "a stub"\n'
    toml.write_text(life + toml.read_text("utf-8"), "utf-8")
    site.record("bell")
    site.page("index", "```{lifecycle}\n```")
    assert not site.build()
    table = " ".join(re.sub(r"<[^>]+>", " ", site.html("index")).split())
    assert "Bell 2016 0.9 retired; succeeded by Ada 1.2, Python 3.11 a stub" in table
    assert "Ada 2016 – active not run yet, Python 3.11 only its packages" in table
    site.record("bell", version="1.9", environment="as found", created="20270101T000000.000000Z")
    site.build()
    assert "1.2, Python 3.11" in " ".join(re.sub(r"<[^>]+>", " ", site.html("index")).split())
