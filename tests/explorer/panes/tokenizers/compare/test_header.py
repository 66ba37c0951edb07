"""The inputs of Compare where there is much room, less, and little."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.panes.tokenizers.compare.header import CompareHeader
from tests.explorer.waiting import turn

ONLY, BESIDE = (
    Qt.ToolButtonStyle.ToolButtonIconOnly,
    Qt.ToolButtonStyle.ToolButtonTextBesideIcon,
)


@pytest.mark.parametrize(
    ("width", "style"),
    [(900, BESIDE), (490, BESIDE), (0, ONLY)],  # 490 px: a window of 1280 with the inspector
)
def test_buttons_keep_their_words_as_long_as_the_views_can_come_closer(qapp, qtbot, width, style):
    theme.apply(qapp, "light", 1.0, "off")
    host = QWidget()
    qtbot.addWidget(host)
    header = CompareHeader(host)
    header.setGeometry(0, 0, width or header.minimumSizeHint().width(), 40)
    host.resize(1000, 40)
    host.show()
    turn()
    assert {header.add.toolButtonStyle(), header.examples.toolButtonStyle()} == {style}
    ends = [part.geometry().right() for part in (header.view, header.add, header.examples)]
    assert ends == sorted(ends) and ends[-1] <= header.width()
