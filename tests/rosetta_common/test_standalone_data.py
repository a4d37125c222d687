"""Where a script that runs alone finds its data; a file on this machine stands in for the publisher's server."""

import hashlib
import io
import os
import tarfile
from types import SimpleNamespace

import numpy as np
import pytest

from rosetta_common import standalone_data

LAYOUT = "cifar-10-batches-py"
FILES = ["data_batch_1", "data_batch_2", "test_batch"]


def batch(seed):
    return np.random.RandomState(seed).bytes(3072)


def archive(*others):
    """The bytes of a small archive in the official layout, with these other members."""
    members = []
    for seed, name in enumerate(FILES):
        members.append((tarfile.TarInfo(LAYOUT + "/" + name), batch(seed)))
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for member, content in [*members, *others]:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return file.getvalue()


def publish(monkeypatch, tmp_path, content, announced=None, name="cifar-10-python.tar.gz", layout=LAYOUT):
    """Let a file with this content be the published one, announced under the digest of `announced`."""
    served = tmp_path / "served"
    served.mkdir(exist_ok=True)
    (served / name).write_bytes(content)
    digest = hashlib.sha256(announced or content).hexdigest()
    source = SimpleNamespace(name="It", url=(served / name).as_uri(), sha256=digest, layout=layout)
    monkeypatch.setattr(standalone_data, "source", source)
    return served / name


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The folder that ROSETTA_DATA names, not there yet."""
    folder = tmp_path / "some" / "data"
    monkeypatch.setenv("ROSETTA_DATA", str(folder))
    return folder


def test_what_is_missing_is_fetched_checked_and_unpacked(monkeypatch, tmp_path, place):
    publish(monkeypatch, tmp_path, archive())
    assert standalone_data.located(LAYOUT) == str(place / LAYOUT)
    assert [path.name for path in place.iterdir()] == [LAYOUT]
    assert [(place / LAYOUT / name).read_bytes() for name in FILES] == [batch(seed) for seed in range(3)]


def test_a_file_that_needs_no_unpacking_is_kept_as_it_is(monkeypatch, tmp_path, place):
    publish(monkeypatch, tmp_path, b"reviews", name="imdb.npz", layout="imdb.npz")
    standalone_data.located("imdb.npz")
    assert (place / "imdb.npz").read_bytes() == b"reviews"
    assert len(list(place.iterdir())) == 1


def test_without_a_variable_the_data_lies_in_the_working_directory(monkeypatch, tmp_path):
    monkeypatch.delenv("ROSETTA_DATA", raising=False)
    monkeypatch.chdir(str(tmp_path))
    publish(monkeypatch, tmp_path, archive())
    assert standalone_data.located(LAYOUT) == os.path.join("data", LAYOUT)
    assert (tmp_path / "data" / LAYOUT / "test_batch").exists()


def test_what_is_there_is_not_fetched_again(monkeypatch, tmp_path, place):
    publish(monkeypatch, tmp_path, archive()).unlink()
    (place / LAYOUT).mkdir(parents=True)
    assert standalone_data.located(LAYOUT) == str(place / LAYOUT)


@pytest.mark.parametrize("change", [lambda good: good[:-100], lambda good: good[:-1] + b"x"])
def test_a_file_cut_short_or_altered_is_refused_before_it_is_unpacked(monkeypatch, tmp_path, place, change):
    publish(monkeypatch, tmp_path, change(archive()), announced=archive())
    monkeypatch.setattr(standalone_data, "unpack", lambda *_: pytest.fail("it was unpacked"))
    with pytest.raises(standalone_data.DataError, match=r"is not the official It \(SHA-256 [0-9a-f]{64}\): try again"):
        standalone_data.located(LAYOUT)
    assert not place.exists()


def test_no_network_is_one_sentence_and_leaves_no_folder(monkeypatch, tmp_path, place):
    publish(monkeypatch, tmp_path, b"x").unlink()
    with pytest.raises(
        standalone_data.DataError, match=r"It could not be fetched from file.*: check the network and the"
    ):
        standalone_data.located(LAYOUT)
    assert not place.exists()


def test_what_the_folder_held_before_a_failure_it_holds_after(monkeypatch, tmp_path, place):
    publish(monkeypatch, tmp_path, b"x").unlink()
    place.mkdir(parents=True)
    (place / "mine").write_bytes(b"x")
    with pytest.raises(standalone_data.DataError):
        standalone_data.located(LAYOUT)
    assert [path.name for path in place.iterdir()] == ["mine"]


def test_a_variable_that_names_a_file_is_one_sentence(monkeypatch, tmp_path, place):
    publish(monkeypatch, tmp_path, archive())
    place.parent.mkdir()
    place.write_bytes(b"mine")
    with pytest.raises(
        standalone_data.DataError, match=r"File exists.*let ROSETTA_DATA name a folder that holds cifar-10-batch"
    ):
        standalone_data.located(LAYOUT)
    assert place.read_bytes() == b"mine"


def test_an_archive_that_cannot_be_unpacked_leaves_nothing(monkeypatch, tmp_path, place):
    publish(monkeypatch, tmp_path, b"no archive at all")
    with pytest.raises(tarfile.TarError):
        standalone_data.located(LAYOUT)
    assert not place.exists()


def test_only_plain_files_of_the_layout_are_extracted(monkeypatch, tmp_path, place):
    link = tarfile.TarInfo(LAYOUT + "/link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    others = [
        tarfile.TarInfo(name) for name in ("../escaped", LAYOUT + "/../../escaped", LAYOUT + "/deep/file", "beside")
    ]
    publish(monkeypatch, tmp_path, archive((link, b""), *((member, b"x") for member in others)))
    standalone_data.located(LAYOUT)
    assert sorted(path.name for path in (place / LAYOUT).iterdir()) == sorted(FILES)
    assert [path.name for path in place.iterdir()] == [LAYOUT]
    assert not list(tmp_path.rglob("escaped"))
