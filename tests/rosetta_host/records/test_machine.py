"""What a machine is called, and who made its processor."""

import io
import subprocess
import sys
import types

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


@pytest.fixture
def system(monkeypatch):
    """system(files): what the system's files hold, by their path; the others are not there."""

    def write(files):
        monkeypatch.setattr(machine, "_text", lambda path: files.get(str(path), ""))

    return write


def test_a_boot_a_governor_and_smt_are_told_where_the_system_tells_them(system):
    system(
        {
            "/proc/sys/kernel/random/boot_id": "1f-2e",
            "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave",
            "/sys/devices/system/cpu/smt/active": "1",
        }
    )
    described = machine.describe()
    assert (described.boot, described.governor, described.smt) == ("1f-2e", "powersave", True)
    system({"/sys/devices/system/cpu/smt/active": "0"})
    described = machine.describe()
    assert (described.boot, described.governor, described.smt) == (None, None, False)


@pytest.mark.parametrize(
    ("answer", "flags", "kind"),
    [("kvm\n", "", "kvm"), ("none\n", "fpu", None), ("none\n", "fpu hypervisor", "unknown"), (None, "fpu", None)],
)
def test_the_hypervisor_is_what_the_system_detects_or_a_flag_of_the_processor(
    answer, flags, kind, cpuinfo, monkeypatch
):
    def run(command, **options):
        if answer is None or command[0] != "systemd-detect-virt":
            raise FileNotFoundError(command[0])
        return subprocess.CompletedProcess(command, 0, answer)

    monkeypatch.setattr(machine.subprocess, "run", run)
    cpuinfo(f"{INTEL}flags\t: {flags}\n")
    assert machine.describe().hypervisor == kind


def test_the_microarchitecture_is_that_of_archspec_where_it_is_there(monkeypatch):
    host = types.SimpleNamespace(host=lambda: types.SimpleNamespace(name="zen4"))
    monkeypatch.setitem(sys.modules, "archspec", types.SimpleNamespace(cpu=host))
    assert machine.describe().microarchitecture == "zen4"
    monkeypatch.setitem(sys.modules, "archspec", None)
    assert machine.describe().microarchitecture is None


def test_steal_and_pressure_are_shares_of_the_time_between_two_readings(system, monkeypatch):
    pressure = "some avg10=0.00 avg60=0.00 avg300=0.00 total={}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7"

    def reading(stat, waited, clock):
        system({"/proc/stat": f"{stat}\ncpu0 1", "/proc/pressure/cpu": pressure.format(waited)})
        monkeypatch.setattr(machine.time, "monotonic", lambda: clock)
        return machine.counters()

    before = reading("cpu  100 0 0 100 0 0 0 10 50 0", 1_000_000, 20.0)
    after = reading("cpu  160 0 0 115 0 0 0 35 90 0", 3_000_000, 28.0)  # the time of guests is a part of that of users
    assert machine.strain(before, after) == (0.25, 0.25)
    assert machine.strain(before, after._replace(stolen=5))[0] == 0.0  # a hypervisor may count back
    system({})
    assert machine.strain(machine.counters(), machine.counters()) == (None, None)


def test_rates_that_are_measured_are_kept():
    measured = machine.measured(machine.describe("The desk"))
    assert measured.matmul_rate > 1e8
    assert measured.copy_rate > 1e7
    assert machine.measured(measured) == measured
