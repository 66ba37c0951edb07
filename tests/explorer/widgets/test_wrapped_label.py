"""Words that wrap, and a legend."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QVBoxLayout, QWidget

from explorer import theme
from explorer.widgets.base import put_longest
from explorer.widgets.legend import put_legend
from explorer.widgets.wrapped_label import WrappedLabel
from tests.explorer.waiting import wait_until


def test_words_are_whole_in_a_page_that_asks_for_no_height_by_width(qtbot: Any) -> None:
    page, label = QWidget(), WrappedLabel()
    qtbot.addWidget(page)
    layout = QVBoxLayout(page)
    layout.addWidget(label)
    label.setText("rank 1 of 2 failed: the disk is full; make room, and resume the run. " * 4)
    page.resize(300, 400)
    page.show()
    wait_until(lambda: label.height() >= label.heightForWidth(label.width()))
    narrow = label.height()
    assert not page.layout().hasHeightForWidth() and narrow < 400
    page.resize(900, 400)
    wait_until(lambda: label.height() < narrow)


def painted(draw: Any) -> QImage:
    image = QImage(200, 20, QImage.Format.Format_RGB32)
    image.fill(theme.current().color("surface"))
    painter = QPainter(image)
    draw(painter)
    painter.end()
    return image


def test_a_legend_shows_its_colors_and_hatching(qapp: Any) -> None:
    now, line = theme.current(), QRectF(0, 0, 200, 20)
    entries = [("forward", now.series(0)), ("waits", None)]
    image = painted(lambda painter: put_legend(painter, line, entries))
    assert image.pixelColor(5, 10) == now.series(0)
    only = painted(lambda painter: put_legend(painter, line, entries[:1]))
    assert only != image


def test_the_longest_text_that_has_room_is_drawn(qapp: Any) -> None:
    font, ink = theme.current().font("label"), theme.current().color("text")

    def drawn(wide: float, *texts: str) -> QImage:
        place = QRectF(0, 0, wide, 20)
        return painted(lambda painter: put_longest(painter, place, texts, font, ink))

    assert drawn(200, "small batch 3", "3") == drawn(200, "small batch 3")
    assert drawn(20, "small batch 3", "3") == drawn(20, "3") != drawn(20)
    assert drawn(4, "small batch 3", "3") == drawn(4)
