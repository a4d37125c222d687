"""What an implementation's process says of the GPU: whether its build holds code for it, and computes there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from rosetta_host.catalog import frameworks
from tools.gpu_session import chip
from tools.gpu_session.parcel import ROOT


@pytest.mark.parametrize(
    ("arch", "capability", "runs"),
    [
        ("sm_90", (9, 0), True),
        ("sm_80", (8, 6), True),
        ("sm_86", (8, 0), False),
        ("sm_80", (9, 0), False),
        ("sm_90a", (9, 0), True),
        ("sm_100a", (10, 3), False),
        ("sm_100f", (10, 3), True),
        ("sm_120", (12, 0), True),
        ("sm_120", (10, 0), False),
        ("compute_80", (12, 0), True),
        ("compute_120", (9, 0), False),
    ],
)
def test_which_code_runs_on_which_chip(arch, capability, runs):
    assert chip.runs_on(arch, capability) == runs


def pytorch(available, capability, built):
    return SimpleNamespace(
        cuda=SimpleNamespace(
            is_available=lambda: available,
            get_device_capability=lambda: capability,
            get_arch_list=lambda: built,
        )
    )


def test_a_build_without_code_for_the_chip_is_named_with_what_it_holds():
    assert chip.torch_reason(pytorch(True, (9, 0), ["sm_80", "sm_90"])) is None
    reason = chip.torch_reason(pytorch(True, (9, 0), ["sm_50", "sm_80"]))
    assert reason == "its build of PyTorch holds code for sm_50, sm_80 only, and this GPU is sm_90."
    assert chip.torch_reason(pytorch(False, None, [])) == "its build of PyTorch sees no GPU."


def test_jax_is_asked_for_its_device():
    for platform, reason in (("gpu", None), ("cpu", "its JAX computes on the device 'cpu' here.")):
        device = SimpleNamespace(platform=platform)
        assert chip.jax_reason(SimpleNamespace(devices=lambda device=device: [device])) == reason


def test_cupy_compiles_a_kernel_or_says_why_not():
    def arange(count):
        raise RuntimeError("nvrtc: error\ninvalid value for --gpu-architecture")

    reason = chip.cupy_reason(SimpleNamespace(arange=arange))
    assert reason == "CuPy compiles no kernel for this GPU: invalid value for --gpu-architecture."


@pytest.mark.parametrize(
    ("current", "primary", "computes"),
    [((0, None), (0, 0), False), ((0, 4711), (0, 0), True), ((0, None), (0, 1), True), ((3, None), (3, 1), False)],
)
def test_a_loaded_driver_alone_is_no_use_of_a_gpu(current, primary, computes):
    def get_current(context):
        context._obj.value = current[1]
        return current[0]

    def get_state(device, flags, active):
        active._obj.value = primary[1]
        return primary[0]

    driver = SimpleNamespace(cuCtxGetCurrent=get_current, cuDevicePrimaryCtxGetState=get_state)
    assert chip.has_context(driver) == computes


def test_a_library_that_can_is_believed_and_one_that_cannot_gives_the_reason(monkeypatch):
    for answer in (None, "it holds no code."):
        monkeypatch.setattr(chip, "QUESTIONS", {"json": lambda library, answer=answer: answer})
        assert chip.unsuited(None, 1) == answer


def asked(example, device):
    """The event that the program reports of an example, in this interpreter, which holds NumPy; None for none."""
    read, write = os.pipe()
    command = [sys.executable, "-m", "tools.gpu_session.chip", example, device, "--events", str(write)]
    subprocess.run(command, cwd=ROOT, pass_fds=[write], check=True)
    os.close(write)
    with os.fdopen(read) as events:
        line = events.read()
    return json.loads(line) if line else None


@pytest.fixture(scope="module")
def on_numpy():
    """An example that needs only what the host has, because its package is the host's array library."""
    (implementation,) = (
        implementation
        for implementation in frameworks.implementations().values()
        if implementation.framework.packages == ["numpy"]
    )
    return implementation.example(implementation.workloads[-1])


def test_an_implementation_that_computes_on_the_cpu_is_unsuited_for_a_gpu_and_for_that_alone(on_numpy):
    assert asked(on_numpy, "cpu") is None
    event = asked(on_numpy, "gpu")
    assert event["event"] == "unsuited"
    assert event["reason"].endswith("it computes on the CPU.")


def test_an_example_that_cannot_be_imported_is_absent_with_the_reason(on_numpy, tmp_path):
    broken = tmp_path / on_numpy.name
    broken.write_text("import a_package_that_nobody_has\n" + on_numpy.read_text("utf-8"), "utf-8")
    assert asked(broken, "cpu") == {"event": "absent", "reason": "No module named 'a_package_that_nobody_has'."}
