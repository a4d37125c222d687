"""How fast an example is: beside its bare loop, beside its own variants, and without what the runner and the data take.

Everything that is compared takes turns, so that other load of the machine affects all alike.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np

from rosetta_host.benchmark import paired_timing, ranking, runs
from rosetta_host.catalog.frameworks import ROOT, Implementation
from rosetta_host.datasets import dataset
from rosetta_host.environments import environment, process

MOST_OVERHEAD = 0.01  # of a step: what the runner may add to what it times
TIMEOUT = 1800.0  # seconds for the process of one example


class Ratio(msgspec.Struct, frozen=True):
    """The geometric mean of paired ratios, with its 95 % bootstrap interval, and the number of pairs."""

    value: float
    low: float
    high: float
    pairs: int

    def __str__(self) -> str:
        return f"{self.value:.3f} (95 %: {self.low:.3f} to {self.high:.3f}, {self.pairs} pairs)"


class Speed(msgspec.Struct):
    """What was measured of an example; without a field where that failed, or where there is nothing to compare.

    loop: training through the runner, over the bare loop. overhead, loading: the shares of a step that the runner's own
    work takes, and shuffling and gathering a mini-batch. variants: the time of each variant over that of `train`.
    failures: why something is missing.
    """

    label: str
    loop: Ratio | None = None
    overhead: float | None = None
    loading: float | None = None
    variants: dict[str, Ratio] = {}
    failures: list[str] = []

    @property
    def best(self) -> tuple[str, Ratio] | None:
        """The fastest variant."""
        return min(self.variants.items(), key=lambda variant: variant[1].value, default=None)

    @property
    def ok(self) -> bool:
        """Whether all was measured, and the runner takes no more than it may."""
        return not self.failures and self.overhead is not None and self.overhead <= MOST_OVERHEAD


def ratio(own: Sequence[float], reference: Sequence[float]) -> Ratio:
    """The ratio of paired seconds. The bootstrap resamples the logarithms of the single ratios."""
    logs = np.log(np.asarray(own) / np.asarray(reference))
    value, low, high = np.exp(ranking.estimate(logs, np.mean)).tolist()
    return Ratio(value, low, high, len(logs))


def measure(implementation: Implementation, workload: str, device: str) -> Speed:
    """The speed of one example, from the embedded sample. Raises Unsupported if its environment cannot be made."""
    python, data = environment.ensure(implementation, device), dataset.locate(workload, "quick")
    plain, *variants = [runs.Job(case, "quick", device, 0, *data) for case in implementation.cases([workload])]
    speed = Speed(plain.label)
    with tempfile.TemporaryDirectory(prefix="rosetta-") as folder:
        _time_loop(speed, plain, python, Path(folder))
    if variants:
        with tempfile.TemporaryDirectory(prefix="rosetta-") as folder:
            _time_variants(speed, plain, variants, python, Path(folder))
    return speed


def _time_loop(speed: Speed, job: runs.Job, python: Path, folder: Path) -> None:
    """Time the bare loop, the runner and the mini-batches in one process, and fill in what they say."""
    result = folder / "result.json"
    command: list[str | Path] = [python, "-m", "tools.loop_timing", job.implementation.example(job.workload), result]
    ended = process.run(command, job.environ(folder), TIMEOUT, folder=ROOT, events=False)
    if ended.status == "interrupted":
        raise KeyboardInterrupt
    if ended.status != "ok":
        speed.failures.append(f"its loop: {ended.reason}")
        return
    seconds = json.loads(result.read_text("utf-8"))
    step = float(np.median(seconds["bare"]))
    speed.loop, speed.overhead = ratio(seconds["runner"], seconds["bare"]), seconds["own"] / step
    speed.loading = float(np.median(seconds["loading"])) / step if seconds["loading"] else None


def _time_variants(speed: Speed, plain: runs.Job, variants: list[runs.Job], python: Path, folder: Path) -> None:
    """Time `train` and its variants, each in a process of its own that takes turns with the others."""
    reference, *timed = paired_timing.interleaved([plain, *variants], python, folder)
    for job, own in zip(variants, timed, strict=True):
        name = job.case.variant or job.case.verb
        ended = reference.ended if reference.ended.status != "ok" else own.ended
        if ended.status == "interrupted":
            raise KeyboardInterrupt
        if ended.status != "ok" or len(own.seconds) != len(reference.seconds):
            speed.failures.append(f"{name}: {ended.reason or 'it ended before its turns were over'}")
        else:
            speed.variants[name] = ratio(own.seconds, reference.seconds)


def lines(speed: Speed) -> Iterator[str]:
    """What was measured, for a terminal."""
    yield speed.label
    if speed.loop and speed.overhead is not None:
        yield f"  example ÷ plain loop: {speed.loop}"
        verdict = "" if speed.overhead <= MOST_OVERHEAD else f", more than {MOST_OVERHEAD:.0%}"
        yield f"  the runner's own work: {speed.overhead:.3%} of a step{verdict}"
        share = "not counted: the framework takes the batches" if speed.loading is None else f"{speed.loading:.1%}"
        yield f"  shuffle and loading, of a step: {share}"
    for name, own in speed.variants.items():
        best = ", the best variant" if speed.best and name == speed.best[0] else ""
        yield f"  {name} ÷ example: {own}{best}"
    yield from (f"  failed: {failure}" for failure in speed.failures)
