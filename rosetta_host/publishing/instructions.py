"""The commands that make an environment without this project, from framework.toml and the locks.

The commands are for a POSIX shell and uv. Two kinds: for a script alone, which names its pins in the command, and for
the unpacked archive of a folder, which holds the locks and what a set-up step needs.
"""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from rosetta_host.catalog.frameworks import Implementation, Variable
from rosetta_host.environments.digests import setup_files

WIDTH = 90
# The shell expressions for the values that the runner fills in.
IN_SHELL = {"threads": "$(nproc)", "environment": "$VIRTUAL_ENV", "cache": "$VIRTUAL_ENV"}


def archive_folder(implementation: Implementation, implementations: Iterable[Implementation]) -> str:
    """The folder of an environment's files in the archive of its framework; "" if there is only one environment."""
    several = len({other.environment_id for other in implementations}) > 1
    return f"{implementation.environment_id}/" if several else ""


def files(implementation: Implementation) -> list[Path]:
    """The files that a reader needs to make the environment: the locks, the set-up step and its files."""
    environment, folder = implementation.environment, implementation.environment_folder
    names = [environment.requirements, environment.requirements_gpu, *implementation.named_files()]
    paths = {folder / name for name in names if name} | set(setup_files(implementation))
    return sorted(path for path in paths if path.is_file())


def pinned(implementation: Implementation) -> list[Path]:
    """The lists of pins that the environment's locks are made from, for the CPU and for a GPU, if they exist."""
    lists = {implementation.lock(device).with_suffix(".in") for device in ("cpu", "gpu")}
    return sorted(path for path in lists if path.is_file())


def pins(path: Path) -> list[str]:
    """The requirements in a list of pins; none if it has options, which a command line cannot hold."""
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    requirements = [re.sub(r"(^|\s)#.*", "", line).strip() for line in lines]
    requirements = [line for line in requirements if line]
    return [] if any(line.startswith("-") for line in requirements) else requirements


def install(
    implementation: Implementation,
    implementations: Iterable[Implementation],
    device: str = "cpu",
    unpacked: bool = False,
) -> str | None:
    """The one command that installs an implementation's packages; None for a GPU where the folder has no lock for it.

    unpacked: from the lock in the unpacked archive; otherwise from the pins, if there are any.
    """
    inside, lock = archive_folder(implementation, implementations), implementation.lock(device)
    if device == "gpu" and implementation.environment.requirements_gpu is None:
        return None
    listed = pins(lock.with_suffix(".in"))
    if listed and not unpacked:
        command = ["install", *map(shlex.quote, [*listed, *_own_pin(implementation, listed)])]
    else:
        command = ["sync", inside + lock.name]
    return " ".join([*_installer(implementation, inside, device), "uv", "pip", *command])


def _own_pin(implementation: Implementation, listed: list[str]) -> list[str]:
    """The locked version of a framework that lives in the environment of another, whose pins do not name it."""
    names = _packages(implementation)
    if implementation.environment_id == implementation.id or names & {
        _plain(re.split(r"[\[=<>!~ ]", line)[0]) for line in listed
    }:
        return []
    return [f"{name}=={version}" for name, version in locked(implementation).items() if _plain(name) in names]


def locked(implementation: Implementation) -> dict[str, str]:
    """The versions of an implementation's lock, by distribution."""
    text = (implementation.environment_folder / implementation.environment.requirements).read_text("utf-8")
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE))


def version(implementation: Implementation) -> str | None:
    """The locked version of the framework itself."""
    return next(
        (number for name, number in locked(implementation).items() if _plain(name) in _packages(implementation)), None
    )


def _packages(implementation: Implementation) -> set[str]:
    return {_plain(name) for name in implementation.framework.packages}


def _plain(name: str) -> str:
    """A distribution's name as installers compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _installer(implementation: Implementation, inside: str, device: str) -> list[str]:
    """The installer's variables, with the files where a reader has them."""
    named = implementation.named_files()
    return [
        f"{name}={shlex.quote(inside + value if value in named else value)}"
        for name, value in implementation.install_variables(device).items()
    ]


def gpu_note(implementation: Implementation) -> str:
    """The comment at the head of the pins for a GPU; "For a GPU:" without one."""
    listed = implementation.lock("gpu").with_suffix(".in")
    lines = (
        listed.read_text("utf-8").splitlines()
        if implementation.environment.requirements_gpu and listed.is_file()
        else []
    )
    head = [line.lstrip("# ").strip() for line in lines[: next((i for i, s in enumerate(lines) if s[:1] != "#"), 0)]]
    return " ".join(head) or "For a GPU:"


class Setting(msgspec.Struct, frozen=True):
    """An environment variable as the shell sets it, and why."""

    command: str
    reason: str

    @property
    def comment(self) -> str:
        return comment(f"{_begun(self.reason, str.upper)}.")


