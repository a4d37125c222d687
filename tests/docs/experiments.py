"""Lessons for a small site: what is declared, the patches of its frameworks, and records of what became of them."""

from __future__ import annotations

from rosetta_host.catalog import frameworks
from rosetta_host.environments import digests
from rosetta_host.mutation import mutants
from rosetta_host.records.store import Check, Data, Record

LESSON = '[{slug}]\ntitle = "{slug}"\nworkload = "cnn"\nmutants = {names}\n{more}\n'
WRONG = '[cnn.wrong_size]\nedits = [["minibatches(x, y, 64)", "minibatches(x, y, 32)"]]\n'
SLOW = (
    '[cnn.slow_way]\nharmless = true\nedits = [["    return {name}.step(x, LAYERS)", '
    '"    x = x + 0\\n    return {name}.step(x, LAYERS)"]]\n'
)
CANNOT = '[cnn.{mutant}]\nunsupported = "its loop is its own"\n'
CAUGHT = (
    Check("scores before", True, 1e-8, 1e-6),
    Check("loop", False, 0.02, 5e-3),
    Check("step median", False, 0.5, 5e-4),
)
PASSED = (Check("scores before", True, 1e-8, 1e-6), Check("loop", True, 1e-4, 5e-3))


def declare(site, slug: str = "trap", names: tuple[str, ...] = ("wrong_size",), more: str = "") -> None:
    """Add a lesson to the site's lessons.toml."""
    path = site.docs / "lessons" / "lessons.toml"
    path.parent.mkdir(exist_ok=True)
    before = path.read_text("utf-8") if path.exists() else ""
    path.write_text(before + LESSON.format(slug=slug, names=list(names), more=more), "utf-8")


def offer(site, name: str, text: str) -> None:
    """Write a framework's mutants.toml."""
    (site.examples / name / "mutants.toml").write_text(text.replace("{name}", name), "utf-8")


def everywhere(site, text: str = WRONG) -> None:
    for name in ("ada", "bell", "curie"):
        offer(site, name, text)


def lesson(
    site, implementation_id: str, mutant: str | None = "wrong_size", slug: str | None = "trap", **changes
) -> Record:
    """Record what became of a patch, as it is today: its certificate where nothing else is said."""
    implementation = frameworks.implementations(site.examples)[implementation_id]
    now = dict(digests.digests(implementation, "cnn"))
    if mutant:
        now["mutant"] = digests.text_digest(mutants.offered(implementation, "cnn")[mutant].patched())
    measure = "accuracy" if "preset" in changes else "time" if {"pairs", "data"} & set(changes) else "size"
    if measure == "size":
        now[digests.JUDGE] = digests.judge_digest("cnn")
    fields = {
        "kind": "lesson",
        "lesson": slug if mutant else None,
        "mutant": mutant,
        "digests": now,
        "measure": measure,
    }
    return site.record(implementation_id, **{**fields, **changes})


def judged(site, implementation_id: str, checks: tuple[Check, ...] = CAUGHT, **changes) -> Record:
    return lesson(site, implementation_id, **{"checks": list(checks), **changes})


def by_turns(site, implementation_id: str, *ratios: float, **changes) -> Record:
    """Pairs of times: a tenth of a second as it is, and so many times as much with the patch."""
    pairs = [(0.1, 0.1 * ratio) for ratio in ratios]
    data = Data("CIFAR-10", "embedded sample")
    return lesson(
        site, implementation_id, "slow_way", **{"pairs": pairs, "threads": 2, "load": 0.25, "data": data, **changes}
    )


def trained(site, implementation_id: str, mutant: str | None, *accuracies: float | None, **changes) -> None:
    """Runs of an epoch with the seeds 0, 1, … and these accuracies; None for one that failed."""
    for seed, accuracy in enumerate(accuracies):
        how = {"status": "ok"} if accuracy is not None else {"status": "failed", "reason": "The loss is not finite."}
        run = {"preset": "epoch", "seed": seed, "accuracy": accuracy, "data": Data("CIFAR-10", "official"), **how}
        lesson(site, implementation_id, mutant, **{**run, **changes})


def edit(site, name: str, old: str, new: str) -> None:
    """Change an example."""
    path = site.examples / name / "cnn.py"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
