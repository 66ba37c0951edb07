"""The zoom from one picture into a place of it, and out again."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QRectF, QVariantAnimation
from PySide6.QtGui import QPainter, QPixmap

from explorer import theme


class Zoom(QObject):
    """Fades between two pictures while a place of the outer one grows to the whole, or the whole
    shrinks to it. With reduced motion it only fades; without motion it cuts.
    """

    def __init__(self, owner: QObject, moved: Callable[[], None]) -> None:
        super().__init__(owner)
        self._before, self._place, self._inward = QPixmap(), QRectF(), True
        self._progress = QVariantAnimation(self)
        self._progress.setStartValue(0.0)
        self._progress.setEndValue(1.0)
        self._progress.valueChanged.connect(lambda _: moved())
        self._progress.finished.connect(moved)
        self.stop = self._progress.stop

    @property
    def is_under_way(self) -> bool:
        return self._progress.state() != QVariantAnimation.State.Stopped

    def start(self, before: QPixmap, place: QRectF, inward: bool) -> None:
        """Starts the zoom; `place` is that of the inner picture in the outer one."""
        self._before, self._place, self._inward = before, place, inward
        self.stop()
        if duration := theme.current().duration("move"):
            self._progress.setDuration(duration)
            self._progress.start()

    def draw(self, painter: QPainter, after: QPixmap, whole: QRectF) -> None:
        share = theme.ease_out(float(self._progress.currentValue()))
        inner, outer = (after, self._before) if self._inward else (self._before, after)
        depth = share if self._inward else 1 - share  # 0: all of the outer picture is visible
        start = self._place if theme.current().travels else whole
        sides = zip(start.getRect(), whole.getRect(), strict=True)
        window = QRectF(*(theme.lerp(a, b, depth) for a, b in sides))  # visible part of the place
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.save()
        painter.setOpacity(1 - depth)
        painter.translate(window.topLeft())
        painter.scale(
            window.width() / max(start.width(), 1), window.height() / max(start.height(), 1)
        )
        painter.translate(-start.topLeft())
        painter.drawPixmap(0, 0, outer)
        painter.restore()
        painter.setOpacity(depth)
        painter.drawPixmap(window, inner, QRectF(inner.rect()))
        painter.setOpacity(1.0)
