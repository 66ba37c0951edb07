"""Singular values as bars: as high as they are large, and a run's steps beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from explorer.widgets.spectrum import SpectrumPicture, SpectrumScene

VALUES, HISTORY = np.array([3.0, 1.0, 0.1]), np.array([[1.0, 0.5, 0.0], [3.0, 1.0, 0.1]])


@pytest.fixture
def view(qtbot: Any) -> SpectrumPicture:
    view = SpectrumPicture("Directions")
    qtbot.addWidget(view)
    view.resize(500, 90)
    return view


def scene(steps: tuple[int, ...] = (), step: int | None = None) -> SpectrumScene:
    history = HISTORY if steps else np.empty((0, 3))
    shares = {"share": VALUES**2 / (VALUES**2).sum()}
    told = ("one", "two", "three")
    return SpectrumScene(VALUES, 2, "2 of 3", "99 %", told, shares, steps, step, history, "steps")


def test_a_value_is_told_and_picked(view: SpectrumPicture) -> None:
    picked: list[int] = []
    view.picked.connect(picked.append)
    view.set_scene(scene())
    view.grab()
    assert view.broken is None
    layout = view.layout_of(scene())
    assert layout.growth.isEmpty() and layout.step_at(QPointF(499, 40)) is None
    middle = layout.bars[1].center()
    assert view.said_at(middle) == "two"
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=middle.toPoint())
    QTest.keyClick(view, Qt.Key.Key_Down)
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert picked == [1, 2]
    assert list(view.displayed()) == ["singular value", "share"]


def test_a_step_beside_the_bars_is_chosen(view: SpectrumPicture) -> None:
    chosen: list[int] = []
    view.stepChosen.connect(chosen.append)
    view.set_scene(scene((10, 30), 10))
    view.grab()
    assert view.broken is None
    layout = view.layout_of(scene((10, 30), 10))
    assert layout.bars[-1].right() < layout.growth.left()
    assert layout.x_of(10) == layout.growth.left() and layout.x_of(30) == layout.growth.right()
    for x in (11, 27):
        point = QPointF(layout.x_of(x), layout.growth.center().y()).toPoint()
        QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=point)
    assert chosen == [30], "the one that is shown is not chosen again"
    QTest.keyClick(view, Qt.Key.Key_Right)
    QTest.keyClick(view, Qt.Key.Key_Left)
    assert chosen == [30, 30, 10]
