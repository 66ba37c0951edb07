"""Paints W, and beside it A and B in true proportion, what goes through them, and what they make.

A vector that a matrix reads lies above it, one number over each column; what it makes stands beside
it, one number at each row. So B stands left of the change, A lies above it, and between them, at
the corner, are the r numbers that everything has to go through.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from explorer import theme
from explorer.panes.finetuning.inside import text
from explorer.panes.finetuning.inside.scene import ROWS, Content, Scene
from explorer.widgets.base import CENTER, LEFT, RIGHT
from explorer.widgets.cell_numbers import fitting_number
from explorer.widgets.sketch import Sketch, around, colors_of

LINE, STRIP, GAP, BAND = 16, 12, 6, 16  # px: a line; a vector; between two; the r numbers
LEFTMOST, RIGHTMOST, ARROW = 44, 84, (48, 120)  # px: words at the sides; an arrow, least and most
FOOT, NUMBER, MOST, THIN = 40, 30, 208, 1.5  # px: words below; an r number, all; a matrix, least
SERIES = 1  # of gradients
FEW = 16  # r numbers that stand beside one another


class PassageLayout:
    """Where everything stands, at one scale for all matrices, as large as the area lets it be."""

    def __init__(self, area: QRectF, scene: Scene) -> None:
        px, (out, wide, r) = theme.current().px, scene.size
        gap, strip, band, line = px(GAP), px(STRIP), px(BAND), px(LINE)
        above = line + strip + 3 * gap + band
        area = area.adjusted(px(LEFTMOST), above, -px(RIGHTMOST), -px(FOOT))
        narrow = 3 * strip + 4 * gap + 2 * px(ARROW[0])
        across, down = (area.width() - narrow) / (2 * wide + r), area.height() / (out + r)
        self.scale = u = max(min(across, down), 1e-3)
        thin, spare = max(r * u, px(THIN)), area.width() - narrow - (2 * wide + r) * u
        arrow = min(px(ARROW[0]) + max(spare / 2, 0), px(ARROW[1]))
        x = area.left() + max(spare - 2 * (arrow - px(ARROW[0])), 0) / 2
        top = area.top() + max(area.height() - out * u, 0) / 2
        places = self.places = {}
        for name, width, apart in (
            ("W", wide * u, gap), ("h", strip, arrow), ("sum", strip, arrow),
            ("change", strip, gap), ("B", thin, gap), ("delta", wide * u, 0),
        ):  # fmt: skip
            places[name] = QRectF(x, top, width, out * u)
            x += width + apart
        frozen, change = places["W"], places["delta"]
        places["x"] = QRectF(frozen.left(), top - gap - strip, frozen.width(), strip)
        middle = top - gap - (line + band / 2 if thin < band else thin / 2)
        places["A"] = around(change.center().x(), middle, change.width(), thin)
        first = middle - max(band, thin) / 2 - gap - strip
        places["x, again"] = QRectF(change.left(), first, change.width(), strip)
        shown = min(r, FEW)
        self.side = min(px(NUMBER), px(MOST) / shown)  # of one of the r numbers
        right = places["B"].right()
        places["a"] = around(right - self.side * shown / 2, middle, self.side * shown, band)

    def at(self, point: QPointF) -> tuple[str, float, float] | None:
        """The place under a point, and where in it, each 0 to 1."""
        for name, place in self.places.items():
            if place.adjusted(-1, -1, 1, 1).contains(point):
                across = (point.x() - place.left()) / max(place.width(), 1e-9)
                down = (point.y() - place.top()) / max(place.height(), 1e-9)
                return name, min(max(down, 0.0), 1 - 1e-9), min(max(across, 0.0), 1 - 1e-9)
        return None

    def flow(self, name: str) -> list[QPointF]:
        """The way out of a place, to where it goes: from A to the r numbers, from them to B, and
        from both outputs to their sum.
        """
        place = self.places[name]
        if name == "a":
            x = self.places["B"].center().x()
            return [QPointF(x, place.bottom()), QPointF(x, self.places["B"].top())]
        to, y = self.places["a" if name == "A" else "sum"], place.center().y()
        if to.center().x() > place.center().x():
            return [QPointF(place.right() + 3, y), QPointF(to.left() - 3, y)]
        return [QPointF(place.left() - 3, y), QPointF(to.right() + 3, y)]


# What moves on the way to a step, by its kind: places of `flow`, and whether it goes back.
FLOWS = {
    "reduce": (("A",), False), "expand": (("a",), False), "add": (("h", "change"), False),
    "grad_expanded": (("change",), True), "grad_reduced": (("a",), True),
    "grad_A": (("A",), True),
}  # fmt: skip


def draw_passage(
    painter: QPainter, layout: PassageLayout, scene: Scene, position: float, output: int,
    direction: int,
) -> None:  # fmt: skip
    """`position`: of the cursor; `output`: whose row is marked; `direction`: the one of the change
    that is seen alone, where there is one.
    """
    sketch, step = Sketch(painter), min(int(position), len(scene.steps) - 1)
    way = position - step
    now, after = scene.contents[step], scene.contents[min(step + 1, len(scene.steps) - 1)]
    coming = scene.made_by(step + 1) if way else ""
    for name, place in layout.places.items():
        key = name.partition(",")[0]
        content = now.get(key)
        _draw_content(sketch, place, content, key)
        if key == "delta" and direction >= 0:
            sketch.matrix(place, scene.part(direction), limit=scene.limit)
        elif key == coming:
            _draw_coming(sketch, place, after[key], key, scene, step + 1, way)
    _draw_flows(sketch, layout, scene, step, way)
    _draw_words(sketch, layout, scene, after if way > 0.5 else now)
    if made := scene.made_by(step):
        sketch.frame(layout.places[made].adjusted(-2, -2, 2, 2), "accent", 2, 2)
    for name in ROWS:
        place = layout.places[name]
        y = place.top() + (output + 0.5) / scene.size[0] * place.height()
        sketch.line(QPointF(place.left() - 3, y), QPointF(place.right() + 3, y), "text", 1, 0.7)


def _draw_content(sketch: Sketch, place: QRectF, content: Content | None, key: str) -> None:
    if content is None:
        sketch.frame(place, "divider", 1, 0)
    elif key == "a":
        _draw_numbers(sketch, place, content.values)
    else:
        sketch.matrix(place, content.thumb, limit=content.limit)


def _draw_numbers(sketch: Sketch, place: QRectF, values: np.ndarray) -> None:
    """The r numbers: so few that each can be read."""
    colors, count = colors_of(values)[0], min(values.shape[1], FEW)
    side, metrics = place.width() / count, sketch.now.metrics("rail")
    for at in range(count):
        cell = QRectF(place.left() + at * side, place.top(), side - 1, place.height())
        color = QColor.fromRgb(int(colors[at]))
        sketch.fill(cell, color)
        if side >= sketch.now.px(NUMBER - 6):
            words = fitting_number(float(values[0, at]), metrics, side - 3)
            sketch.text(cell, words, theme.ink_on(color), size="rail")
        sketch.frame(cell, "divider", 1, 0)


def _draw_coming(
    sketch: Sketch, place: QRectF, content: Content, key: str, scene: Scene, index: int, way: float
) -> None:
    """On its way in: the product grows direction by direction, all else from the top."""
    painter = sketch.painter
    if scene.kind(scene.steps[index]) == "product" and sketch.now.travels:
        sketch.matrix(place, scene.grown(index, way), limit=content.limit)
        return
    painter.save()
    if not sketch.now.travels:
        painter.setOpacity(way)
    elif place.width() > place.height():
        painter.setClipRect(place.adjusted(-1, -1, (way - 1) * place.width(), 1))
    else:
        painter.setClipRect(place.adjusted(-1, -1, 1, (way - 1) * place.height()))
    painter.fillRect(place, sketch.now.color("surface"))
    _draw_content(sketch, place, content, key)
    painter.restore()


def _draw_flows(sketch: Sketch, layout: PassageLayout, scene: Scene, step: int, way: float) -> None:
    back = "grad" in scene.steps[step].name
    for name in ("h", "change", "A", "a"):
        points = layout.flow(name)
        turned = back and name != "h"
        ink = sketch.now.series(SERIES) if turned else "outline"
        sketch.arrow(points[::-1] if turned else points, ink)
    if way and step + 1 < len(scene.steps):
        names, is_back = FLOWS.get(scene.kind(scene.steps[step + 1]), ((), False))
        for name in names:
            points = layout.flow(name)
            sketch.pulse(points[::-1] if is_back else points, way)


def _draw_words(
    sketch: Sketch, layout: PassageLayout, scene: Scene, now: dict[str, Content]
) -> None:
    line, gap, place = sketch.now.px(LINE), sketch.now.px(GAP), layout.places

    def ink(content: Content) -> object:
        return sketch.now.series(SERIES) if "\u2202" in content.name else "text"

    def size(content: Content) -> str:
        return text.size_of(*content.values.shape, content.limit)

    def put(rect: QRectF, key: str, align: Qt.AlignmentFlag, told: str = "") -> None:
        if (content := now.get(key)) is not None:
            sketch.text(rect, told or content.name, ink(content), align, "body", 600)

    for key in ("h", "sum", "change"):  # beside B comes what the r numbers make of it
        at, align = place[key], {"h": LEFT, "sum": CENTER, "change": RIGHT}[key]
        x = {"h": at.left(), "sum": at.center().x(), "change": at.right()}[key]
        put(QRectF(x, at.top() - gap - line, 0, line), key, align)
    for key, x, align in (
        ("W", place["W"].center().x(), CENTER), ("B", place["B"].right(), RIGHT),
        ("delta", place["delta"].left(), LEFT),
    ):  # fmt: skip
        below = QRectF(x, place[key].bottom() + gap, 0, line)
        put(below, key, align, "W, frozen" if key == "W" else "")
        if key in now:
            sketch.text(below.translated(0, line), size(now[key]), align=align)
    for key in ("x", "x, again", "a"):
        rect = QRectF(place[key].left() - gap, place[key].center().y() - line / 2, 0, line)
        put(rect, key.partition(",")[0], RIGHT)
    rect = QRectF(place["A"].right() + gap, place["A"].center().y() - line, 0, line)
    put(rect, "A", LEFT)
    sketch.text(rect.translated(0, line), size(now["A"]).partition(",")[0], align=LEFT)
