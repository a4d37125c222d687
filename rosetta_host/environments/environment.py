"""Locked environments, one for each id that declares one: found or made, never half-made.

uv creates and fills them; `.rosetta/environments/<id>-<digest>/` holds them, so that a changed
lock or variable of the installer makes a new one and an old one is still there for the branch that wants it.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import filelock

from rosetta_host.catalog.frameworks import GPU_LOCK, ROOT, Implementation, UserError, Variable
from rosetta_host.environments import external_python, process
from rosetta_host.environments.digests import installation_digest
from rosetta_host.records import machine

HOME = Path(os.environ.get("ROSETTA_HOME", ROOT / ".rosetta"))
SHOWN = 400  # characters of the installer's message
# Written last, with what lies in the folder of packages: a folder without it is a build that was cut short, and one
# that lacks something of the list was damaged later.
COMPLETE = "rosetta-complete"

Job = TypeVar("Job")

log = logging.getLogger(__name__)


class Unsupported(UserError):
    """This machine cannot run this implementation; the message says why and what to do."""


def _runs(python: Path, version: str) -> bool:
    """Whether this interpreter starts and is of that version (pyenv's shims exist for versions that do not run)."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        completed = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return completed.stdout.strip() == version


def _candidates(version: str) -> Iterator[Path]:
    yield Path(sys.executable)
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        yield Path(folder) / f"python{version}"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    yield from sorted(pyenv.glob(f"{version}*/bin/python"))


def find_python(version: str, hint: str | None = None) -> Path:
    """An interpreter of this version: on PATH, under pyenv's folders, or one that uv has or can get.

    Raises Unsupported where there is none; `hint` says how to come by it.
    """
    for candidate in _candidates(version):
        if candidate.exists() and _runs(candidate, version):
            return candidate
    completed = _uv(["python", "find", "--managed-python", version])
    if completed.returncode and os.environ.get("UV_PYTHON_DOWNLOADS") != "never":
        _uv(["python", "install", version])
        completed = _uv(["python", "find", "--managed-python", version])
    if completed.returncode == 0:
        return Path(completed.stdout.strip())
    raise Unsupported(
        f"Python {version} is missing on this machine. {hint or f'Install it, or run: uv python install {version}.'}"
    )


def _uv(arguments: list[str], folder: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    import uv  # only where an environment is made: a machine that runs everything in its own Python may lack it

    command, environ = process.guarded([uv.find_uv_bin(), *arguments]), {**os.environ, **variables}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environ, check=False)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


def _install(implementation: Implementation, folder: Path, device: str) -> None:
    """Fill the environment from its lock for this device.

    Where PIP_FIND_LINKS is set its wheels are tried first, without the implementation's own install variables:
    UV_TORCH_BACKEND=cpu sends uv to an index that a machine with a wheel folder may not reach.
    Paths in the variables are relative to the implementation's folder.
    """
    declared, lock = implementation.install_variables(device), implementation.lock(device)
    attempts = [declared]
    if links := os.environ.get("PIP_FIND_LINKS"):
        linked = {"UV_FIND_LINKS": ",".join(links.split())}
        attempts = [linked, {**declared, **linked}] if declared else [linked]
    for variables in attempts:
        inside = str((folder / "bin" / "python").absolute())
        done = _uv(["pip", "sync", str(lock), "--python", inside], implementation.environment_folder, **variables)
        if done.returncode == 0:
            return
    raise Unsupported(
        f"The packages of {implementation.environment_id} could not be installed from {lock.name}: "
        f"{_reason(done.stderr)}"
    )


def _reason(stderr: str) -> str:
    """uv's own words in one line: what it calls the cause, without its drawing; the last whole words of a long one."""
    words = [word for line in stderr.splitlines() for word in line.strip(" ×│├╰─▶").split()]
    text = " ".join(words)
    if len(text) > SHOWN:
        text = "… " + text[-SHOWN:].partition(" ")[2]
    return text or "uv gave no reason."


def _set_up(implementation: Implementation, python: Path) -> None:
    """The implementation's own set-up step; its last line on standard error is the sentence that the user sees."""
    if implementation.environment.setup is None:
        return
    command = process.guarded([python, implementation.environment_folder / implementation.environment.setup])
    done = subprocess.run(command, capture_output=True, text=True, cwd=implementation.environment_folder, check=False)
    if done.returncode:
        raise Unsupported(
            f"The set-up step of {implementation.environment_id} failed: {_last_line(done.stderr or done.stdout)}"
        )


def _lock(folder: Path) -> filelock.FileLock:
    """One builder of an environment at a time: two implementations that share one must not both make it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    return filelock.FileLock(folder.parent / f".{folder.name}.lock")


def _made(folder: Path, build: Callable[[], None]) -> Path:
    """The Python of the environment in this folder, built where it is missing, whole or not at all.

    Who finds it there waits for nobody, for what others build takes minutes.
    """
    if not _whole(folder):
        with _lock(folder):
            if not _whole(folder):  # another may have built it while this one waited
                shutil.rmtree(folder, ignore_errors=True)
                try:
                    build()
                    (folder / COMPLETE).write_text("\n".join(_installed(folder)), "utf-8")
                except BaseException as error:
                    shutil.rmtree(folder, ignore_errors=True)
                    if isinstance(error, OSError):
                        raise Unsupported(
                            f"The environment {folder.name} could not be made: {error.strerror}."
                        ) from None
                    raise
    return folder / "bin" / "python"


def _installed(folder: Path) -> set[str]:
    """The names of what lies in the folder of packages."""
    return {path.name for path in folder.glob("lib/python*/site-packages/*")}


def _whole(folder: Path) -> bool:
    """Whether it was built to its end, and its packages and the interpreter of its Python are still there."""
    if not (folder / COMPLETE).exists() or not (folder / "bin" / "python").exists():
        return False
    return {*(folder / COMPLETE).read_text("utf-8").splitlines()} <= _installed(folder)


def _create(name: str, version: str, folder: Path, hint: str | None) -> Path:
    """The Python of a new, empty environment."""
    python = find_python(version, hint)
    log.info("%s: making its environment, which can take minutes", name)
    made = _uv(["venv", "--quiet", "--no-project", "--python", str(python), str(folder)])
    if made.returncode:
        raise Unsupported(f"uv could not create the environment of {name}: {_reason(made.stderr)}")
    return folder / "bin" / "python"


def _build(implementation: Implementation, folder: Path, device: str) -> None:
    inside = _create(
        implementation.environment_id, implementation.environment.python, folder, implementation.environment.get_python
    )
    _install(implementation, folder, device)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "rosetta_common.pth").write_text(f"{ROOT}\n", "utf-8")
    _set_up(implementation, inside)
    # uv's own --compile-bytecode needs Python 3.7; without .pyc files imports take three times as long.
    compiling = process.guarded([inside, "-m", "compileall", "-q", "-j", "0", packages])
    subprocess.run(compiling, capture_output=True, check=False)


def plain(name: str, version: str, requirements: Path, hint: str | None = None) -> Path:
    """The Python of an environment that holds a lock and nothing else, made where it is missing. Raises Unsupported."""
    digest = hashlib.sha256(f"{version}\0{requirements.read_text('utf-8')}".encode()).hexdigest()
    folder = HOME / "environments" / f"{name}-{digest[:12]}"

    def build() -> None:
        inside = _create(f"{name} of Python {version}", version, folder, hint)
        done = _uv(["pip", "sync", str(requirements), "--python", str(inside.absolute())])
        if done.returncode:
            raise Unsupported(f"{requirements.name} could not be installed: {_reason(done.stderr)}")

    return _made(folder, build)


def folder_of(implementation: Implementation, device: str = "cpu") -> Path:
    """The folder of an implementation's environment, whether it is there or not."""
    return HOME / "environments" / f"{implementation.environment_id}-{installation_digest(implementation, device)[:12]}"


def complete(implementation: Implementation, device: str = "cpu") -> bool:
    """Whether an implementation's environment is there, or an external interpreter takes its place."""
    return external_python.python() is not None or _whole(folder_of(implementation, device))


def ensure(implementation: Implementation, device: str = "cpu") -> Path:
    """The Python of an implementation's environment, made where it is missing. Raises Unsupported with the reason.

    Where the user hands over a Python that is it, and the folder holds only what the framework keeps there. On a GPU a
    build for the CPU is refused: it would run on the CPU without a word.
    """
    if device == "gpu" and (reason := _lacks_gpu_build(implementation)):
        raise Unsupported(reason)
    folder = folder_of(implementation, device)
    if interpreter := external_python.python():
        if not set(external_python.versions()) & set(implementation.framework.packages):
            names = " or ".join(implementation.framework.packages)
            raise Unsupported(f"{implementation.name} is not in {interpreter}, which lists no package {names}.")
        folder.mkdir(parents=True, exist_ok=True)
        return interpreter
    return _made(folder, lambda: _build(implementation, folder, device))


def _lacks_gpu_build(implementation: Implementation) -> str | None:
    """Why an implementation cannot run on a GPU, in a sentence; None where its lock or external build is for one."""
    if python := external_python.python():
        listed = external_python.versions()
        builds = [
            f"{name} {listed[name]}"
            for name in implementation.framework.packages
            if listed.get(name, "").endswith("+cpu")
        ]
        return (
            f"{builds[0]} in {python} is built for the CPU alone. Install its build for a GPU there."
            if builds
            else None
        )
    if implementation.environment.requirements_gpu is None:
        return (
            f"{implementation.name} has no lock for a GPU: {implementation.environment_folder.name}/{GPU_LOCK} is "
            f"missing. Use --device cpu."
        )
    return None


def apart(jobs: Sequence[Job], implementation_of: Callable[[Job], Implementation]) -> list[Job]:
    """The jobs in an order that spreads those of each environment evenly.

    Interleave the jobs, because jobs that share an environment wait for one another: Theano locks what it compiles.
    """
    names = [implementation_of(job).environment_id for job in jobs]
    counts, seen, positions = Counter(names), Counter[str](), []
    for name in names:
        positions.append((seen[name] + 0.5) / counts[name])
        seen[name] += 1
    return [job for _, job in sorted(zip(positions, jobs, strict=True), key=lambda pair: pair[0])]


def threads(implementation: Implementation, workload: str) -> int:
    """The threads of an implementation's timed run: those that it declares, or all cores."""
    return implementation.workload(workload).threads or machine.cores()


OPEN = Path("{environment}")  # stands for an environment's folder where a record tells of it
OPEN_CACHE = Path("{cache}")  # and for the folder of what a framework compiles


def stated(
    implementation: Implementation,
    workload: str | None,
    threads: int,
    device: str,
    dtype: str = "float32",
    folder: Path | None = None,
    *,
    tuned: bool = False,
    cache: Path | None = None,
) -> dict[str, str]:
    """The environment variables of an implementation's process: threads pinned, the GPU hidden for the CPU, its own.

    On an NVIDIA GPU the libraries multiply in TF32 where a framework lets them, with 10 bits of 23, and some do so by
    default, for convolutions or for all products: scores are then 7e-5 off on an H100, where 1e-6 is allowed.

    workload: None for what belongs to none, and has none of their variables. dtype: what the process computes in.
    folder: what stands for the environment's in their values; left open by default, as records have them. tuned: with
    the variables that only make the framework faster. cache: the folder for what it compiles; the environment's, if
    that is given, for processes of which no time is taken.
    """
    pinned = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
    of_device = {"CUDA_VISIBLE_DEVICES": ""} if device == "cpu" else {"NVIDIA_TF32_OVERRIDE": "0"}
    declared = implementation.variables(workload, tuned)
    values = {"threads": threads, "environment": folder or OPEN, "cache": cache or folder or OPEN_CACHE}
    own = {
        name: variable.value.format_map(values)
        for name, variable in declared.items()
        if _is_set(variable, device, dtype)
    }
    return {**pinned, **of_device, **own, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONNOUSERSITE": "1"}


def variables(
    implementation: Implementation,
    workload: str | None,
    threads: int,
    device: str,
    folder: Path | None = None,
    *,
    tuned: bool = False,
    cache: Path | None = None,
) -> dict[str, str]:
    """All environment variables of a process in float32: the few of the user's that it gets, and those stated.

    folder: what stands for the environment's in their values, where it is not that itself. tuned, cache: as `stated`
    takes them; without a folder for what it compiles, the environment keeps that from run to run.
    """
    own = stated(
        implementation,
        workload,
        threads,
        device,
        folder=folder or folder_of(implementation, device),
        tuned=tuned,
        cache=cache,
    )
    return {**process.inherited(), **own}


def _is_set(variable: Variable, device: str, dtype: str) -> bool:
    """Whether a variable is for this processor, this device and this dtype."""
    return (
        variable.cpu in (None, machine.vendor())
        and variable.device in (None, device)
        and variable.dtype in (None, dtype)
    )


def compile_cache(implementation: Implementation, folder: Path | None = None) -> dict[str, str]:
    """The variables that have a framework keep what it compiles, for processes of which no time is taken.

    A certificate builds the same network many times; to compile it each time would take half of the certificate's time.

    folder: as `stated` takes it.
    """
    values = {"environment": folder or OPEN}
    return {
        name: variable.value.format_map(values) for name, variable in implementation.framework.compile_cache.items()
    }
