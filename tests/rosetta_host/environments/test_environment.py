"""Environments: made whole or not at all, and refused in one sentence."""

import hashlib
import itertools
import logging
import os
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from rosetta_host.catalog import frameworks
from rosetta_host.environments import environment, process
from rosetta_host.environments.digests import environment_digest
from rosetta_host.environments.environment import Unsupported

VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "HOME", tmp_path / "home")
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS", "never")
    return tmp_path / "home"


def implementation(tmp_path, extra="", python=VERSION, requirements="", files=()):
    folder = tmp_path / "examples" / "alpha"
    folder.mkdir(parents=True)
    toml = 'name="A"\npackage="a"\nsince="2020"\nhome_page="h"\n[environment]\n' + f'python="{python}"\n{extra}\n'
    for name, text in {"framework.toml": toml, "requirements.txt": requirements, "cnn.py": "", **dict(files)}.items():
        (folder / name).write_text(text)
    return frameworks.implementations(tmp_path / "examples")["alpha"]


def test_an_environment_is_made_once_and_sees_the_project(home, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    script = "import sys; open(sys.prefix + '/made', 'a').write('x')"
    python = environment.ensure(implementation(tmp_path, 'setup="setup_it.py"', files={"setup_it.py": script}))
    assert os.system(f"cd / && {python} -c 'import rosetta_common'") == 0
    environment.ensure(frameworks.implementations(tmp_path / "examples")["alpha"])
    assert (python.parents[1] / "made").read_text() == "x"
    assert caplog.messages == ["alpha: making its environment, which can take minutes"]


@pytest.mark.fault("two-sweeps", outcome="An environment is made by one of them; the other waits for it.")
def test_who_finds_an_environment_waits_for_no_builder_and_who_lacks_one_for_its_own(home, tmp_path):
    alpha = implementation(tmp_path)
    python = environment.ensure(alpha)
    with ThreadPoolExecutor() as pool, environment._lock(environment.folder_of(alpha)):
        assert pool.submit(environment.ensure, alpha).result(timeout=10) == python
        (python.parents[1] / environment.COMPLETE).unlink()
        waiting = pool.submit(environment.ensure, alpha)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.5)
        (python.parents[1] / environment.COMPLETE).touch()
        (python.parents[1] / "kept").touch()
    assert waiting.result(timeout=10) == python
    assert (python.parents[1] / "kept").exists()


def test_a_missing_interpreter_is_one_sentence_that_says_what_to_do(home, tmp_path, caplog):
    # Each certificate and run of the implementation asks anew: nothing is said to be made.
    caplog.set_level(logging.INFO)
    with pytest.raises(Unsupported, match=r"Python 3\.1 is missing on this machine\. Take an older machine\."):
        environment.ensure(implementation(tmp_path, 'get_python="Take an older machine."', python="3.1"))
    assert list((home / "environments").glob("alpha*")) == []
    assert caplog.messages == []


def test_a_failed_setup_step_says_its_own_sentence_and_leaves_nothing(home, tmp_path):
    script = "import sys; sys.exit('There is no compiler: install gcc.')"
    with pytest.raises(Unsupported, match="set-up step of alpha failed: There is no compiler: install gcc"):
        environment.ensure(implementation(tmp_path, 'setup="setup_it.py"', files={"setup_it.py": script}))
    assert list((home / "environments").glob("alpha*")) == []


def test_a_build_that_was_cut_short_is_made_again(home, tmp_path):
    alpha = implementation(tmp_path)
    folder = environment.ensure(alpha).parents[1]
    (folder / environment.COMPLETE).unlink()
    (folder / "half").touch()
    environment.ensure(alpha)
    assert not (folder / "half").exists()


@pytest.mark.fault("environment", outcome="It is made again from its lock.")
def test_an_environment_whose_interpreter_is_gone_is_made_again(home, tmp_path):
    alpha = implementation(tmp_path)
    python = environment.ensure(alpha)
    python.unlink()
    python.symlink_to(tmp_path / "uninstalled")
    assert environment.ensure(alpha) == python
    assert python.exists()


def test_packages_that_cannot_be_had_are_one_sentence(home, tmp_path, monkeypatch):
    monkeypatch.setenv("UV_OFFLINE", "1")
    with pytest.raises(Unsupported, match=r"packages of alpha could not be installed from requirements\.txt"):
        environment.ensure(implementation(tmp_path, requirements="no-such-package-anywhere==1.0\n"))
    assert list((home / "environments").glob("alpha*")) == []


