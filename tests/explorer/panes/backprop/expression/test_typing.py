"""A long formula while it is typed: the engine works, the newest one wins, the window is free."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest
from PySide6.QtGui import QPalette, QTextCursor
from PySide6.QtTest import QTest

from explorer import theme
from explorer.panes.backprop.expression import compute as computation
from explorer.panes.backprop.expression import edge_routing, scene
from explorer.panes.backprop.expression.compute import compute
from explorer.panes.backprop.expression.runner import without_numbers
from explorer.panes.backprop.expression.scene import scene_of
from tests.explorer.panes.backprop.expression.conftest import value
from tests.explorer.waiting import until

LONG = " + ".join(f"x{number}" for number in range(99))
GIVEN = "\n".join(f"w{number} = 0.{number}5" for number in range(30))
PRODUCTS = f"{GIVEN}\n" + " + ".join(f"w{number} * x{number}" for number in range(30))


@pytest.fixture
def threads(monkeypatch):
    """The names of the threads that have read, worked out, or laid out a formula."""
    seen: list[tuple[str, str]] = []

    def watched(owner, name):
        function = getattr(owner, name)

        def call(*args, **kwargs):
            seen.append((name, threading.current_thread().name))
            return function(*args, **kwargs)

        monkeypatch.setattr(owner, name, call)

    watched(computation, "graph_of")
    watched(computation, "flows_of")
    watched(scene, "arranged")
    watched(edge_routing, "node_box")
    return seen


async def test_nothing_of_a_long_formula_is_worked_out_or_laid_out_in_the_window(
    pane, mode, threads
):
    field, graph = mode.view.editor.field, mode.view.graph
    mode.set_text(LONG)
    await pane.settled()
    field.moveCursor(QTextCursor.MoveOperation.End)
    QTest.keyClicks(field, "11 * y")
    assert not mode.runner.has_solved(mode.draft.value) and mode.draft.value.text == f"{LONG}11 * y"
    await pane.settled()
    assert (
        mode.runner.has_solved(mode.draft.value)
        and mode.computed.text == graph.scene.computed.text == f"{LONG}11 * y"
    )
    assert {name for name, _ in threads} == {"graph_of", "flows_of", "arranged", "node_box"}
    assert {thread for _, thread in threads} == {"engine"}
    wanted = scene_of(compute(mode.computed.text, mode.computed.values), room=graph.room)
    assert graph.scene.layout == wanted.layout and graph.scene.peaks == wanted.peaks
    assert graph.routes.by_edge.keys() == wanted.computed.flows.along.keys()
    assert pane.player.length == len(mode.computed.plan)


async def test_a_large_graph_is_laid_out_for_a_window_of_another_size_beside_it(
    pane, mode, threads
):
    graph = mode.view.graph
    mode.set_text(LONG)
    await pane.settled()
    before = graph.scene.layout
    for turn in range(3):
        threads.clear()
        for width in (900, 860, 820):
            pane.resize(width + 150 * turn, 700)
            await asyncio.sleep(0.01)
            left, _ = graph.camera.seen(0, 0)
            assert graph.fits and left >= 0, "meanwhile the old one is fitted"
            mode.move_leaf("x0", 0, 0.1 * width)
        await until(lambda: graph.scene.room == graph.room)
        await pane.settled()
        assert {name for name, _ in threads} >= {"arranged", "node_box"}
        assert {thread for name, thread in threads if name != "flows_of"} == {"engine"}
        wanted = scene_of(mode.computed, None, graph.room)
        assert graph.scene.layout == wanted.layout != before
        assert value(mode, "x0") == graph.scene.computed.value(0) == 82.0


async def test_of_letters_typed_quickly_only_the_newest_is_shown(pane, mode):
    shown = []
    mode.runner.came.connect(lambda _: shown.append(mode.computed.text))
    for count in range(90, 100):
        mode.set_text(" + ".join(f"x{number}" for number in range(count)))
    await pane.settled()
    assert shown == [LONG] and mode.computed.text == LONG
    pane.workspace.undo()
    await pane.settled()
    assert (
        mode.runner.has_solved(mode.draft.value)
        and mode.computed.text == mode.draft.value.text != LONG
    )


async def test_a_short_formula_after_a_long_one_is_not_undone_by_it(pane, mode):
    mode.set_text(LONG)
    mode.set_text("a * b")
    assert mode.computed.text == "a * b"
    await pane.settled()
    assert mode.computed.text == "a * b" and mode.view.graph.scene.computed is mode.computed


async def test_a_mistake_in_a_long_formula_is_told_and_taken_back(pane, mode):
    mode.set_text(LONG)
    await pane.settled()
    before = mode.computed
    mode.view.graph.setFocus()
    mode.set_text(f"{LONG} + cat(x)")
    await pane.settled()
    assert mode.computed is before and mode.view.graph.faint
    assert "no function cat" in mode.view.editor.error.text
    mode.set_text(LONG)
    await pane.settled()
    assert not mode.view.graph.faint and mode.view.editor.error.text == ""


async def test_a_number_in_the_lines_of_a_long_formula_is_dragged_at_once(pane, mode, threads):
    mode.set_text(PRODUCTS)
    await pane.settled()
    plan, camera = mode.computed.plan, mode.view.graph.camera
    threads.clear()
    mode.move_leaf("w3", 0, -1.25)
    assert value(mode, "w3") == -1.25 and "w3 = -1.25\n" in mode.computed.text
    assert mode.computed.plan is plan and mode.view.graph.camera == camera
    assert "arranged" not in {name for name, _ in threads}
    wanted = compute(mode.computed.text, mode.computed.values)
    for number in range(len(wanted.graph.nodes)):
        np.testing.assert_array_equal(mode.computed.gradient(number), wanted.gradient(number))


async def test_another_number_typed_into_a_long_formula_keeps_the_cursor(pane, mode):
    mode.set_text(PRODUCTS)
    await pane.settled()
    pane.player.seek(5)
    layout = mode.view.graph.scene.layout
    mode.set_text(PRODUCTS.replace("w7 = 0.75", "w7 = 0.8"))
    await pane.settled()
    assert value(mode, "w7") == 0.8 and pane.player.position == 5
    assert mode.view.graph.scene.layout is layout


@pytest.mark.parametrize(
    ("line", "same"),
    [("w1 = 5", "w1 = 7"), ("x12 = 3", "x12 = -1e-3"), ("  a_2 = [1, -2.5e-3]", "  a_2 = [0, 4]")],
)
def test_lines_that_differ_only_in_their_numbers(line, same):
    rest = "x12 * 3 + a"
    one = without_numbers(f"{line}\n{rest}")
    assert one == without_numbers(f"{same}\n{rest}")
    assert one != without_numbers(f"{line}\nx12 * 4 + a"), "that is a constant of the graph"
    assert one != without_numbers(f"{line}\nx13 * 3 + a"), "and that another name"
    assert one != without_numbers(f"{line}0 * z\n{rest}")


async def test_what_is_tried_out_while_an_input_is_dragged_is_of_the_newest_numbers(pane, mode):
    mode.set_text(LONG)
    mode.toggle_check()
    await pane.settled()
    mode.try_leaf("x5")
    for turn in range(6):
        mode.move_leaf("x5", 0, float(turn))
        assert mode.trial.what.value == turn and mode.trial.what.computed is mode.computed
        assert mode.trial.numeric == {}, "of these numbers none is known yet"
        await asyncio.sleep(0.005)
    await until(lambda: mode.trial.numeric)
    assert mode.trial.numeric[mode.computed.leaves["x5"]].slopes == pytest.approx(1.0)
    assert mode.trial.what.value == 5.0 and mode.trial.what.result == mode.computed.result


def test_below_a_formula_that_cannot_be_read_the_cards_are_faint(pane, mode):
    mode.set_text("w * x")
    card, color = mode.view.what_if, QPalette.ColorRole.WindowText
    labels = (card.predicted, card.true, card.numeric, mode.view.learn.words)
    seen = [label.palette().color(color).name() for label in labels]
    mode.set_text("(w > 0)")
    now = theme.current()
    faint = [now.faint(role).name() for role in ("text", "text", "muted", "muted")]
    assert [label.palette().color(color).name() for label in labels] == faint
    mode.set_text("w * x")
    assert [label.palette().color(color).name() for label in labels] == seen
