"""Two parts of a formula that have one name are told apart, everywhere alike."""

from __future__ import annotations

from explorer.panes.backprop.expression.computing import compute
from explorer.panes.backprop.expression.examples import EXAMPLES
from explorer.panes.backprop.expression.explaining import of_step
from explorer.panes.backprop.expression.numbers import labels_of
from explorer.panes.backprop.expression.scene import scene_of
from explorer.panes.backprop.expression.words import headline, lines_of_names, title, told

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
    assert "c₃ = " in headline(computed, moment) and "c₃ = " in title(computed, moment)
    shown = of_step(computed, moment)
    assert shown.step is not None and shown.step.formula.startswith("{c}_{3} =")
    assert any(getattr(row, "name", "") == "c₃" for row in shown.rows)
    labels = labels_of(scene_of(computed))["value"][0]
    assert labels[number].startswith("c₃ = ")


def test_words_say_which_line_a_name_is_of():
    computed = compute(MICROGRAD.text, MICROGRAD.values)
    nodes = [node.label for node in computed.graph.nodes]
    assert lines_of_names(computed, [nodes.index("c₂")]) == "c₂ is the c of line 5"
    assert lines_of_names(computed, [nodes.index("c")]) == "c is the c of line 3"
    assert lines_of_names(computed, [nodes.index("a"), nodes.index("e")]) == ""
    assert told(computed, nodes.index("d₂")).endswith(". d₂ is the d of line 7")
    backward = next(m for m, one in enumerate(computed.plan.places) if one and one.input == 1)
    assert of_step(computed, backward).cell.startswith("L is g₂, where the formula ends. ")
    once = compute(ONCE, {})
    assert of_step(once, len(once.plan) - 1).cell is None
