"""A map of cells: which are there, which is chosen, what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from explorer.widgets.cell_map import CellMap, CellMapScene

VALUES = np.array([[0.5, np.nan], [0.25, 1.0]])


def test_a_cell_is_picked_by_click_and_by_keys_and_an_empty_one_is_not(qtbot: Any) -> None:
    view, picked = CellMap("Strength"), []
    qtbot.addWidget(view)
    view.picked.connect(picked.append)
    told = "{column} of {row}: {value}"
    view.set_scene(CellMapScene(["layer 0", "layer 1"], ["c_attn", "c_proj"], VALUES, 2, told))
    view.resize(220, 120)
    view.grab()
    assert view.broken is None
    rects = view.rects(view.scene)
    for rect in rects:
        QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=rect.center().toPoint())
    assert picked == [0, 2, 3]
    assert view.said_at(rects[3].center()) == "c_proj of layer 1: 1"
    assert view.said_at(rects[1].center()) == "" == view.said_at(QPointF(1, 1))
    view.point_at(-1)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Return):
        QTest.keyClick(view, key)
    assert picked[-1] == 3
    np.testing.assert_array_equal(view.displayed()["values"], VALUES)
    assert view.table_labels()["values"] == (["layer 0", "layer 1"], ["c_attn", "c_proj"])


def test_a_legend_fixes_the_scale_and_has_its_line(qtbot: Any) -> None:
    view = CellMap("Shared")
    qtbot.addWidget(view)
    view.resize(200, 160)
    values = np.full((2, 2), 0.01)
    plain = CellMapScene(["1", "2"], ["1", "2"], values)
    view.set_scene(plain)
    corner = view.rects(plain)[0].topLeft() + QPointF(4, 4)
    deep = view.grab().toImage().pixelColor(corner.toPoint())
    scene = CellMapScene(["1", "2"], ["1", "2"], values, legend={"0": 0.0, "all": 1.0})
    assert (plain.most, scene.most) == (0.01, 1.0)
    assert plain.legend == {"0": 0.0, "0.010": 0.01}  # its own ends
    view.set_scene(scene)
    rects = view.rects(scene)
    pale = view.grab().toImage().pixelColor((rects[0].topLeft() + QPointF(4, 4)).toPoint())
    assert view.broken is None and pale != deep
    assert rects[-1].bottom() < view.height() - 10


def test_many_rows_and_long_names_have_room(qtbot: Any) -> None:
    view = CellMap("Strength")
    qtbot.addWidget(view)
    rows, columns = [f"layer {at}" for at in range(48)], [f"self_attn.{at}_proj" for at in "qkvo"]
    view.set_scene(CellMapScene(rows, columns, np.ones((48, 4))))
    view.resize(200, 160)
    view.grab()
    assert view.broken is None
    rects = view.rects(view.scene)
    assert rects[-1].right() <= view.width() and rects[-1].bottom() <= view.height()
