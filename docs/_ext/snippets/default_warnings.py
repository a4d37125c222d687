"""A line under a snippet: the defaults of this framework that would bite there, each with a link to its answer.

Only what bites quietly is told: an argument that must be given, or a refusal, makes itself known.
"""

from __future__ import annotations

from dataclasses import dataclass

from docutils import nodes
from sphinx.environment import BuildEnvironment

from _ext.core.answers import Answers, answers, known, name_of, row_anchor
from _ext.core.links import AnchorLink, place_link
from rosetta_common import run
from rosetta_host.catalog.frameworks import Row, nearest
from rosetta_host.defaults import spec

MOST = None  # what an answer is held against where the workload needs none: that of most frameworks
SHOWN = 3  # facets a note
LOUD = ("refused", "must be given")

GLOROT = "uniform, Glorot's, ± √(6 / (fan in + fan out))"
ONE_MATRIX = f"{GLOROT}, all gates as one matrix"
Need = str | tuple[str, ...] | None
Needs = dict[str, Need]  # question.facet -> the answer that the workload needs, those that serve it alike, or MOST
CLASSICAL = (  # alike at a constant rate, which is that of the networks
    "classical, rate outside the velocity: v ← μ v + g, w ← w − η v",
    "classical, rate inside the velocity: v ← μ v + η g, w ← w − v",
)
GRU = run.settings_of("gru")
START: Needs = {"dense.weights": GLOROT, "dense.bias": "zeros"}
LOSS: Needs = {"cross_entropy.soft_max": "in the loss", "cross_entropy.reduction": "the mean"}
LOOP: Needs = {"dropout.unsaid": "it drops", "input_gradient.unasked": "left out"}

# Function of the examples -> what matters there.
MATTERS: dict[str, Needs] = {
    "cnn.load_data": {"convolution.channels": MOST, "cross_entropy.labels": MOST},
    "cnn.create_symbol": {
        "convolution.padding": "1 on each side, the size is kept",
        "convolution.activation": "none",
        "convolution.number": "3 × 3",
        "convolution.pair": "3 × 3",
        "convolution.stride": "1",
        "max_pool.stride": "2",
        "dense.activation": "none",
        "dropout.scaling": "what is kept counts double",
        "max_pool.ties": MOST,
    },
    "cnn.init_model": {
        "momentum.kind": CLASSICAL,
        **LOSS,
        "convolution.weights": GLOROT,
        "convolution.bias": "zeros",
        **START,
        "momentum.clipping": "taken as it is",
    },
    "cnn.train": LOOP,
    "cnn.train_with_loader": {
        "loader.order": "shuffled",
        "loader.last_batch": "it is dropped",
        "shuffled_loader.unit": "samples",
    },
    "cnn.predict": {"dropout.unsaid": "it does not drop"},
    "cnn.export_weights": {"convolution.flip": "not turned: a correlation"},
    "gru.load_data": {
        "padding.side": "behind",
        "padding.cut": "in front",
        "padding.value": "0",
        "cross_entropy.labels": MOST,
    },
    "gru.create_symbol": {
        "gru.reset_gate": "after the recurrent product",
        "gru.gate": "sigmoid",
        "gru.biases": "two",
        "gru.output": MOST,
        "dense.activation": "none",
    },
    "gru.init_model": {
        "adam.epsilon": f"{GRU.epsilon:.1g}",
        "adam.epsilon_place": "beside the corrected root",
        "adam.correction": "from the first step on",
        "adam.learning_rate": f"{GRU.learning_rate:.3g}",
        "adam.beta1": f"{GRU.beta1:.3g}",
        "adam.beta2": f"{GRU.beta2:.4g}",
        **LOSS,
        "embedding.weights": f"uniform, ± {GRU.embedding_bound:.1g}",
        "gru.input_weights": ONE_MATRIX,
        "gru.recurrent_weights": ONE_MATRIX,
        "gru.bias": "zeros",
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
    said: dict[str, list[Row]]

    def link(self, rows: list[Row]) -> AnchorLink:
        """What is asked and answered; where the rows of a folder differ, with their names."""
        question, _, facet = self.name.partition(".")
        told = [words + self.whose(found, rows) for words, found in self.said.items()]
        text = f"{name_of(question)}, {spec.QUESTIONS[question][1][facet]}: {'; '.join(told)}"
        return place_link(row_anchor(question, next(iter(self.said.values()))[0]), text)

    @staticmethod
    def whose(found: list[Row], rows: list[Row]) -> str:
        return "" if found == rows else f" ({', '.join(row.name for row in found)})"


def _served(need: str | tuple[str, ...]) -> tuple[str, ...]:
    return (need,) if isinstance(need, str) else need


def _bite(told: Answers, rows: list[Row], name: str, need: Need) -> Bite | None:
    found = Bite(name, False, {})
    for row in rows:
        asked = told.asked[row.id]
        answer, odd = asked.current(name), told.is_odd(asked, name)
        if answer and answer.words not in LOUD and (odd if need is MOST else answer.words not in _served(need)):
            found.said.setdefault(answer.words, []).append(row)
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
