"""The backprop pane in a small window, and at a large zoom."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QWidget

from explorer import theme

WIDTH = 913  # px that the smallest window leaves the inputs at a zoom of 1.5


@pytest.mark.parametrize("zoom", [1.0, 1.25, 1.5])
def test_names_of_modes_and_inputs_have_room_in_the_smallest_window(make_pane, qapp, qtbot, zoom):
    pane = make_pane()
    theme.apply(qapp, "light", zoom, "off")
    host, header = QWidget(), pane.inputs
    qtbot.addWidget(host)
    header.setParent(host)  # a window would not become smaller than its parts
    host.show()
    header.resize(WIDTH, 44)
    header.show()
    places = set()
    for name in pane.modes:
        header.show_mode(name)
        header.layout().activate()
        places.add(header.choice.geometry().getRect())
        assert header.choice.width() >= header.choice.minimumSizeHint().width()
        page = header._stack.currentWidget()
        page.layout().activate()
        assert page.layout().minimumSize().width() <= page.width(), name
    assert len(places) == 1  # they stay where they are from mode to mode
    header.setParent(None)
