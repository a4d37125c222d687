"""The certificate's judgment, on traces that the oracle itself plays: right ones pass, wrong ones name the place."""

import functools
import json

import numpy as np
import pytest

from rosetta_host.certificate import limits, oracle, protocol, steps
from rosetta_host.certificate.optimizers import SGD
from rosetta_host.certificate.protocol import BATCH, STEPS, STEPS_AFTER
from rosetta_host.certificate.steps import ExampleLimits, Trace
from workloads import cnn

SAMPLES = protocol.steps_samples("gru").encoded("gru", "float64")
SMALL = protocol.Samples(SAMPLES.x_train[:, -20:], SAMPLES.x_test[:, -20:], SAMPLES.y_train, SAMPLES.y_test)


@functools.cache
def noise_of(shape):
    return np.random.RandomState(0).standard_normal(shape)


def play(
    folder,
    movement=lambda name, step, value: value,
    copies=3,
    loss=0.0,
    forms=None,
    evaluated=0.0,
    dtype="float32",
    noise=1e-6,
    kind="float",
    left=0.0,
    repeated=1,
):
    """Write the trace of a perfect framework, but for `movement`, which may change what a step does.

    In float32 it is as inexact as that: `noise` of each movement, and all that it gives is rounded.
    repeated: how many copies of the sample a step of the loop takes.
    """
    at = {name: value.astype(np.float64) for name, value in protocol.canonical_weights("gru", forms).items()}
    optimizer = oracle.optimizer("gru")
    losses = {}

    def save(name):
        np.savez(folder / f"{name}.npz", **{key: array.astype(dtype) for key, array in at.items()})

    def predict(name):
        scores = oracle.scores("gru", at, SMALL.x_test)
        np.save(folder / f"{name}.npy", scores.astype(dtype))
        return scores

    def step(name, x, y):
        found, gradients = oracle.gradients("gru", at, x, y, forms)
        losses.setdefault(name, float(np.asarray(found + loss, dtype)))
        for key, value in optimizer.movement(gradients).items():
            inexact = 1 + noise * noise_of(value.shape) if dtype == "float32" else 1
            at[key] = (at[key] + inexact * movement(key, name, value)).astype(dtype).astype(np.float64)

    save("w0")
    for name in ("before", "back"):
        predict(name)
    for k in range(STEPS[dtype]):
        batch = slice(k * BATCH, (k + 1) * BATCH)
        step(f"step{k + 1}", SMALL.x_train[batch], SMALL.y_train[batch])
        save(f"w{k + 1}")
    scores = predict("after")
    accuracy = float(np.mean(scores.argmax(axis=1) == SMALL.y_test))
    save("halfway")
    for _ in range(copies):
        step("loop", SMALL.x_train[[0] * repeated], SMALL.y_train[[0] * repeated])
    save("loop")
    for k in range(STEPS_AFTER[dtype]):
        step(f"again{k + 1}", SMALL.x_train[k * BATCH : (k + 1) * BATCH], SMALL.y_train[k * BATCH : (k + 1) * BATCH])
        save(f"again{k + 1}")
    for name, value in losses.items():
        (folder / f"{name}.trained").write_text(json.dumps({"type": kind, "seconds": 0.5, "loss": value}))
        (folder / f"{name}.reading").write_text(json.dumps([0.01 + 0.5 * left, 0.01]))
    (folder / "after.accuracy").write_text(repr(accuracy + evaluated))
    return Trace(folder)


def judge(trace, dtype="float32", declared=None, partial=False, forms=None):
    held = ExampleLimits("gru", dtype, declared or {})
    return {check.name: check for check in steps.judge_steps(trace, SMALL, held, forms or {}, partial)}


def failed(checks):
    return {name for name, check in checks.items() if not check.ok}


def test_a_perfect_trace_passes_to_1e_10(tmp_path):
    checks = judge(play(tmp_path, dtype="float64"), "float64")
    assert failed(checks) == set()
    names = (
        "weights",
        "scores before",
        "loss",
        "step median",
        "step worst",
        "tensor median",
        "scores after",
        "evaluate",
        "loop",
        "schedule",
        "scores back",
    )
    assert set(checks) == {f"float64: {name}" for name in names}


@pytest.mark.parametrize(
    ("wrong", "caught"), [("step1", "step worst"), ("step2", "step worst"), ("loop", "loop"), ("again1", "schedule")]
)
def test_in_float64_a_ten_millionth_in_any_step_fails(tmp_path, wrong, caught):
    trace = play(tmp_path, lambda name, step, value: (1 + 1e-7) * value if step == wrong else value, dtype="float64")
    assert f"float64: {caught}" in failed(judge(trace, "float64"))


