"""The drawing of the network: inputs, neurons with their maps, weights, the plane with the points.

While a sample is followed, the neurons show its numbers instead.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.numbers import format_number
from core.tokenization.telling import count
from explorer import theme
from explorer.panes.backprop.network import draw_sample
from explorer.panes.backprop.network.colors import SOFT, scale_image
from explorer.panes.backprop.network.draft import REACH, Data
from explorer.panes.backprop.network.draw_network import MapImages
from explorer.panes.backprop.network.draw_neuron import draw_map
from explorer.panes.backprop.network.draw_plane import (
    draw_ground,
    draw_legend,
    draw_points,
    draw_scale,
)
from explorer.panes.backprop.network.elements import DataPoint, Element, Neuron, Weight, is_there
from explorer.panes.backprop.network.hit_testing import element_at, from_plane, point_near, to_plane
from explorer.panes.backprop.network.keyframe import Keyframe
from explorer.panes.backprop.network.sample_scene import SampleScene
from explorer.panes.backprop.network.scene import Box, Layout, inside, lay_out
from explorer.panes.backprop.network.text import pointer_words
from explorer.widgets.base import Picture
from explorer.widgets.grid_keys import arrow, is_enter
from explorer.widgets.still_layer import StillLayer

NUDGE = 0.05  # an arrow key's step on the plane
DELETE = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)


class NetworkPicture(Picture):
    """The drawing. A click on the plane follows `tool`: "inspect", "add" or "erase".

    `looked`: the hovered or selected element has changed. The other signals are requests.
    """

    pointAdded = Signal(float, float)
    pointRemoved = Signal(int)
    pointChosen = Signal(int)
    elementChosen = Signal(object)  # Neuron, Weight or None
    looked = Signal()
    laidOut = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Network", parent)
        self.keyframe: Keyframe | None = None
        self.data: Data | None = None
        self.sample_scene: SampleScene | None = None
        self.tool = "inspect"
        self.hovered: Element = None
        self.chosen: Element = None
        self.cursor: tuple[float, float] | None = None  # position on the plane, set by keyboard
        self._images = MapImages()
        self._network, self._ground, self._points = StillLayer(), StillLayer(), StillLayer()
        self._layout: Layout | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    # content

    def set_keyframe(self, keyframe: Keyframe | None) -> None:
        if keyframe is self.keyframe:
            return
        before = self.keyframe
        self.keyframe = keyframe
        self._images.clear()
        if keyframe is not None:
            if before is None or before.sizes != keyframe.sizes:
                self._lay_out()
            if not is_there(self.chosen, keyframe.sizes):
                self.chosen = None
            if isinstance(self.hovered, Neuron | Weight) and not is_there(
                self.hovered, keyframe.sizes
            ):
                self.hovered = None
            self.setAccessibleDescription(self.describe())
        self.data_changed()

    def set_data(self, data: Data | None) -> None:
        if data is not self.data:
            self.data = data
            if isinstance(self.hovered, DataPoint):
                self.hovered = None
            self.data_changed()

    def set_sample_scene(self, scene: SampleScene | None) -> None:
        """Shows the followed sample at a position of its path; None shows the training."""
        wide = (scene is None) != (self.sample_scene is None)
        self.sample_scene = scene
        if wide:
            self._lay_out()
        self.data_changed()

    def set_tool(self, tool: str) -> None:
        """Sets the action of a click on the plane: "inspect", "add" or "erase"."""
        self.tool = tool

    def set_choice(self, element: Element) -> None:
        if element != self.chosen:
            self.chosen = element
            self.data_changed()

    def displayed(self) -> dict[str, np.ndarray]:
        """Returns weights, biases and points, or a followed sample's numbers."""
        shown: dict[str, np.ndarray] = {}
        if self.keyframe is None:
            return shown
        for number, weights in enumerate(self.keyframe.weights, 1):
            shown[f"weights {number}"] = weights
            shown[f"biases {number}"] = self.keyframe.biases[number - 1]
        if self.data is not None:
            shown["points"] = np.column_stack([self.data.points, self.data.targets])
        if (scene := self.sample_scene) is not None:
            for kind, columns in (("values", scene.values), ("gradients", scene.gradients)):
                known = enumerate(columns)
                shown |= {f"{kind} {at}": one for at, one in known if one is not None}
        return shown

    def describe(self) -> str:
        keyframe = self.keyframe
        if keyframe is None:
            return ""
        sizes = "-".join(str(size) for size in keyframe.sizes)
        dead = sum(int(layer.dead.sum()) for layer in keyframe.layers)
        steps = count(keyframe.step, "step")
        words = f"{sizes} network after {steps}"
        return words + (f", {dead} dead {'neuron' if dead == 1 else 'neurons'}" if dead else "")

    @property
    def shown_scene(self) -> SampleScene | None:
        """The followed sample's scene, if it belongs to a network of the drawn sizes; else None."""
        if self.sample_scene is None or self.keyframe is None:
            return None
        return self.sample_scene if self.sample_scene.sample.sizes == self.keyframe.sizes else None

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
        self._lay_out()
        super().on_theme_changed()

    def _lay_out(self) -> None:
        if self.keyframe is None:
            return
        size = (float(self.width()), float(self.height()))
        wide = self.sample_scene is not None
        self._layout = lay_out(*size, self.keyframe.sizes, wide, theme.current().zoom)
        self.laidOut.emit()

    # painting

    def draw(self, painter: QPainter) -> None:
        scene = self.shown_scene
        keyframe, layout = self.keyframe, self._layout
        if keyframe is None or layout is None:
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        if scene is None:
            self._draw_network(painter, keyframe, layout)
        else:
            draw_sample.draw_network(painter, layout, keyframe, scene)
        self._draw_plane(painter, keyframe, layout)
        if scene is not None:
            draw_sample.draw_output(painter, layout, scene)

    def _draw_network(self, painter: QPainter, keyframe: Keyframe, layout: Layout) -> None:
        key = (keyframe, layout, self.chosen, self.hovered)
        size = (layout.plane[0] - 1, float(self.height()))
        self._network.draw(
            painter, QPointF(0, 0), size, key, lambda to: self._images.draw_network(to, *key)
        )

    def _draw_plane(self, painter: QPainter, keyframe: Keyframe, layout: Layout) -> None:
        scene = self.shown_scene
        now = theme.current()
        plane, looked = layout.plane, self.hovered
        one = isinstance(looked, Neuron) and 0 < looked.column <= len(keyframe.maps)
        if one and scene is None and isinstance(looked, Neuron):
            draw_map(painter, plane, self._images.get(keyframe, looked.column, looked.number))
            limit = format_number(float(keyframe.limits[looked.column - 1][looked.number]))
            kind, scale = "", (f"\u2212{limit}", f"{limit}: output of this neuron", 0.0)
        else:
            self._draw_ground(painter, keyframe, plane)
            kind, scale = self._plane_words(keyframe)
        if self.data is None:
            return
        data, size = self.data, plane[2]
        self._points.draw(
            painter,
            QPointF(plane[0], plane[1]),
            (size, size),
            data,
            lambda to: draw_points(to, data, size),
        )
        draw_legend(painter, plane, self.data, kind)
        if not kind:
            draw_scale(painter, plane, scale_image(scale[2]), *scale[:2])
        self._draw_on_plane(painter, plane)
        if self.shows_focus:
            now.focus_ring(painter, QRectF(*plane), radius=2)

    def _draw_ground(self, painter: QPainter, keyframe: Keyframe, plane: Box) -> None:
        """Draws the output over the plane with the boundary."""
        x, y, width, height = plane
        self._ground.draw(
            painter,
            QPointF(x - 1, y - 1),
            (width + 2, height + 2),
            keyframe,
            lambda to: draw_ground(to, (1.0, 1.0, width, height), keyframe),
        )

    def _plane_words(self, keyframe: Keyframe) -> tuple[str, tuple[str, str, float]]:
        """Returns the line below the plane, or "" and the two ends of its scale."""
        scene, no_scale = self.shown_scene, ("", "", 0.0)
        if scene is not None and any(one is not None for one in scene.weights):
            return "thick edge: large gradient; orange: positive", no_scale
        if scene is not None:
            return "\u2202 is the gradient of the loss; orange is positive", no_scale
        if keyframe.classes > 2:
            return "the likeliest class; paler where the network is unsure", no_scale
        if keyframe.classes == 0:
            return "", ("\u22121", "1: output of the network", SOFT)
        return "", ("0 %", "100 % class 1; line at 50 %", SOFT)

    def _draw_on_plane(self, painter: QPainter, plane: tuple[float, float, float, float]) -> None:
        """Draws rings around the followed and the hovered point, and the keyboard's cross."""
        scene = self.shown_scene
        now = theme.current()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(now.pen("accent", 2))
        if scene is not None:
            x, y = from_plane(plane, *scene.sample.point)
            painter.drawEllipse(QPointF(x, y), now.px(8), now.px(8))
        if isinstance(self.hovered, DataPoint) and self.data is not None:
            place = self.data.points[self.hovered.number]
            x, y = from_plane(plane, float(place[0]), float(place[1]))
            painter.drawEllipse(QPointF(x, y), now.px(7), now.px(7))
        if self.cursor is not None and self.shows_focus:
            x, y = from_plane(plane, *self.cursor)
            painter.drawLine(QPointF(x - 8, y), QPointF(x + 8, y))
            painter.drawLine(QPointF(x, y - 8), QPointF(x, y + 8))

    # pointer

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.keyframe is None or self._layout is None:
            return
        place = event.position()
        self._hover(element_at(self._layout, self.keyframe, self.data, place.x(), place.y()))

    def said_at(self, point: QPointF) -> str:
        if self.keyframe is None or self._layout is None:
            return ""
        element = element_at(self._layout, self.keyframe, self.data, point.x(), point.y())
        return pointer_words(element, self.keyframe, self.data)

    def leaveEvent(self, event) -> None:
        self._hover(None)

    def keyboard_rect(self) -> QRectF | None:
        if self._layout is None:
            return None
        if isinstance(self.hovered, Neuron):
            return QRectF(*self._layout.boxes[self.hovered.column][self.hovered.number])
        return QRectF(*self._layout.plane) if self.cursor is not None else None

    def _hover(self, element: Element) -> None:
        if element != self.hovered:
            self.hovered = element
            self.looked.emit()
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.keyframe is None or self._layout is None:
            return
        place = event.position()
        element = element_at(self._layout, self.keyframe, self.data, place.x(), place.y())
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if isinstance(element, Neuron | Weight):
            self.elementChosen.emit(element)
        elif inside(self._layout.plane, place.x(), place.y()):
            self.use_tool(*to_plane(self._layout.plane, place.x(), place.y()))

    def use_tool(self, x: float, y: float) -> None:
        """Applies the tool at a point of the plane."""
        if self._layout is None:
            return
        plane = self._layout.plane
        near = point_near(plane, self.data, *from_plane(plane, x, y))
        if self.tool == "add":
            self.pointAdded.emit(x, y)
        elif near >= 0:
            (self.pointRemoved if self.tool == "erase" else self.pointChosen).emit(near)

    # keyboard: arrows move between neurons, and beyond the last layer a cross on the plane

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move, cursor, data = arrow(event), self.cursor, self.data
        if self._layout is None or self.keyframe is None:
            super().keyPressEvent(event)
        elif move is not None:
            self._move_cursor(self._layout, *move)
        elif cursor is not None and is_enter(event):
            self.use_tool(*cursor)
        elif cursor is not None and event.key() in DELETE:
            plane = self._layout.plane
            near = point_near(plane, data, *from_plane(plane, *cursor))
            if near >= 0:
                self.pointRemoved.emit(near)
        elif is_enter(event) and isinstance(self.hovered, Neuron):
            self.elementChosen.emit(self.hovered)
        else:
            super().keyPressEvent(event)

    def _move_cursor(self, layout: Layout, down: int, across: int) -> None:
        if self.cursor is not None:
            x, y = self.cursor[0] + NUDGE * across, self.cursor[1] - NUDGE * down
            if x < -REACH - 1e-9:
                self.cursor, self.hovered = None, Neuron(len(layout.boxes) - 1, 0)
            else:
                self.cursor = (min(REACH, x), min(REACH, max(-REACH, y)))
        elif not isinstance(self.hovered, Neuron):
            self.hovered = Neuron(0, 0)
        else:
            column = max(0, self.hovered.column + across)
            if column >= len(layout.boxes):
                self.cursor, self.hovered = (0.0, 0.0), None
            else:
                last = len(layout.boxes[column]) - 1
                self.hovered = Neuron(column, min(last, max(0, self.hovered.number + down)))
        self.looked.emit()
        self.update()
