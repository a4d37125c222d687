"""What a certificate holds for: code and declarations, not prose."""

import shutil

import pytest

from rosetta_host.catalog import frameworks
from rosetta_host.environments import digests

CODE = '''
"""A docstring."""
from rosetta_common.data import minibatches

def train(model, x, y):
    """Another."""
    # a comment
    return [f"{x!r}", 1.5, (y,), None, -1]
'''
# On Python 3.11 to 3.13 alike: ast.dump changed in 3.13, and certificates must not go stale with the host's Python.
DIGEST = "3e6a1c36a613a01104f3074b09f845265a5898e0edd29a903f2581fc99e354fe"


def digest(tmp_path, text):
    path = tmp_path / "cnn.py"
    path.write_text(text)
    return digests.example_digest(path)


def test_the_digest_does_not_depend_on_the_hosts_python(tmp_path):
    assert digest(tmp_path, CODE) == DIGEST


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("A docstring", "Prose"),
        ("Another.", "Other."),
        ("# a comment", "# said\n    # better"),
        ("\n    return", "\n\n    return"),
    ],
)
def test_prose_and_layout_do_not_count(tmp_path, old, new):
    assert digest(tmp_path, CODE.replace(old, new)) == digest(tmp_path, CODE)


@pytest.mark.parametrize(("old", "new"), [("1.5", "1.50001"), ("(y,)", "y"), ("model, x", "x, model"), ("-1", "1")])
def test_code_counts(tmp_path, old, new):
    assert digest(tmp_path, CODE.replace(old, new)) != digest(tmp_path, CODE)


def test_shared_modules_are_followed(tmp_path):
    path = tmp_path / "cnn.py"
    path.write_text(CODE)
    assert {module.name for module in digests.shared_modules(path)} == {"data.py"}


def test_the_lock_the_declarations_and_the_setup_step_count(tmp_path):
    folder = tmp_path / "alpha"
    folder.mkdir()
    toml = 'name="A"\npackage="a"\nsince="2020"\nhome_page="h"\n[environment]\npython="3.11"\nsetup="setup_it.py"\n'
    files = {
        "framework.toml": toml,
        "cnn.py": CODE,
        "requirements.txt": "numpy==2.0",
        "setup_it.py": "1",
        "stub.c": "int a;",
    }
    for name, text in files.items():
        (folder / name).write_text(text)

    def found():
        return digests.digests(frameworks.implementations(tmp_path)["alpha"], "cnn")

    before = found()
    assert set(before) == {"example", "shared", "framework", "lock", "runner"}
    for name, key in (("requirements.txt", "lock"), ("stub.c", "lock"), ("setup_it.py", "lock"), ("cnn.py", "example")):
        (folder / name).write_text(files[name] + "\n2")
        after = found()
        assert {k for k in before if after[k] != before[k]} == {key}, name
        (folder / name).write_text(files[name])
    declared = {
        '[variables.COLOUR]\nvalue="red"\nreason="it shows"\n': {"framework"},
        "[cnn]\nfloat64=true\n": {"framework"},
        "[gru]\nfloat64=true\n": set(),
    }
    for text, keys in declared.items():
        (folder / "framework.toml").write_text(toml + text)
        assert {k for k in before if found()[k] != before[k]} == keys, text
    (folder / "framework.toml").write_text(toml.replace('"A"', '"B"'))
    assert found() == before  # what a reader alone is told may change


def test_a_list_for_a_gpu_counts_there_alone(tmp_path):
    folder = tmp_path / "alpha"
    folder.mkdir()
    toml = 'name="A"\npackage="a"\nsince="2020"\nhome_page="h"\n[environment]\npython="3.11"\n'
    files = {"framework.toml": toml, "cnn.py": CODE, "requirements.txt": "a==1"}
    for name, text in files.items():
        (folder / name).write_text(text)

    def found():
        implementation = frameworks.implementations(tmp_path)["alpha"]
        return {device: digests.digests(implementation, "cnn", device) for device in ("cpu", "gpu")}

    before = found()
    (folder / "requirements-gpu.txt").write_text("b==1")
    after = found()
    assert after["cpu"] == before["cpu"]
    assert {key for key in before["gpu"] if after["gpu"][key] != before["gpu"][key]} == {"lock"}


def test_a_variable_of_one_device_counts_there_alone(tmp_path):
    folder = tmp_path / "alpha"
    folder.mkdir()
    toml = 'name="A"\npackage="a"\nsince="2020"\nhome_page="h"\n[environment]\npython="3.11"\n'
    for name, text in {"framework.toml": toml, "cnn.py": CODE, "requirements.txt": "a==1"}.items():
        (folder / name).write_text(text)

    def changed(text):
        (folder / "framework.toml").write_text(toml + text)
        implementation = frameworks.implementations(tmp_path)["alpha"]
        return {device for device in before if digests.declared_digest(implementation, "cnn", device) != before[device]}

    implementation = frameworks.implementations(tmp_path)["alpha"]
    before = {device: digests.declared_digest(implementation, "cnn", device) for device in ("cpu", "gpu")}
    variable = '{ value="1", reason="r"'
    for where in ("variables.X", "environment.variables.X", "cnn.variables.X"):
        table, name = where.rsplit(".", 1)
        assert changed(f'[{table}]\n{name}={variable}, device="gpu" }}\n') == {"gpu"}, where
        assert changed(f"[{table}]\n{name}={variable} }}\n") == {"cpu", "gpu"}, where
    assert changed('[cnn]\nslow_because="it thinks"\n') == {"cpu", "gpu"}  # an empty table, as it always counted


