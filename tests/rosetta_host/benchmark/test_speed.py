"""The speed of an example: beside its bare loop and its variants, and what the runner and the data take."""

import numpy as np
import pytest

from rosetta_host.benchmark import paired_timing, speed
from rosetta_host.catalog import frameworks
from rosetta_host.command_line import commands, parser

VARIANT = """

def {}(model, x, y):
    for data, target in minibatches(x, y, params.batch_size):
        {}
    return 0.5
"""
FAST = VARIANT.format("train_eager", "time.sleep(0.001)")
SLOW = VARIANT.format("train_with_loader", "time.sleep(0.02)")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(paired_timing, "TURN", 0.0)
    monkeypatch.setattr(paired_timing, "SETTLE", 0.0)


@pytest.fixture
def example(folder):
    """The path of an example whose steps take 5 ms."""
    path = folder / "gru.py"
    path.write_text(path.read_text().replace("time.sleep(0.001)", "time.sleep(0.005)"))
    return path


def measured():
    return speed.measure(frameworks.implementations()["alpha"], "gru", "cpu")


def test_an_example_is_compared_with_its_loop_and_with_each_variant(example):
    example.write_text(example.read_text() + FAST + SLOW)
    result = measured()
    assert result.failures == []
    assert result.ok
    assert result.loop.low <= result.loop.value <= result.loop.high
    assert 0.7 < result.loop.value < 1.4
    assert 0 < result.overhead < 0.01
    assert 0 < result.loading < 0.5
    assert result.variants["train_eager"].value < 0.8 < 1.25 < result.variants["train_with_loader"].value
    assert result.best[0] == "train_eager"
    shown = list(speed.lines(result))
    assert shown[0] == "alpha gru"
    assert [line.partition(":")[0].strip() for line in shown[1:]] == [
        "example ÷ plain loop",
        "the runner's own work",
        "shuffle and loading, of a step",
        "train_with_loader ÷ example",
        "train_eager ÷ example",
    ]
    assert shown[-1].endswith("the best variant")


def test_a_runner_that_takes_too_much_fails(example, monkeypatch):
    monkeypatch.setattr(speed, "MOST_OVERHEAD", 0.0)
    result = measured()
    assert not result.ok
    assert any("of a step, more than 0%" in line for line in speed.lines(result))


def test_loading_is_not_counted_where_the_framework_takes_the_batches(example):
    text = example.read_text()
    loop = "for data, target in minibatches(x, y, params.batch_size):"
    assert text.count(loop) == 1
    example.write_text(text.replace(loop, "for start in range(0, len(x), params.batch_size):"))
    result = measured()
    assert (result.ok, result.loading) == (True, None)
    assert any("not counted" in line for line in speed.lines(result))


def test_what_fails_is_named_and_the_rest_is_measured(example, capsys):
    example.write_text(example.read_text() + FAST.replace("return 0.5", "raise RuntimeError('it burst')"))
    assert commands.run_speed(parser.parser().parse_args(["speed", "--device", "cpu", "alpha"])) == 1
    shown = capsys.readouterr().out
    assert "  failed: train_eager: RuntimeError: it burst" in shown
    assert "example ÷ plain loop" in shown


def test_an_example_that_does_not_train_has_no_figures(example):
    example.write_text(example.read_text().replace("    return 0.5", "    raise RuntimeError('it burst')"))
    result = measured()
    assert (result.ok, result.loop, result.overhead) == (False, None, None)
    assert result.failures[0].startswith("its loop: RuntimeError: it burst")


def test_the_interval_of_a_ratio_holds_the_true_one_about_as_often_as_it_says():
    assert str(speed.ratio([2.0, 4.0], [1.0, 2.0])) == "2.000 (95 %: 2.000 to 2.000, 2 pairs)"
    random, holds = np.random.default_rng(1), 0
    for _ in range(200):
        reference, noise = random.lognormal(size=30), random.lognormal(0.0, 0.1, 30)
        interval = speed.ratio(1.2 * noise * reference, reference)
        holds += interval.low <= 1.2 <= interval.high
    assert 0.88 * 200 < holds < 0.99 * 200