def test_what_chooses_the_builds_for_a_cpu_is_left_out_on_a_gpu(home, tmp_path, monkeypatch):
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)  # its wheels are tried without the variables
    files = {"requirements-gpu.txt": "", "limits.txt": "numpy<3"}
    install = 'UV_CONSTRAINT={value="limits.txt", reason="r"}\nUV_LINK_MODE={value="no such way", reason="r"}\n'
    alpha = implementation(
        tmp_path, f'requirements_gpu="requirements-gpu.txt"\n[environment.install]\n{install}', files=files
    )
    assert alpha.install_variables("gpu") == {"UV_CONSTRAINT": "limits.txt"}
    with pytest.raises(Unsupported, match="no such way"):
        environment.ensure(alpha, "cpu")
    assert environment.ensure(alpha, "gpu").exists()


def test_a_gpus_environment_is_its_lock_and_nothing_else_also_from_a_folder_of_wheels(home, tmp_path, monkeypatch):
    """The wheel asks for a package that the lock does not hold, and the folder neither."""
    wheel = tmp_path / "wheels" / "needy-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as file:
        about = {"METADATA": "Metadata-Version: 2.1\nName: needy\nVersion: 1.0\nRequires-Dist: another\n"}
        about |= {"WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n", "RECORD": ""}
        for name, text in {"needy.py": "", **{f"needy-1.0.dist-info/{key}": about[key] for key in about}}.items():
            file.writestr(name, text)
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    monkeypatch.setenv("UV_OFFLINE", "1")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    alpha = implementation(tmp_path, files={"requirements-gpu.txt": f"needy==1.0 --hash=sha256:{digest}\n"})
    python = environment.ensure(alpha, "gpu")
    assert os.system(f"{python} -c 'import needy'") == 0


def test_without_a_lock_for_a_gpu_no_environment_is_made_for_one(home, tmp_path):
    reason = r"^A has no lock for a GPU: alpha/requirements-gpu\.txt is missing\. Use --device cpu\.$"
    with pytest.raises(Unsupported, match=reason):
        environment.ensure(implementation(tmp_path), "gpu")
    assert not (home / "environments").exists()


def test_a_changed_variable_of_the_installer_makes_a_new_environment(home, tmp_path):
    toml = tmp_path / "examples" / "alpha" / "framework.toml"
    install = '[environment.install]\nCOLOR={value="red", reason="r"}\nUV_CONSTRAINT={value="limits.txt", reason="r"}\n'
    implementation(tmp_path, install, files={"requirements-gpu.txt": "", "limits.txt": "numpy<3"})

    def places():
        alpha = frameworks.implementations(tmp_path / "examples")["alpha"]
        return {device: environment.folder_of(alpha, device) for device in ("cpu", "gpu")}

    def moved(path, text):
        before, was = places(), path.read_text()
        path.write_text(text)
        after = places()
        path.write_text(was)
        return {device for device in before if after[device] != before[device]}

    assert moved(toml, toml.read_text().replace("red", "blue")) == {"cpu"}  # on a GPU it does not hold
    assert moved(toml, toml.read_text().replace('"r"', '"another reason"')) == set()
    assert moved(toml.parent / "limits.txt", "numpy<2") == {"cpu", "gpu"}
    guest = tmp_path / "examples" / "guest"
    guest.mkdir()
    (guest / "framework.toml").write_text(toml.read_text().partition("[environment]")[0] + 'environment="alpha"\n')
    found = frameworks.implementations(tmp_path / "examples")
    assert environment.folder_of(found["guest"]) == environment.folder_of(found["alpha"])


def test_an_environment_without_such_variables_is_where_its_lock_says(home, tmp_path):
    """Who made it before finds it again."""
    alpha = implementation(tmp_path, python="3.11", requirements="numpy==2.0\n")
    assert environment.folder_of(alpha).name == f"alpha-{environment_digest(alpha)[:12]}" == "alpha-6bde41f0b30b"


def test_variables_pin_threads_hide_the_gpu_and_take_those_declared(tmp_path):
    declared = (
        '[environment.variables.SPEED]\nvalue="{threads}x"\nreason="r"\n[gru.variables.SPEED]\nvalue="slow"\nreason="r"'
    )
    alpha = implementation(tmp_path, declared)
    found = environment.variables(alpha, "cnn", 2, "cpu")
    assert (found["OMP_NUM_THREADS"], found["CUDA_VISIBLE_DEVICES"], found["SPEED"]) == ("2", "", "2x")
    assert environment.variables(alpha, "gru", 1, "cpu")["SPEED"] == "slow"


