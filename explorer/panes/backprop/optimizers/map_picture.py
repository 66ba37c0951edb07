"""The map of the race: paints surface, trails and arrows; handles drags, zooms and clicks."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPaintEngine,
    QPainter,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.optimization.stationary import Stationary
from core.optimization.surfaces import Span, Surface
from explorer import theme
from explorer.panes.backprop.optimizers import text
from explorer.panes.backprop.optimizers.compute import Lane, Recording
from explorer.panes.backprop.optimizers.contour import Contours
from explorer.panes.backprop.optimizers.draw_arrows import draw_arrows
from explorer.panes.backprop.optimizers.draw_legend import (
    MINIMUM,
    SADDLE,
    START,
    Entry,
    draw_legend,
    places_of,
    trail_entry,
)
from explorer.panes.backprop.optimizers.draw_surface import Background, draw_ring
from explorer.panes.backprop.optimizers.draw_trails import (
    Trail,
    TrailLayer,
    draw_head,
    draw_preview,
    draw_trails,
)
from explorer.panes.backprop.optimizers.scene import Arrows
from explorer.panes.backprop.optimizers.viewport import Viewport, fitting
from explorer.widgets.base import Columns, Picture

HURRY = 0.1  # seconds: longest gap within one movement
STALE = 0.35  # opacity of an outdated race
MARGIN = 8  # px on both sides of the legend
WHEEL = 1.2  # zoom factor per notch
REACH = 14.0  # px around the start or a head within which a click hits it
STEP, FINE = 24.0, 2.0  # px by which a key moves the start

_STEPS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


class MapPicture(Picture):
    """The surface as a contour map, with every optimizer's path up to the cursor.

    viewChanged()       the view has changed and needs another map
    startMoved(x, y)    the start was dragged, double-clicked to a point, or moved by keys
    startReleased()     the movement is over
    racerClicked(name)
    """

    viewChanged = Signal()
    startMoved = Signal(float, float)
    startReleased = Signal()
    racerClicked = Signal(str)

    def __init__(self, name: str = "Map of the race", parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self.surface: Surface | None = None
        self.viewport = Viewport()
        self.fits = True  # the whole span is in view, and the user has not moved it
        self.background = Background()
        self.recording: Recording | None = None
        self.position = 0.0
        self.chosen = ""
        self.start = np.zeros(2)
        self.arrows: Arrows | None = None
        self.moving = False  # the start is being moved: whole paths are drawn faintly
        self.thorough = False  # for exported frames, in which nothing may be coarse
        self.stale = False
        self.layer = TrailLayer()
        self._drag: tuple[str, QPointF] | None = None
        self._moved = 0.0
        self._legend_height = 0.0
        self.hurry = QTimer(self)
        self.hurry.setSingleShot(True)
        self.hurry.setInterval(theme.MOTION["cross_fade"])
        self.hurry.timeout.connect(self.update)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)

    # content

    def set_surface(self, surface: Surface) -> None:
        """Sets the surface; the view stays while a formula is being edited."""
        before, self.surface = self.surface, surface
        if before is None or before.name != surface.name:
            self.background.set_contours(None)
            self.fit()

    def set_contours(self, contours: Contours) -> None:
        """Sets the map of the current view."""
        self.background.set_contours(contours)
        self.data_changed()

    def set_places(self, start: Sequence[float], places: Stationary) -> None:
        """Sets the start of the race, and the known minima and saddles."""
        self.start = np.array(start, float)
        self.background.set_places(places)
        self._fit_legend()

    def set_recording(self, recording: Recording | None) -> None:
        """Sets the race."""
        self.recording = recording
        self.stale = False
        self._fit_legend()

    def set_stale(self, stale: bool) -> None:
        """Draws the trails faintly while they are outdated."""
        if stale != self.stale:
            self.stale = stale
            self.update()

    def set_position(self, position: float) -> None:
        """Sets the position of the cursor in the race."""
        if position != self.position:
            self.position = position
            self._hasten()

    def set_chosen(self, name: str) -> None:
        """Selects the optimizer whose steps are explained."""
        if name != self.chosen:
            self.chosen = name
            self.update()

    def set_arrows(self, arrows: Arrows | None) -> None:
        """Sets the arrows of the selected optimizer's gradient and memory."""
        self.arrows = arrows
        self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        """Returns every optimizer's x, y and height, with one row for each step."""
        if self.recording is None:
            return {}
        columns = {"step": np.arange(self.recording.length, dtype=np.float64)}
        for lane in self.recording.lanes:
            columns[f"{lane.title} x"] = lane.positions[:, 0]
            columns[f"{lane.title} y"] = lane.positions[:, 1]
            columns[f"{lane.title} height"] = lane.heights
        return Columns(columns)

    def said_at(self, point: QPointF) -> str | None:
        """Returns the name and the surface's height under the pointer."""
        if self.surface is None or not self.area.contains(point):
            return None
        hit = self.hit(point)
        titles = {trail.name: trail.title for trail in self.trails()}
        return text.pointed(self.surface, self.at(point), titles.get(hit, hit))

    # the view

    @property
    def legend(self) -> list[Entry]:
        """The entries of the legend."""
        lanes = self.recording.lanes if self.recording is not None else ()
        entries = [trail_entry(lane.name, lane.title, lane.name == self.chosen) for lane in lanes]
        places = self.background.places
        return [
            *entries,
            START,
            *([MINIMUM] if places.minima else []),
            *([SADDLE] if places.saddles else []),
        ]

    @property
    def strip(self) -> QRectF:
        """The area of the legend, below the map."""
        margin, high = theme.current().px(MARGIN), self._legend_height
        return QRectF(margin, self.height() - high, self.width() - 2 * margin, high)

    @property
    def area(self) -> QRectF:
        """The area of the map."""
        return QRectF(0, 0, self.width(), max(1.0, self.strip.top()))

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the map."""
        return self.width(), round(self.area.height())

    def seen(self, points: np.ndarray) -> np.ndarray:
        """Converts points (..., 2) of the plane to pixels."""
        return self.viewport.pixels(np.asarray(points, float), *self.size_px)

    def at(self, point: QPointF) -> tuple[float, float]:
        """Returns the point of the plane under a pixel."""
        return self.viewport.point(point.x(), point.y(), *self.size_px)

    @property
    def span(self) -> Span:
        """The span in view."""
        return self.viewport.span(*self.size_px)

    def fit(self) -> None:
        """Zooms to the surface's whole span."""
        self.fits = True
        if self.surface is not None:
            self._set_viewport(fitting(self.surface.span, *self.size_px))

    def fit_paths(self) -> None:
        """Zooms to all paths and the start."""
        if self.recording is None or not self.recording.lanes:
            self.fit()
            return
        paths = [lane.positions[: lane.lost_at] for lane in self.recording.lanes]
        points = np.vstack((self.start[None], *paths))
        low, high = points.min(axis=0), points.max(axis=0)
        room = np.maximum(0.12 * (high - low), 0.05 * max(*(high - low), 1e-6))
        (left, bottom), (right, top) = low - room, high + room
        self.set_by_hand(fitting((left, right, bottom, top), *self.size_px))

    def set_by_hand(self, viewport: Viewport) -> None:
        """Sets the view, which then survives changes of the window's size."""
        self.fits = False
        self._set_viewport(viewport)

    def _set_viewport(self, viewport: Viewport) -> None:
        if viewport != self.viewport:
            self.viewport = viewport
            self.viewChanged.emit()
            self._hasten()

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Zooms about a pixel, or about the center if None."""
        at = self.area.center() if at is None else at
        self.set_by_hand(self.viewport.zoomed(factor, at.x(), at.y(), *self.size_px))

    def _fit_legend(self) -> None:
        """Gives the legend as many lines as it needs."""
        self._refit()
        self.data_changed()

    def _refit(self) -> None:
        self._legend_height = places_of(self.legend, self.strip.width())[-1].bottom()
        if self.fits:
            self.fit()
        self.viewChanged.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._refit()

    def on_theme_changed(self) -> None:
        super().on_theme_changed()
        self._refit()

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(520), theme.current().px(160))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(160), theme.current().px(120))

    # painting

    def trails(self) -> list[Trail]:
        """Returns every path up to the cursor, in pixels; the selected one is last, so on top."""
        if self.recording is None:
            return []
        found = [self._trail(lane) for lane in self.recording.lanes]
        return sorted(found, key=lambda trail: trail.chosen)

    def _trail(self, lane: Lane) -> Trail:
        last = len(lane.positions) - 1
        place = min(max(0.0, self.position), last)
        if lane.lost_at is not None:
            place = min(place, lane.lost_at)
        points = np.vstack((lane.positions[: int(place) + 1], lane.at(place)[None]))
        lost = lane.lost_at is not None and self.position >= lane.lost_at
        return Trail(lane.name, lane.title, self.seen(points), lost, lane.name == self.chosen)

    def draw(self, painter: QPainter) -> None:
        now, frame = theme.current(), self.area
        painter.fillRect(self.rect(), now.color("surface"))
        draw_legend(painter, self.legend, self.strip)
        painter.setClipRect(frame)
        self.background.draw(painter, self.seen, self.viewport, frame)
        trails = self.trails()
        painter.setOpacity(STALE if self.stale else 1.0)
        self._draw_trails(painter, trails)
        painter.setOpacity(1.0)
        if self.moving:
            self._draw_previews(painter)
        draw_ring(painter, QPointF(*self.seen(self.start)))
        painter.setOpacity(STALE if self.stale else 1.0)
        for trail in trails:  # the selected one is last, so that no head hides its arrows
            if self.arrows is not None and not self.stale and self._has_arrows(trail):
                draw_arrows(painter, self.arrows, trail)
            draw_head(painter, trail, frame)
        painter.setOpacity(1.0)
        painter.setClipping(False)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(now.pen("divider"))
        painter.drawRect(frame.adjusted(0.5, 0.5, -0.5, -0.5))
        if self.shows_focus:
            now.focus_ring(painter, frame.adjusted(4, 4, -4, -4), 4)

    def _has_arrows(self, trail: Trail) -> bool:
        return trail.chosen and not trail.lost and self.area.contains(trail.head)

    def _draw_trails(self, painter: QPainter, trails: Sequence[Trail]) -> None:
        """Draws the finished steps from the cache, and the current step as a line."""
        if painter.paintEngine().type() != QPaintEngine.Type.Raster:
            draw_trails(painter, trails, self.size_px, 0)
            return
        if self.recording is None or not trails:
            return
        step = int(self.position)
        key = (
            self.recording, self.viewport, self.size_px, self.ratio, self.chosen, theme.current()
        )  # fmt: skip
        well = self.layer.draw(
            painter,
            key,
            {lane.name: self.seen(lane.positions) for lane in self.recording.lanes}
            if key != self.layer.key
            else {},
            step,
            size=self.size_px,
            ratio=self.ratio,
            chosen=self.chosen,
            hurried=self.hurry.isActive() and not self.thorough,
        )
        if not well:
            self.hurry.start()
            self.update()
        draw_trails(painter, trails, self.size_px, step)

    def _draw_previews(self, painter: QPainter) -> None:
        painter.setOpacity(theme.RAW_OPACITY)
        for lane in self.recording.lanes if self.recording is not None else ():
            rest = lane.positions[int(self.position) : lane.lost_at]
            draw_preview(painter, lane.name, self.seen(rest), self.size_px)
        painter.setOpacity(1.0)

    def _hasten(self) -> None:
        """Repaints; during continuous movement, trails may be coarse."""
        now = time.monotonic()
        if now - self._moved < HURRY:
            self.hurry.start()
        self._moved = now
        self.update()

    # the mouse

    @property
    def dragging(self) -> bool:
        """Whether the start is being dragged."""
        return self._drag is not None and self._drag[0] == "start"

    def hit(self, point: QPointF) -> str:
        """Returns the optimizer whose head is at a point, "start", or "" for the surface."""
        heads = [(trail.head, trail.name) for trail in self.trails()]
        near = [
            (math.hypot(at.x() - point.x(), at.y() - point.y()), name)
            for at, name in [(QPointF(*self.seen(self.start)), "start"), *heads]
        ]
        # Before the first step all heads are at the start, which then takes precedence.
        distance, name = min(near, key=lambda one: (round(one[0], 3), one[1] != "start"))
        return name if distance <= theme.current().px(REACH) else ""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.MiddleButton:
            self._take("surface", event)
        elif event.button() == Qt.MouseButton.LeftButton:
            hit = self.hit(event.position())
            if hit not in ("", "start"):
                self.racerClicked.emit(hit)
            else:
                self._take(hit or "surface", event)
        else:
            super().mousePressEvent(event)

    def _take(self, what: str, event: QMouseEvent) -> None:
        self._drag = (what, event.position())
        self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        point = event.position()
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
            self.set_by_hand(self.viewport.moved(moved.x(), moved.y()))

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

    def _move_start(self, point: QPointF) -> None:
        self.moving = True
        x, y = self.at(point)
        digits = max(0, math.ceil(math.log10(self.viewport.scale)))  # to a pixel's accuracy
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
            self.fit_paths()
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
