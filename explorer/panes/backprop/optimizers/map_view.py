"""The surface as a map with everybody's way on it, drawn at any position of the cursor."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPaintEngine, QPainter, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.optimization.surfaces import Span
from explorer import theme
from explorer.panes.backprop.optimizers.draw_arrows import (
    Arrows,
    Stroke,
    draw_strokes,
    strokes_of,
)
from explorer.panes.backprop.optimizers.draw_marks import bar_box, draw_note, note_box, worded
from explorer.panes.backprop.optimizers.draw_trails import (
    Way,
    draw_head,
    draw_pointer,
    draw_ways,
)
from explorer.panes.backprop.optimizers.ground import Ground
from explorer.panes.backprop.optimizers.looks import trail_pen
from explorer.panes.backprop.optimizers.naming import Naming, Still, Word, at_edge, draw_words
from explorer.panes.backprop.optimizers.plane import Plane, fitting
from explorer.panes.backprop.optimizers.racing import Lane, Recording
from explorer.panes.backprop.optimizers.relief import Relief
from explorer.panes.backprop.optimizers.trail_layer import TrailLayer, near, thinned
from explorer.widgets.base import Columns, Picture
from explorer.widgets.word_places import Placed

HURRY = 0.1  # seconds between two movements that belong together
STALE = 0.35  # of a race that is being run again


class MapView(Picture):
    """`set_span`, `set_relief`, `set_recording`, `set_position`, `set_chosen`, `set_arrows`.

    `viewChanged()`: another part of the plane is seen, so that another relief is wanted.
    """

    viewChanged = Signal()

    def __init__(self, name: str = "Map of the race", parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._span: Span = (-1.0, 1.0, -1.0, 1.0)
        self.plane = Plane()
        self.fits = True  # nobody has moved the view: the whole span is seen
        self.ground = Ground()
        self.recording: Recording | None = None
        self.position = 0.0
        self.chosen = ""
        self.start = np.zeros(2)
        self.arrows: Arrows | None = None
        self._stale = False
        self._note = ""
        self._layer = TrailLayer()
        self._naming = Naming()
        self._named_at = 0.0  # the position of the words
        self._written: list[tuple[Word, Placed]] = []  # in the last frame
        self._covered: tuple[QRectF, ...] = ()
        self._moved = 0.0
        self.moving = False  # the start is being moved: whole ways are seen, faintly
        self.thorough = False  # frames of an export: nothing may be rough
        self._hurry = QTimer(self)
        self._hurry.setSingleShot(True)
        self._hurry.setInterval(theme.MOTION["cross_fade"])
        self._hurry.timeout.connect(self.update)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    # what is shown

    def set_span(self, span: Span) -> None:
        """The part that is worth seeing of another surface."""
        self._span = span
        self.ground.set_relief(None)
        self.fit()

    def set_relief(self, relief: Relief) -> None:
        self.ground.set_relief(relief)
        self.data_changed()

    def set_places(
        self,
        start: Sequence[float],
        minima: Sequence[tuple[float, float]],
        saddles: Sequence[tuple[float, float]],
    ) -> None:
        """Where the race begins, and what is known of the surface."""
        self.start = np.array(start, float)
        self.ground.set_places(tuple(minima), tuple(saddles))
        self.data_changed()

    def set_recording(self, recording: Recording | None) -> None:
        self.recording = recording
        self._stale = False
        self.data_changed()

    def set_stale(self, stale: bool) -> None:
        """The race is being run again: the old ways are faint."""
        if stale != self._stale:
            self._stale = stale
            self.update()

    def set_position(self, position: float) -> None:
        if position != self.position:
            self.position = position
            self._hasten()

    def set_chosen(self, name: str) -> None:
        if name != self.chosen:
            self.chosen = name
            self.update()

    def set_arrows(self, arrows: Arrows | None) -> None:
        """What the chosen one remembers, at its head."""
        self.arrows = arrows
        self.update()

    def set_note(self, text: str) -> None:
        """What is to be known of the surface itself."""
        if text != self._note:
            self._note = text
            self.update()

    def set_covered(self, boxes: Sequence[QRectF]) -> None:
        """Where other widgets lie over the map."""
        if tuple(boxes) != self._covered:
            self._covered = tuple(boxes)
            self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        """The ways, a row for each step: step, and of each optimizer x, y and height."""
        if self.recording is None:
            return {}
        columns = {"step": np.arange(self.recording.length, dtype=np.float64)}
        for lane in self.recording.lanes:
            columns[f"{lane.title} x"] = lane.positions[:, 0]
            columns[f"{lane.title} y"] = lane.positions[:, 1]
            columns[f"{lane.title} height"] = lane.heights
        return Columns(columns)

    # the view

    def seen(self, points: np.ndarray) -> np.ndarray:
        return self.plane.seen(np.asarray(points, float), self.width(), self.height())

    def seen_point(self, x: float, y: float) -> QPointF:
        return QPointF(*self.seen(np.array([x, y])))

    def at(self, point: QPointF) -> tuple[float, float]:
        return self.plane.at(point.x(), point.y(), self.width(), self.height())

    @property
    def span(self) -> Span:
        """What is seen."""
        return self.plane.span(self.width(), self.height())

    def fit(self) -> None:
        self.fits = True
        self._set_plane(fitting(self._span, self.width(), self.height()))

    def fit_ways(self) -> None:
        """All that is drawn of the ways, and the start."""
        if self.recording is None or not self.recording.lanes:
            self.fit()
            return
        seen = [lane.positions[: lane.lost_at] for lane in self.recording.lanes]
        points = np.vstack((self.start[None], *seen))
        low, high = points.min(axis=0), points.max(axis=0)
        room = np.maximum(0.12 * (high - low), 0.05 * max(*(high - low), 1e-6))
        (left, bottom), (right, top) = low - room, high + room
        self.set_by_hand(fitting((left, right, bottom, top), self.width(), self.height()))

    def set_by_hand(self, plane: Plane) -> None:
        self.fits = False
        self._set_plane(plane)

    def _set_plane(self, plane: Plane) -> None:
        if plane != self.plane:
            self.plane = plane
            self.viewChanged.emit()
            self._hasten()

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        at = QPointF(self.rect().center()) if at is None else at
        self.set_by_hand(self.plane.zoomed(factor, at.x(), at.y(), self.width(), self.height()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.fits:
            self.fit()
        self.viewChanged.emit()

    def on_theme_changed(self) -> None:
        super().on_theme_changed()
        self.viewChanged.emit()

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(520), theme.current().px(360))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(160), theme.current().px(120))

    # painting

    def ways(self) -> list[Way]:
        """Everybody's way up to the cursor, in pixels; the chosen one last, on top."""
        if self.recording is None:
            return []
        found = [self._way(lane) for lane in self.recording.lanes]
        return sorted(found, key=lambda way: way.chosen)

    def _way(self, lane: Lane) -> Way:
        last = len(lane.positions) - 1
        place = min(max(0.0, self.position), last)
        if lane.lost_at is not None:
            place = min(place, lane.lost_at)
        points = np.vstack((lane.positions[: int(place) + 1], lane.at(place)[None]))
        lost = lane.lost_at is not None and self.position >= lane.lost_at
        return Way(lane.name, lane.title, self.seen(points), lost, lane.name == self.chosen)

    def draw(self, painter: QPainter) -> None:
        now = theme.current()
        frame = QRectF(self.rect())
        painter.setClipRect(frame)
        self.ground.draw(painter, self.seen, self.plane, frame, self.ratio)
        ways = self.ways()
        painter.setOpacity(STALE if self._stale else 1.0)
        self._draw_trails(painter, ways)
        painter.setOpacity(1.0)
        if self.moving:
            self._draw_ghosts(painter)
        self._draw_start(painter)
        strokes = self._strokes(ways)
        draw_strokes(painter, strokes)
        painter.setOpacity(STALE if self._stale else 1.0)
        for way in ways:
            if frame.contains(way.head):
                draw_head(painter, way)
            else:
                draw_pointer(painter, way, QPointF(*at_edge(way, frame)))
        self._written = self.words(ways, strokes)
        draw_words(painter, self._written)
        painter.setOpacity(1.0)
        if self._note:
            draw_note(painter, note_box(self.ground.relief, self._note, frame), self._note)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(now.pen("divider"))
        painter.drawRect(frame.adjusted(0.5, 0.5, -0.5, -0.5))
        if self.shows_focus:
            now.focus_ring(painter, frame.adjusted(4, 4, -4, -4), 4)

    def _strokes(self, ways: Sequence[Way]) -> list[Stroke]:
        """What the chosen one is told and remembers, where it is seen."""
        if self.arrows is None or self._stale:
            return []
        chosen = [way for way in ways if way.chosen and not way.lost]
        seen = [way for way in chosen if QRectF(self.rect()).contains(way.head)]
        return strokes_of(self.arrows, seen[0]) if seen else []

    def words(self, ways: Sequence[Way], strokes: Sequence[Stroke]) -> list[tuple[Word, Placed]]:
        """All that is written beside heads, arrows and places, and where."""
        ground, size = self.ground, (self.width(), self.height())
        places = (*ground.minima, *ground.saddles, tuple(self.start))
        key = (
            self.recording, self.plane, size, theme.current(),
            ground.relief, places, len(ground.minima), self._covered, self._note,
        )  # fmt: skip
        self._naming.set_still(key, lambda: self._still(places))
        moving = self._hurry.isActive() and 0 < abs(self.position - self._named_at) < 2
        self._named_at = self.position
        return self._naming.place(ways, strokes, moving)

    def _still(self, places: Sequence[tuple[float, ...]]) -> Still:
        """What words have to leave free, heads and arrows left out."""
        ground, frame, size = self.ground, QRectF(self.rect()), (self.width(), self.height())
        lanes = self.recording.lanes if self.recording is not None else ()
        written = note_box(ground.relief, self._note, frame), bar_box(ground.relief, frame)
        return Still(
            frame,
            trails=[near(self.seen(one.positions), size) for one in lanes],
            marks=worded(self.seen, ground.minima, ground.saddles, frame),
            glyphs=self.seen(np.array(places)),
            fixed=[*self._covered, *written],
            levels=ground.level_labels(self.seen),
        )

    def _draw_trails(self, painter: QPainter, ways: Sequence[Way]) -> None:
        """What is settled as kept pixels, and the step that is under way as a line."""
        size = (self.width(), self.height())
        if painter.paintEngine().type() != QPaintEngine.Type.Raster:  # as vectors
            draw_ways(painter, ways, size, 0)
            return
        if self.recording is None or not ways:
            return
        step = int(self.position)
        key = (self.recording, self.plane, size, self.ratio, self.chosen, theme.current())
        well = self._layer.draw(
            painter,
            key,
            {lane.name: self.seen(lane.positions) for lane in self.recording.lanes}
            if key != self._layer.key
            else {},
            step,
            size=size,
            ratio=self.ratio,
            chosen=self.chosen,
            hurried=self._hurry.isActive() and not self.thorough,
        )
        if not well:
            self._hurry.start()
            self.update()
        draw_ways(painter, ways, size, step)

    def _draw_ghosts(self, painter: QPainter) -> None:
        """Where the ways will lead."""
        size = (self.width(), self.height())
        painter.setOpacity(theme.RAW_OPACITY)
        for lane in self.recording.lanes if self.recording is not None else ():
            points = near(self.seen(lane.positions[int(self.position) : lane.lost_at]), size)
            painter.setPen(trail_pen(lane.name, 1.0))
            painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in thinned(points).tolist()]))
        painter.setOpacity(1.0)

    def _hasten(self) -> None:
        """What moves once is drawn well at once; while it goes on moving, trails may be rough."""
        now = time.monotonic()
        if now - self._moved < HURRY:
            self._hurry.start()
        self._moved = now
        self.update()

    def _draw_start(self, painter: QPainter) -> None:
        now = theme.current()
        (x, y), size = self.seen(self.start), now.px(7)
        at = QPointF(x, y)
        for color, width in ((now.color("surface"), 5.0), (now.color("text"), 2.0)):
            painter.setPen(now.pen(color, width))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(at, size, size)
