"""Which examples draw from the shared generator."""

from __future__ import annotations

import pytest
from shown import page

from _ext.snippets.feeds import sentence, shares

TRAIN = "def train(model, x, y):\n    return {}\n"
IMPORT = "from rosetta_common.data import minibatches\n\n\n"


def role_text(site) -> str:
    site.page("index", "{feeds}`batches`")
    assert not site.build()
    return page(site.html("index")).get_text()


@pytest.mark.parametrize(
    ("text", "shared"),
    [
        (IMPORT + TRAIN.format("list(minibatches(x, y, 64))"), True),
        (IMPORT + TRAIN.format("step(x, y)") + "\n\ndef step(x, y):\n    return minibatches(x, y, 64)\n", True),
        (TRAIN.format("model.fit(x, y)"), False),
        (IMPORT + TRAIN.format("model.fit(x, y)") + "\n\ndef predict(model, x):\n    minibatches(x, x, 1)\n", False),
    ],
)
def test_what_train_calls_decides(tmp_path, text, shared) -> None:
    path = tmp_path / "cnn.py"
    path.write_text(text, "utf-8")
    assert shares(path) == shared


def test_a_site_says_who_draws_by_itself_and_notices_a_change(site) -> None:
    assert "All examples draw their mini-batches from one shared generator." in role_text(site)
    path = site.examples / "bell" / "cnn.py"
    path.write_text(path.read_text("utf-8").replace("minibatches(x, y, 64)", "bell.fit(x, y)"), "utf-8")
    assert "shared generator, except those of Bell, where the framework itself shuffles the data" in role_text(site)


def test_several_names_are_listed() -> None:
    assert "except those of A, B and C, where" in sentence(["A", "B", "C"])


def test_another_word_is_a_warning(site) -> None:
    site.page("index", "{feeds}`samples`")
    assert "is not known" in site.build()
