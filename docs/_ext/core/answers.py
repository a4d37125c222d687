"""What each row answers of its defaults: its newest record, whether that still holds, and what most others answer.

The questions, their order and their words are those of rosetta_host/defaults/spec.py.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from weakref import WeakKeyDictionary

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

from _ext.core import newest
from _ext.core import store as stores
from rosetta_host.catalog.frameworks import Row, nearest
from rosetta_host.defaults import spec
from rosetta_host.environments import digests
from rosetta_host.records.codes import Code
from rosetta_host.records.store import Answer, DefaultsRecord, Statement

SOURCE = "defaults"  # the file of a folder that asks, as Row.example() names it
CUT_SHORT = ("interrupted", "unsupported")  # such a run says nothing of the framework
# What an answer holds for, as a reader knows it.
HOLDS_FOR = {
    "defaults": f"{SOURCE}.py",
    "framework": "framework.toml",
    "lock": "lock",
    digests.BORROWED: "environment's framework.toml",
}


def facets() -> list[str]:
    """Every question.facet, in order."""
    return [f"{question}.{facet}" for question, (_, parts) in spec.QUESTIONS.items() for facet in parts]


def unknown(names: Iterable[str]) -> list[str]:
    """What to say of each name that is no question.facet."""
    every = facets()
    return [str(nearest("question", name, every)) for name in names if name not in every]


def name_of(question: str) -> str:
    """What to call a question in a line: "a dense layer" of "A dense layer, given its sizes"."""
    words: str = spec.QUESTIONS[question][0].partition(",")[0]
    article, _, rest = words.partition(" ")
    return f"{article.lower()} {rest}" if article in ("A", "An", "The") else words


def row_anchor(question: str, row: Row) -> str:
    """The id of a row's line in the table of a question."""
    name: str = nodes.make_id(f"default-{question}-{row.id}")
    return name


def probe_anchor(question: str, row: Row) -> str:
    """The id of the panel that shows the code that asked; a folder's rows share it."""
    name: str = nodes.make_id(f"{SOURCE}-{question}-{row.folder.name}")
    return name


def is_given(answer: Answer) -> bool:
    """Whether it tells what the framework does. "none" with a reason is that it has no such thing."""
    return answer.code != Code.UNKNOWN and not (answer.code == Code.NONE and answer.reason)


@dataclass(frozen=True)
class Asked:
    """A row, the newest record of its answers, and what has changed since they were given."""

    row: Row
    record: DefaultsRecord | None = None
    changed: tuple[str, ...] = ()

    def answer(self, name: str) -> Answer | None:
        """The answer to question.facet as it is recorded."""
        return self.record.answers.get(name) if self.record else None

    def current(self, name: str) -> Answer | None:
        """The answer, where there is one that still holds."""
        answer = self.answer(name)
        return answer if answer and is_given(answer) and not self.changed else None


class Answers:
    """All rows, and what most of them answer."""

    def __init__(self, store: stores.Store) -> None:
        self.asked = {row.id: _asked(store, row) for row in store.rows.values()}

    @cached_property
    def usual(self) -> dict[str, Statement]:
        """question.facet -> what more than half of the folders of examples/ answer, each with one voice."""
        return {name: statement for name in facets() if (statement := self._usual(name))}

    def _usual(self, name: str) -> Statement | None:
        voices: dict[str, list[Statement]] = defaultdict(list)
        for asked in self.asked.values():
            if answer := asked.current(name):
                voices[asked.row.folder.name].append(answer.statement)
        votes: Counter[Statement] = Counter()
        for statements in voices.values():
            for statement in statements:
                votes[statement] += Fraction(1, len(statements))  # type: ignore[assignment]  # a share of a voice
        most, count = votes.most_common(1)[0] if votes else (None, 0)
        return most if 2 * count > len(voices) else None

    def is_odd(self, asked: Asked, name: str) -> bool:
        """Whether a row answers otherwise than most."""
        answer, usual = asked.current(name), self.usual.get(name)
        return answer is not None and usual is not None and answer.statement != usual


def _asked(store: stores.Store, row: Row) -> Asked:
    runs = [run for run in store.of_kind(DefaultsRecord, row=row.id) if run.status not in CUT_SHORT]
    last = newest.anywhere(runs)
    return Asked(row, last, _changed(row, last)) if last else Asked(row)


def _changed(row: Row, record: DefaultsRecord) -> tuple[str, ...]:
    """What is not as it was when the record was made."""
    others = digests.differing(record.digests, today(row, record.device or "cpu"))
    return tuple(name for key, name in HOLDS_FOR.items() if key in others)


def today(row: Row, device: str = "cpu") -> dict[str, str]:
    """The digests that an answer of today holds for. A file that is not there, or is not Python, has none."""
    return {
        "defaults": _digest(row.example(SOURCE)),
        "framework": digests.declared_digest(row, SOURCE, device),
        "lock": digests.environment_digest(row, device),
        **digests.borrowed_digest(row, device),
    }


def _digest(source: Path) -> str:
    try:
        return digests.example_digest(source)
    except (FileNotFoundError, SyntaxError):
        return ""


_answers: WeakKeyDictionary[Config, Answers] = WeakKeyDictionary()


def answers(config: Config) -> Answers:
    """The answers of the build with this configuration."""
    return _answers[config]


def _start(app: Sphinx) -> None:
    _answers[app.config] = Answers(stores.store(app.config))


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", _start, priority=600)  # after the store
