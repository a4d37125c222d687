"""Records: one file a run, atomic, never overwritten, one schema."""

import json

import msgspec
import pytest

from rosetta_host.catalog.frameworks import UserError
from rosetta_host.records import store
from rosetta_host.records.store import AnyRecord, BenchmarkRecord, CertificateRecord, Machine


def made(**fields):
    common = {
        "schema": store.SCHEMA,
        "status": "ok",
        "framework": "alpha",
        "workload": "cnn",
        "created": "20260101T000000.000000Z",
        "machine": Machine("box", "Box"),
        "device": "cpu",
        "preset": "full",
    }
    return BenchmarkRecord(**{**common, **fields})


def test_a_record_comes_back_as_it_was_written(tmp_path):
    record = made(accuracy=0.5, backend="beta", losses=[1.0, 0.5], packages={"numpy": "2"})
    path = store.write(record, tmp_path)
    assert path == tmp_path / "benchmark" / "box" / "alpha-beta-cnn-20260101T000000.000000Z.json"
    assert store.read(path) == record
    assert list(path.parent.iterdir()) == [path]


def test_a_record_is_never_overwritten(tmp_path):
    path = store.write(made(accuracy=0.5), tmp_path)
    later = store.write(made(accuracy=0.9), tmp_path)
    assert later == path.with_name(path.name.replace("000000Z", "000001Z"))
    assert [store.read(written).accuracy for written in (path, later)] == [0.5, 0.9]
    assert sorted(path.parent.iterdir()) == [path, later]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"schema": 1}', '{"schema": "one"}', '{"schema": 1, "kind": "parity", "checks": [{}]}'],
)
def test_what_is_no_record_is_refused_by_name(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"x\.json is not a record"):
        store.read(path)


def test_another_schema_is_refused(tmp_path):
    path = store.write(made(schema=store.SCHEMA + 1), tmp_path)
    with pytest.raises(UserError, match="follows schema"):
        store.read(path)


def test_a_schema_before_the_first_is_refused(tmp_path):
    path = store.write(made(schema=0), tmp_path)
    with pytest.raises(UserError, match="follows schema"):
        store.read(path)


def test_whose_training_became_compiled_is_declared_in_its_folder(tmp_path, monkeypatch):
    folder = tmp_path / "examples" / "alpha"
    folder.mkdir(parents=True)
    text = 'name = "A"\npackage = "a"\nsince = "2020"\nhome_page = "https://a.example"\n'
    text += 'environment = { python = "3.13" }\n[cnn]\ncompiled_since_schema = 2\n'
    (folder / "framework.toml").write_text(text)
    monkeypatch.setattr(store.frameworks, "EXAMPLES", tmp_path / "examples")
    path = store.write(made(schema=1), tmp_path / "records")
    store.write(made(schema=1, workload="gru"), tmp_path / "records")
    assert store.read(path).variant == "train_eager"
    records = store.read_all([tmp_path / "records"])
    assert {record.workload: record.variant for record in records} == {"cnn": "train_eager", "gru": None}


def test_a_file_is_read_as_the_kind_that_it_names(tmp_path):
    fields = {name: getattr(made(), name) for name in ("schema", "status", "framework", "workload", "created")}
    record = CertificateRecord(**fields, machine=Machine("box", "Box"), device="cpu", checks=[])
    path = store.write(record, tmp_path)
    assert path.parts[-3] == "certificate"
    assert store.read(path) == record
    assert store.of_kind([made(), record], CertificateRecord) == [record]


def test_a_file_without_a_field_of_its_kind_is_refused(tmp_path):
    path = store.write(made(), tmp_path)
    path.write_text(path.read_text().replace('"preset"', '"reset"'))
    with pytest.raises(UserError, match="preset"):
        store.read(path)


def test_an_unknown_status_is_refused(tmp_path):
    path = store.write(made(), tmp_path)
    path.write_text(path.read_text().replace('"ok"', '"fine"'))
    with pytest.raises(UserError, match="fine"):
        store.read(path)


def test_all_committed_records_follow_the_schema():
    assert [store.read(path) for path in store.paths([store.COMMITTED])]


def test_the_committed_schema_is_the_codes():
    path = store.COMMITTED / "schema.json"
    schema = json.loads(msgspec.json.encode(msgspec.json.schema(AnyRecord)))
    assert json.loads(path.read_text("utf-8")) == schema, "run: python -m rosetta_host.records.store"


def test_read_all_is_in_order_of_time(tmp_path):
    for created in ("20260102T000000.000000Z", "20260101T000000.000000Z"):
        store.write(made(created=created), tmp_path)
    assert [record.created[:8] for record in store.read_all([tmp_path])] == ["20260101", "20260102"]