def test_a_variable_for_one_vendors_processors_is_set_there_alone(tmp_path, monkeypatch):
    extra = '[environment.variables.SPEED]\nvalue="fast"\nreason="r"\ncpu="AuthenticAMD"\n'
    alpha = implementation(tmp_path, extra)
    for vendor, expected in (("AuthenticAMD", "fast"), ("GenuineIntel", None), (None, None)):
        monkeypatch.setattr(environment.machine, "vendor", lambda vendor=vendor: vendor)
        assert environment.variables(alpha, "cnn", 2, "cpu").get("SPEED") == expected


def test_a_variable_of_one_device_is_set_there_alone(tmp_path):
    declared = {"environment.variables.SPEED": "gpu", "variables.COLOUR": "cpu", "cnn.variables.SIZE": "gpu"}
    tables = [f'[{name}]\nvalue="1"\nreason="r"\ndevice="{device}"\n' for name, device in declared.items()]
    alpha = implementation(tmp_path, "".join(tables))
    for device, expected in (("cpu", {"COLOUR"}), ("gpu", {"SPEED", "SIZE"})):
        found = environment.variables(alpha, "cnn", 2, device)
        assert {"SPEED", "COLOUR", "SIZE"} & found.keys() == expected


def test_a_variable_of_float64_is_set_for_that_alone_and_in_no_timed_run(tmp_path):
    alpha = implementation(tmp_path, '[environment.variables.WIDE]\nvalue="1"\nreason="r"\ndtype="float64"\n')
    assert "WIDE" not in environment.variables(alpha, "cnn", 1, "cpu")
    assert "WIDE" not in environment.variables(alpha, None, 1, "cpu")
    assert "WIDE" not in environment.stated(alpha, "cnn", 1, "cpu")
    assert environment.stated(alpha, "cnn", 1, "cpu", "float64")["WIDE"] == "1"