@pytest.mark.parametrize("biases", ["folded", "no b_hn"])
def test_a_framework_without_some_biases_imports_zeros_and_keeps_them(tmp_path, biases):
    forms = {"biases": biases}
    assert failed(judge(play(tmp_path, forms=forms), forms=forms)) == set()
    np.testing.assert_array_equal(Trace(tmp_path).weights("again2")["gru.bias_hh"][:200], 0)
    assert "weights" in failed(judge(play(tmp_path, forms=forms)))


def test_words_that_are_squared_apart_are_told_from_words_that_are_summed(tmp_path):
    """From the first step on, and in an epoch of copies, where the mean over a batch is not that of one sample."""
    forms = {"repeated_words": "squared apart"}
    trace = play(tmp_path, forms=forms, dtype="float64", repeated=BATCH)
    assert failed(judge(trace, "float64", forms=forms)) == set()
    assert {"float64: step worst", "float64: loop"} <= failed(judge(trace, "float64"))
    trace = play(tmp_path, forms=forms, dtype="float64", repeated=1)
    assert "float64: loop" in failed(judge(trace, "float64", forms=forms))


def test_a_tenth_of_a_percent_in_every_step_fails(tmp_path):
    checks = judge(play(tmp_path, lambda name, step, value: 1.001 * value))
    assert failed(checks) >= {"step median"}
    assert checks["step median"].figure == pytest.approx(1e-3, rel=0.01)


def test_one_wrong_tensor_in_one_step_is_named(tmp_path):
    def wrong(name, step, value):
        return 2 * value if (name, step) == ("fc.weight", "step4") else value

    checks = judge(play(tmp_path, wrong))
    assert failed(checks) == {"step worst"}
    assert checks["step worst"].where == "step 4, fc.weight"


def test_a_small_tensor_cannot_hide_behind_the_embedding(tmp_path):
    checks = judge(play(tmp_path, lambda name, step, value: 1.002 * value if name == "fc.bias" else value))
    assert failed(checks) == {"tensor median"}
    assert checks["tensor median"].where == "fc.bias"


@pytest.mark.parametrize(("factor", "count"), [(1.5, 1), (1.0009, 3)])
def test_in_haste_no_more_steps_are_read_than_it_takes_to_know(tmp_path, factor, count):
    """Half as far again is too much for any step, a thousandth for the median: three of five must show it."""
    play(tmp_path, lambda name, step, value: factor * value)
    read = set()
    trace = Trace(tmp_path, lambda path: read.add(path.name))
    checks = steps.judge_steps(trace, SMALL, ExampleLimits("gru", "float32", {}), {}, False, fail_fast=True)
    assert next(check.name for check in checks if not check.ok) in ("step median", "loss")
    assert {name for name in read if name.endswith(".trained")} == {f"step{k + 1}.trained" for k in range(count)}


def test_what_was_asked_to_the_last_bit_is_not_computed_again(tmp_path, monkeypatch):
    trace, ask, asked = play(tmp_path), oracle.gradients, []
    steps.at_start("gru", SMALL, {})  # which is kept for good

    def gradients(*arguments):
        asked.append(arguments)
        return ask(*arguments)

    monkeypatch.setattr(oracle, "gradients", gradients)
    monkeypatch.setattr(steps, "_gradient_cache", {})
    first, count = judge(trace), STEPS["float32"] - 1 + 3 + STEPS_AFTER["float32"]
    assert len(asked) == count
    assert judge(trace) == first
    assert len(asked) == count
    moved = trace.arrays("w2")
    moved["fc.bias"] = np.nextafter(moved["fc.bias"], 1)
    np.savez(tmp_path / "w2.npz", **moved)
    judge(trace)
    assert len(asked) > count


def test_in_haste_what_is_right_is_judged_whole(tmp_path):
    trace, held = play(tmp_path), ExampleLimits("gru", "float32", {})
    fail_fast = list(steps.judge_steps(trace, SMALL, held, {}, False, fail_fast=True))
    assert fail_fast == list(judge(trace).values())


def test_a_loop_of_the_wrong_length_fails(tmp_path):
    trace = play(tmp_path, copies=2)
    assert "loop" in failed(judge(trace))


