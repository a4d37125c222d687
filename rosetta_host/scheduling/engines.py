"""The schedulers that runs are handed to: Dask, and SLURM through submitit. Each yields a run's outcome as it ends.

A machine makes one run at a time. A run whose worker is lost is made again on another one, and only one of them counts.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rosetta_host.benchmark.runs import FIRST_STEP_TIMEOUT, TIMEOUTS
from rosetta_host.catalog.frameworks import ROOT, UserError
from rosetta_host.scheduling import worker
from rosetta_host.scheduling.task import Task
from rosetta_host.scheduling.worker import Made

log = logging.getLogger(__name__)

SLURM, DASK = "slurm", "dask://"  # what names a scheduler, and what an address begins with
JOBS = ROOT / ".rosetta" / "slurm"  # scripts and logs of SLURM's jobs
NOT_INSTALLED = "--scheduler needs what requirements/schedulers.txt lists: `nox -s benchmark` installs it."
MACHINE = "machine"  # the resource of which a worker of Dask offers one, and a run takes one
PATIENCE = 10.0  # seconds to wait for a scheduler's answer
MOST_STARTS = 3  # of a run whose workers are lost
ARRAY = 1000  # jobs in an array of SLURM, whose default limit is 1001
POLL = 5.0  # seconds between two looks at the jobs of SLURM
CERTIFICATE = 3600.0  # seconds, more than any certificate takes

Outcomes = Iterator[tuple[Task, Made]]


def outcomes(tasks: Sequence[Task], scheduler: str) -> Outcomes:
    """Hand these tasks to a scheduler: `slurm`, or dask://HOST:PORT. Raises UserError if it cannot be reached."""
    if scheduler == SLURM:
        return over_slurm(tasks, JOBS)
    return over_dask(tasks, "tcp://" + scheduler.removeprefix(DASK))


def over_dask(tasks: Sequence[Task], address: str, make: Callable[[bytes], Made] = worker.make_on_dask) -> Outcomes:
    """Hand these tasks to the Dask scheduler at `address`, such as tcp://lab1:8786.

    make: what a worker calls with an encoded task. Raises UserError if no scheduler answers. When the caller stops
    early, what has not begun is dropped; a run that has begun ends on its worker, and its records are lost.
    """
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise UserError(NOT_INSTALLED) from None
    try:
        client = Client(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise UserError(f"No Dask scheduler answers at {address}: start it with `nox -s dask -- scheduler`.") from error
    with client:
        offered = [worker["resources"] for worker in client.scheduler_info(n_workers=-1)["workers"].values()]
        if not any(MACHINE in resources for resources in offered):
            log.warning("No worker offers a machine. The runs wait for `nox -s dask -- worker %s`.", address)
        encoded = [task.encoded() for task in tasks]
        futures = client.map(make, encoded, pure=False, resources={MACHINE: 1}, retries=0)
        task_of = {future.key: task for future, task in zip(futures, tasks, strict=True)}
        ended = as_completed(futures)
        del futures  # a future that nobody holds frees its result
        for future in ended:
            lost = future.exception()
            yield task_of.pop(future.key), _without_records(lost) if lost else future.result()


def _without_records(error: BaseException) -> Made:
    """The outcome of a run that its scheduler gave up."""
    return Made(reason=f"Its workers were lost. {type(error).__name__}: {error}")


def over_slurm(
    tasks: Sequence[Task], folder: Path, cluster: str = "slurm", make: Callable[[bytes], Made] = worker.make
) -> Outcomes:
    """Hand these tasks to SLURM as jobs that have their node alone; its nodes see this checkout and `folder`.

    folder: for submitit's scripts and logs. cluster: as submitit names it. Options of sbatch, as the partition, are
    taken from its environment variables. Raises UserError where there is no SLURM. When the caller stops early, the
    jobs that are left are canceled.
    """
    try:
        import submitit
    except ImportError:
        raise UserError(NOT_INSTALLED) from None
    try:
        executor = submitit.AutoExecutor(folder, cluster=cluster)
    except RuntimeError as error:
        raise UserError("--scheduler slurm: this machine has no sbatch; call from a node that submits jobs.") from error
    longest = max((TIMEOUTS[task.preset] for task in tasks), default=0.0)
    minutes = int((CERTIFICATE + FIRST_STEP_TIMEOUT + longest) / 60)
    executor.update_parameters(name="rosetta", timeout_min=minutes, slurm_exclusive=True)
    left, errors = list(tasks), dict[str, BaseException]()
    for _ in range(MOST_STARTS):
        for task, job in _jobs(executor, left, make):
            if lost := job.exception():
                errors[task.label] = lost
            else:
                errors.pop(task.label, None)
                yield task, job.result()
        left = [task for task in left if task.label in errors]
    for task in left:
        yield task, _without_records(errors[task.label])


def _jobs(executor: Any, tasks: Sequence[Task], make: Callable[[bytes], Made]) -> Iterator[tuple[Task, Any]]:
    """Submit a job for each task, and yield it when it has ended, however. Cancels the rest if the caller stops."""
    from submitit.helpers import as_completed

    task_of: dict[Any, Task] = {}
    for start in range(0, len(tasks), ARRAY):
        part = tasks[start : start + ARRAY]
        with _on_path(str(ROOT)):
            jobs = executor.map_array(make, [task.encoded() for task in part])
        task_of |= dict(zip(jobs, part, strict=True))
    try:
        for job in as_completed(list(task_of), poll_frequency=POLL):
            yield task_of.pop(job), job
    finally:
        for job in task_of:
            job.cancel(check=False)


@contextlib.contextmanager
def _on_path(folder: str) -> Iterator[None]:
    """A block that starts processes which may import what is in the folder."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (folder, before)))
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
