"""Two parts of a formula that have one name are told apart, everywhere alike."""

from __future__ import annotations

import numpy as np

from explorer.panes.backprop.expression.compute import compute
from explorer.panes.backprop.expression.inspector import of_step
from explorer.panes.backprop.expression.number_table import names_of, numbers_of
from explorer.panes.backprop.expression.presets import EXAMPLES
from explorer.panes.backprop.expression.scene import instant_at
from explorer.panes.backprop.expression.text import headline, lines_of_names, title, told
from explorer.widgets.base import Columns
from explorer.widgets.encoding import as_csv

MICROGRAD = next(one for one in EXAMPLES if one.id == "micrograd")
ONCE = "c = a * b\nL = c + a"


def test_no_two_nodes_of_an_example_have_one_name():
    for one in EXAMPLES:
        graph = compute(one.text, one.values).graph
        names = [node.label for node in graph.nodes if node.tensor.requires_grad]
        assert len(set(names)) == len(names), one.id


def test_headline_math_and_numbers_agree():
    computed = compute(MICROGRAD.text, MICROGRAD.values)
    nodes = [node.label for node in computed.graph.nodes]
    number = nodes.index("c₃")
    moment = computed.plan.appears[number]
    assert "c₃ is" in headline(computed, moment) and "c₃ = " in title(computed, moment)
    shown = of_step(computed, moment)
    assert shown.step is not None and shown.step.formula.startswith("{c}_{3} =")
    assert any(getattr(row, "name", "") == "c₃" for row in shown.rows)
    assert names_of(computed)[number].startswith("c₃ = ")


def test_a_headline_speaks_of_a_local_derivative_where_one_is_shown():
    layer = next(one for one in EXAMPLES if one.id == "matrices")
    computed = compute(layer.text, layer.values)
    said = []
    for moment, place in enumerate(computed.plan.places[:-1]):
        if place is not None and place.phase == "backward":
            rows = of_step(computed, moment).rows
            shown = any(getattr(row, "name", "") == "local" for row in rows)
            assert ("local derivative" in headline(computed, moment)) is shown
            said.append(shown)
    assert set(said) == {True, False}


def test_words_say_which_line_a_name_is_of():
    computed = compute(MICROGRAD.text, MICROGRAD.values)
    nodes = [node.label for node in computed.graph.nodes]
    assert lines_of_names(computed, [nodes.index("c₂")]) == "c₂ is the value set on line 5"
    assert lines_of_names(computed, [nodes.index("c")]) == "c is the value set on line 3"
    assert lines_of_names(computed, [nodes.index("a"), nodes.index("e")]) == ""
    assert told(computed, nodes.index("d₂")).endswith(". d₂ is the value set on line 7")
    backward = next(m for m, one in enumerate(computed.plan.places) if one and one.input == 1)
    assert "L is g₂, " in of_step(computed, backward).cell
    again = compute("x = x*2\nx + 1", {})
    assert lines_of_names(again, range(len(again.graph.nodes))) == "x₂ is the value set on line 1"
    once = compute(ONCE, {})
    assert of_step(once, len(once.plan) - 1).cell is None


def test_a_name_that_a_later_line_takes_is_shown_where_it_is_read():
    def marked(text, label):
        computed = compute(text, {})
        number = [node.label for node in computed.graph.nodes].index(label)
        return [(start, text[start : start + length]) for start, length in computed.places(number)]

    text = "c = 2\nc = c*3\nc + c"
    assert marked(text, "c") == [(0, "c"), (10, "c")] and marked(text, "c₂") == [(10, "c*3")]
    assert marked("x = x*2\nx + 1", "x") == [(4, "x")]
    assert marked("\u00b5 * 2 + \u00b5", "\u03bc") == [(0, "\u00b5"), (8, "\u00b5")]
    assert marked("a + 2*a", "a") == [(0, "a"), (6, "a")], "from the left"


def test_a_table_has_a_row_for_each_number_with_its_name():
    computed = compute("W = [[1, 2], [3, 4]]\nh = tanh(W)\nL = sum(h) * w", {"w": 0.5})
    numbers = numbers_of(computed, instant_at(computed, len(computed.plan) - 1), {})
    names = names_of(computed)
    rows = dict(zip(names, zip(numbers["value"], numbers["gradient"], strict=True), strict=True))
    assert rows["W[1, 0]"][0] == 3.0 and rows["w"][0] == 0.5
    assert rows["h[0, 1], h = tanh(W)"] == (np.tanh(2.0), 0.5)
    assert "L = v2 × w" in rows or "L = v1 × w" in rows
    first = numbers_of(computed, instant_at(computed, 0.0), {})
    assert np.isnan(first["gradient"]).all() and len(first["value"]) == len(names) == 11
    lines = as_csv(Columns({"name": np.array(names), **numbers})).splitlines()
    assert lines[0] == "name,value,gradient" and len(lines) == 12
    assert any(line.startswith('"W[0, 1]",2.0,') for line in lines)
