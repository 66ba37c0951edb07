"""A matrix W and its adapter A and B, drawn to scale, with the vectors that pass through them.

A vector that a matrix reads is above it, one number over each column; its output is beside it, one
number at each row. So B is left of the change and A above it, and at the corner between them are
the r numbers that every input is reduced to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter

from core.numbers import format_fixed, format_number
from explorer import theme
from explorer.widgets.base import CENTER, LEFT, RIGHT, packed_image
from explorer.widgets.cell_numbers import fitting_number
from explorer.widgets.diagrams.scenes import AdapterScene, Content
from explorer.widgets.matrix_equation import dimensions
from explorer.widgets.sketch import Sketch, around, colors_of

LINE, STRIP, GAP, BAND = 16, 12, 6, 16  # px: a line; a vector; between two; the r numbers
LEFTMOST, RIGHTMOST, ARROW = 50, 84, (76, 120)  # px: text at the sides; an arrow, least and most
FOOT, NUMBER, THIN = 38, 30, 2  # px: text below; an r number; the thinnest matrix
BROAD = 3  # times as thick: vectors, if nothing else has changed
SHARE = 0.39  # the greatest share of the width for all r numbers
FEW = 16  # r numbers side by side, at most
SERIES = 1  # of gradients
# Places with one row per output; arrows, by the place they start from.
ROWS, FLOWS = ("W", "B", "delta", "h", "change", "sum"), ("h", "change", "a")
ALL = (*ROWS, "x", "A", "a")


class AdapterLayout:
    """The rectangles of all parts. All matrices have one scale, as large as the area allows, with
    the change beside W or, if both are wide, below it.
    """

    def __init__(
        self, area: QRectF, size: tuple[int, int, int], used: frozenset[str] = frozenset(ALL)
    ) -> None:
        px, (out, wide, r), self.used = theme.current().px, size, used
        above = px(LINE + STRIP + BAND) + 3 * px(GAP)  # above the change: a line, A and its input
        self.numbers = min(px(NUMBER) * min(r, FEW), SHARE * area.width())  # px of all r numbers
        beside = area.adjusted(px(LEFTMOST), above, -px(RIGHTMOST), -px(FOOT))
        self.strip = px(STRIP) * (1 if "delta" in used else BROAD)
        narrow = 3 * self.strip + 4 * px(GAP) + 2 * px(ARROW[0])
        right = self.numbers + px(RIGHTMOST) + px(STRIP) + px(LEFTMOST) / 2
        below = area.adjusted(px(LEFTMOST), px(STRIP) + px(GAP), -right, -px(FOOT))
        across = (beside.width() - narrow) / (2 * wide + r), beside.height() / (out + r)
        down = (below.height() - px(FOOT) - above) / (2 * out + r), below.width() / (wide + r)
        self.is_stacked = min(down) > min(across)
        scale = max(min(down if self.is_stacked else across), 1e-3)
        sides = wide * scale, out * scale, max(r * scale, px(THIN)) if r else 0.0
        self.places: dict[str, QRectF] = {}
        if self.is_stacked:
            self._put_below(below, *sides, above)
        else:
            self._put_beside(beside, *sides, beside.width() - narrow - 2 * sides[0] - sides[2])

    def _put_beside(
        self, area: QRectF, wide: float, high: float, thin: float, spare: float
    ) -> None:
        px, places = theme.current().px, self.places
        arrow = min(px(ARROW[0]) + max(spare / 2, 0), px(ARROW[1]))
        x = area.left() + max(spare - 2 * (arrow - px(ARROW[0])), 0) / 2
        top, gap = area.top() + max(area.height() - high, 0) / 2, px(GAP)
        for name, width, apart in (
            ("W", wide, gap), *((name, self.strip, arrow) for name in ("h", "sum")),
            ("change", self.strip, gap),
            ("B", thin, gap), ("delta", wide, 0),
        ):  # fmt: skip
            places[name] = QRectF(x, top, width, high)
            x += width + apart
        right = places["B"].right()
        self.numbers = min(self.numbers, right - area.left() - px(LINE))
        self._put_read(thin, right - self.numbers)

    def _put_below(self, area: QRectF, wide: float, high: float, thin: float, above: float) -> None:
        px, places = theme.current().px, self.places
        apart = high + px(FOOT) + above
        top, gap, strip = area.top() + max(area.height() - apart - high, 0) / 2, px(GAP), px(STRIP)
        places["W"] = QRectF(area.left(), top, wide, high)
        change = places["delta"] = places["W"].translated(0, apart)
        places["B"] = QRectF(change.right() + gap, change.top(), thin, high)
        places["change"] = QRectF(places["B"].right() + gap, change.top(), strip, high)
        places["h"] = places["change"].translated(0, -apart)
        self._put_read(thin, places["B"].left())
        end = places["a"].right() + px(RIGHTMOST)
        places["sum"] = QRectF(end, change.top(), strip, high)

    def _put_read(self, thin: float, left: float) -> None:
        """Places the inputs above the matrices, A, and the r numbers from `left` on."""
        px, places = theme.current().px, self.places
        gap, strip, band = px(GAP), px(STRIP), px(BAND)
        frozen, change = places["W"], places["delta"]
        places["x"] = QRectF(frozen.left(), frozen.top() - gap - strip, frozen.width(), strip)
        row = change.top() - gap - px(LINE) - band / 2  # center of the r numbers
        middle = row if thin < band else change.top() - gap - thin / 2
        places["A"] = around(change.center().x(), middle, change.width(), thin)
        first = middle - max(band, thin) / 2 - gap - strip
        places["x, again"] = QRectF(change.left(), first, change.width(), strip)
        places["a"] = QRectF(left, row - band / 2, self.numbers, band)

    def shown(self) -> Iterator[tuple[str, QRectF]]:
        """Yields the places in use, among them the input of A, above the change."""
        for name, place in self.places.items():
            key = name.partition(",")[0]
            if key in self.used and (key == name or "delta" in self.used):
                yield name, place

    def at(self, point: QPointF) -> tuple[str, float, float] | None:
        """Returns the place at a point and the position in it (down, across), each 0 to 1."""
        for name, place in self.shown():
            if place.adjusted(-1, -1, 1, 1).contains(point):
                across = (point.x() - place.left()) / max(place.width(), 1e-9)
                down = (point.y() - place.top()) / max(place.height(), 1e-9)
                one = name.partition(",")[0]
                return one, min(max(down, 0.0), 1 - 1e-9), min(max(across, 0.0), 1 - 1e-9)
        return None

    def flow(self, name: str, back: bool = False) -> list[QPointF]:
        """Returns the path of an arrow out of a place: from the r numbers to B, from both outputs
        to their sum; reversed if `back`.
        """
        place, total, y = self.places[name], self.places["sum"], self.places[name].center().y()
        x, above = total.center().x(), theme.current().px(LINE + 2 * GAP)
        if name == "a":
            x = self.places["B"].center().x()
            points = [QPointF(x, place.bottom()), QPointF(x, self.places["B"].top())]
        elif name == "h" and self.is_stacked:
            corner, end = QPointF(x, y), QPointF(x, total.top() - above)
            points = [QPointF(place.right() + 3, y), corner, end]
        elif x > place.center().x():
            points = [QPointF(place.right() + 3, y), QPointF(total.left() - 3, y)]
        else:
            points = [QPointF(place.left() - 3, y), QPointF(total.right() + 3, y)]
        return points[::-1] if back else points


def draw_adapter(painter: QPainter, layout: AdapterLayout, scene: AdapterScene) -> None:
    sketch = Sketch(painter)
    for name, place in layout.shown():
        key = name.partition(",")[0]
        if key == "delta" and scene.alone is not None:
            _draw_content(sketch, place, scene.alone, key)
            continue
        _draw_content(sketch, place, scene.now.get(key), key)
        if key == scene.coming:
            _draw_coming(sketch, place, scene)
    for name in layout.used.intersection(FLOWS):
        back = scene.back and name != "h"  # W gets no gradient
        ink = sketch.now.series(SERIES) if back else "outline"
        sketch.arrow(layout.flow(name, back), ink)
        if name in scene.flows:
            sketch.pulse(layout.flow(name, scene.coming != "sum" and scene.back), scene.way)
    _draw_words(sketch, layout, scene)
    if scene.made:
        sketch.frame(layout.places[scene.made].adjusted(-2, -2, 2, 2), "accent", 2, 2)
    for name in layout.used.intersection(ROWS):
        place = layout.places[name]
        y = place.top() + (scene.output + 0.5) / scene.size[0] * place.height()
        sketch.line(QPointF(place.left() - 3, y), QPointF(place.right() + 3, y), "text", 1, 0.7)


def _draw_content(sketch: Sketch, place: QRectF, content: Content | None, key: str) -> None:
    if content is None:
        sketch.frame(place, "divider", 1, 0)
    elif key == "a":
        _draw_numbers(sketch, place, content.values)
    else:
        if (name := sketch.now.name) not in content.images:
            colors = colors_of(content.thumb, limit=content.limit)
            content.images[name] = packed_image(colors)
        sketch.painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        sketch.painter.drawImage(place, content.images[name])
        sketch.frame(place, "divider", 1, 0)


def _draw_numbers(sketch: Sketch, place: QRectF, values: np.ndarray) -> None:
    """Draws the r numbers, few enough to be read one by one."""
    colors, count = colors_of(values)[0], min(values.shape[1], FEW)
    side, metrics = place.width() / count, sketch.now.metrics("rail")
    words = alike(values[0, :count].tolist(), metrics, side - 3)
    written = all(metrics.horizontalAdvance(one) <= side for one in words)
    for at in range(count):
        cell = QRectF(place.left() + at * side, place.top(), side - 1, place.height())
        color = QColor.fromRgb(int(colors[at]))
        sketch.fill(cell, color)
        if written:
            sketch.text(cell, words[at], theme.ink_on(color), size="rail")
        sketch.frame(cell, "divider", 1, 0)


def alike(values: Sequence[float], metrics: QFontMetricsF, width: float) -> list[str]:
    """Formats values with as many decimals as fit, the same for all, so that they can be compared;
    small values get significant digits of their own.
    """
    for decimals in (2, 1):
        words = [format_fixed(value, decimals) for value in values]
        fits = all(metrics.horizontalAdvance(word) <= width for word in words)
        if fits and max(map(abs, values), default=0.0) >= 10 ** (1 - decimals):
            return words
    return [fitting_number(value, metrics, width) for value in values]


def _draw_coming(sketch: Sketch, place: QRectF, scene: AdapterScene) -> None:
    """Draws content as it comes in from the top or the left; with reduced motion it fades in."""
    painter, content, way = sketch.painter, scene.after[scene.coming], scene.way
    if scene.grown is not None and sketch.now.travels:
        sketch.matrix(place, scene.grown, limit=content.limit)
        return
    painter.save()
    if not sketch.now.travels:
        painter.setOpacity(way)
    elif place.width() > place.height():
        painter.setClipRect(place.adjusted(-1, -1, (way - 1) * place.width(), 1))
    else:
        painter.setClipRect(place.adjusted(-1, -1, 1, (way - 1) * place.height()))
    painter.fillRect(place, sketch.now.color("surface"))
    _draw_content(sketch, place, content, scene.coming)
    painter.restore()


def _draw_words(sketch: Sketch, layout: AdapterLayout, scene: AdapterScene) -> None:
    """Draws names and, below the matrices, their shapes and the limits of their colors."""
    line, gap, places = sketch.now.px(LINE), sketch.now.px(GAP), layout.places
    now = scene.after if scene.way > 0.5 else scene.now
    if scene.alone is not None:
        now = {**now, "delta": scene.alone}

    def put(key: str, x: float, y: float, align: Qt.AlignmentFlag, sized: bool = False) -> None:
        if (content := now.get(key)) is None:
            return
        ink = sketch.now.series(SERIES) if "\u2202" in content.name else "text"
        rect = QRectF(x, y, 0, line)
        few = f", first {FEW}" if key == "a" and scene.size[2] > FEW else ""
        sketch.text(rect, f"{content.name}{few}", ink, align, "body", 600)
        if sized:
            limit = f", \u00b1{format_number(content.limit, 2)}" if key != "A" else ""
            sketch.text(
                rect.translated(0, line), f"{dimensions(content.values.shape)}{limit}", align=align
            )

    h, total, change, A, a = (places[name] for name in ("h", "sum", "change", "A", "a"))
    B, delta, row = places["B"], places["delta"], a.center().y() - line / 2
    put("h", h.left(), h.top() - gap - line, LEFT)
    put("sum", total.center().x(), total.top() - gap - line, CENTER)
    put("W", places["W"].center().x(), h.bottom() + gap, CENTER, sized=True)
    for name, place in layout.shown():
        if name.startswith("x"):
            put("x", place.left() - gap, place.center().y() - line / 2, RIGHT)
    above, below, whole = change.top() - gap - line, B.bottom() + gap, scene.alone is None
    if layout.is_stacked:
        put("change", change.left(), above, LEFT)
        put("B", B.left(), below, LEFT, sized=True)
        put("delta", delta.right(), below, RIGHT, sized=whole)
        put("A", A.left() - gap, A.center().y() - line / 2, RIGHT)
        put("a", a.right() + gap, row, LEFT)
    else:
        put("change", change.right(), above, RIGHT)  # B is to its right
        put("B", B.right(), below, RIGHT, sized=True)
        put("delta", delta.left(), below, LEFT, sized=whole)
        put("A", A.right() + gap, A.center().y() - line, LEFT, sized=True)
        put("a", a.left() - gap, row, RIGHT)
