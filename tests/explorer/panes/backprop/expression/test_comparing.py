"""A gradient and the one by nudging are written so that one sees whether they agree."""

from __future__ import annotations

import pytest

from core.numbers import format_number
from explorer.panes.backprop.expression import draw_nodes
from explorer.panes.backprop.expression.gradient_check import (
    ROUNDED,
    agree,
    compared,
)
from explorer.widgets.live_numbers import row_text

MINUS = "\u2212"


@pytest.mark.parametrize(
    ("one", "two", "told"),
    [
        (1.0149999999, 1.0150000001, ("1.015", "1.015")),  # 1.01 and 1.02, rounded by themselves
        (6.0, 6.0000000004, ("6", "6")),
        (0.9999999999, 1.0, ("1.00", "1.00")),
        (-22.09662, -22.09625, (f"{MINUS}22.097", f"{MINUS}22.096")),
        (0.5, 0.25, ("0.500", "0.250")),
        (1e-7, 2e-7, (f"1.00e{MINUS}7", f"2.00e{MINUS}7")),  # the same only because both are small
        (float("inf"), float("nan"), ("\u221e", "nan")),
        (0.0, -0.0, ("0", "0")),
    ],
)
def test_two_numbers_have_the_digits_that_tell_whether_they_are_the_same(one, two, told):
    assert compared(one, two, agree(one, two)) == told


def test_the_card_the_graph_and_the_inspector_compare_alike(pane, mode, monkeypatch):
    drawn: list[str] = []
    monkeypatch.setattr(draw_nodes, "put_text", lambda *given: drawn.append(given[2]))
    mode.set_text("1.0149999999 * x + 5 * (x - 1) ** 3")
    mode.move_leaf("x", 0, 1.0)
    card = mode.view.what_if
    gradient = mode.computed.gradient(mode.computed.leaves["x"]).item()
    numeric = mode.trial.numeric[mode.computed.leaves["x"]].slopes.item()
    assert {format_number(gradient), format_number(numeric)} == {"1.01", "1.02"}, (
        "else the test is of nothing"
    )
    assert card.predicted.text().startswith("predicted: 1.015 ")
    assert card.numeric.text() == "numeric gradient: 1.015 (agrees)"
    mode.toggle_check()
    mode.player.end()
    drawn.clear()
    mode.view.graph.grab()
    assert "\u2713" in drawn and "\u2260" not in drawn
    found = []
    pane.inspection.connect(found.append)
    mode.choose(mode.computed.leaves["x"], 0)
    rows = [row_text(row) for row in found[-1].rows]
    assert any(row.startswith("gradient = 1.015 with more digits") for row in rows)
    assert any(row.startswith("by nudging = 1.015 agrees") for row in rows)


def test_where_both_are_small_it_is_said_how_far_they_agree(pane, mode):
    mode.set_text("1e-7 * x + 100 * (x - 2) ** 3")
    mode.move_leaf("x", 0, 2.0)
    assert mode.view.what_if.numeric.text() == f"numeric gradient: 1.40e{MINUS}7 ({ROUNDED[0]})"


def test_each_node_has_the_sign_of_its_check(pane, mode, monkeypatch):
    drawn: list[str] = []
    monkeypatch.setattr(draw_nodes, "put_text", lambda *given: drawn.append(given[2]))
    mode.toggle_check()
    for text, at, sign in (("-22.1 * w + 1e8", 0.3, "\u2248"), ("relu(w) + 1", 0.0, "\u2260")):
        mode.set_text(text)
        mode.move_leaf("w", 0, at)
        mode.player.end()
        drawn.clear()
        mode.view.graph.grab()
        assert sign in drawn
