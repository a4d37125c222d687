"""Fetching and checking the full data, against a server on this machine."""

import dataclasses
import functools
import gzip
import hashlib
import io
import os
import pickle
import shutil
import tarfile
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from rosetta_host.catalog import workloads
from rosetta_host.catalog.frameworks import UserError
from rosetta_host.datasets import dataset

SOURCE = workloads.get("cnn").source
FILES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path):
    """A folder, and the address under which it is served."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(Quiet, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


def batch(seed):
    images = np.random.RandomState(seed).randint(0, 256, (20, 3072)).astype(np.uint8)
    return pickle.dumps({b"data": images, b"labels": [i % 10 for i in range(20)]}, protocol=2)


def archive(extra=()):
    """The bytes of a small archive in the official layout, the same whenever it is made."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        members = [(f"{SOURCE.layout}/{name}", batch(1)) for name in FILES]
        for name, content in [*members, *extra]:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return gzip.compress(file.getvalue(), mtime=0)


def offer(monkeypatch, **changes):
    """Have the data set published otherwise."""
    workload = workloads.get("cnn")
    changed = dataclasses.replace(workload, source=dataclasses.replace(workload.source, **changes))
    monkeypatch.setattr(workloads, "get", lambda name: changed)


def publish(monkeypatch, server, content, announced=None):
    """Serve `content` as CIFAR-10's archive, announced under the digest of `announced`."""
    folder, address = server
    (folder / SOURCE.file).write_bytes(content)
    digest = hashlib.sha256(announced or content).hexdigest()
    offer(monkeypatch, url=f"{address}/{SOURCE.file}", sha256=digest)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("ROSETTA_DATA", str(folder))
    return folder


def test_the_official_archive_is_fetched_checked_and_unpacked(monkeypatch, server, cache):
    publish(monkeypatch, server, archive())
    folder, standing = dataset.locate("cnn", "epoch")
    assert (folder, standing) == (cache, "official")
    described, labels = dataset.describe("cnn", folder, standing)
    assert (described.train, described.test, described.source) == (100, 20, "official")
    assert labels.tolist() == [i % 10 for i in range(20)]


def test_what_is_there_is_not_fetched_again(monkeypatch, server, cache):
    publish(monkeypatch, server, archive())
    dataset.locate("cnn", "epoch")
    (server[0] / SOURCE.file).unlink()
    assert dataset.locate("cnn", "full")[1] == "official"


@pytest.mark.fault("truncated", outcome="A download that was cut short is refused, and not kept.")
@pytest.mark.parametrize("change", [lambda good: good[:-100], lambda good: good[:-1] + b"x"])
def test_a_download_cut_short_or_altered_is_refused_and_not_kept(monkeypatch, server, cache, change):
    good = archive()
    publish(monkeypatch, server, change(good), announced=good)
    with pytest.raises(UserError, match="is not the official CIFAR-10: it was cut short or altered"):
        dataset.locate("cnn", "epoch")
    assert list(cache.iterdir()) == []


def test_no_network_is_one_sentence(monkeypatch, server, cache):
    publish(monkeypatch, server, archive())
    offer(monkeypatch, url="http://127.0.0.1:9/nothing.tar.gz")
    with pytest.raises(UserError, match=r"could not be fetched from .*: check the network, or pass --data"):
        dataset.locate("cnn", "epoch")
    assert list(cache.iterdir()) == []


def test_an_archive_cannot_write_outside_its_folder(monkeypatch, server, cache, tmp_path):
    publish(monkeypatch, server, archive(extra=[("../../escaped", b"x")]))
    with pytest.raises(UserError, match="archive"):
        dataset.locate("cnn", "epoch")
    assert not (tmp_path / "escaped").exists()
    assert not (cache / SOURCE.layout).exists()


def lay_out(folder):
    (folder / SOURCE.layout).mkdir(parents=True)
    for name in FILES:
        (folder / SOURCE.layout / name).write_bytes(batch(2))


def test_a_copy_is_used_only_when_asked_for_and_marked(tmp_path):
    lay_out(tmp_path)
    with pytest.raises(UserError, match="is not the official copy: pass --unofficial"):
        dataset.locate("cnn", "epoch", tmp_path)
    assert dataset.locate("cnn", "epoch", tmp_path, unofficial=True) == (tmp_path, "unofficial copy")


