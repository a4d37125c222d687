"""A line under a snippet: the defaults of this framework that would bite there, each with a link to its answer.

Only what bites quietly is told: an argument that must be given, or a refusal, makes itself known.
"""

from __future__ import annotations

from dataclasses import dataclass

from docutils import nodes
from sphinx.environment import BuildEnvironment

from _ext.core.answers import Answers, answers, known, name_of, row_anchor
from _ext.core.links import AnchorLink, place_link
from _ext.core.texts import text
from rosetta_common import run
from rosetta_host.catalog.frameworks import Row, nearest
from rosetta_host.defaults import spec
from rosetta_host.records.codes import Code, Rule
from rosetta_host.records.store import Statement

MOST = None  # what an answer is held against where the workload needs none: that of most frameworks
SHOWN = 3  # facets a note
LOUD = (Code.REFUSED, Code.MUST_BE_GIVEN)

GLOROT = Statement(Code.UNIFORM, items=(Rule.GLOROT,))
ONE_MATRIX = Statement(Code.ALL_GATES_AS_ONE_MATRIX, parts=(GLOROT,))
KERNEL = Statement(Code.KERNEL, items=("3", "3"))
Need = Code | Statement | tuple[Code, ...] | None
Needs = dict[str, Need]  # question.facet -> the answer that the workload needs, those that serve it alike, or MOST
CLASSICAL = (  # alike at a constant rate, which is that of the networks
    Code.CLASSICAL_RATE_OUTSIDE,
    Code.CLASSICAL_RATE_INSIDE,
)
GRU = run.settings_of("gru")
START: Needs = {"dense.weights": GLOROT, "dense.bias": Code.ZEROS}
LOSS: Needs = {"cross_entropy.soft_max": Code.IN_LOSS, "cross_entropy.reduction": Code.MEAN}
LOOP: Needs = {"dropout.unsaid": Code.DROPS, "input_gradient.unasked": Code.LEFT_OUT}


def number(value: float) -> Statement:
    return Statement(Code.NUMBER, value)


# Function of the examples -> what matters there.
MATTERS: dict[str, Needs] = {
    "cnn.load_data": {"convolution.channels": MOST, "cross_entropy.labels": MOST},
    "cnn.create_symbol": {
        "convolution.padding": Code.SAME_SIZE,
        "convolution.activation": Code.NONE,
        "convolution.number": KERNEL,
        "convolution.pair": KERNEL,
        "convolution.stride": number(1),
        "max_pool.stride": number(2),
        "dense.activation": Code.NONE,
        "dropout.scaling": Code.KEPT_DOUBLED,
        "max_pool.ties": MOST,
    },
    "cnn.init_model": {
        "momentum.kind": CLASSICAL,
        **LOSS,
        "convolution.weights": GLOROT,
        "convolution.bias": Code.ZEROS,
        **START,
        "momentum.clipping": Code.TAKEN_AS_IT_IS,
    },
    "cnn.train": LOOP,
    "cnn.train_with_loader": {
        "loader.order": Code.SHUFFLED,
        "loader.last_batch": Code.BATCH_DROPPED,
        "shuffled_loader.unit": Code.SAMPLES,
    },
    "cnn.predict": {"dropout.unsaid": Code.DOES_NOT_DROP},
    "cnn.export_weights": {"convolution.flip": Code.CORRELATION},
    "gru.load_data": {
        "padding.side": Code.BEHIND,
        "padding.cut": Code.IN_FRONT,
        "padding.value": number(0),
        "cross_entropy.labels": MOST,
    },
    "gru.create_symbol": {
        "gru.reset_gate": Code.AFTER_PRODUCT,
        "gru.gate": Code.SIGMOID,
        "gru.biases": Code.TWO_BIASES,
        "gru.output": MOST,
        "dense.activation": Code.NONE,
    },
    "gru.init_model": {
        "adam.epsilon": number(GRU.epsilon),
        "adam.epsilon_place": Code.CORRECTED_ROOT,
        "adam.correction": Code.FROM_FIRST_STEP,
        "adam.learning_rate": number(GRU.learning_rate),
        "adam.beta1": number(GRU.beta1),
        "adam.beta2": number(GRU.beta2),
        **LOSS,
        "embedding.weights": Statement(Code.UNIFORM, GRU.embedding_bound),
        "gru.input_weights": ONE_MATRIX,
        "gru.recurrent_weights": ONE_MATRIX,
        "gru.bias": Code.ZEROS,
        **START,
    },
}


def matters(workload: str, functions: list[str]) -> Needs:
    """What matters in a snippet of these functions."""
    found: Needs = {}
    for function in functions:
        found |= MATTERS.get(f"{workload}.{function}", {})
    return found


def unknown(workload: str, functions: list[str]) -> list[str]:
    """What is said to matter there and is no question, in words."""
    every = known()
    return [str(nearest("question", name, every)) for name in matters(workload, functions) if name not in every]


@dataclass
class Bite:
    """A facet whose default would bite: the answers, each with the rows that give it."""

    name: str
    odd: bool  # most frameworks do otherwise
    said: dict[Statement, list[Row]]

    def link(self, rows: list[Row]) -> AnchorLink:
        """What is asked and answered; where the rows of a folder differ, with their names."""
        question, _, facet = self.name.partition(".")
        told = [text(statement) + self.whose(found, rows) for statement, found in self.said.items()]
        line = f"{name_of(question)}, {spec.QUESTIONS[question][1][facet]}: {'; '.join(told)}"
        return place_link(row_anchor(question, next(iter(self.said.values()))[0]), line)

    @staticmethod
    def whose(found: list[Row], rows: list[Row]) -> str:
        return "" if found == rows else f" ({', '.join(row.name for row in found)})"


def served(need: Code | Statement | tuple[Code, ...]) -> tuple[Statement, ...]:
    """The statements that serve a need; a code alone is a statement without values."""
    if isinstance(need, Statement):
        return (need,)
    return tuple(map(Statement, (need,) if isinstance(need, Code) else need))


def _bite(told: Answers, rows: list[Row], name: str, need: Need) -> Bite | None:
    found = Bite(name, False, {})
    for row in rows:
        asked = told.asked[row.id]
        answer, odd = asked.current(name), told.is_odd(asked, name)
        if answer and answer.code not in LOUD and (odd if need is MOST else answer.statement not in served(need)):
            found.said.setdefault(answer.statement, []).append(row)
            found.odd |= odd
    return found if found.said else None


def bites(env: BuildEnvironment, rows: list[Row], workload: str, functions: list[str]) -> list[nodes.Node]:
    """The line for the rows of a folder; none where nothing bites. First what most others do not do."""
    told, wanted = answers(env.config), matters(workload, functions)
    found = [bite for name, need in wanted.items() if (bite := _bite(told, rows, name, need))]
    links = [bite.link(rows) for bite in sorted(found, key=lambda bite: not bite.odd)[:SHOWN]]
    if not links:
        return []
    line = nodes.paragraph("", "By default: ", links[0], classes=["rosetta-bites"])
    for link in links[1:]:
        line += [nodes.Text(" · "), link]
    return [line]
