"""What of a graph is in sight: by a camera, fitted to the room, moved by hand, following steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer import theme
from explorer.panes.backprop.expression.camera import MARGIN, Camera, fitting, readable, room_in
from explorer.panes.backprop.expression.draw_legend import HEIGHT
from explorer.panes.backprop.expression.draw_nodes import badge_box, beginning, node_box
from explorer.panes.backprop.expression.layout import Layout, Point
from explorer.panes.backprop.expression.scene import (
    GraphScene,
    Instant,
    in_room,
    instant_at,
    subject_at,
)
from explorer.panes.backprop.expression.ways import NOWHERE, Ways, ways_of
from explorer.widgets.base import Picture


class GraphSight(Picture):
    """`scene` and its ways, and the camera that they are seen by.

    `outgrown()`: the scene is large, and laid out for a room of another size than there is now; it
    stays until it comes laid out anew.
    """

    outgrown = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self.scene: GraphScene | None = None
        self._ways = NOWHERE
        self._position = 0.0
        self._camera = Camera()
        self._fits = True  # nobody has moved the view: it follows the window's size
        self._whole = False  # all of it is fitted, though it cannot be read
        self._covered = 0  # px of the line of words, at its right end, that something lies over
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def _set_scene(self, scene: GraphScene | None, ways: Ways | None) -> bool:
        """Whether it is laid out as the one before: then the view stays."""
        known = self.scene
        if scene is None or known is None or not known.is_of(scene.computed):
            self.scene = None
            self._fits, self._whole = True, False
            self._set(scene, ways)
            self._fit()
            return False
        if scene.layout == known.layout:
            scene = replace(scene, arranged=replace(scene.arranged, layout=known.layout))
            ways = self._ways
        self._set(scene, ways)
        if self.scene is not None and self.scene.layout is known.layout:
            return True
        if self._fits:
            self._fit()
        else:
            self._stay(known.layout)
        return False

    def _set(self, scene: GraphScene | None, ways: Ways | None) -> None:
        """Laid out for the room that there is, at once or soon."""
        here = scene
        if scene is not None and (scene.is_light or scene.stays_in(self.room)):
            here = in_room(scene, self.room)
        elif scene is not None:
            self.outgrown.emit()
        if here is not None and (ways is None or scene is None or here.layout is not scene.layout):
            ways = ways_of(here)
        if ways is not None and ways is not self._ways:
            ways.follow(self._ways)
        self.scene, self._ways = here, ways or NOWHERE

    def set_covered(self, covered: int) -> None:
        """How much of the line below the graph something lies over, at its right end."""
        if covered != self._covered:
            self._covered = covered
            self.update()

    @property
    def camera(self) -> Camera:
        return self._camera

    @property
    def fits(self) -> bool:
        return self._fits

    def set_camera(self, camera: Camera) -> None:
        """A view that was left before. Where nothing is seen by it, for rows are others in a window
        of another size, the graph is fitted.
        """
        self._camera, self._fits = camera, False
        if self.scene is not None:
            left, top = camera.seen(0.0, 0.0)
            right, bottom = camera.seen(self.scene.layout.width, self.scene.layout.height)
            seen = QRectF(left, top, right - left, bottom - top)
            if not seen.intersects(self._room):
                self._fits = True
                self._fit()
        self.update()

    def fit(self) -> None:
        """The whole graph, however small."""
        self._fits = self._whole = True
        self._fit()

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        at = at if at is not None else QPointF(self.rect().center())
        self.set_by_hand(self._camera.zoomed(factor, at.x(), at.y()))

    def set_by_hand(self, camera: Camera) -> None:
        self._camera, self._fits = camera, False
        self.update()

    @property
    def room(self) -> tuple[float, float]:
        """What a graph may take of it, in the picture's units at the scale 1."""
        if self.scene is not None and not self._fits:
            return self.scene.room  # who has moved the view keeps what there is to see
        unit = theme.current().zoom
        return room_in((self._room.width(), self._room.height()), unit * readable(unit))

    def _fit(self) -> None:
        if self.scene is not None:
            self._set(self.scene, self._ways)
            size = self.scene.layout.width, self.scene.layout.height
            room = self._room.width(), self._room.height()
            unit = theme.current().zoom
            least = 0.0 if self._whole else readable(unit)
            self._camera = fitting(size, room, unit, least)
            self._bring(beginning(self.scene))
            self._follow(instant_at(self.scene.computed, self._position))
            self.update()

    def _stay(self, before: Layout) -> None:
        """What is in the middle of the view stays there, though it is laid out otherwise."""
        assert self.scene is not None
        middle = self._room.center()
        x, y = self._camera.at(middle.x(), middle.y())
        left, top, width, height = np.array(before.places).T
        number = int((abs(left + width / 2 - x) + abs(top + height / 2 - y)).argmin())
        was, now = _middle(before, number), _middle(self.scene.layout, number)
        scale = self._camera.scale
        self._camera = self._camera.moved((was[0] - now[0]) * scale, (was[1] - now[1]) * scale)

    @property
    def _room(self) -> QRectF:
        """What the graph has: below it stands a line of words."""
        return QRectF(0, 0, self.width(), max(1.0, self.height() - theme.current().px(HEIGHT)))

    def _follow(self, instant: Instant) -> None:
        """What the step is about comes into sight, or at least what it changes; and where there is
        room its whole row.
        """
        if instant.place is None or self.scene is None:
            return
        box = node_box(self.scene, subject_at(self.scene.computed, instant.moment))
        both = box.united(node_box(self.scene, instant.place.node))
        both = both.united(badge_box(self.scene, instant.place.node))
        most = self._room.height() / self._camera.scale
        if both.height() <= most - 2 * MARGIN:
            box = both
        for top, bottom in self.scene.layout.rows:
            if top < box.bottom() and box.top() < bottom:
                high, low = min(top, box.top()), max(bottom, box.bottom())
                if low - high <= most:
                    box = QRectF(box.left(), high, box.width(), low - high)
        self._bring(box)

    def _show(self, number: int) -> None:
        assert self.scene is not None
        self._bring(node_box(self.scene, number))

    def _bring(self, box: QRectF) -> None:
        assert self.scene is not None
        area, room = (box.x(), box.y(), box.width(), box.height()), self._room
        moved = self._camera.showing(area, room.width(), room.height())
        size = self.scene.layout.width, self.scene.layout.height
        moved = self._camera.staying(moved, size, (room.width(), room.height()))
        if moved != self._camera:
            self._camera = moved
            self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._fits:
            self._fit()

    def on_theme_changed(self) -> None:
        if self._fits:
            self._fit()
        super().on_theme_changed()

    def sizeHint(self) -> QSize:
        """It takes all the room that is left; below this height the pane scrolls."""
        return QSize(theme.current().px(640), theme.current().px(160))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(320), theme.current().px(80))


def _middle(layout: Layout, number: int) -> Point:
    left, top, width, height = layout.places[number]
    return left + width / 2, top + height / 2
