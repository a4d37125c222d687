"""A package is bumped in every lock that pins it, or nothing is changed."""

import sys
from pathlib import Path

import pytest

from rosetta_host.catalog import frameworks
from rosetta_host.catalog.frameworks import UserError
from rosetta_host.environments import locks

TOML = """
name = "{name}"
package = "{package}"
since = "2020"
home_page = "https://a.example"
[environment]
python = "3.13"
"""


@pytest.fixture
def implementations(tmp_path, monkeypatch):
    """alpha pins torch for the CPU and for a GPU, beta pins it too, gamma does not."""
    pins = {"alpha": "torch==2.13.0+cpu\nnumpy==2.4.6\n", "beta": "keras==3.0\nTorch==2.13.0\n", "gamma": "jax==1.0\n"}
    for name, text in pins.items():
        folder = tmp_path / name
        folder.mkdir()
        toml = TOML.format(name=name.title(), package="torch" if name == "alpha" else name)
        gpu = 'requirements_gpu = "requirements-gpu.txt"\n' if name == "alpha" else ""
        (folder / "framework.toml").write_text(toml + gpu)
        (folder / "gru.py").write_text("")
        for lock in ("requirements", "requirements-gpu")[: 2 if gpu else 1]:
            (folder / f"{lock}.in").write_text(text if lock == "requirements" else "# For a GPU.\ntorch==2.13.0\n")
            (folder / f"{lock}.txt").write_text("numpy==2.4.6 \\\n    --hash=sha256:0\ntorch==2.13.0+cpu\n")
    monkeypatch.setattr(frameworks, "EXAMPLES", tmp_path)
    return frameworks.implementations()


@pytest.fixture
def uv(tmp_path, monkeypatch):
    """A stand-in for uv: it writes the pins into the lock, and refuses version 9. Returns where it notes its calls."""
    calls = tmp_path / "calls"
    stand_in = tmp_path / "uv"
    code = f"""#!{sys.executable}
import sys
from pathlib import Path
pins, lock = Path(sys.argv[-3]).read_text(), Path(sys.argv[-1])
constraints = Path(sys.argv[sys.argv.index("-c") + 1]).read_text() if "-c" in sys.argv else ""
Path({str(calls)!r}).open("a").write(f"{{sys.argv[-3]}} {{constraints.split()}}\\n")
if "==9" in pins:
    sys.exit("no solution found")
lock.write_text(pins)
"""
    stand_in.write_text(code)
    stand_in.chmod(0o755)
    monkeypatch.setattr(locks.uv, "find_uv_bin", lambda: str(stand_in))
    return calls


def pins(implementations, name, file="requirements.in") -> str:
    return Path(implementations[name].folder, file).read_text()


def test_every_lock_that_pins_a_package_gets_its_version_and_keeps_its_build(implementations, uv):
    messages = []
    locks.bump("torch==2.14.0", implementations, messages.append)
    assert pins(implementations, "alpha") == "torch==2.14.0+cpu\nnumpy==2.4.6\n"
    assert pins(implementations, "alpha", "requirements-gpu.in") == "# For a GPU.\ntorch==2.14.0\n"
    assert pins(implementations, "beta") == "keras==3.0\nTorch==2.14.0\n"
    assert pins(implementations, "alpha", "requirements.txt") == pins(implementations, "alpha")
    assert pins(implementations, "gamma", "requirements.txt").startswith("numpy")
    made = ["alpha/requirements.txt", "beta/requirements.txt", "alpha/requirements-gpu.txt"]
    assert messages == [f"{lock}: made anew" for lock in made]


def test_a_framework_stands_for_its_package_in_the_version_that_is_pinned(implementations, uv):
    locks.bump("alpha", implementations, lambda line: None)
    assert len(uv.read_text().splitlines()) == 3
    assert pins(implementations, "alpha") == "torch==2.13.0+cpu\nnumpy==2.4.6\n"


def test_a_gpus_lock_shares_the_versions_of_the_cpus_without_their_builds(implementations, uv):
    locks.bump("alpha", implementations, lambda line: None)
    calls = uv.read_text().splitlines()
    assert calls[0] == "requirements.in []"
    assert calls[-1] == "requirements-gpu.in ['torch==2.13.0', 'numpy==2.4.6']"


def test_a_lock_that_cannot_be_made_leaves_its_files_as_they_were(implementations, uv):
    before = pins(implementations, "beta"), pins(implementations, "beta", "requirements.txt")
    with pytest.raises(UserError, match=r"beta/requirements.txt cannot be made; .* no solution found"):
        locks.bump("keras==9.0", implementations, lambda line: None)
    assert (pins(implementations, "beta"), pins(implementations, "beta", "requirements.txt")) == before


def test_a_name_that_nothing_pins_is_one_sentence(implementations, uv):
    with pytest.raises(UserError, match=r"There is no pinned package or framework 'torhc': did you mean 'torch'\?"):
        locks.bump("torhc==2.14.0", implementations, lambda line: None)


def test_the_first_locks_of_a_framework_are_made_from_its_pins_the_cpus_first(implementations, uv):
    folder = implementations["gamma"].folder
    (folder / "requirements.txt").unlink()
    (folder / "requirements-gpu.in").write_text("# For a GPU.\ncuda-jax==1.0\n")
    messages = []
    locks.bump("gamma", frameworks.implementations(), messages.append)
    assert messages == ["gamma/requirements.txt: made anew", "gamma/requirements-gpu.txt: made anew"]
    assert uv.read_text().splitlines() == ["requirements.in []", "requirements-gpu.in ['jax==1.0']"]


def test_a_framework_without_pins_says_where_they_belong(implementations, uv):
    (implementations["gamma"].folder / "requirements.in").unlink()
    with pytest.raises(UserError, match=r"gamma/requirements\.in is missing\. List in it the packages"):
        locks.bump("gamma", implementations, lambda line: None)