def test_that_a_variable_is_for_the_cpu_alone_changes_nothing_there(tmp_path):
    folder = tmp_path / "alpha"
    folder.mkdir()
    toml = 'name="A"\npackage="a"\nsince="2020"\nhome_page="h"\n[environment]\npython="3.11"\n[variables.X]\n'
    toml += 'value="1"\nreason="r"\n'
    (folder / "cnn.py").write_text(CODE)

    def found(text):
        (folder / "framework.toml").write_text(text)
        implementation = frameworks.implementations(tmp_path)["alpha"]
        return {device: digests.declared_digest(implementation, "cnn", device) for device in ("cpu", "gpu")}

    before, after = found(toml), found(toml + 'device="cpu"\n')
    assert after["cpu"] == before["cpu"]
    assert after["gpu"] != before["gpu"]


def test_a_borrowed_environments_variables_count(tmp_path):
    toml = 'name="A"\npackage="a"\nsince="2020"\nhome_page="h"\n'
    own = toml + '[environment]\npython="3.11"\n[environment.variables.FLAG]\nvalue="{}"\nreason="{}"\n'
    for name, text in {"owner": own.format("1", "r"), "guest": toml + 'environment="owner"\n'}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "framework.toml").write_text(text)
        (tmp_path / name / "cnn.py").write_text(CODE)
        (tmp_path / name / "requirements.txt").write_text("a==1")

    def found(value, reason):
        (tmp_path / "owner" / "framework.toml").write_text(own.format(value, reason))
        return {
            name: digests.digests(implementation, "cnn")
            for name, implementation in frameworks.implementations(tmp_path).items()
        }

    before = found("1", "r")
    assert digests.BORROWED not in before["owner"]
    assert found("1", "another reason") == before
    after = found("2", "r")
    assert digests.differing(before["guest"], after["guest"]) == [digests.BORROWED]
    assert digests.differing(before["owner"], after["owner"]) == ["framework"]


def test_two_records_are_of_the_same_code_where_all_digests_are_there_and_equal():
    now = {"example": "1", "lock": "2"}
    assert digests.differing(now, dict(now)) == []
    assert digests.differing(now, {"example": "1", "lock": "3"}) == ["lock"]
    assert digests.differing({"example": "1"}, now) == ["lock"]
    assert digests.differing(now, {"example": "1"}) == ["lock"]
    assert digests.differing({}, {}) != []  # of no known code


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A copy of the project's code, which the digests are taken of."""
    for package in ("rosetta_common", "rosetta_host", "workloads"):
        shutil.copytree(digests.ROOT / package, tmp_path / package)
    monkeypatch.setattr(digests, "ROOT", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("rosetta_host/certificate/limits.py", "FLOAT64_LIMIT = 1e-10", "FLOAT64_LIMIT = 1e-9"),
        ("rosetta_host/certificate/oracle.py", "scores.max(axis=1", "scores.min(axis=1"),
        ("rosetta_host/certificate/optimizers.py", "self.momentum * before", "self.momentum + before"),
        ("workloads/cnn/limits.py", '"step median": 5e-4', '"step median": 5e-3'),
        ("workloads/cnn/oracle.py", "np.maximum(x, 0.0)", "np.maximum(x, 0.1)"),
        ("workloads/cnn/protocol.py", "2 * BATCH + 10", "2 * BATCH + 11"),
        ("workloads/cnn/weights.py", '("conv1", 50, 3)', '("conv1", 60, 3)'),
        ("rosetta_host/certificate/protocol.py", "COPIES = 202", "COPIES = 203"),
        ("rosetta_host/certificate/steps.py", "bool(figure <= limit)", "bool(figure < limit)"),
        ("rosetta_host/certificate/behavior.py", "VARIANCE_DEVIATIONS = 6", "VARIANCE_DEVIATIONS = 7"),
        (
            "rosetta_host/certificate/judge.py",
            "AS_TIMED, ASIDE = RunMode(True), RunMode(False)",
            "AS_TIMED, ASIDE = RunMode(False), RunMode(False)",
        ),
        ("rosetta_common/trace.py", "float(loss)", "abs(loss)"),
        ("rosetta_common/weights.py", "uniform", "normal"),
    ],
)
def test_a_changed_judge_counts_and_its_prose_does_not(project, module, old, new):
    before = digests.judge_digest("cnn")
    text = (project / module).read_text()
    (project / module).write_text(text.replace('"""', '"""Other words. ', 1) + "# and a comment\n")
    assert digests.judge_digest("cnn") == before
    assert old in text
    (project / module).write_text(text.replace(old, new))
    assert digests.judge_digest("cnn") != before


def test_another_workload_is_no_matter_of_a_judge(project):
    before = digests.judge_digest("cnn")
    path = project / "workloads" / "gru" / "limits.py"
    path.write_text(path.read_text().replace("1e-6", "1e-5"))
    assert digests.judge_digest("cnn") == before


def test_names_and_addresses_of_a_workload_are_prose(project):
    before = digests.judge_digest("cnn")
    path = project / "workloads" / "cnn" / "definition.py"
    path.write_text(path.read_text().replace("CNN on CIFAR-10", "A CNN"))
    assert digests.judge_digest("cnn") == before


def test_what_times_a_run_counts_for_the_run_and_its_certificate(project):
    implementation = frameworks.implementations()["numpy"]
    before = digests.certificate_digests(implementation, "cnn")
    path = project / "rosetta_common" / "run.py"
    path.write_text(path.read_text().replace("time.perf_counter()", "time.time()"))
    after = digests.certificate_digests(implementation, "cnn")
    assert digests.differing(before, after) == ["runner"]
    assert "runner" in digests.digests(implementation, "cnn")
    assert digests.JUDGE not in digests.digests(implementation, "cnn")
