"""The map, taken hold of: the start is dragged, the plane moved and zoomed, a racer chosen."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.panes.backprop.optimizers.draw_trails import HEAD
from explorer.panes.backprop.optimizers.map_view import MapView
from explorer.panes.backprop.optimizers.naming import name_at

WHEEL = 1.2  # one notch
REACH = 14.0  # pixels from the start or a head
STEP, FINE = 24.0, 2.0  # pixels that a key moves the start

_STEPS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


class MapPicture(MapView):
    """What a MapView is, and what a person does with it:

    startMoved(x, y)   dragged, put there by a double click, or moved by keys
    startReleased()    the drag is over
    racerClicked(name)
    pointed(x, y)      the pointer is there, nan where it is gone
    """

    startMoved = Signal(float, float)
    startReleased = Signal()
    racerClicked = Signal(str)
    pointed = Signal(float, float)

    def __init__(self, name: str = "Map of the race", parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._drag: tuple[str, QPointF] | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)

    @property
    def dragging(self) -> bool:
        """The start is being moved."""
        return self._drag is not None and self._drag[0] == "start"

    # what is under the pointer

    def hit(self, point: QPointF) -> str:
        """The name of a racer whose head or name is there, "start", or "" for the ground."""
        reach = theme.current().px(REACH)
        x, y = self.seen(self.start)
        near = [(_far(QPointF(x, y), point), "start")]
        near += [(_far(way.head, point), way.name) for way in self.ways()]
        # Where all still stand at the start, it is the start that is taken.
        distance, name = min(near, key=lambda one: (round(one[0], 3), one[1] != "start"))
        written = name_at(self._written, point)
        if written and distance > theme.current().px(HEAD):
            return written
        return name if distance <= reach else ""

    # the mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.MiddleButton:
            self._take("ground", event)
        elif event.button() == Qt.MouseButton.LeftButton:
            hit = self.hit(event.position())
            if hit not in ("", "start"):
                self.racerClicked.emit(hit)
            else:
                self._take(hit or "ground", event)
        else:
            super().mousePressEvent(event)

    def _take(self, what: str, event: QMouseEvent) -> None:
        self._drag = (what, event.position())
        self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        point = event.position()
        self.pointed.emit(*self.at(point))
        if self._drag is None:
            shapes = {"": Qt.CursorShape.CrossCursor, "start": Qt.CursorShape.OpenHandCursor}
            self.setCursor(shapes.get(self.hit(point), Qt.CursorShape.PointingHandCursor))
            return
        what, before = self._drag
        self._drag = (what, point)
        if what == "start":
            self._move_start(point)
        else:
            moved = point - before
            self.set_by_hand(self.plane.moved(moved.x(), moved.y()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        was_start = self.dragging
        self._drag = None
        if was_start:
            self._release()
        self.setCursor(Qt.CursorShape.CrossCursor)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.hit(event.position()) == "":
            self._drag = None
            self._move_start(event.position())
            self._release()

    def wheelEvent(self, event: QWheelEvent) -> None:
        notches = event.angleDelta().y() / 120
        if notches:
            self.zoom_by(WHEEL**notches, event.position())
        event.accept()

    def _release(self) -> None:
        self.moving = False
        self.startReleased.emit()
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        if self.moving and self._drag is None:
            self._release()
        super().focusOutEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.pointed.emit(math.nan, math.nan)

    def _move_start(self, point: QPointF) -> None:
        self.moving = True
        x, y = self.at(point)
        digits = max(0, math.ceil(math.log10(self.plane.scale)))  # as fine as a pixel
        self.startMoved.emit(round(x, digits), round(y, digits))

    # the keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        held = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
        if event.modifiers() & held or not self._keyed(event):
            super().keyPressEvent(event)

    def _keyed(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        if key in _STEPS:
            fine = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            x, y = self.seen(self.start)
            across, down = _STEPS[key]
            pixels = FINE if fine else STEP
            self._move_start(QPointF(x + across * pixels, y + down * pixels))
        elif event.text() in ("+", "="):
            self.zoom_by(WHEEL)
        elif event.text() in ("-", "\u2212"):
            self.zoom_by(1 / WHEEL)
        elif event.text().lower() == "f":
            self.fit()
        elif event.text().lower() == "w":
            self.fit_ways()
        elif event.text().lower() == "n" and self.recording is not None and self.recording.lanes:
            names = [lane.name for lane in self.recording.lanes]
            after = names.index(self.chosen) + 1 if self.chosen in names else 0
            self.racerClicked.emit(names[after % len(names)])
        else:
            return False
        return True

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if self.moving and Qt.Key(event.key()) in _STEPS and not event.isAutoRepeat():
            self._release()
        super().keyReleaseEvent(event)


def _far(one: QPointF, two: QPointF) -> float:
    return math.hypot(one.x() - two.x(), one.y() - two.y())
