"""The drawing of the network: inputs, neurons with their maps, weights, the plane with the points.

While a sample is followed, the neurons hold its numbers instead.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEngine, QPainter, QPixmap, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.numbers import format_number
from explorer import theme
from explorer.panes.backprop.network import draw, draw_sample
from explorer.panes.backprop.network.draft import Data
from explorer.panes.backprop.network.draw_network import Images
from explorer.panes.backprop.network.faces import SampleFace
from explorer.panes.backprop.network.inks import SOFT, scale_image
from explorer.panes.backprop.network.layout import Box, Layout, inside, lay_out
from explorer.panes.backprop.network.moment import Moment
from explorer.panes.backprop.network.spots import (
    Neuron,
    PointSpot,
    Spot,
    Weight,
    from_plane,
    is_there,
    point_near,
    spot_at,
    to_plane,
    words_of,
)
from explorer.widgets.base import Picture


class NetworkPicture(Picture):
    """A click on the plane does what its `tool` says: "inspect", "add" or "erase".

    `looked` tells that something else is pointed at or chosen; the other signals are intents.
    """

    pointAdded = Signal(float, float)
    pointRemoved = Signal(int)
    pointChosen = Signal(int)
    spotChosen = Signal(object)  # Neuron, Weight or None
    looked = Signal()
    laidOut = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Network", parent)
        self.moment: Moment | None = None
        self.data: Data | None = None
        self.face: SampleFace | None = None
        self.tool = "inspect"
        self.hovered: Spot = None
        self.chosen: Spot = None
        self.cursor: tuple[float, float] | None = None  # on the plane, by the keyboard
        self._pointer: QPointF | None = None
        self._images = Images()
        self._plane: tuple[object, QPixmap] | None = None
        self._points: tuple[object, QPixmap] | None = None
        self._kept: tuple[object, QPixmap] | None = None
        self._layout: Layout | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    # what is shown

    def set_moment(self, moment: Moment | None) -> None:
        if moment is self.moment:
            return
        before = self.moment
        self.moment = moment
        self._images.clear()
        self._plane = None
        if moment is not None:
            if before is None or before.sizes != moment.sizes:
                self._lay_out()
            if not is_there(self.chosen, moment.sizes):
                self.chosen = None
            if isinstance(self.hovered, Neuron | Weight) and not is_there(
                self.hovered, moment.sizes
            ):
                self.hovered = None
            self.setAccessibleDescription(self.describe())
        self.data_changed()

    def set_data(self, data: Data | None) -> None:
        if data is not self.data:
            self.data = data
            self._points = None
            if isinstance(self.hovered, PointSpot):
                self.hovered = None
            self.data_changed()

    def set_face(self, face: SampleFace | None) -> None:
        """The sample that is followed, at one position of its way; None: none is."""
        wide = (face is None) != (self.face is None)
        self.face = face
        if wide:
            self._lay_out()
        self.data_changed()

    def set_tool(self, tool: str) -> None:
        """What a click on the plane does: "inspect", "add" or "erase"."""
        self.tool = tool

    def set_choice(self, spot: Spot) -> None:
        if spot != self.chosen:
            self.chosen = spot
            self.data_changed()

    def displayed(self) -> dict[str, np.ndarray]:
        """Weights and biases of each layer, and the points; of a followed sample its numbers."""
        shown: dict[str, np.ndarray] = {}
        if self.moment is None:
            return shown
        for number, weights in enumerate(self.moment.weights, 1):
            shown[f"weights {number}"] = weights
            shown[f"biases {number}"] = self.moment.biases[number - 1]
        if self.data is not None:
            shown["points"] = np.column_stack([self.data.points, self.data.targets])
        if self.face is not None:
            for column, values in enumerate(self.face.values):
                if values is not None:
                    shown[f"values {column}"] = values
            for column, values in enumerate(self.face.gradients):
                if values is not None:
                    shown[f"gradients {column}"] = values
        return shown

    def describe(self) -> str:
        moment = self.moment
        if moment is None:
            return ""
        sizes = "-".join(str(size) for size in moment.sizes)
        dead = sum(int(layer.dead.sum()) for layer in moment.layers)
        words = f"{sizes} network after {moment.step:,} steps"
        return words + (f", {dead} dead neurons" if dead else "")

    @property
    def shown_face(self) -> SampleFace | None:
        """The followed sample's, once the network that is drawn is the one that it went through."""
        if self.face is None or self.moment is None:
            return None
        return self.face if self.face.sample.sizes == self.moment.sizes else None

    @property
    def layout_now(self) -> Layout | None:
        return self._layout

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(640), theme.current().px(360))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(420), theme.current().px(200))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._lay_out()

    def on_theme_changed(self) -> None:
        self._images.clear()
        self._plane = self._points = self._kept = None
        self._lay_out()
        super().on_theme_changed()

    def _lay_out(self) -> None:
        if self.moment is None:
            return
        size = (float(self.width()), float(self.height()))
        wide = self.face is not None
        self._layout = lay_out(*size, self.moment.sizes, wide, theme.current().zoom)
        self._points = None
        self.laidOut.emit()

    # painting

    def draw(self, painter: QPainter) -> None:
        face = self.shown_face
        moment, layout = self.moment, self._layout
        if moment is None or layout is None:
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        if face is None:
            self._draw_kept(painter, moment, layout)
        else:
            draw_sample.draw_network(painter, layout, moment, face)
        self._draw_plane(painter, moment, layout)
        if face is not None:
            draw_sample.draw_output(painter, layout, face)
        spot = self.hovered
        if spot is not None and self._pointer is not None:
            words = words_of(spot, moment, self.data)
            if words:
                draw.draw_words(painter, self._pointer, words, self.width(), self.height())

    def _draw_kept(self, painter: QPainter, moment: Moment, layout: Layout) -> None:
        """The network as pixels, which stay until it is another; as lines into vector graphics."""
        if painter.paintEngine().type() != QPaintEngine.Type.Raster:
            self._images.draw_network(painter, moment, layout, self.chosen, self.hovered)
            return
        key = (moment, layout, self.ratio, self.chosen, self.hovered)
        if self._kept is None or self._kept[0] != key:
            width = layout.plane[0] - 1
            pixmap = theme.device_pixmap(width, self.height(), self.ratio)
            inner = QPainter(pixmap)
            inner.setRenderHint(QPainter.RenderHint.Antialiasing)
            inner.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            self._images.draw_network(inner, moment, layout, self.chosen, self.hovered)
            inner.end()
            self._kept = (key, pixmap)
        painter.drawPixmap(QPointF(0, 0), self._kept[1])

    def _draw_plane(self, painter: QPainter, moment: Moment, layout: Layout) -> None:
        face = self.shown_face
        now = theme.current()
        plane, looked = layout.plane, self.hovered
        one = isinstance(looked, Neuron) and 0 < looked.column <= len(moment.maps)
        if one and face is None and isinstance(looked, Neuron):
            draw.draw_map(painter, plane, self._images.get(moment, looked.column, looked.number))
            limit = format_number(float(moment.limits[looked.column - 1][looked.number]))
            kind, scale = "", (f"\u2212{limit}", f"{limit}: what this neuron outputs", 0.0)
        else:
            self._draw_ground(painter, moment, plane)
            kind, scale = self._plane_words(moment)
        if self.data is None:
            return
        key = (self.data, plane[2], self.ratio)
        if self._points is None or self._points[0] != key:
            self._points = (key, draw.points_pixmap(self.data, plane[2], self.ratio))
        painter.drawPixmap(QPointF(plane[0], plane[1]), self._points[1])
        draw.draw_legend(painter, plane, self.data, kind)
        if not kind:
            draw.draw_scale(painter, plane, scale_image(scale[2]), *scale[:2])
        self._draw_on_plane(painter, plane)
        if self.shows_focus:
            now.focus_ring(painter, QRectF(*plane), radius=2)

    def _draw_ground(self, painter: QPainter, moment: Moment, plane: Box) -> None:
        """What the network says everywhere, with its border; kept as pixels like the network."""
        if painter.paintEngine().type() != QPaintEngine.Type.Raster:
            draw.draw_ground(painter, plane, moment)
            return
        key = (moment, plane, self.ratio)
        if self._plane is None or self._plane[0] != key:
            width, height = plane[2:]
            pixmap = theme.device_pixmap(width + 2, height + 2, self.ratio)
            inner = QPainter(pixmap)
            inner.setRenderHints(painter.renderHints())
            draw.draw_ground(inner, (1.0, 1.0, width, height), moment)
            inner.end()
            self._plane = (key, pixmap)
        painter.drawPixmap(QPointF(plane[0] - 1, plane[1] - 1), self._plane[1])

    def _plane_words(self, moment: Moment) -> tuple[str, tuple[str, str, float]]:
        """The line below the plane, or (where it is "") what stands at the ends of its scale."""
        face = self.shown_face
        if face is not None:
            if any(one is not None for one in face.weights):
                return "strong edges: large gradients of their weights; orange: above 0", (
                    "",
                    "",
                    0.0,
                )
            return "\u2202: how the loss changes with that number; orange: above 0", ("", "", 0.0)
        if moment.classes > 2:
            return "the likeliest class, paler where it is unsure", ("", "", 0.0)
        if moment.classes == 0:
            return "", ("\u22121", "1: what the network outputs", SOFT)
        return "", ("0 %", "100 % class 1; line: 50 %", SOFT)

    def _draw_on_plane(self, painter: QPainter, plane: tuple[float, float, float, float]) -> None:
        """Rings round points that are looked at, and the keyboard's cross."""
        face = self.shown_face
        now = theme.current()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(now.pen("accent", 2))
        if face is not None:
            x, y = from_plane(plane, *face.sample.point)
            painter.drawEllipse(QPointF(x, y), now.px(8), now.px(8))
        if isinstance(self.hovered, PointSpot) and self.data is not None:
            place = self.data.points[self.hovered.number]
            x, y = from_plane(plane, float(place[0]), float(place[1]))
            painter.drawEllipse(QPointF(x, y), now.px(7), now.px(7))
        if self.cursor is not None and self.shows_focus:
            x, y = from_plane(plane, *self.cursor)
            painter.drawLine(QPointF(x - 8, y), QPointF(x + 8, y))
            painter.drawLine(QPointF(x, y - 8), QPointF(x, y + 8))

    # pointing

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.moment is None or self._layout is None:
            return
        place = event.position()
        self._pointer = place
        self._hover(spot_at(self._layout, self.moment, self.data, place.x(), place.y()))

    def leaveEvent(self, event) -> None:
        self._pointer = None
        self._hover(None)

    def _hover(self, spot: Spot) -> None:
        if spot != self.hovered:
            self.hovered = spot
            self.looked.emit()
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.moment is None or self._layout is None:
            return
        place = event.position()
        spot = spot_at(self._layout, self.moment, self.data, place.x(), place.y())
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if isinstance(spot, Neuron | Weight):
            self.spotChosen.emit(spot)
        elif inside(self._layout.plane, place.x(), place.y()):
            self.use_tool(*to_plane(self._layout.plane, place.x(), place.y()))

    def use_tool(self, x: float, y: float) -> None:
        """What a click on that place of the plane does."""
        if self._layout is None:
            return
        plane = self._layout.plane
        near = point_near(plane, self.data, *from_plane(plane, x, y))
        if self.tool == "add":
            self.pointAdded.emit(x, y)
        elif near >= 0:
            (self.pointRemoved if self.tool == "erase" else self.pointChosen).emit(near)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        from explorer.panes.backprop.network.keys import handle

        if not handle(self, event):
            super().keyPressEvent(event)
