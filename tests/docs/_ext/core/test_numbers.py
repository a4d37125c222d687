"""Numbers in prose."""

from __future__ import annotations

import html
import re

import pytest

from rosetta_host.records.store import Machine, Times
from workloads import gru

OLD = Machine("museum", "The museum")


def shown(site, text: str) -> str:
    site.page("index", f"It is {text}.")
    warnings = site.build()
    assert not warnings
    return re.sub(r"<[^>]+>", "", re.search(r"It is (.*?)\.</p>", site.html("index"))[1])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ada.cnn.full.accuracy|.1%", "75.0%"),
        ("ada.cnn.full.times.train|,.0f", "100"),
        ("ada.cnn.full.version", "1.2"),
        ("ada.cnn.full.losses.1|.2f", "1.50"),
        ("ada.cnn.certificate.checks.loss.figure|.0e", "1e-07"),
    ],
)
def test_a_field_of_a_record(site, text: str, expected: str) -> None:
    site.record(losses=[2.0, 1.5])
    site.record(kind="certificate")
    assert shown(site, f"{{number}}`{text}`") == expected


def test_the_newest_published_success_of_this_very_preset_counts(site) -> None:
    site.record(created="20260101T000000.000000Z", accuracy=0.1)
    site.record(created="20260102T000000.000000Z", accuracy=0.2)
    site.record(created="20260103T000000.000000Z", accuracy=0.3, status="failed")
    site.record(created="20260104T000000.000000Z", accuracy=0.4, preset="epoch")
    site.record(created="20260105T000000.000000Z", accuracy=0.5, local=True)
    site.record(created="20260106T000000.000000Z", accuracy=0.6, historic=True, machine=OLD)
    site.record(created="20260107T000000.000000Z", accuracy=0.7, variant="train_compiled")
    site.record("bell", created="20260108T000000.000000Z", accuracy=0.8)
    assert shown(site, "{number}`ada.cnn.full.accuracy|.1f`") == "0.2"


def test_a_machine_and_a_variant_can_be_named(site) -> None:
    site.record(machine=OLD, historic=True, times=Times(train=7.0), variant="train_with_loader")
    assert shown(site, "{number}`museum/ada+train_with_loader.cnn.full.times.train|.0f`") == "7"


TOWER = Machine("tower", "The tower")


@pytest.mark.parametrize("other", [{"machine": TOWER}, {"device": "gpu"}, {"machine": TOWER, "device": "gpu"}])
def test_a_number_of_several_machines_or_devices_names_one(site, other) -> None:
    site.record(accuracy=0.7)
    site.record(accuracy=0.8, created="20270101T000000.000000Z", **other)
    site.page("index", "It is {number}`ada.cnn.full.accuracy`.")
    warnings = site.build()
    assert "Records of several machines or devices answer" in warnings
    assert "desk@cpu" in warnings
    assert shown(site, "{number}`desk@cpu/ada.cnn.full.accuracy|.1f`") == "0.7"
    machine = "tower" if "machine" in other else "desk"
    assert shown(site, f"{{number}}`{machine}@{other.get('device', 'cpu')}/ada.cnn.full.accuracy|.1f`") == "0.8"


def test_a_machine_alone_is_enough_where_it_has_one_device(site) -> None:
    site.record(accuracy=0.7)
    site.record(accuracy=0.8, machine=TOWER, device="gpu")
    assert shown(site, "{number}`tower/ada.cnn.full.accuracy|.1f`") == "0.8"
    site.record(accuracy=0.9, machine=TOWER)
    site.page("index", "It is {number}`tower/ada.cnn.full.accuracy`.")
    assert "tower@cpu, tower@gpu" in site.build()


def test_a_number_is_in_float32_unless_the_page_says_otherwise(site) -> None:
    site.record(accuracy=0.7)
    site.record(accuracy=0.8, precision="tf32")
    assert shown(site, "{number}`ada.cnn.full.accuracy|.1f`") == "0.7"


def test_a_withdrawn_field_is_refused_and_the_reason_said(site) -> None:
    site.record()
    site.page("index", "It is {number}`ada.cnn.full.peak_memory`.")
    assert "peak_memory is withdrawn: it was at least the memory of the process that started the run" in site.build()


def test_a_number_says_where_it_comes_from_and_leads_there(site) -> None:
    site.record()
    site.page("results", "```{results} cnn\n```")
    shown(site, "{number}`ada.cnn.full.accuracy|.0%`")
    link = re.search(r'<a [^>]*href="results.html#([\w-]+)"[^>]*>', site.html("index"))
    assert f'id="{link[1]}"' in site.html("results")
    assert 'title="Ada, version 1.2 · The desk · 2026-01-02 · official · no certificate ✗"' in html.unescape(link[0])


@pytest.mark.parametrize(
    "text",
    [
        "{number}`adda.cnn.full.accuracy`",
        "{number}`ada.gru.full.accuracy`",
        "{number}`ada.cnn.epoch.accuracy`",
        "{number}`ada.cnn.full.peak_memory`",
        "{number}`ada.cnn.full.acuracy`",
        "{number}`ada.cnn.full.version|.1%`",
        "{number}`nowhere/ada.cnn.full.accuracy`",
        "{number}`ada.accuracy`",
        "{param}`cnn.batchsize`",
        "{param}`rnn.batch_size`",
        "{param}`gru.image`",
    ],
)
def test_an_unknown_number_is_a_warning(site, text: str) -> None:
    site.record()
    site.page("index", f"It is {text}.")
    assert "index.md:6: WARNING" in site.build()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cnn.image", "3, 32, 32"),
        ("cnn.image_last", "32, 32, 3"),
        ("cnn.steps", "781"),
        ("cnn.rest", "16"),
        ("gru.steps", "390"),
        ("cnn.flat|,", "6,400"),
        ("cnn.parameters|,", "3,441,592"),
        ("gru.parameters|,", "3,818,302"),
    ],
)
def test_what_follows_from_the_hyper_parameters(site, text: str, expected: str) -> None:
    assert shown(site, f"{{param}}`{text}`") == expected


def test_a_hyper_parameter(site) -> None:
    assert shown(site, "{param}`gru.vocabulary|,`") == f"{gru.params.vocabulary:,}"
