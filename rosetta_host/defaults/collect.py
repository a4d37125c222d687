"""Asks each framework what it does where nothing is said, and writes what was inferred as a record.

A folder's defaults.py has a function a question; it runs in the implementation's environment (`rosetta_common.ask`),
and
`probes` judges what comes back. A question that a framework has nothing for is in the file's `unanswered`, with the
reason. A process that ends at one call is started again after it.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np

from rosetta_host.catalog import syntax
from rosetta_host.catalog.frameworks import Case, Implementation, UserError, nearest
from rosetta_host.certificate import certify
from rosetta_host.defaults import explicit, infer
from rosetta_host.defaults.infer import Call, Result
from rosetta_host.defaults.spec import QUESTIONS
from rosetta_host.environments import environment, faults, process
from rosetta_host.environments.digests import (
    borrowed_digest,
    declared_digest,
    differing,
    environment_digest,
    example_digest,
    explicit_digest,
)
from rosetta_host.records.codes import Code
from rosetta_host.records.store import Answer, DefaultsRecord, Machine, Times

TIMEOUT = 1800.0  # seconds for one process; what compiles each call takes ten minutes beside other work on two cores
GIVEN = "must be given"  # how a reason in `unanswered` begins where the framework insists on an argument


class Failed(Exception):
    """The framework's process did not follow: `ended` says how it ended."""

    def __init__(self, ended: process.Ended) -> None:
        super().__init__(ended.reason)
        self.ended = ended


def source(implementation: Implementation) -> Path:
    """The folder's file of probes, whether it is there or not."""
    return implementation.folder / "defaults.py"


def digests(implementation: Implementation, device: str = "cpu") -> dict[str, str]:
    """What an answer holds for: the probes, the lines of explicit.toml, the declarations, the lock."""
    return {
        "defaults": example_digest(source(implementation)),
        "framework": declared_digest(implementation, "defaults", device),
        "lock": environment_digest(implementation, device),
        **borrowed_digest(implementation, device),
        **explicit_digest(implementation),
    }


def holds(implementation: Implementation, device: str, past: Sequence[DefaultsRecord]) -> bool:
    """Whether the newest answers of an implementation among these records are of its code as it is."""
    own = newest(past, device).get(implementation.id)
    return own is not None and not differing(own.digests, digests(implementation, device))


def newest(past: Sequence[DefaultsRecord], device: str) -> dict[str, DefaultsRecord]:
    """The newest answers of each implementation among these records, by its id."""
    return {r.implementation: r for r in past if r.device == device and r.status == "ok"}


def read(path: Path) -> tuple[set[str], dict[str, str]]:
    """The functions of a defaults.py, and its `unanswered`. Raises UserError where a question is left open."""
    where = f"{path.parent.name}/{path.name}"
    try:
        body = syntax.parse(path.read_text("utf-8")).body
    except SyntaxError as error:
        raise UserError(f"{where} is not valid: line {error.lineno}, {error.msg}.") from None
    functions = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    unanswered = {}
    for node in body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "unanswered":
            unanswered = _literal(node.value, where)
    for name in unanswered:
        question, _, facet = name.partition(".")
        if question not in QUESTIONS or (facet and facet not in QUESTIONS[question][1]):
            questions = list(QUESTIONS) + [f"{q}.{f}" for q in QUESTIONS for f in QUESTIONS[q][1]]
            raise UserError(f"{where}, unanswered: {nearest('question', name, questions)}")
    missing = [question for question in QUESTIONS if question not in functions | set(unanswered)]
    if missing:
        raise UserError(f"{where} has neither a function nor a reason in `unanswered` for {', '.join(missing)}.")
    return functions, unanswered


def _literal(value: ast.expr, where: str) -> dict[str, str]:
    try:
        return dict(ast.literal_eval(value))
    except (ValueError, TypeError):
        raise UserError(f"{where}: `unanswered` must be a plain dict of texts.") from None


def ask_all(
    implementations: list[Implementation], where: Machine, device: str, report: certify.Report
) -> Iterator[DefaultsRecord]:
    """A record for each implementation with a defaults.py, as many at once as there are cores: nothing is timed."""
    asked = [implementation for implementation in implementations if source(implementation).exists()]
    for implementation in implementations:
        if implementation not in asked:
            report(f"{implementation.id}: it has no {source(implementation).name}")
    certify.ensure_all(asked, device)
    yield from certify.side_by_side([functools.partial(ask, implementation, where, device) for implementation in asked])


def ask(implementation: Implementation, where: Machine, device: str = "cpu") -> DefaultsRecord:
    """The answers of one implementation. Never raises for its faults: the record states them."""
    record = certify.blank(DefaultsRecord, Case(implementation, "defaults"), where, device, digests={}, answers={})
    record.threads, start = 1, time.monotonic()
    with faults.recorded(record), _ended(record):
        functions, unanswered = read(source(implementation))
        record.digests = digests(implementation, device)
        lines = explicit.read(source(implementation).with_name("explicit.toml"), functions)
        with tempfile.TemporaryDirectory(prefix="rosetta-") as folder:
            calls, written = [call for call in infer.CALLS if call.question in functions], explicit.calls(lines)
            results = run(implementation, [*calls, *written], Path(folder), device)
            certify.facts(record, implementation, Path(folder))
        record.answers = answers(functions, unanswered, results)
        record.calls = written_answers(lines, written, results)
        unknown = {name: answer.reason for name, answer in record.answers.items() if answer.code == Code.UNKNOWN}
        record.status = "failed" if unknown else "ok"
        record.reason = "; ".join(f"{name}: {reason}" for name, reason in unknown.items()) or None
    record.times = Times(process=time.monotonic() - start)
    return record