def test_a_kept_partial_batch_passes_only_where_it_is_declared(tmp_path):
    trace = play(tmp_path, copies=4)
    assert failed(judge(trace, partial=True)) == set()
    assert "loop" in failed(judge(trace, partial=False))


def test_a_rate_that_changes_after_the_epoch_fails(tmp_path):
    trace = play(tmp_path, lambda name, step, value: 0.9 * value if step.startswith("again") else value)
    assert failed(judge(trace)) == {"schedule"}


def test_a_prediction_that_does_not_see_weights_imported_later_fails(tmp_path):
    trace = play(tmp_path)
    np.save(tmp_path / "back.npy", trace.scores("after"))
    assert failed(judge(trace)) == {"scores back"}


def test_a_wrong_loss_fails(tmp_path):
    checks = judge(play(tmp_path, loss=1e-4))
    assert failed(checks) == {"loss"}


def test_nothing_that_is_not_a_number_passes(tmp_path):
    trace = play(tmp_path, lambda name, step, value: value * np.nan if step == "step2" else value)
    assert {"step worst", "scores after"} <= failed(judge(trace))


def test_imported_weights_that_come_out_changed_fail_and_are_named(tmp_path):
    trace = play(tmp_path)
    changed = trace.weights("w0")
    changed["gru.bias_hh"][7] += 1e-7
    np.savez(tmp_path / "w0.npz", **changed)
    checks = judge(trace)
    assert list(checks) == ["weights"]
    assert checks["weights"].where == "gru.bias_hh"


def test_weights_of_a_foreign_shape_fail_with_a_reason(tmp_path):
    trace = play(tmp_path)
    changed = trace.weights("w0")
    changed["fc.weight"] = changed["fc.weight"].T
    np.savez(tmp_path / "w0.npz", **changed)
    assert "fc.weight has shape (100, 2)" in judge(trace)["weights"].reason


def test_predictions_that_leave_the_tail_out_fail(tmp_path):
    trace = play(tmp_path)
    np.save(tmp_path / "before.npy", trace.scores("before")[:64])
    check = judge(trace)["scores before"]
    assert not check.ok
    assert "(64, 2), not (100, 2)" in check.reason


def test_a_wider_limit_needs_its_reason_and_shows_it(tmp_path):
    trace = play(tmp_path, lambda name, step, value: 1.001 * value)
    wider = {name: steps.Tolerance(1e-2, "measured") for name in ("step median", "step worst", "tensor median", "loop")}
    checks = judge(trace, declared=wider)
    assert checks["step median"].ok
    assert checks["step median"].reason == "measured"
    assert not judge(trace)["step median"].ok


@pytest.mark.parametrize(("off", "caught"), [(0.0, False), (1e-8, False), (0.004, True), (float("nan"), True)])
def test_an_accuracy_that_the_scores_do_not_bear_out_is_caught(tmp_path, off, caught):
    assert failed(judge(play(tmp_path, evaluated=off))) == ({"evaluate"} if caught else set())


def test_what_is_computed_in_float64_is_not_certified_as_float32(tmp_path):
    """Rounded at its end, a step in double precision differs from one in float32 by what it lacks in noise."""
    assert failed(judge(play(tmp_path, noise=0.0))) == {"precision: rounding"}
    check = judge(play(tmp_path, noise=1e-8))["precision: rounding"]
    assert (check.ok, check.floor, check.where) == (False, limits.of("gru").rounding_floor, None)
    assert check.reason == "More exact than float32: something is computed in double precision."


def test_a_loss_in_float64_is_not_certified_as_float32(tmp_path):
    trace = play(tmp_path)
    for k in range(STEPS["float32"]):
        path = tmp_path / f"step{k + 1}.trained"
        batch, at = slice(k * BATCH, (k + 1) * BATCH), trace.weights(f"w{k}")
        exact, _ = oracle.gradients("gru", at, SMALL.x_train[batch], SMALL.y_train[batch])
        path.write_text(json.dumps({**json.loads(path.read_text()), "loss": exact}))
    assert failed(judge(trace)) == {"precision: loss"}


@pytest.mark.parametrize("wide", ["w0.npz", "before.npy"])
def test_what_is_given_as_float64_is_not_certified_as_float32(tmp_path, wide):
    trace = play(tmp_path)
    if wide == "before.npy":
        np.save(tmp_path / wide, trace.scores("before"))
    else:
        np.savez(tmp_path / wide, **{**trace.arrays("w0"), "fc.bias": trace.weights("w0")["fc.bias"]})
    checks = judge(trace)
    assert failed(checks) == {"precision: types"}
    assert checks["precision: types"].where == ("scores" if wide == "before.npy" else "fc.bias")


