"""Asks an implementation's own process whether its framework is there, and holds code for this machine's GPU.

Runs in the interpreter of the implementations: python -m tools.gpu_session.chip EXAMPLE DEVICE --events FD. It reports
the event "absent" with the reason why the example cannot be imported, "unsuited" with the reason why it cannot compute
on the GPU, or nothing. Any other error is the example's, and its certificate reports it."""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import re
import sys
from typing import Any

from rosetta_common import run

DRIVER = re.compile(r"/libcuda\.so")
DEVICE = re.compile(r"/dev/nvidia\d|/dev/kfd")  # what a framework maps that drives the GPU by itself


def torch_reason(torch: Any) -> str | None:
    """Why PyTorch's build cannot compute on this GPU; None if it can."""
    if not torch.cuda.is_available():
        return "its build of PyTorch sees no GPU."
    chip, built = torch.cuda.get_device_capability(), torch.cuda.get_arch_list()
    if any(runs_on(arch, chip) for arch in built):
        return None
    return f"its build of PyTorch holds code for {', '.join(built)} only, and this GPU is sm_{chip[0]}{chip[1]}."


def runs_on(arch: str, chip: tuple[int, int]) -> bool:
    """Whether code for an architecture, as "sm_90", runs on a chip of this capability, as (9, 0).

    Machine code runs on later chips of its major version; with the suffix a on its own chip only. PTX, "compute_90", is
    compiled for any later chip. (NVIDIA, CUDA C++ Programming Guide, "Application Compatibility")
    """
    kind, _, number = arch.partition("_")
    exact, digits = number.endswith("a"), number.rstrip("af")
    version = int(digits[:-1]), int(digits[-1])
    if exact:
        return version == chip
    return version <= chip if kind == "compute" else version[0] == chip[0] and version <= chip


def jax_reason(jax: Any) -> str | None:
    """Why JAX cannot compute on this GPU; None if it can."""
    platform = jax.devices()[0].platform
    return None if platform == "gpu" else f"its JAX computes on the device {platform!r} here."


def cupy_reason(cupy: Any) -> str | None:
    """Why CuPy cannot compute on this GPU; None if it compiles a kernel for it."""
    try:
        (cupy.arange(3) + 1).sum().item()
    except Exception as error:  # whatever the compiler or the driver raises is the reason
        return f"CuPy compiles no kernel for this GPU: {last_line(error)}"
    return None


# Library -> what asks it. An implementation is asked about those that its example imports; one that imports none trains
# a step.
QUESTIONS = {"torch": torch_reason, "jax": jax_reason, "cupy": cupy_reason}


def last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[-1].rstrip(".") + "."


def computes_on_gpu() -> bool:
    """Whether this process has a context on a GPU.

    That it has loaded the driver is not enough: some builds do, and go on without a GPU where a library is missing.
    """
    with open("/proc/self/maps") as file:
        maps = file.read()
    return has_context(ctypes.CDLL("libcuda.so.1")) if DRIVER.search(maps) else DEVICE.search(maps) is not None


def has_context(driver: Any) -> bool:
    """Whether this thread has a context of CUDA's driver, or its process the primary one of the first GPU."""
    current, flags, active = ctypes.c_void_p(), ctypes.c_uint(), ctypes.c_int()
    if driver.cuCtxGetCurrent(ctypes.byref(current)) == 0 and current.value:
        return True
    failed = driver.cuDevicePrimaryCtxGetState(0, ctypes.byref(flags), ctypes.byref(active))
    return failed == 0 and active.value == 1


def unsuited(example: Any, batch_size: int) -> str | None:
    """Why this example cannot compute on this machine's GPU; None if it can."""
    answers = [question(sys.modules[name]) for name, question in QUESTIONS.items() if name in sys.modules]
    if answers:
        return next(filter(None, answers), None)
    x, _, y, _ = example.load_data()
    model = example.init_model(example.create_symbol())
    example.train(model, x[:batch_size], y[:batch_size])
    return None if computes_on_gpu() else "after a step its process has no context on a GPU: it computes on the CPU."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("example")
    parser.add_argument("device", choices=["cpu", "gpu"])
    parser.add_argument("--events", type=int)
    options = parser.parse_args()

    def emit(event: str, reason: str) -> None:
        with os.fdopen(options.events, "w") as stream:
            print(json.dumps({"event": event, "reason": reason}), file=stream)

    try:
        example = run.load_example(options.example)
    except Exception as error:  # a package that is missing shows in many ways: as a backend that is not found, too
        emit("absent", last_line(error))
        return
    if options.device == "gpu":
        reason = unsuited(example, run.settings_of(run.workload_of(options.example)).batch_size)
        if reason:
            emit("unsuited", reason)


if __name__ == "__main__":
    main()