def test_what_the_user_has_set_does_not_reach_a_run(tmp_path, monkeypatch):
    leaks = ("PYTHONPATH", "XLA_FLAGS", "OMP_PROC_BIND", "TF_ENABLE_ONEDNN_OPTS", "LD_PRELOAD", "JAX_PLATFORMS")
    for name in (*leaks, "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "7")
    monkeypatch.setenv("LANG", "C.UTF-8")
    found = environment.variables(implementation(tmp_path), "cnn", 2, "cpu")
    assert not set(leaks) & set(found)
    assert (found["OMP_NUM_THREADS"], found["LANG"], found["HOME"]) == ("2", "C.UTF-8", os.environ["HOME"])


def test_what_is_stated_of_a_process_names_no_folder_of_this_machine(tmp_path):
    alpha = implementation(tmp_path, '[environment.variables.PLACE]\nvalue="{environment}/cache"\nreason="r"')
    output = environment.stated(alpha, "cnn", 2, "cpu")
    assert output["PLACE"] == "{environment}/cache"
    got = environment.variables(alpha, "cnn", 2, "cpu")
    assert set(got) - set(output) <= set(process.INHERITED)
    assert {name for name, value in output.items() if got[name] != value} == {"PLACE"}


def test_on_a_gpu_float32_is_float32(tmp_path):
    alpha = implementation(tmp_path)
    assert environment.variables(alpha, "cnn", 2, "gpu")["NVIDIA_TF32_OVERRIDE"] == "0"
    assert "NVIDIA_TF32_OVERRIDE" not in environment.variables(alpha, "cnn", 2, "cpu")


def test_what_a_framework_compiles_is_kept_where_no_time_is_taken(home, tmp_path):
    assert environment.compile_cache(implementation(tmp_path / "other")) == {}
    alpha = implementation(tmp_path, '[compile_cache]\nKEPT = { value = "{environment}/compiled", reason = "r" }\n')
    assert environment.compile_cache(alpha) == {"KEPT": "{environment}/compiled"}
    assert environment.compile_cache(alpha, tmp_path) == {"KEPT": f"{tmp_path}/compiled"}
    assert "KEPT" not in environment.variables(alpha, "cnn", 2, "cpu")


def test_what_is_compiled_goes_where_a_timed_run_says_and_otherwise_to_the_environment(home, tmp_path):
    alpha = implementation(tmp_path, '[environment.variables.KEPT]\nvalue="{cache}/compiled"\nreason="r"\n')
    assert environment.stated(alpha, "cnn", 2, "cpu")["KEPT"] == "{cache}/compiled"
    assert environment.variables(alpha, "cnn", 2, "cpu")["KEPT"] == f"{environment.folder_of(alpha)}/compiled"
    assert environment.variables(alpha, "cnn", 2, "cpu", cache=tmp_path)["KEPT"] == f"{tmp_path}/compiled"


def test_what_only_makes_a_framework_faster_is_set_for_a_tuned_process_alone(tmp_path):
    extra = """[environment.variables]
MODE = { value = "plain", reason = "it needs one" }
POOL = { value = "{threads}", reason = "it is faster", tuning = true }
[gru.variables]
MODE = { value = "fast", reason = "it is faster", tuning = true }"""
    alpha = implementation(tmp_path, extra)
    for workload, tuned, expected in (
        ("cnn", False, ("plain", None)),
        ("cnn", True, ("plain", "2")),
        ("gru", False, ("plain", None)),
        ("gru", True, ("fast", "2")),
    ):
        set_for = environment.stated(alpha, workload, 2, "cpu", tuned=tuned)
        assert (set_for["MODE"], set_for.get("POOL")) == expected
    assert "POOL" not in environment.variables(alpha, "gru", 2, "cpu")


def test_a_process_gets_its_variables_filled_in(home, tmp_path):
    extra = """[environment.variables]
PLACE = { value = "{environment}/cache", reason = "it is kept there" }
COLOUR = { value = "red", reason = "the environment's" }
[variables]
COLOUR = { value = "blue{threads}", reason = "the framework's own, which it keeps in another's environment" }"""
    alpha = implementation(tmp_path, extra)
    found = environment.variables(alpha, "cnn", 2, "cpu")
    assert found["PLACE"] == f"{environment.ensure(alpha).parents[1]}/cache"
    assert found["COLOUR"] == "blue2"


def test_an_environment_of_a_lock_alone_is_made_once(home, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    lock = tmp_path / "kernel.txt"
    lock.write_text("# nothing\n")
    python = environment.plain("kernel", VERSION, lock)
    (python.parents[1] / "kept").touch()
    assert environment.plain("kernel", VERSION, lock) == python
    assert caplog.messages == [f"kernel of Python {VERSION}: making its environment, which can take minutes"]
    assert (python.parents[1] / "kept").exists()
    lock.write_text("# another\n")
    assert environment.plain("kernel", VERSION, lock) != python


def test_a_long_message_of_the_installer_is_cut_between_words(home, tmp_path, monkeypatch):
    path = "/a/long/path" * 9
    failed = subprocess.CompletedProcess([], 1, "", "\n".join(f" × {path}/{number}" for number in range(9)))
    monkeypatch.setattr(environment, "_uv", lambda *arguments, **variables: failed)
    with pytest.raises(Unsupported) as error:
        environment._install(implementation(tmp_path), tmp_path, "cpu")
    shown = str(error.value).partition(": ")[2]
    assert len(shown) <= environment.SHOWN + len("… ")
    assert shown == f"… {path}/6 {path}/7 {path}/8"


def test_a_lock_that_cannot_be_had_is_one_sentence_and_leaves_nothing(home, tmp_path, monkeypatch):
    monkeypatch.setenv("UV_OFFLINE", "1")
    lock = tmp_path / "kernel.txt"
    lock.write_text("no-such-package-anywhere==1.0\n")
    with pytest.raises(Unsupported, match=r"kernel\.txt could not be installed"):
        environment.plain("kernel", VERSION, lock)
    with pytest.raises(Unsupported, match=r"Python 3\.1 is missing on this machine\. Take an older one\."):
        environment.plain("kernel", "3.1", lock, "Take an older one.")
    assert list((home / "environments").glob("kernel*")) == []


def test_another_folder_may_stand_for_the_environments(home, tmp_path):
    alpha = implementation(tmp_path, '[environment.variables.PLACE]\nvalue="{environment}/cache"\nreason="r"')
    assert environment.variables(alpha, "cnn", 1, "cpu", tmp_path)["PLACE"] == f"{tmp_path}/cache"


def test_those_of_one_environment_never_stand_side_by_side_where_others_are_left(tmp_path):
    one = implementation(tmp_path)
    implementations = {name: msgspec.structs.replace(one, environment_id=name) for name in ("a", "b", "c")}
    jobs = [("a", 1), ("a", 2), ("a", 3), ("b", 1), ("b", 2), ("c", 1)]
    spread = environment.apart(jobs, lambda job: implementations[job[0]])
    assert sorted(spread) == jobs
    assert all(first[0] != second[0] for first, second in itertools.pairwise(spread))
