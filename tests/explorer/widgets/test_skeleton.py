"""The gray shapes of a first load cost nothing while only the line above them moves."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QImage, QRegion
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.widgets.stateful import Skeleton


def painted(skeleton, region):
    image = QImage(skeleton.size(), QImage.Format.Format_RGB32)
    image.fill(theme.current().color("window"))
    before = image.copy()
    skeleton.render(image, sourceRegion=region, renderFlags=QWidget.RenderFlag(0))
    return image != before, skeleton.exposed


def test_a_grid_is_drawn_only_where_it_is(qapp):
    skeleton = Skeleton("grid")
    skeleton.resize(400, 300)
    line = QRect(0, 0, 400, theme.current().px(32))
    changed, exposed = painted(skeleton, QRegion(line))
    assert not changed and exposed.height() == line.height()
    assert painted(skeleton, QRegion(skeleton.rect()))[0]


def test_the_shapes_are_not_drawn_anew_for_the_line(qapp, monkeypatch):
    calls = []
    skeleton = Skeleton("grid")
    skeleton.resize(400, 300)

    class Painter:
        def __getattr__(self, name):
            return lambda *_: calls.append(name)

    skeleton.exposed = QRectF(0, 0, 400, theme.current().px(32))
    skeleton.draw(Painter())
    assert "drawRoundedRect" not in calls
    skeleton.exposed = QRectF(skeleton.rect())
    skeleton.draw(Painter())
    assert calls.count("drawRoundedRect") == 36
