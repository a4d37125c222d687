"""Data that is not what it was published as, or not what it was when a run began."""

import io
import pickle
import random
import shutil
import tarfile

import numpy as np
import pytest

from rosetta_host.catalog import workloads
from rosetta_host.catalog.frameworks import WORKLOADS, UserError
from rosetta_host.datasets import dataset
from tests.rosetta_host.datasets.test_dataset import SOURCE, cache, lay_out, publish, server  # noqa: F401

SAMPLE = workloads.sample("gru")


@pytest.fixture
def copy(tmp_path):
    """A folder of one's own with the small sample of reviews."""
    folder = tmp_path / "data"
    shutil.copytree(SAMPLE, folder)
    return folder


@pytest.mark.fault("truncated", outcome="One sentence names the file; nothing runs on it.")
@pytest.mark.parametrize("workload", WORKLOADS)
def test_data_cut_short_anywhere_is_one_sentence(tmp_path, workload):
    folder, draw = tmp_path / "data", random.Random(workload)
    shutil.copytree(workloads.sample(workload), folder)
    layout = folder / workloads.get(workload).source.layout
    files = [layout] if layout.is_file() else sorted(layout.glob("*_batch*"))
    for _ in range(20):
        path = draw.choice(files)
        whole = path.read_bytes()
        path.write_bytes(whole[: draw.randrange(len(whole))])
        with pytest.raises(UserError, match="fetch or unpack the data again"):
            dataset.describe(workload, folder, "unofficial copy")
        path.write_bytes(whole)
    dataset.describe(workload, folder, "unofficial copy")


@pytest.mark.fault("tampered", outcome="It is refused, or its record has another digest.")
@pytest.mark.parametrize("workload", WORKLOADS)
def test_a_changed_byte_is_refused_or_changes_the_digest(tmp_path, workload):
    folder, draw = tmp_path / "data", random.Random(workload)
    shutil.copytree(workloads.sample(workload), folder)
    good = dataset.describe(workload, folder, "copy")[0].digest
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".md"]
    digests = set()
    for _ in range(20):
        path = draw.choice(files)
        whole = path.read_bytes()
        at = draw.randrange(len(whole))
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << draw.randrange(8)]) + whole[at + 1 :])
        try:
            digests.add(dataset.describe(workload, folder, "copy")[0].digest)
        except UserError:
            digests.add("refused")
        path.write_bytes(whole)
    assert digests - {good}


SWAP = """
    path = os.path.join(os.environ["ROSETTA_DATA"], "imdb.npz")
    with open(path, "rb") as file:
        content = file.read()
    with open(path + ".new", "wb") as file:
        file.write(content{change})
    os.replace(path + ".new", path)
    return 0.5
"""


@pytest.mark.fault("swapped", outcome="The run is `failed`: its record must name the data that it used.")
@pytest.mark.parametrize("change", ["", "[:-10]"])
def test_data_that_is_swapped_during_a_run_fails_it(benchmark, copy, change):
    record = benchmark("    return 0.5", SWAP.format(change=change), data=copy, standing="unofficial copy")
    assert (record.status, record.reason) == ("failed", "The data changed during the run: run it again.")


@pytest.mark.fault("swapped", outcome="The next run of a sweep reads and names the new data.")
def test_data_that_is_swapped_between_two_runs_is_read_anew(benchmark, copy):
    first = benchmark(data=copy, standing="unofficial copy")
    with np.load(copy / "imdb.npz", allow_pickle=True) as file:
        arrays = {name: file[name] for name in file.files}
    arrays["y_train"] = 1 - arrays["y_train"]
    np.savez(copy / "imdb.npz", **arrays)
    second = benchmark(data=copy, standing="unofficial copy")
    assert first.status == second.status == "ok"
    assert first.data.digest != second.data.digest


@pytest.mark.fault("swapped", outcome="Data that cannot be read any more fails its runs alone; the sweep goes on.")
def test_data_that_is_gone_is_a_record(benchmark, copy):
    (copy / "imdb.npz").unlink()
    record = benchmark(data=copy, standing="unofficial copy")
    assert record.status == "failed"
    assert "imdb.npz is not the IMDB archive" in record.reason


def member(name, kind=tarfile.REGTYPE, target="", content=b"x"):
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.size = kind, target, len(content) if kind == tarfile.REGTYPE else 0
    return made, io.BytesIO(content)


ESCAPES = {
    "a path above": [member("../escaped")],
    "a path from the root": [member("{outside}/escaped")],
    "a link to a file outside": [member(f"{SOURCE.layout}/data_batch_1", tarfile.SYMTYPE, "/etc/passwd")],
    "a link to a folder outside, and a file through it": [
        member(f"{SOURCE.layout}/link", tarfile.SYMTYPE, "{outside}"),
        member(f"{SOURCE.layout}/link/escaped"),
    ],
    "a hard link to a file outside": [member(f"{SOURCE.layout}/data_batch_1", tarfile.LNKTYPE, "../../outside/secret")],
    "a device": [member(f"{SOURCE.layout}/data_batch_1", tarfile.CHRTYPE)],
    "the folder itself as a link": [member(SOURCE.layout, tarfile.SYMTYPE, "{outside}")],
}


@pytest.mark.fault("escape", outcome="It is refused in one sentence; nothing is written outside, and nothing stays.")
@pytest.mark.parametrize("way", ESCAPES)
def test_an_archive_leads_nowhere_else(monkeypatch, server, cache, tmp_path, way):  # noqa: F811
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for made, content in ESCAPES[way]:
            made.name, made.linkname = (text.format(outside=outside) for text in (made.name, made.linkname))
            content.seek(0)
            tar.addfile(made, content)
    publish(monkeypatch, server, file.getvalue())
    with pytest.raises(UserError, match="cannot be unpacked"):
        dataset.locate("cnn", "epoch")
    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert [path.name for path in cache.iterdir()] == [SOURCE.file]


class Code:
    def __reduce__(self):
        return print, ("this code must not run",)


@pytest.mark.fault("pickle", outcome="It is refused without `--unofficial`; with it, no code in it runs.")
def test_a_pickle_of_unknown_digest_is_refused_and_runs_no_code(tmp_path, capfd):
    lay_out(tmp_path)
    (tmp_path / SOURCE.layout / "data_batch_2").write_bytes(pickle.dumps(Code()))
    with pytest.raises(UserError, match="is not the official copy: pass --unofficial"):
        dataset.locate("cnn", "epoch", tmp_path)
    folder, standing = dataset.locate("cnn", "epoch", tmp_path, unofficial=True)
    with pytest.raises(UserError, match=r"data_batch_2 is no CIFAR-10 batch .*refers to"):
        dataset.describe("cnn", folder, standing)
    assert capfd.readouterr().out == ""


ODD = {
    "labels that are none": pickle.dumps({b"data": np.zeros((20, 3072), np.uint8), b"labels": None}, protocol=2),
    "bytes without end": b"\x80\x04\x8e" + (2**62).to_bytes(8, "little"),
    "an object that was never stored": b"h\x05.",
    "nothing": b"",
}


@pytest.mark.fault("pickle", outcome="Whatever it holds, one sentence says that it cannot be read.")
@pytest.mark.parametrize("what", ODD)
def test_a_pickle_of_anything_is_one_sentence(tmp_path, what):
    lay_out(tmp_path)
    (tmp_path / SOURCE.layout / "data_batch_2").write_bytes(ODD[what])
    with pytest.raises(UserError, match="fetch or unpack the data again"):
        dataset.describe("cnn", tmp_path, "unofficial copy")
