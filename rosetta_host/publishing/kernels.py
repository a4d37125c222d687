"""Executes the notebooks, each in a kernel of its own Python with read-only access to the locked packages.

The kernel has an environment of its own, locked in requirements/kernel-*.txt, and finds the implementation's packages
on its path before its own. So no implementation's lock has to hold a kernel."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from rosetta_host.catalog import workloads
from rosetta_host.catalog.frameworks import ROOT, Implementation, UserError
from rosetta_host.environments import environment, process
from rosetta_host.environments.environment import Unsupported
from rosetta_host.publishing import notebooks, standalone
from rosetta_host.records import store

REQUIREMENTS = ROOT / "requirements"
UNIVERSAL = (3, 11)  # from this Python on, one lock serves all
TIMEOUT = 900  # seconds for one cell
LARGEST = 100_000  # bytes of a notebook, which is committed
NAME = "python3"  # of the kernel, which every Jupyter has


def lock(version: str) -> Path:
    """The lock of the kernel for this version of Python. Raises Unsupported where there is none."""
    own = REQUIREMENTS / f"kernel-{version}.txt"
    if own.exists():
        return own
    if tuple(map(int, version.split("."))) >= UNIVERSAL:
        return REQUIREMENTS / "kernel.txt"
    raise Unsupported(f"There is no kernel for Python {version}: add requirements/kernel-{version}.in and lock it.")


def make(
    implementation: Implementation, implementations: list[Implementation], workload: str, folder: Path | None = None
) -> Path:
    """Execute a notebook and write it to its path. Raises UserError where it cannot be made."""
    script = standalone.script(implementations, workload)
    book = jupytext.reads(notebooks.percent(notebooks.cells(script, implementation)), "py:percent")
    with tempfile.TemporaryDirectory(prefix="rosetta-notebook-") as name:
        _execute(book, implementation, workload, Path(name))
        _tidy(book, [name, str(Path.home()), str(ROOT), str(environment.HOME)])
    book.metadata = nbformat.from_dict(
        _metadata(book, implementation, workload, notebooks.digests(script, implementation))
    )
    where = notebooks.path(implementation, workload, folder)
    text = nbformat.writes(book) + "\n"
    if len(text.encode()) > LARGEST:
        raise UserError(f"{where.name} would have {len(text.encode())} bytes, more than {LARGEST}.")
    where.parent.mkdir(parents=True, exist_ok=True)
    part = where.with_suffix(".part")
    part.write_text(text, "utf-8")
    os.replace(part, where)
    return where


def _execute(book: nbformat.NotebookNode, implementation: Implementation, workload: str, folder: Path) -> None:
    """Run all cells in an empty folder, on the embedded sample. Raises UserError with the last line of a failure."""
    work = folder / "work"
    work.mkdir()
    manager = AsyncKernelManager(
        kernel_name=NAME,
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(_specification(implementation, workload, folder))]),
        connection_file=str(folder / "connection.json"),
        transport="ipc",
        ip=str(folder / "socket"),
    )
    resources = {"metadata": {"path": str(work)}}
    client = NotebookClient(book, km=manager, timeout=TIMEOUT, resources=resources, record_timing=False)
    with open(folder / "log", "w+") as log:
        try:
            client.execute(cleanup_kc=True, stdout=log, stderr=log, env=process.inherited())
        except CellExecutionError as error:
            raise UserError(f"{error.ename}: {error.evalue}") from None
        except (CellTimeoutError, DeadKernelError, RuntimeError) as error:
            log.seek(0)
            raise UserError(f"{str(error).splitlines()[0]} {' '.join(log.read().splitlines()[-1:])}") from None


def _specification(implementation: Implementation, workload: str, folder: Path) -> Path:
    """Write the description of the kernel, as Jupyter looks for it; returns the folder that holds it."""
    python = environment.ensure(implementation)
    (packages,) = python.parents[1].glob("lib/python*/site-packages")
    hint = implementation.environment.get_python
    kernel = environment.plain(
        "kernel", implementation.environment.python, lock(implementation.environment.python), hint
    )
    threads = environment.threads(implementation, workload)
    environ = environment.variables(
        implementation, workload, threads, "cpu", _stand_in(python.parents[1], folder / "environment")
    )
    environ |= {
        "PYTHONPATH": str(packages),
        "ROSETTA_DATA": str(workloads.sample(workload)),
        "IPYTHONDIR": str(folder / "ipython"),
    }
    where = folder / "kernels" / NAME
    where.mkdir(parents=True)
    command = [str(kernel), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    described = {"argv": command, "display_name": "Python 3", "language": "python", "env": environ}
    (where / "kernel.json").write_text(json.dumps(described), "utf-8")
    return where.parent


def _stand_in(real: Path, folder: Path) -> Path:
    """A stand-in for an environment's folder: installed files are linked, files written by runs are copied."""
    folder.mkdir()
    for path in real.iterdir():
        if path.name in ("bin", "include", "lib", "lib64", "share"):
            (folder / path.name).symlink_to(path.resolve(), target_is_directory=True)
        elif path.is_dir():
            shutil.copytree(path, folder / path.name, symlinks=True)
    return folder