@pytest.mark.fault("tampered", outcome="It is not official any more: it is used only with `--unofficial`, and marked.")
def test_what_the_user_laid_out_beside_an_archive_is_neither_replaced_nor_trusted(monkeypatch, server, tmp_path):
    publish(monkeypatch, server, archive())
    mine = tmp_path / "mine"
    lay_out(mine)
    (mine / SOURCE.file).write_bytes(archive())
    before = {path: path.read_bytes() for path in (mine / SOURCE.layout).iterdir()}
    with pytest.raises(UserError, match="is not the official copy: pass --unofficial"):
        dataset.locate("cnn", "epoch", mine)
    assert {path: path.read_bytes() for path in (mine / SOURCE.layout).iterdir()} == before


def edit(folder):
    (folder / SOURCE.layout / "data_batch_3").write_bytes(batch(2))


@pytest.mark.fault("tampered", outcome="It is not official any more: it is used only with `--unofficial`, and marked.")
def test_a_batch_that_was_edited_after_it_was_unpacked_is_not_official(monkeypatch, server, tmp_path):
    publish(monkeypatch, server, archive())
    (tmp_path / SOURCE.file).write_bytes(archive())
    assert dataset.locate("cnn", "epoch", tmp_path) == (tmp_path, "official")
    edit(tmp_path)
    with pytest.raises(UserError, match="is not the official copy: pass --unofficial"):
        dataset.locate("cnn", "epoch", tmp_path)
    assert dataset.locate("cnn", "epoch", tmp_path, unofficial=True) == (tmp_path, "unofficial copy")


@pytest.mark.parametrize("spoil", [edit, lambda cache: shutil.rmtree(cache / SOURCE.layout)])
def test_what_was_fetched_is_unpacked_again_where_it_is_spoilt(monkeypatch, server, cache, spoil):
    publish(monkeypatch, server, archive())
    dataset.locate("cnn", "epoch")
    spoil(cache)
    assert dataset.locate("cnn", "epoch") == (cache, "official")
    assert (cache / SOURCE.layout / "data_batch_3").read_bytes() == batch(1)


def test_an_archive_in_a_folder_of_ones_own_is_unpacked(monkeypatch, server, tmp_path):
    publish(monkeypatch, server, archive())
    (tmp_path / SOURCE.file).write_bytes(archive())
    assert dataset.locate("cnn", "epoch", tmp_path) == (tmp_path, "official")
    assert dataset.locate("cnn", "epoch", tmp_path) == (tmp_path, "official")  # what it unpacked itself it knows again


def test_a_folder_that_cannot_be_written_is_one_sentence(monkeypatch, server, tmp_path):
    publish(monkeypatch, server, archive())
    (tmp_path / SOURCE.file).write_bytes(archive())

    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(dataset.tempfile, "TemporaryDirectory", refuse)
    with pytest.raises(UserError, match=r"The archive .* cannot be unpacked: .*Permission denied"):
        dataset.locate("cnn", "epoch", tmp_path)


def test_a_folder_that_is_not_there_or_empty_is_named(tmp_path):
    with pytest.raises(UserError, match="There is no folder"):
        dataset.locate("cnn", "epoch", tmp_path / "nowhere", unofficial=True)
    with pytest.raises(UserError, match=r"holds no imdb\.npz"):
        dataset.locate("gru", "epoch", tmp_path, unofficial=True)


def test_data_of_the_wrong_shape_is_one_sentence(tmp_path):
    lay_out(tmp_path)
    wrong = pickle.dumps({b"data": np.zeros((20, 100), np.uint8), b"labels": [0] * 20}, protocol=2)
    (tmp_path / SOURCE.layout / "test_batch").write_bytes(wrong)
    with pytest.raises(UserError, match=r"test_batch holds images of shape \(20, 100\)"):
        dataset.describe("cnn", tmp_path, "unofficial copy")


def test_the_quick_preset_needs_no_fetching():
    folder, standing = dataset.locate("gru", "quick")
    described, labels = dataset.describe("gru", folder, standing)
    assert standing == "embedded sample"
    assert described.test == len(labels)


def test_the_digest_tells_data_apart(tmp_path):
    lay_out(tmp_path)
    first = dataset.describe("cnn", tmp_path, "a")[0].digest
    (tmp_path / SOURCE.layout / "data_batch_5").write_bytes(batch(3))
    assert dataset.describe("cnn", tmp_path, "b")[0].digest != first


def test_who_reads_one_folder_waits_for_who_reads_another(tmp_path):
    """The variable is of the whole process, and certificates run side by side in it."""
    entered, seen = threading.Event(), []

    def second():
        with dataset.reading(tmp_path / "second"):
            entered.set()
            seen.append(os.environ["ROSETTA_DATA"])

    with dataset.reading(tmp_path / "first"):
        other = threading.Thread(target=second)
        other.start()
        assert not entered.wait(0.2)
        assert os.environ["ROSETTA_DATA"] == str(tmp_path / "first")
    other.join()
    assert seen == [str(tmp_path / "second")]
