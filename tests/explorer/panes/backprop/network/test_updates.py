"""An optimizer step in numbers: what the gradient is made of, what was remembered, whose it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.numbers import format_number
from core.optimization.optimizers import OPTIMIZERS
from explorer.panes.backprop.network.compute import Training
from explorer.panes.backprop.network.draft import NetworkDraft
from explorer.panes.backprop.network.elements import Weight
from explorer.panes.backprop.network.inspector import of_inner, of_keyframe
from explorer.panes.backprop.network.optimizer_rows import update_rows
from explorer.panes.backprop.network.optimizer_step import Bias, update_trace
from explorer.panes.backprop.network.presets import preset

BATCH = "g of the batch"


def told_of(rows):
    return {row.name: row for row in rows if hasattr(row, "name")}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("kind", ["l1", "l2"])
def test_the_gradient_is_the_sum_of_the_batchs_and_the_penaltys(kind, name):
    training = Training(NetworkDraft(optimizer=name, penalty=kind, strength=0.1))
    keyframe = [training.one_step() for _ in range(3)][-1]
    told = told_of(update_rows(keyframe, Weight(1, 2, 3))[1])
    letter = f"g of {kind.upper()}"
    theta = told["\u03b8"].value
    expected = 0.2 * theta if kind == "l2" else 0.1 * np.sign(theta)
    assert told[letter].value == expected and "0.1" in told[letter].note
    assert told[BATCH].value + told[letter].value == pytest.approx(told["g"].value, abs=1e-14)
    assert "\u03bb = 0" in " ".join(row.note for row in told.values())
    inside = told_of(of_inner(keyframe, 1, update_trace(keyframe, 1)[1], Weight(1, 2, 3)).rows)
    if "g" in inside:
        assert [inside[key].value for key in ("g", letter)] == [
            told[key].value for key in ("g", letter)
        ]


def test_without_a_penalty_the_gradient_is_the_batchs():
    training = Training(NetworkDraft())
    told = told_of(update_rows(training.one_step(), Weight(0, 0, 0))[1])
    assert BATCH not in told and told["g"].note == "gradient for this step's batch"


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_what_was_remembered_stands_before_what_became_of_it(name):
    training = Training(NetworkDraft(optimizer=name))
    keyframe = [training.one_step() for _ in range(3)][-1]
    rows = update_rows(keyframe, Weight(1, 2, 3))[1]
    names = [row.name for row in rows]
    state, taken = keyframe.update.states["1.weight"]
    kept = [value[2, 3] for value in (getattr(state, one) for one in _slots(state))]
    before = {row.name: row.value for row in rows if row.name.endswith(" before")}
    assert taken == 2 and sorted(before.values()) == sorted(kept)
    for one in before:
        assert names.index(one) < names.index(one.removesuffix(" before"))
    assert name != "lion" or names.index("m before") < names.index("c")


def _slots(state):
    return getattr(type(state), "__dataclass_fields__", {})


def test_sgds_rows_have_the_letters_of_its_formula():
    training = Training(NetworkDraft(optimizer="sgd"))
    step, rows = update_rows(training.one_step(), Weight(1, 2, 3))
    assert [row.name for row in rows] == [
        "\u03b8",
        "g",
        "\u03b7",
        "s",
        "\u03b8 after",
        "\u0394\u03b8",
    ]
    assert "s = g" in step.formula


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "muon"])
def test_a_step_below_the_digits_of_its_weight_is_told_by_itself(name):
    """Before and after read the same: the rule can be checked by what it changes."""
    training = Training(NetworkDraft(optimizer=name, learning_rate=1e-5))
    keyframe = training.one_step()
    told = told_of(update_rows(keyframe, Weight(1, 2, 3))[1])
    before, after = told["\u03b8"].value, told["\u03b8 after"].value
    assert format_number(before) == format_number(after) and before != after
    change = told["\u0394\u03b8"].value
    assert change == after - before == keyframe.weights[1][2, 3] - before
    if name == "sgd":
        assert change == pytest.approx(-told["\u03b7"].value * told["s"].value, rel=1e-6)


@pytest.mark.parametrize("name", ["adam", "muon"])
def test_where_no_weight_has_a_gradient_the_bias_that_learns_is_shown(name):
    training = Training(replace(preset("zeros").draft, optimizer=name))
    keyframe = [training.one_step() for _ in range(5)][-1]
    shown = of_keyframe(keyframe, None, False)
    assert shown.rows[:2] == [
        "No weight has a gradient. This bias has the largest one:",
        "bias of output",
    ]
    told = told_of(shown.rows)
    assert told["g"].value == keyframe.update.gradients["2.bias"][0] != 0
    assert told["\u03b8 after"].value == keyframe.biases[2][0]
    assert "bias" in shown.title and "bias" in told["\u03b8"].note
    assert told_of(update_rows(keyframe, Bias(0, 1))[1])["g"].value == 0


@pytest.mark.parametrize("kind", ["l1", "l2"])
def test_the_loss_of_a_step_and_its_penalty_add_up_to_what_it_makes_smaller(kind):
    training = Training(NetworkDraft(penalty=kind, strength=0.1))
    training.one_step()
    learned = training.learn()
    keyframe = training.record()
    told = told_of(of_inner(keyframe, 1, update_trace(keyframe, 1)[0], None).rows)
    price = told[f"{kind.upper()} penalty"]
    assert told["loss"].value + price.value == told["cost"].value == pytest.approx(learned.loss)
    assert "0.1" in price.note
