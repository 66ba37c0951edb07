"""The tooltip of a cell tells what the cell shows now."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QToolTip

from explorer.widgets.heat_map import HeatMap


def test_an_open_tooltip_follows_the_values_of_its_cell(qtbot):
    heat = HeatMap("Attention")
    qtbot.addWidget(heat)
    heat.resize(300, 300)
    heat.set_values(np.array([[1.0, 0.0], [0.25, 0.75]]))
    heat.set_labels(["a", "b"], ["a", "b"])
    heat.show()
    place = heat.cell_rect(1, 0).center().toPoint()
    heat.event(QHelpEvent(QEvent.Type.ToolTip, place, heat.mapToGlobal(place)))
    assert QToolTip.text() == "b \u2192 a: 0.250"
    heat.set_values(np.array([[1.0, 0.0], [0.6, 0.4]]))
    assert QToolTip.text() == "b \u2192 a: 0.600"
    heat.set_values(np.zeros((0, 0)))  # nothing lies there: it goes, in Qt's own time
    QToolTip.hideText()


def test_a_tooltip_of_something_else_is_left_alone(qtbot):
    heat = HeatMap("Attention")
    qtbot.addWidget(heat)
    heat.resize(300, 300)
    heat.set_values(np.eye(2))
    heat.show()
    place = heat.cell_rect(0, 0).center().toPoint()
    heat.event(QHelpEvent(QEvent.Type.ToolTip, place, heat.mapToGlobal(place)))
    QToolTip.showText(heat.mapToGlobal(place), "another's", heat)
    heat.set_values(np.zeros((2, 2)))
    assert QToolTip.text() == "another's"
    QToolTip.hideText()
