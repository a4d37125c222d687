"""A wrong form is found by holding the exported weights against the oracle with each other value."""

import numpy as np
import pytest

from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import WORKLOADS
from rosetta_host.certificate import certify, form_suggestions, forms, oracle, protocol
from rosetta_host.certificate.steps import ExampleLimits, Trace
from rosetta_host.records import machine

BATCH = 2  # the oracle takes seconds for 64 images
SAMPLES = {workload: protocol.encoded_steps(workload, "float32") for workload in WORKLOADS}
HIDDEN = {"max_pool"}  # no image of the certificate ties for a maximum, so that either value fits
WRONG = [
    (workload, name, values[0], actual)
    for workload in WORKLOADS
    for name, values in oracle.model(workload).forms.items()
    for actual in values[1:]
    if name not in HIDDEN
]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(protocol, "BATCH", BATCH)
    monkeypatch.setattr(protocol, "COPIES", 3 * BATCH + 1)


def play(folder, workload, declared, actual, factor=1.0):
    """Write the trace of a framework that computes the form `actual`, and is given the weights of `declared`.

    factor: by how much every step is too large.
    """
    at = protocol.canonical_weights(workload, declared)
    at = {name: (value * oracle.exists(workload, name, actual)).astype(np.float64) for name, value in at.items()}
    optimizer, samples = oracle.optimizer(workload, actual), SAMPLES[workload]

    def step(batch):
        _, gradients = oracle.gradients(workload, at, samples.x_train[batch], samples.y_train[batch], actual)
        for name, movement in optimizer.movement(gradients).items():
            at[name] = at[name] + factor * movement

    def save(name):
        np.savez(folder / f"{name}.npz", **at)

    save("w0")
    for k in range(protocol.STEPS["float32"]):
        step(slice(k * BATCH, (k + 1) * BATCH))
        save(f"w{k + 1}")
    for _ in range(3):
        step([0] * BATCH)
    save("loop")
    for k in range(protocol.STEPS_AFTER["float32"]):
        step(slice(k * BATCH, (k + 1) * BATCH))
        save(f"again{k + 1}")
    optimizer.learning_rate = protocol.changed_rate(workload)
    after = protocol.STEPS_AFTER["float32"]
    step(slice(after * BATCH, (after + 1) * BATCH))
    save("changed")
    return Trace(folder)


def fitting(trace, workload, declared):
    return form_suggestions.fitting(trace, SAMPLES[workload], ExampleLimits(workload, "float32", {}), declared, False)


@pytest.mark.parametrize(("workload", "name", "declared", "actual"), WRONG)
def test_a_wrong_form_is_named_with_the_value_that_fits(tmp_path, workload, name, declared, actual):
    trace = play(tmp_path, workload, {name: declared}, {name: actual})
    assert fitting(trace, workload, {name: declared}) == [f'{name} = "{actual}"']
    assert fitting(trace, workload, {name: actual}) == []


def test_another_error_is_not_taken_for_a_form(tmp_path):
    workload = WORKLOADS[-1]
    assert fitting(play(tmp_path, workload, {}, {}, factor=1.1), workload, {}) == []


def test_a_trace_that_ended_early_gives_no_suggestion(tmp_path):
    workload = WORKLOADS[-1]
    trace = play(tmp_path, workload, {}, {}, factor=1.1)
    (tmp_path / "w2.npz").unlink()
    assert fitting(trace, workload, {}) == []


def test_a_certificate_names_the_form_that_fits(folder, monkeypatch):
    """The example does not train, so that its steps fail."""
    monkeypatch.setattr(form_suggestions, "fitting", lambda *arguments: ['gate = "before"'])
    case, lines = next(frameworks.implementations()["alpha"].cases(list(WORKLOADS))), []
    parts = ("steps",)
    record = certify.certify(case, machine.describe("here"), "cpu", lines.append, parts, timed=False)
    where = f"[{case.workload}.forms] of examples/alpha/framework.toml"
    hint = f'With gate = "before" every step fits: declare it in {where}.'
    assert lines[-1] == f"{case.label}: {hint}"
    assert hint in record.reason


@pytest.mark.parametrize("workload", WORKLOADS)
def test_every_form_is_explained_with_all_of_its_values(workload):
    explained = forms.explanations(workload)
    for name, values in oracle.model(workload).forms.items():
        assert all(f'"{value}"' in explained[name] for value in values)


@pytest.mark.parametrize("workload", WORKLOADS)
def test_a_step_that_is_far_from_every_form_is_compared_with_the_declared_one_alone(tmp_path, monkeypatch, workload):
    trace = play(tmp_path, workload, {}, {}, factor=-1.0)
    compared, gradients = [], oracle.gradients

    def counted(name, at, x, y, forms):
        compared.append(tuple(sorted(oracle.settle(name, forms).items())))
        return gradients(name, at, x, y, forms)

    monkeypatch.setattr(oracle, "gradients", counted)
    assert fitting(trace, workload, {}) == []
    assert set(compared) == {tuple(sorted(oracle.settle(workload).items()))}
