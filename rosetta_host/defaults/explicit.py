"""explicit.toml: for each default the code that writes another answer out, measured as the default itself is.

The table of a function of defaults.py has a list of lines for a facet, as `epsilon = ["optim.Adam(..., eps=1e-7)"]`,
where `...` stands for the arguments that the function passes. No line says which answer it gives: the function runs
with it, and the host infers the answer.
"""

from __future__ import annotations

import ast
import dataclasses
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from rosetta_host.catalog.frameworks import UserError, nearest
from rosetta_host.defaults import infer
from rosetta_host.defaults.infer import Call, Result
from rosetta_host.defaults.spec import QUESTIONS
from rosetta_host.records.codes import Code
from rosetta_host.records.store import Answer, DefaultsRecord, Statement

Lines = dict[str, list[str]]  # question.facet -> lines
NO_DEFAULT = (Code.REFUSED, Code.MUST_BE_GIVEN, Code.UNKNOWN)  # what no line can be asked to give


def read(path: Path, functions: Iterable[str]) -> Lines:
    """The lines of a folder's explicit.toml; none where there is no such file.

    functions: those of the defaults.py beside it. Raises UserError for a table of another one, a facet that is not
    asked about, or a line that is no call.
    """
    if not path.exists():
        return {}
    where = f"{path.parent.name}/{path.name}"
    try:
        tables = msgspec.convert(tomllib.loads(path.read_text("utf-8")), dict[str, dict[str, list[str]]])
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise UserError(f"{where} is not valid: {error}.") from None
    lines: Lines = {}
    for question, facets in tables.items():
        asked = [name for name in QUESTIONS if name in {*functions}]
        if question not in asked:
            raise UserError(f"{where}: {nearest('function of defaults.py', question, asked)}")
        for facet, written in facets.items():
            if facet not in QUESTIONS[question][1]:
                raise UserError(f"{where}, [{question}]: {nearest('facet', facet, list(QUESTIONS[question][1]))}")
            for line in written:
                _check(line, f"{where}, {question}.{facet}")
            lines[f"{question}.{facet}"] = written
    return lines


def _check(line: str, where: str) -> None:
    """Whether a line is what `rosetta_common.written_out` can make of a call."""
    try:
        first = ast.parse(line).body[0]
    except (SyntaxError, IndexError):
        raise UserError(f"{where}: {line!r} is not Python.") from None
    call = first.value if isinstance(first, ast.Expr | ast.Assign) else None
    if isinstance(first, ast.Assign) and not isinstance(first.targets[0], ast.Name):
        call = None
    if not isinstance(call, ast.Call) or not _is_dotted(call.func) or [*map(ast.unparse, call.args)] != ["..."]:
        raise UserError(
            f"{where}: {line!r} does not begin with a call such as `package.Name(..., argument=value)`; write `...` "
            "for the arguments that the function passes, and the others by their names."
        )


def _is_dotted(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) or (isinstance(node, ast.Attribute) and _is_dotted(node.value))


def calls(lines: Lines) -> list[Call]:
    """What to call for the lines: all calls of a line's question; a line of several facets is measured once."""
    pairs = dict.fromkeys((name.partition(".")[0], line) for name, written in lines.items() for line in written)
    return [
        dataclasses.replace(call, name=f"{call.name}-explicit-{number}", explicit=line)
        for number, (question, line) in enumerate(pairs)
        for call in infer.CALLS
        if call.question == question
    ]


def results_of(question: str, line: str, made: list[Call], results: dict[str, Result]) -> dict[str, Result]:
    """The results of a line's calls, by the names that the calls have without it."""
    own = [call for call in made if (call.question, call.explicit) == (question, line)]
    return {call.name.partition("-explicit-")[0]: results[call.name] for call in own}


def problems(record: DefaultsRecord) -> Iterator[str]:
    """The lines of a record that give no answer, and why."""
    for name, answers in record.calls.items():
        for line, answer in answers.items():
            if answer.code in NO_DEFAULT:
                yield f"{name}: {line}: {answer.reason}"


def missing(record: DefaultsRecord, others: Iterable[DefaultsRecord]) -> Iterator[tuple[str, Statement]]:
    """The defaults of other frameworks that no measured line of this one gives, as question.facet and the answer."""
    defaults = [other for other in others if other.framework != record.framework]
    for name, answer in record.answers.items():
        given = {answer.statement, *(each.statement for each in record.calls.get(name, {}).values())}
        wanted = (other.answers[name] for other in defaults if name in other.answers)
        if not _is_nothing(answer):
            for statement in dict.fromkeys(each.statement for each in wanted if not _is_nothing(each)):
                if statement not in given and statement.code not in NO_DEFAULT:
                    yield name, statement


def _is_nothing(answer: Answer) -> bool:
    """Whether the answer is that the framework has no such thing."""
    return answer.code == Code.NONE and answer.reason is not None
