"""The backprop pane in a real window: a formula typed, played, dragged and learned; small, dark."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from tests.explorer.waiting import until

if TYPE_CHECKING:
    from tests.smoke.sitting import Sitting


async def type_a_formula(sitting: Sitting) -> None:
    from explorer.panes.backprop.expression.draw_nodes import node_box

    pane = await sitting.begin("backprop")
    pane.show_mode("expression")
    mode = pane.mode
    await sitting.seen()

    field = mode.view.editor.field
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "tanh(w*x + b)")
    assert [node.label for node in mode.computed.graph.nodes if node.is_leaf] == ["w", "x", "b"]
    await sitting.seen_in_every_look()

    graph = mode.view.graph
    graph.setFocus()
    pane.player.set_speed(4.0)
    sitting.key(Qt.Key.Key_Space)
    await until(lambda: pane.player.position >= 3)
    sitting.key(Qt.Key.Key_Space)
    assert not pane.player.playing
    sitting.key(Qt.Key.Key_End)
    assert pane.player.position == pane.player.length - 1

    number = mode.computed.leaves["w"]
    center = node_box(graph.scene, number).center()
    at = QPoint(*(round(one) for one in graph.camera.seen(center.x(), center.y())))
    before = mode.computed.result
    QTest.mousePress(graph, Qt.MouseButton.LeftButton, pos=at)
    for turn in range(1, 6):
        QTest.mouseMove(graph, at + QPoint(8 * turn, 0))
        await asyncio.sleep(0.02)
    QTest.mouseRelease(graph, Qt.MouseButton.LeftButton, pos=at + QPoint(40, 0))
    assert mode.computed.result != before
    sitting.key(Qt.Key.Key_Escape)
    assert graph.chosen[0] < 0
    sitting.session.workspace.undo()
    assert mode.computed.result == before

    QTest.mouseClick(mode.view.learn.step, Qt.MouseButton.LeftButton)
    assert mode.computed.result < before
    await sitting.seen()
    await sitting.end()

    pane = await sitting.begin("backprop")
    await sitting.seen()
    assert pane.modes["expression"].computed.text == "tanh(w*x + b)"
    await sitting.end()


@pytest.mark.smoke
def test_a_formula_in_a_real_window(sit):
    sit(type_a_formula)
