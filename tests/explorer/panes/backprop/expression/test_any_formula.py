"""Formulas that chance has made: each is refused with a reason, or told and drawn at every step."""

from __future__ import annotations

import random

import pytest

from core.autograd import ExpressionError
from core.autograd.functional import FUNCTIONS
from core.jobs import to_the_end
from explorer.panes.backprop.expression import inspector, text
from explorer.panes.backprop.expression.compute import compute, with_names
from explorer.panes.backprop.expression.draft import ExpressionDraft
from explorer.panes.backprop.expression.graph_picture import GraphPicture
from explorer.panes.backprop.expression.scene import scene_of
from explorer.panes.backprop.expression.what_if import check_steps, what_if

PARTS = ("a", "w", "x", "[1, 2]", "[[1, 2], [3, 4]]", "[[0.5], [1]]", "2", "0", "1e300", "-3", "pi")
SIGNS = ("+", "-", "*", "/", "**", "@")


def formula(chance: random.Random, depth: int) -> str:
    if depth == 0 or chance.random() < 0.2:
        return chance.choice(PARTS)
    kind = chance.random()
    if kind < 0.5:
        inner = formula(chance, depth - 1), formula(chance, depth - 1)
        return f"({inner[0]} {chance.choice(SIGNS)} {inner[1]})"
    if kind < 0.9:
        return f"{chance.choice(list(FUNCTIONS))}({formula(chance, depth - 1)})"
    return f"-{formula(chance, depth - 1)}"


@pytest.mark.parametrize("seed", range(30))
def test_any_formula_is_refused_or_told_and_drawn(qtbot, seed):
    chance = random.Random(seed)
    picture = GraphPicture()
    qtbot.addWidget(picture)
    picture.resize(600, 300)
    for _ in range(5):
        drawn = f"sum({formula(chance, chance.randint(1, 4))})"
        values = with_names(
            drawn, {"w": [[1.0, -2.0], [0.5, 0.0]]} if chance.random() < 0.5 else {}
        )
        try:
            computed = compute(drawn, values)
        except ExpressionError as error:
            assert str(error) and 0 <= error.start <= len(drawn)
            continue
        numeric = to_the_end(check_steps(computed))
        picture.set_scene(scene_of(computed))
        picture.set_numeric(numeric)
        for moment in range(len(computed.plan)):
            assert text.headline(computed, moment) and text.title(computed, moment)
            assert text.arithmetic(computed, moment) or moment == 0
            assert inspector.of_step(computed, moment).rows
            picture.set_position(max(0.0, moment - chance.random()))
        assert not picture.grab().isNull() and picture.broken is None, drawn
        for number in range(len(computed.graph.nodes)):
            assert inspector.of_node(computed, number, numeric, pinned=True).rows
            assert text.told(computed, number)
        for name in computed.leaves:
            assert what_if(computed, name, 0, 0.1).name == name
        stepped = ExpressionDraft(drawn, values).stepped(computed)
        assert compute(stepped.text, stepped.values, computed).plan is computed.plan
