"""What a machine is called, and who made its processor."""

import io

import pytest

from rosetta_host.records import machine

INTEL = "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz\n"
VIRTUAL = "vendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 1\nmodel name\t: AMD EPYC Processor\n"


@pytest.fixture
def cpuinfo(monkeypatch):
    """cpuinfo(text): what /proc/cpuinfo holds; None: there is none."""

    def write(text):
        def opened(path):
            assert path == "/proc/cpuinfo"
            if text is None:
                raise FileNotFoundError(path)
            return io.StringIO(text)

        monkeypatch.setattr(machine, "open", opened, raising=False)

    return write


def test_a_machine_is_named_by_its_processor_and_cores(cpuinfo):
    cpuinfo(INTEL)
    described = machine.describe()
    assert described.cpu == "Intel Xeon Gold 6230 @ 2.10GHz"
    assert described.name == f"Intel Xeon Gold 6230 @ 2.10GHz, {machine.cores()} cores"
    assert described.id == f"intel-xeon-gold-6230-2-10ghz-{machine.cores()}-cores"
    assert machine.describe("The desk").id == "the-desk"


def test_a_processor_that_hides_its_number_is_told_from_others_by_family_and_model(cpuinfo, monkeypatch):
    cpuinfo(VIRTUAL)
    monkeypatch.setattr(machine, "cores", lambda: 1)
    assert machine.describe().name == "AMD EPYC (family 25, model 1), 1 core"
    assert machine.describe().id == "amd-epyc-family-25-model-1-1-core"


def test_the_vendor_is_told_where_the_machine_tells_it(cpuinfo):
    cpuinfo(INTEL)
    assert machine.vendor() == "GenuineIntel"
    cpuinfo("processor : 0\n")
    assert machine.vendor() is None
    cpuinfo(None)
    assert machine.vendor() is None
    assert machine.describe().cpu