@contextlib.contextmanager
def _ended(record: DefaultsRecord) -> Iterator[None]:
    """A block in which an implementation is asked: if it cannot be, or breaks the contract, the record says how."""
    with certify.ended(record):
        try:
            yield
        except Failed as error:
            record.status, record.reason, record.log = error.ended.status, error.ended.reason, error.ended.log
        except environment.Unsupported:
            raise
        except UserError as error:
            record.status, record.reason = "failed", str(error)


def run(implementation: Implementation, calls: list[Call], folder: Path, device: str) -> dict[str, Result]:
    """The result of each call. One that ends the process is a refusal, and those after it get a new process.

    A process runs where nothing is called as well: it tells which version has nothing to answer.
    """
    np.savez(folder / "given.npz", allow_pickle=False, **infer.given())
    python, environ = environment.ensure(implementation, device), environment.variables(implementation, None, 1, device)
    left, results, ended = list(calls), dict[str, Result](), None
    while ended is None or left:
        asked = [
            {"name": c.name, "function": c.question, "arguments": c.arguments, "explicit": c.explicit} for c in left
        ]
        (folder / "questions.json").write_text(json.dumps(asked), "utf-8")
        command: list[str | Path] = [python, "-m", "rosetta_common", "ask", source(implementation), "--folder", folder]
        ended = process.run(command, environ, TIMEOUT)
        for call in list(left):
            if (result := _result(folder, call)) is None:
                break
            results[call.name] = result
            left.remove(call)
        if ended.status == "ok" and left:
            raise Failed(msgspec.structs.replace(ended, status="failed", reason=f"{left[0].name} left nothing."))
        if left or (not calls and ended.status != "ok"):
            if len(left) == len(asked) or ended.status in ("interrupted", "timeout"):
                raise Failed(ended)
            results[left.pop(0).name] = Result({}, f"ends the process: {ended.reason}")
    return results


def _result(folder: Path, call: Call) -> Result | None:
    """The result that a call left in the folder; None where it left nothing."""
    refusal, returned = folder / f"{call.name}.txt", folder / f"{call.name}.npz"
    if refusal.exists():
        return Result({}, refusal.read_text("utf-8"))
    if not returned.exists():
        return None
    with np.load(returned) as file:
        return Result({key: file[key] for key in file.files})


def answers(functions: set[str], unanswered: dict[str, str], results: dict[str, Result]) -> dict[str, Answer]:
    """question.facet -> the answer, for every facet there is."""
    answers: dict[str, Answer] = {}
    arrays = infer.given()
    for question, (_, facets) in QUESTIONS.items():
        judged = _judged(question, results, arrays) if question in functions else {}
        for facet in facets:
            name = f"{question}.{facet}"
            reason = unanswered.get(name) or (unanswered.get(question) if question not in functions else None)
            if reason:
                code = Code.MUST_BE_GIVEN if reason.startswith(GIVEN) else Code.NONE
                answers[name] = Answer(code, reason=reason.removeprefix(f"{GIVEN}: "))
            else:
                answers[name] = judged.get(facet, infer.unknown("the probe returned nothing that tells"))
    return answers


def written_answers(
    lines: explicit.Lines, calls: list[Call], results: dict[str, Result]
) -> dict[str, dict[str, Answer]]:
    """question.facet -> line -> the answer with it, from the results of `explicit.calls(lines)`."""
    arrays, answers = infer.given(), dict[str, dict[str, Answer]]()
    for name, written in lines.items():
        question, _, facet = name.partition(".")
        answers[name] = {}
        for line in written:
            judged = _judged(question, explicit.results_of(question, line, calls, results), arrays)
            answers[name][line] = judged.get(facet, infer.unknown("the probe returned nothing that tells"))
    return answers


def _judged(question: str, results: dict[str, Result], arrays: infer.Arrays) -> dict[str, Answer]:
    """The answers of one question; where each of its calls was refused, or broke the contract, all are that."""
    calls = [results[call.name] for call in infer.CALLS if call.question == question]
    facets = QUESTIONS[question][1]
    if all(call.refusal for call in calls):
        return dict.fromkeys(facets, Answer(Code.REFUSED, reason=calls[0].refusal))
    try:
        return dict(infer.JUDGES[question](results, arrays))
    except (KeyError, ValueError, IndexError) as error:
        return dict.fromkeys(facets, infer.unknown(f"the probe broke its contract: {type(error).__name__}: {error}"))


def changes(before: DefaultsRecord, now: DefaultsRecord) -> Iterator[str]:
    """In which answers two records differ, a line each: a version's new defaults."""
    for name, answer in now.answers.items():
        old = before.answers.get(name)
        if old is not None and old.statement != answer.statement:
            yield f"{name}: {old.statement} → {answer.statement}"


def summary(record: DefaultsRecord) -> str:
    """One implementation's answers, in a line."""
    if not record.answers:
        return f"{record.implementation}: {record.status}: {record.reason}"
    nothing = sum(answer.code == Code.NONE and answer.reason is not None for answer in record.answers.values())
    unknown = sum(answer.code == Code.UNKNOWN for answer in record.answers.values())
    given = len(record.answers) - unknown - nothing
    rest = f"; unknown: {record.reason}" if unknown else ""
    return (
        f"{record.implementation}: {given} of {len(record.answers)} answers, {nothing} for which it has nothing{rest}"
    )
