"""The answers of each implementation about its defaults: the newest, whether they still hold, and the usual ones.

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
from rosetta_host.catalog.frameworks import Implementation, nearest
from rosetta_host.defaults import spec
from rosetta_host.environments import digests
from rosetta_host.records.codes import Code
from rosetta_host.records.store import Answer, DefaultsRecord, Statement

SOURCE = "defaults"  # the file of a folder that asks, as Implementation.example() names it
CUT_SHORT = ("interrupted", "unsupported")  # such a run says nothing of the framework
NO_ANSWER = (Code.UNKNOWN, Code.REFUSED)  # of a line that was measured
# What an answer holds for, as a reader knows it.
HOLDS_FOR = {
    "defaults": f"{SOURCE}.py",
    "framework": "framework.toml",
    "lock": "lock",
    digests.BORROWED: "environment's framework.toml",
    digests.EXPLICIT: "explicit.toml",
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


def answer_anchor(question: str, implementation: Implementation) -> str:
    """The id of an implementation's line in the table of a question."""
    name: str = nodes.make_id(f"default-{question}-{implementation.id}")
    return name


def probe_anchor(question: str, implementation: Implementation) -> str:
    """The id of the panel that shows the code that asked; a folder's implementations share it."""
    name: str = nodes.make_id(f"{SOURCE}-{question}-{implementation.folder.name}")
    return name


def is_given(answer: Answer) -> bool:
    """Whether it tells what the framework does. "none" with a reason is that it has no such thing."""
    return answer.code != Code.UNKNOWN and not (answer.code == Code.NONE and answer.reason)


@dataclass(frozen=True)
class Asked:
    """An implementation, the newest record of its answers, and what has changed since they were given."""

    implementation: Implementation
    record: DefaultsRecord | None = None
    changed: tuple[str, ...] = ()

    def answer(self, name: str) -> Answer | None:
        """The answer to question.facet as it is recorded."""
        return self.record.answers.get(name) if self.record else None

    def current(self, name: str) -> Answer | None:
        """The answer, where there is one that still holds."""
        answer = self.answer(name)
        return answer if answer and is_given(answer) and not self.changed else None

    def lines(self, name: str) -> dict[str, Statement]:
        """Each line of explicit.toml for question.facet and what it was measured to do, where that still holds."""
        answers = self.record.calls.get(name, {}) if self.record and not self.changed else {}
        return {line: answer.statement for line, answer in answers.items() if answer.code not in NO_ANSWER}


class Answers:
    """All implementations, and what most of them answer."""

    def __init__(self, store: stores.Store) -> None:
        self.asked = {
            implementation.id: _asked(store, implementation) for implementation in store.implementations.values()
        }

    @cached_property
    def usual(self) -> dict[str, Statement]:
        """question.facet -> what more than half of the folders of examples/ answer, each with one voice."""
        return {name: statement for name in facets() if (statement := self._usual(name))}

    def _usual(self, name: str) -> Statement | None:
        voices: dict[str, list[Statement]] = defaultdict(list)
        for asked in self.asked.values():
            if answer := asked.current(name):
                voices[asked.implementation.folder.name].append(answer.statement)
        votes: Counter[Statement] = Counter()
        for statements in voices.values():
            for statement in statements:
                votes[statement] += Fraction(1, len(statements))  # type: ignore[assignment]  # a share of a voice
        most, count = votes.most_common(1)[0] if votes else (None, 0)
        return most if 2 * count > len(voices) else None

    def is_odd(self, asked: Asked, name: str) -> bool:
        """Whether an implementation answers otherwise than most."""
        answer, usual = asked.current(name), self.usual.get(name)
        return answer is not None and usual is not None and answer.statement != usual


def written(folder: Iterable[Asked], name: str) -> dict[Statement, str]:
    """What a folder's framework can be made to do about question.facet -> the shortest line that does it.

    A line counts where it does the same in all implementations of the folder whose answers hold.
    """
    lines = [asked.lines(name) for asked in folder if asked.current(name)]
    shortest: dict[Statement, str] = {}
    for line in sorted(lines[0] if lines else (), key=len):
        if len({each.get(line) for each in lines}) == 1:
            shortest.setdefault(lines[0][line], line)
    return shortest


def _asked(store: stores.Store, implementation: Implementation) -> Asked:
    runs = [
        run for run in store.of_kind(DefaultsRecord, implementation=implementation.id) if run.status not in CUT_SHORT
    ]
    last = newest.anywhere(runs)
    return Asked(implementation, last, _changed(implementation, last)) if last else Asked(implementation)


def _changed(implementation: Implementation, record: DefaultsRecord) -> tuple[str, ...]:
    """What is not as it was when the record was made."""
    others = digests.differing(record.digests, today(implementation, record.device or "cpu"))
    return tuple(name for key, name in HOLDS_FOR.items() if key in others)


def today(implementation: Implementation, device: str = "cpu") -> dict[str, str]:
    """The digests that a current answer holds for. A file that is not there, or is not Python, has none."""
    return {
        "defaults": _digest(implementation.example(SOURCE)),
        "framework": digests.declared_digest(implementation, SOURCE, device),
        "lock": digests.environment_digest(implementation, device),
        **digests.borrowed_digest(implementation, device),
        **digests.explicit_digest(implementation),
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
