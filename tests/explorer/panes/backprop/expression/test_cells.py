"""One number of a tensor, and the numbers that it came from."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF

from explorer.panes.backprop.expression import inspector
from explorer.panes.backprop.expression.compute import Computed, compute
from explorer.panes.backprop.expression.draw_nodes import part
from explorer.panes.backprop.expression.presets import EXAMPLES
from explorer.panes.backprop.expression.step_arithmetic import arithmetic_at, cell_name
from explorer.panes.backprop.expression.step_table import TOGETHER
from explorer.widgets.live_numbers import row_text
from explorer.widgets.numbers_table import NumbersTable
from tests.explorer.panes.backprop.expression.conftest import told
from tests.explorer.waiting import until

LAYER = next(one for one in EXAMPLES if one.id == "matrices")
FORMULAS = (
    "A = randn(3, 2)\nB = randn(2, 4)\nsum(A @ B * 2)",
    "A = randn(2, 3, 2)\nB = randn(2, 4)\nmean(tanh(A @ B))",
    "x = [1, 2]\nW = randn(2, 2)\nsum((x @ W + 0.5) ** 2)",
    "A = randn(2, 3)\nb = [1, 2, 3]\nc = randn(2, 1)\nmean(A * b / c + A)",
    "s = randn(2, 3)\nmax(softmax(s) * s)",
    "A = randn(2, 3)\nsum(transpose(A) @ A)",
)


def at(computed: Computed, phase: str, label: str) -> int:
    """The first moment of a phase whose step changes a node."""
    nodes = computed.graph.nodes
    for moment, place in enumerate(computed.plan.places):
        if place is not None and place.phase == phase:
            about = place.node if place.input is None else nodes[place.node].inputs[place.input]
            if nodes[about].label == label:
                return moment
    raise AssertionError(f"no {phase} of {label}")


@pytest.mark.parametrize("text", FORMULAS)
def test_every_number_of_every_step_is_told_with_its_arithmetic(text):
    computed = compute(text, {})
    nodes = computed.graph.nodes
    for moment, place in enumerate(computed.plan.places):
        if place is None or place.phase == "seed":
            continue
        about = place.node if place.input is None else nodes[place.node].inputs[place.input]
        copied = place.input is not None and computed.is_copied((place.node, place.input))
        for element in range(computed.value(about).size):
            told = arithmetic_at(computed, moment, element)
            if place.phase == "forward":
                assert told.value == computed.value(about).reshape(-1)[element]
            elif place.phase != "backward" or not copied:
                assert told.name == cell_name(computed, about, element)
            if place.phase == "copies":
                flow = computed.flows.along[place.node, place.input]
                assert told.value == pytest.approx(flow.reshape(-1)[element])


def test_a_number_of_a_matrix_product_is_told_as_its_sum():
    computed = compute(LAYER.text, LAYER.values)
    rows = inspector.of_step(computed, at(computed, "forward", "v2"), 1).rows
    assert [row_text(row) for row in rows[-2:]] == ["v2[1, 0]", "1.5 × 1 + 0.3 × 2 =\u00a02.1"]


def test_a_backward_step_of_tensors_has_numbers():
    computed = compute(LAYER.text, LAYER.values)
    moment = at(computed, "backward", "b")
    said = "\n".join(row_text(row) for row in inspector.of_step(computed, moment).rows)
    assert "(3)" not in said and "(\u22120.272, 0.0546, 0.0678)" in said
    told = arithmetic_at(computed, moment, 1)
    assert told.name == "b[1]" and told.value == computed.gradient(computed.leaves["b"])[1]


def test_a_number_that_only_moves_is_told_with_where_it_was():
    computed = compute("A = [[1, 2, 3], [4, 5, 6]]\nsum(transpose(A))", {})
    turned = next(n for n, node in enumerate(computed.graph.nodes) if "transpose" in node.text)
    found = [arithmetic_at(computed, computed.plan.appears[turned], one) for one in range(6)]
    assert [one.written for one in found[:3]] == ["A[0, 0] =", "A[1, 0] =", "A[0, 1] ="]
    assert [one.value for one in found] == [1, 4, 2, 5, 3, 6]
    back = arithmetic_at(computed, at(computed, "backward", "A"), 1)
    assert back.written.startswith("\u2202v2/\u2202v1[1, 0]") and back.value == 1


async def test_the_step_tells_the_number_that_is_pointed_at(pane, mode):
    found = told(pane)
    mode.show_example("matrices")
    moment = at(mode.computed, "backward", "W")
    pane.player.seek(moment)
    mode.choose(mode.computed.leaves["W"], 3)
    await until(lambda: found[-1].pinned)
    assert found[-1].step.name == "backward.MatMul"
    assert any(row_text(row) == "W[1, 1]" for row in found[-1].rows)
    mode.choose(-1, -1)
    graph = mode.view.graph
    graph.hovered = mode.computed.leaves["b"], 2
    mode.inspect()
    await until(lambda: found[-1].title == "b")
    said = "\n".join(row_text(row) for row in found[-1].rows)
    assert "b[2] = 0.300" in said and "flows back from v3 + b" in said


def test_a_gradient_can_be_pointed_at_in_the_picture(pane, mode):
    mode.show_example("matrices")
    graph, number = mode.view.graph, mode.computed.leaves["b"]
    area = part(graph.scene, number, graph.scene.nodes[number].grid(True))
    place = QPointF(area.right() - 3, area.center().y())
    assert graph.hit(QPointF(*graph.camera.seen(place.x(), place.y()))) == (number, 2)


def test_the_numbers_page_says_whose_a_is_meant():
    computed = compute("b = a + a\nL = b * a", {"a": 3.0})
    inspection = inspector.of_step(computed, at(computed, "backward", "b"))
    rows, _ = inspection.labels[TOGETHER]
    table = dict(zip(rows, inspection.table[TOGETHER], strict=True))
    assert table["a (first input): b"] == "6.0" and table["b (second input): a"] == "3.0"
    assert "upstream: \u2202L/\u2202L" in table


def test_a_local_derivative_and_a_gradient_have_two_signs():
    computed = compute("b = a + a\nL = b * a", {"a": 3.0})
    rows = inspector.of_step(computed, at(computed, "backward", "a")).rows
    (local,) = [row for row in rows if getattr(row, "name", "") == "local"]
    assert local.note == "\u2202(b \u00d7 a)/\u2202a"


def test_digits_are_all_there():
    computed = compute("L = a * b", {"a": 0.1, "b": 3.0})
    inspection = inspector.of_step(computed, 1)
    assert "0.30000000000000004" in inspection.table[TOGETHER].tolist()


def test_the_chosen_table_is_kept_from_step_to_step(qtbot):
    table = NumbersTable()
    qtbot.addWidget(table)
    table.set_tables({"upstream: dL/dv1": np.zeros(2), "out: v1": np.zeros(3)})
    table.names.setCurrentText("out: v1")
    table.set_tables({"upstream: dL/dv2": np.zeros(2), "out: v2": np.ones(4)})
    assert list(table.displayed()) == ["out: v2"]


def test_small_tensors_stand_in_one_table():
    computed = compute(LAYER.text, LAYER.values)
    inspection = inspector.of_step(computed, at(computed, "backward", "W"))
    rows, _ = inspection.labels[TOGETHER]
    table = inspection.table[TOGETHER]
    first = rows.index("a (first input): W")
    assert rows[first + 1 : first + 3] == ["row 1", "row 2"]
    assert table[first : first + 3].tolist() == [
        ["0.5", "\u22121"],
        ["1.5", "0.3"],
        ["\u22120.7", "0.8"],
    ]
    many = compute("x = randn(20, 20)\nsum(x * 2)", {})
    assert TOGETHER not in inspector.of_step(many, 1).table


def test_what_comes_to_copies_is_told_before_it_is_added_up():
    computed = compute("a = [1,2,3]\nb = [[1],[2]]\nc = a*b\nloss = max(c)+sum(abs(c-2))", {})
    back, copies = (at(computed, phase, "a") for phase in ("backward", "copies"))
    handed = [[-1, 0, 1], [0, 2, 4]]
    assert computed.step(back).value("contribution").tolist() == handed
    said = [row_text(row) for row in inspector.of_step(computed, back).rows]
    assert any("(2 × 3)" in row and "flows back to the copies of a" in row for row in said)
    assert not any("so far" in row for row in said)
    told = arithmetic_at(computed, back)
    assert (told.name, told.written, told.value) == ("a copy of a[1, 2]", "2 × 2 =", 4.0)
    assert any("(−1, 2, 5)" in row_text(row) for row in inspector.of_step(computed, copies).rows)
    told = arithmetic_at(computed, copies)
    assert (told.name, told.written, told.value) == ("a[2]", "1 + 4 =", 5.0)
    assert computed.gradient_at(computed.leaves["a"], back) is None


def test_a_number_that_is_called_by_its_value_has_no_row():
    for formula in ("L = (a * 2) ** 2", "L = sum([1, 2] * a * 2)"):
        computed = compute(formula, {"a": 3.0})
        for moment in range(1, len(computed.plan)):
            names = [getattr(row, "name", "") for row in inspector.of_step(computed, moment).rows]
            assert "2" not in names and names


def test_gelu_is_told_with_the_share_that_goes_on():
    computed = compute("L = gelu(w)", {"w": -3.0})
    rows = inspector.of_step(computed, 1).rows
    (share,) = [row for row in rows if "share" in getattr(row, "note", "")]
    assert share.name == "\u03a6(\u22123)" and share.value * -3.0 == computed.result
