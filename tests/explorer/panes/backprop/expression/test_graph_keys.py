"""The graph under the keyboard."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from explorer.panes.backprop.expression.graph_picture import neighbor
from tests.explorer.panes.backprop.expression.conftest import heard, scene, show


def test_every_node_is_reached_by_keys(picture):
    picture.nodeClicked.connect(picture.set_choice)
    QTest.keyClick(picture, Qt.Key.Key_Left)
    seen = {picture.chosen[0]}
    assert picture.scene.nodes[picture.chosen[0]].label == "o"
    keys = (Qt.Key.Key_Left, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Down, Qt.Key.Key_Down)
    for key in keys:
        QTest.keyClick(picture, key)
        seen.add(picture.chosen[0])
    assert "value" in picture.accessibleDescription()
    reached = {len(picture.scene.nodes) - 1}
    while True:
        ways = {
            neighbor(picture.scene, one, *step)
            for one in reached
            for step in ((-1, 0), (1, 0), (0, 1), (0, -1))
        }
        if ways <= reached:
            break
        reached |= ways
    assert reached == set(range(len(picture.scene.nodes)))


def test_a_constant_at_a_badge_is_reached_by_keys(picture):
    show(picture, scene("micrograd"))
    made = picture.scene
    ways = {
        one: {neighbor(made, one, *step) for step in ((-1, 0), (1, 0), (0, 1), (0, -1))}
        for one in range(len(made.nodes))
    }
    reached = {len(made.nodes) - 1}
    while not (more := set().union(*(ways[one] for one in reached))) <= reached:
        reached |= more
    assert made.plot.docks and reached == set(ways)


def test_keys_move_a_leaf_and_ask_for_its_value(picture):
    moved, asked = heard(picture.leafMoved), heard(picture.editRequested)
    number = picture.scene.computed.leaves["w2"]
    picture.set_choice(number, 0)
    QTest.keyClicks(picture, "+-")
    assert moved == [("w2", 0, pytest.approx(1.1)), ("w2", 0, pytest.approx(0.9))]
    QTest.keyClick(picture, Qt.Key.Key_Return)
    assert asked == [("w2", 0)]
    picture.zoom_by(2.0)
    QTest.keyClick(picture, Qt.Key.Key_F)
    assert picture.fits


def test_elements_are_reached_by_keys(picture):
    show(picture, scene("matrices"))
    picture.nodeClicked.connect(picture.set_choice)
    number = picture.scene.computed.leaves["W"]
    picture.set_choice(number, 0)
    shift = Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(picture, Qt.Key.Key_Down, shift)
    QTest.keyClick(picture, Qt.Key.Key_Right, shift)
    assert picture.chosen == (number, 3)
