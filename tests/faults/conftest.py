"""What the tests of faults share: the framework of the host's tests, whose example needs NumPy alone."""

import msgspec
import pytest

from rosetta_host.benchmark import runs
from rosetta_host.catalog import frameworks
from rosetta_host.records import machine
from tests.rosetta_host.conftest import folder, one_thread, wait_for  # noqa: F401

# Told to a sweep before it starts: to measure the rate of the matrix product takes seconds, and no test here needs it.
NO_RATE = "from rosetta_host.records import machine; machine.matmul_rate = lambda: 1e9\n"


@pytest.fixture
def benchmark(folder):  # noqa: F811
    """A function that runs the example once, with one edit of its text and fields of the job; it returns the record."""

    def run(old="", new="", **fields):
        path = folder / "gru.py"
        text = path.read_text()
        assert text.count(old) == 1 or not old
        path.write_text(text.replace(old, new) if old else text)
        (job,) = runs.jobs([*frameworks.implementations().values()], ["gru"], "quick", "cpu", 1, None, False)
        where = msgspec.structs.replace(machine.describe("box"), matmul_rate=1e9)
        return runs.benchmark(msgspec.structs.replace(job, **fields), where, lambda job, event: None)

    return run