def test_a_loss_that_may_not_be_computed_yet_is_named(tmp_path):
    checks = judge(play(tmp_path, kind="ArrayImpl"))
    assert failed(checks) == {"done: loss"}
    assert checks["done: loss"].reason.startswith("train returned ArrayImpl, not a Python float")


@pytest.mark.parametrize(("left", "caught"), [(0.05, False), (0.6, True)])
def test_weights_that_are_computed_after_train_has_returned_are_caught(tmp_path, left, caught):
    """What is left of a step is what the first reading of the weights takes longer than the next."""
    checks = judge(play(tmp_path, left=left))
    assert failed(checks) == ({"done: weights"} if caught else set())
    assert checks["done: weights"].figure == pytest.approx(left)


def test_on_one_thread_the_same_step_and_predictions_are_asked_for(tmp_path):
    def checks(factor):
        trace = play(tmp_path, lambda name, step, value: factor * value)
        found = steps.judge_thread(trace, SMALL, ExampleLimits("gru", "float32", {}), {})
        return failed({check.name: check for check in found})

    assert checks(1.0) == set()
    assert checks(1.01) == {"one thread: step"}


# A learning rate that changes

FEW = 2  # images a batch: the oracle takes seconds for 64
IMAGES = protocol.steps_samples("cnn").encoded("cnn", "float64")


@pytest.fixture
def few(monkeypatch):
    """Mini-batches of two images."""
    monkeypatch.setattr(steps, "BATCH", FEW)
    monkeypatch.setattr(protocol, "COPIES", 3 * FEW + 1)


def play_changed_rate(folder, dtype, form, rate=None):
    """Write the trace of a framework of this form whose learning rate is changed to `rate`, or as it is asked to."""
    at = {name: value.astype(dtype) for name, value in protocol.canonical_weights("cnn").items()}
    sgd = oracle.optimizer("cnn", {"momentum": form})

    def save(*names):
        for name in names:
            np.savez(folder / f"{name}.npz", **at)

    def step(name, batch):
        _, gradients = oracle.gradients("cnn", at, IMAGES.x_train[batch], IMAGES.y_train[batch])
        for key, moved in sgd.movement(gradients).items():
            at[key] = (at[key] + moved).astype(dtype)
        save(name)

    save("w0", "halfway")
    for _ in range(3):
        step("loop", slice(1))
    for k in range(STEPS_AFTER[dtype]):
        step(f"again{k + 1}", slice(k * FEW, (k + 1) * FEW))
    sgd.learning_rate = protocol.changed_rate("cnn") if rate is None else rate
    step("changed", slice(STEPS_AFTER[dtype] * FEW, (STEPS_AFTER[dtype] + 1) * FEW))
    return Trace(folder)


def judge_changed_rate(trace, dtype, form, parts=("loop", "rate")):
    held = ExampleLimits("cnn", dtype, {})
    checks = steps.judge_steps(trace, IMAGES, held, {"momentum": form}, False, parts)
    return {check.name.removeprefix("float64: "): check for check in checks}


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", SGD.FORMS)
def test_a_changed_rate_tells_the_forms_of_momentum_apart(tmp_path, dtype, form):
    trace = play_changed_rate(tmp_path, dtype, form)
    for declared in SGD.FORMS:
        checks = judge_changed_rate(trace, dtype, declared)
        assert list(checks) == ["weights", "loop", "schedule", "schedule: changed rate"]
        assert failed(checks) == (set() if declared == form else {"schedule: changed rate"})


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("form", SGD.FORMS)
def test_a_rate_that_does_not_change_when_it_should_fails(tmp_path, form):
    trace = play_changed_rate(tmp_path, "float32", form, rate=cnn.params.learning_rate)
    assert failed(judge_changed_rate(trace, "float32", form)) == {"schedule: changed rate"}


@pytest.mark.usefixtures("few")
def test_an_example_that_cannot_change_its_rate_has_no_such_check(tmp_path):
    trace = play_changed_rate(tmp_path, "float32", "rate outside")
    (tmp_path / "changed.npz").unlink()
    assert list(judge_changed_rate(trace, "float32", "rate outside", parts=("loop",))) == [
        "weights",
        "loop",
        "schedule",
    ]
