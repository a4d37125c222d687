"""A parcel: what the machine lacks and no more, whole on the other side, and never in place of what is there."""

from __future__ import annotations

import subprocess
import sys
import zipfile

import pytest

from tools.gpu_session import parcel
from tools.gpu_session.parcel import ParcelError, closure, pack, read_lock, unpack

LOCK = """\
array==1.0 \\
    --hash=sha256:aa
    # via
    #   engine
    #   layers
driver==2.0 \\
    --hash=sha256:bb
    # via engine
engine==3.0 \\
    --hash=sha256:cc
    # via
    #   -c requirements.txt
    #   -r requirements.in
    #   layers
layers==4.0 ; sys_platform == 'linux' \\
    --hash=sha256:dd \\
    --hash=sha256:ee
    # via -r requirements.in
Name_Space==5.0 \\
    --hash=sha256:ff
    # via layers
"""


@pytest.fixture
def lock(tmp_path):
    (tmp_path / "requirements.txt").write_text(LOCK, "utf-8")
    return read_lock(tmp_path / "requirements.txt")


def test_a_lock_is_read_with_its_hashes_and_what_needs_each_package(lock):
    assert list(lock) == ["array", "driver", "engine", "layers", "name-space"]
    assert lock["array"].via == {"engine", "layers"}
    assert [name for name, pinned in lock.items() if pinned.direct] == ["engine", "layers"]
    assert lock["layers"].lines.split() == [
        *("layers==4.0", ";", "sys_platform", "==", "'linux'", "\\"),
        *("--hash=sha256:dd", "\\", "--hash=sha256:ee"),
    ]


@pytest.mark.parametrize(
    ("has", "carried"),
    [
        ([], {"layers", "engine", "array", "driver", "name-space"}),
        (["array"], {"layers", "engine", "driver", "name-space"}),
        (["Engine"], {"layers", "array", "name-space"}),  # and not the driver, which only the engine needs
        (["engine", "array", "name_space"], {"layers"}),
    ],
)
def test_what_the_machine_has_is_not_carried_nor_what_only_that_needs(lock, has, carried):
    assert closure(lock, ["Layers"], has).keys() == carried


def test_of_the_hosts_lock_only_what_the_session_imports_is_carried():
    locked = read_lock(parcel.ROOT / "requirements" / "host.txt")
    carried = closure(locked, parcel.host_packages(), ["numpy"]).keys()
    assert {"filelock", "msgspec", "threadpoolctl"} <= carried
    assert not {"numpy", "rich", "uv"} & carried


@pytest.fixture
def packed(tmp_path):
    (tmp_path / "numbers").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "noise").write_bytes(b"".join(i.to_bytes(4, "big") for i in range(3, 40000, 7)))
    folder = tmp_path / "pieces"
    folder.mkdir()
    contents = {"data/deep/numbers": tmp_path / "numbers", "wheels/noise": tmp_path / "noise"}
    return folder, pack(folder, contents, "0123456789ab", 4000)


def test_the_pieces_hold_all_files_and_the_commit(packed, tmp_path):
    folder, pieces = packed
    assert len(pieces) > 2
    assert all(path.stat().st_size <= 4000 for path in pieces)
    manifest = unpack(folder, tmp_path / "out")
    assert manifest == {"commit": "0123456789ab", "code": parcel.code_digest()}
    assert (tmp_path / "out" / "data" / "deep" / "numbers").read_bytes() == (tmp_path / "numbers").read_bytes()
    assert (tmp_path / "out" / "wheels" / "noise").read_bytes() == (tmp_path / "noise").read_bytes()


def test_a_missing_piece_is_named_and_an_altered_one_refused(packed, tmp_path):
    folder, pieces = packed
    content = bytearray(pieces[1].read_bytes())
    content[17] ^= 1
    pieces[1].write_bytes(content)
    with pytest.raises(ParcelError, match="cut short or altered"):
        unpack(folder, tmp_path / "out")
    pieces[1].unlink()
    with pytest.raises(ParcelError, match=rf"holds the pieces \[1, 3.* of {len(pieces)}: copy all pieces"):
        unpack(folder, tmp_path / "out")


def test_a_folder_without_a_parcel_is_said_to_be_one(tmp_path):
    with pytest.raises(ParcelError, match=r"holds the pieces \[\]: copy all pieces of one parcel there"):
        unpack(tmp_path, tmp_path / "out")


def wheel(folder, name, files):
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
    return path


@pytest.fixture
def machine(tmp_path):
    """The Python of a machine that has the package `both`."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "machine"], check=True)
    (site,) = (tmp_path / "machine").glob("lib/python*/site-packages")
    (site / "both.py").write_text("origin = 'the machine'", "utf-8")
    return tmp_path / "machine" / "bin" / "python"


def test_the_machines_own_packages_come_before_those_of_the_parcel(machine, tmp_path):
    wheels = [
        wheel(tmp_path, "both", {"both.py": "origin = 'the parcel'"}),
        wheel(tmp_path, "new", {"new.py": "origin = 'the parcel'", "new-1.0.data/scripts/new": "#!python"}),
        wheel(tmp_path, "moved", {"moved-1.0.data/purelib/moved.py": "origin = 'the parcel'"}),
    ]
    python = parcel.environment(machine, wheels, tmp_path / "environment")
    program = "import both, moved, new; print(both.origin, new.origin, moved.origin, sep='; ')"
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "the machine; the parcel; the parcel"
    assert not list((tmp_path / "environment").rglob("*scripts*"))
    assert list((tmp_path / "environment" / "carried").rglob("*.pyc"))


def test_a_wheel_that_reaches_out_of_its_folder_is_refused(machine, tmp_path):
    with pytest.raises(ParcelError, match="lies outside"):
        parcel.environment(machine, [wheel(tmp_path, "bad", {"../../escaped.py": ""})], tmp_path / "environment")
    assert not list(tmp_path.rglob("escaped.py"))


def test_the_command_says_what_is_wrong_in_a_sentence(tmp_path):
    command = [sys.executable, "-m", "tools.gpu_session", "run", "--python", sys.executable, "--out", tmp_path / "out"]
    done = subprocess.run(
        [*command, "--parcel", tmp_path], cwd=parcel.ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("error: ")
    assert "copy all pieces" in done.stderr


def test_what_is_no_interpreter_is_named(tmp_path):
    with pytest.raises(ParcelError, match=r"no-python makes no environment in .*: .*No such file"):
        parcel.environment(tmp_path / "no-python", [], tmp_path / "environment")


def test_a_python_without_the_hosts_packages_is_told_of_the_parcel(machine, tmp_path):
    command = [machine, "-m", "tools.gpu_session", "run", "--python", machine, "--out", tmp_path / "out"]
    done = subprocess.run(command, cwd=parcel.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.endswith(": pass --parcel DIR.\n")