def _tidy(book: nbformat.NotebookNode, folders: list[str]) -> None:
    """Number the cells, keep printed output, and refuse an output that names a folder of this machine."""
    for number, cell in enumerate(book.cells, 1):
        cell.id = f"cell-{number}"
        cell.metadata = nbformat.from_dict({})
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
            outputs = json.dumps(cell.outputs)
            private = [folder for folder in folders if folder in outputs]
            if private:
                raise UserError(f"its output names {private[0]}, a folder of this machine.")
            if any(kind != "text/plain" for output in cell.outputs for kind in output.get("data", {})):
                raise UserError("its output is more than text.")


def _metadata(
    book: nbformat.NotebookNode, implementation: Implementation, workload: str, digests: dict[str, str]
) -> dict[str, Any]:
    """The metadata for Jupyter, and the digests of the code and lock of this run."""
    language = book.metadata.get("language_info", {})
    return {
        "kernelspec": {"name": NAME, "display_name": "Python 3", "language": "python"},
        "language_info": {key: language[key] for key in ("name", "version", "file_extension") if key in language},
        notebooks.KEY: {"row": implementation.id, "workload": workload, "created": store.now(), "digests": digests},
    }


def make_all(
    implementations: list[Implementation],
    all_implementations: list[Implementation],
    workloads: list[str],
    again: bool,
    report: Callable[[str], None],
) -> Iterator[str]:
    """Make the notebooks that are not current, or all of them; yields each one's status, as a record has it."""
    for implementation in implementations:
        mates = [other for other in all_implementations if other.folder == implementation.folder]
        for workload in implementation.workloads:
            if workload in workloads:
                yield _make_current(implementation, mates, workload, again, report)


def _make_current(
    implementation: Implementation,
    mates: list[Implementation],
    workload: str,
    again: bool,
    report: Callable[[str], None],
) -> str:
    start = time.monotonic()
    try:
        if not again and _is_current(implementation, mates, workload):
            report(f"{implementation.id} {workload}: current")
            return "ok"
        where = make(implementation, mates, workload)
    except UserError as error:
        status = "unsupported" if isinstance(error, Unsupported) else "failed"
        report(f"{implementation.id} {workload}: {status}: {error}")
        return status
    report(f"{implementation.id} {workload}: {os.path.relpath(where)} ({time.monotonic() - start:.0f} s)")
    return "ok"


def _is_current(implementation: Implementation, mates: list[Implementation], workload: str) -> bool:
    with contextlib.suppress(UserError):  # a file that is no notebook is replaced
        return notebooks.state(implementation, mates, workload).state == "current"
    return False