def variables(implementation: Implementation, workload: str) -> list[Setting]:
    """The variables of an implementation's process out of the box, as `NAME=value` for the shell.

    Those for another dtype are left out, and those that say only where a timed run finds no compiled code: the
    framework has a place of its own.
    """
    declared = {
        name: variable
        for name, variable in implementation.variables(workload).items()
        if variable.dtype is None and not variable.value.startswith("{cache}")
    }
    threads = implementation.workload(workload).threads
    if threads:
        reason = implementation.workload(workload).threads_reason or "with more threads it is slower"
        declared = {"OMP_NUM_THREADS": Variable(str(threads), reason), **declared}
    values = {**IN_SHELL, **({"threads": str(threads)} if threads else {})}
    return [
        Setting(f"{name}={_in_shell(variable.value, values)}", _why(variable)) for name, variable in declared.items()
    ]


def _why(variable: Variable) -> str:
    where = f"where /proc/cpuinfo names {variable.cpu}" if variable.cpu else ""
    where = f"on a {variable.device.upper()} alone" if variable.device else where
    return variable.reason + (f"; set it {where}" if where else "")


def _in_shell(value: str, values: dict[str, str]) -> str:
    """A value, quoted for the shell, which fills in the expressions of `values`."""
    filled_in = value.format_map(values)
    if filled_in == value.format_map({name: text.lstrip("$") for name, text in values.items()}):
        return shlex.quote(filled_in)  # the shell has nothing to fill in
    return '"' + re.sub(r'([\\"`$])', r"\\\1", value).format_map(values) + '"'


def _wrapped(command: str) -> str:
    """A long command over several lines, broken between its words as the shell continues them."""
    lines = [""]
    for word in shlex.split(command, posix=False):
        if lines[-1] and len(lines[-1]) + len(word) > WIDTH - 4:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return " \\\n    ".join(lines)


def _begun(text: str, case: Callable[[str], str]) -> str:
    """A sentence with its first letter in this case."""
    return case(text[:1]) + text[1:]


def comment(text: str) -> str:
    """A sentence as comment lines."""
    return textwrap.fill(text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def environment_commands(
    implementation: Implementation, implementations: list[Implementation], unpacked: bool = False, gpu: bool = True
) -> list[str]:
    """The lines that make the environment on a CPU. gpu: with that for a GPU as a comment."""
    inside, archive = archive_folder(implementation, implementations), f"{implementation.folder.name}.zip"
    command = install(implementation, implementations, unpacked=unpacked) or ""
    lines = [comment(implementation.environment.get_python)] if implementation.environment.get_python else []
    lines.append(f"uv venv --python {implementation.environment.python} && . .venv/bin/activate")
    if not unpacked:
        named = [inside + path.name for path in files(implementation)]
        lines += [
            comment(f"{name} is in {archive}.") for name in named if re.search(rf"[ =]{re.escape(name)}\b", command)
        ]
    lines.append(_wrapped(command))
    gpu_command = install(implementation, implementations, "gpu", unpacked) if gpu else None
    if gpu_command:
        lines += [
            comment(f"Instead, {_begun(gpu_note(implementation), str.lower)}"),
            textwrap.indent(_wrapped(gpu_command), "# "),
        ]
    if implementation.environment.setup:
        if not unpacked:
            lines.append(comment(f"{inside}{implementation.environment.setup} is in {archive}."))
        lines.append(f"python {inside}{implementation.environment.setup}")
    return lines


def commands(implementation: Implementation, implementations: list[Implementation], workload: str) -> str:
    """All lines from an empty folder, with the script in it, to a run: environment, variables, the script."""
    lines = environment_commands(implementation, implementations)
    for setting in variables(implementation, workload):
        lines += [setting.comment, f"export {setting.command}"]
    return "\n".join([*lines, f"python {workload}.py"])


def unpacked_commands(implementation: Implementation, implementations: list[Implementation], gpu: bool = True) -> str:
    """All lines from the unpacked archive to a run of each script; a variable of one script is set for it alone.

    gpu: with the installation for a GPU as a comment.
    """
    settings = {workload: variables(implementation, workload) for workload in implementation.workloads}
    common = [
        setting
        for setting in variables(implementation, implementation.workloads[0])
        if all(setting in own for own in settings.values())
    ]
    lines = environment_commands(implementation, implementations, unpacked=True, gpu=gpu)
    for setting in common:
        lines += [setting.comment, f"export {setting.command}"]
    for workload, own in settings.items():
        single = [setting for setting in own if setting not in common]
        lines += [setting.comment for setting in single]
        lines.append(" ".join([*(setting.command for setting in single), f"python {workload}.py"]))
    return "\n".join(lines)
