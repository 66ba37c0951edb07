"""Draws the steps up to the head's output at a position. Each element is a function of the
position, so the steps can be scrubbed.

0 project, 1 products, 2 scores, 3 scale, 4 mask, 5 softmax, 6 weigh, 7 output.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from core.numbers import MINUS, format_number, format_percent
from explorer import theme
from explorer.panes.attention import scene as S
from explorer.panes.attention.draw_vectors import Strips
from explorer.panes.attention.scene import Scene
from explorer.panes.attention.step_layout import lay_out
from explorer.panes.attention.text import cut_to
from explorer.theme import lerp
from explorer.widgets.base import LEFT, RIGHT, elide, put_text, visible_text

GHOST = 0.30  # opacity of what later steps no longer need
WAITING = 0.34  # opacity of what a later step will need
WEIGHT_NUMBER = 48  # px: the number beside a weight's bar


class Drawing:
    """A scene laid out and rendered for one size."""

    def __init__(self, scene: Scene, width: float, height: float, ratio: float) -> None:
        self.scene, self.ratio = scene, ratio
        self.layout = lay_out(scene, width, height)
        rows = list(self.layout.rows)
        self.weights = scene.weights[rows]
        tall, band, block = self.layout.row_height, self.layout.band, self.layout.left.width()

        def strips(values: np.ndarray, role: str, limit: float, height: float) -> Strips:
            return Strips(values, role, limit, block, height, ratio)

        k, v, products = scene.k[rows], scene.v[rows], scene.products[rows]
        longest = largest(scene.q)
        self.values_limit = largest(v) or 1.0
        self.q = strips(scene.q, "q", longest, band)
        self.small_q = strips(scene.q, "q", longest, tall)
        self.k = strips(k, "k", largest(k), tall)
        self.products = strips(products, "attention", largest(products), tall)
        self.v = strips(v, "v", self.values_limit, tall)
        self.output = strips(scene.output, "attention", self.values_limit, band)


def largest(values: np.ndarray) -> float:
    """Returns the largest absolute value, or 0 if there are no values."""
    return float(np.abs(values).max(initial=0.0))


def ramp(position: float, start: float, end: float) -> float:
    """Returns 0 before `start`, 1 after `end`, and interpolates linearly between."""
    return min(1.0, max(0.0, (position - start) / (end - start)))


def draw(painter: QPainter, drawing: Drawing, position: float, lit: int, pinned: int) -> None:
    """Draws all elements at `position`; `lit` and `pinned` are keys, or -1."""
    _labels(painter, drawing, lit, pinned)
    _headings(painter, drawing, position)
    _query(painter, drawing, position)
    _keys(painter, drawing, position)
    _scores(painter, drawing, position)
    _weights(painter, drawing, position)
    _values(painter, drawing, position)
    _mask(painter, drawing, position)
    _output(painter, drawing, position)


def local(position: float, step: int, place: int, count: int) -> float:
    """Returns the progress 0..1 of row `place` from step - 1 to `step`; rows start one by one."""
    return theme.stagger(ramp(position, step - 1, step), place, count)


def _labels(painter: QPainter, drawing: Drawing, lit: int, pinned: int) -> None:
    now, layout, scene = theme.current(), drawing.layout, drawing.scene
    font, bold = now.font("label"), now.font("label", 600)
    for place, key in enumerate(layout.rows):
        rect = layout.row_rect(place)
        if key == lit:
            painter.setPen(now.pen("accent", 1.5) if key == pinned else Qt.PenStyle.NoPen)
            painter.setBrush(now.color("selected"))
            painter.drawRoundedRect(rect, 3, 3)
        mine = key == scene.query
        role = "q" if mine else "text" if key == lit else "muted"
        use = bold if mine or key == lit else font
        room = layout.label.width() - now.px(8)
        text = elide(visible_text(scene.labels[key]), use, room)
        box = QRectF(now.px(2), rect.y(), room, rect.height())
        put_text(painter, box, text, use, now.color(role), RIGHT)


def _headings(painter: QPainter, drawing: Drawing, position: float) -> None:
    now, layout, scene = theme.current(), drawing.layout, drawing.scene
    step = round(min(position, S.OUTPUT))
    left = ("q \u00d7 k", "attention") if position > 0.5 else ("k  keys", "k")
    right = "a \u00d7 v" if position > 5.5 else "v  values"
    columns = (  # rectangle, title, color, steps it highlights in, position it appears at, side
        (layout.left, *left, (S.PROJECT, S.PRODUCTS), 0.0, LEFT),
        (layout.score, "q\u00b7k", "attention", (S.SCORES,), 1.5, RIGHT),
        (layout.scaled, f"\u00f7 \u221a{scene.size}", "attention", (S.SCALE, S.MASK), 2.5, RIGHT),
        (layout.weight, "a  weight", "attention", (S.SOFTMAX,), 4.5, LEFT),
        (layout.right, right, "v", (S.PROJECT, S.WEIGH, S.OUTPUT), 0.0, LEFT),
    )
    for rect, title, role, about, start, side in columns:
        box = QRectF(rect.x(), 0, max(rect.width(), now.px(72)), now.px(18))
        if side == RIGHT:  # numbers are narrower than their heading, which starts further left
            box = QRectF(rect.x() - now.px(12), 0, rect.width() + now.px(12), now.px(18))
        ink = now.color(role if step in about else "muted")
        if position < start:
            ink.setAlphaF(theme.DISABLED_OPACITY)
        put_text(painter, box, title, now.font("label", 600 if step in about else 400), ink, side)


def _query(painter: QPainter, drawing: Drawing, position: float) -> None:
    layout = drawing.layout
    alpha = lerp(1.0, WAITING, ramp(position, 2, 3))
    drawing.q.draw(painter, 0, layout.left.x(), layout.query_y, alpha=alpha)
    _letter(painter, drawing, "q", "q", QPointF(layout.left.x(), layout.query_y), alpha)
    count = len(layout.rows)
    if 0 < position < 1:
        for place in range(count):
            way = local(position, 1, place, count)
            if way <= 0:
                continue
            travel = min(1.0, way / 0.8)
            start = layout.query_y + (layout.band - layout.row_height) / 2
            y = lerp(start, layout.y(place), travel)
            alpha = 0.9 * (1 - ramp(way, 0.8, 1.0))
            drawing.small_q.draw(painter, 0, layout.left.x(), y, alpha=alpha)


def _letter(
    painter: QPainter, drawing: Drawing, letter: str, role: str, at: QPointF, alpha: float
) -> None:
    """Draws a vector's letter to its left."""
    now = theme.current()
    box = QRectF(at.x() - now.px(28), at.y(), now.px(22), drawing.layout.band)
    put_text(painter, box, letter, now.font("title", 600), now.color(role, alpha), RIGHT)


def _keys(painter: QPainter, drawing: Drawing, position: float) -> None:
    """Draws the keys, their products with the query, and the sums of these products."""
    layout = drawing.layout
    x, count = layout.left.x(), len(layout.rows)
    if position <= 0:
        drawing.k.draw_all(painter, x, layout.top)
        return
    for place in range(count):
        y = layout.y(place)
        if position < 1:
            met = ramp(local(position, 1, place, count), 0.8, 1.0)
            drawing.k.draw(painter, place, x, y, alpha=1 - met)
            drawing.products.draw(painter, place, x, y, alpha=met)
            continue
        gathered = local(position, 2, place, count) if position < 2 else 1.0
        drawing.products.draw(painter, place, x, y, alpha=lerp(1.0, GHOST, gathered))
        if 0 < gathered < 1:
            left = lerp(x, layout.score.right() - 8, gathered)
            width = lerp(layout.left.width(), 8.0, gathered)
            fade = 1 - ramp(gathered, 0.75, 1.0)
            drawing.products.draw(painter, place, left, y, width=width, alpha=fade)


def _scores(painter: QPainter, drawing: Drawing, position: float) -> None:
    """Draws the scores, which move to the scaled column and are then masked."""
    now, layout, scene = theme.current(), drawing.layout, drawing.scene
    count = len(layout.rows)
    font, bold = now.font("label"), now.font("label", 600)
    for place, key in enumerate(layout.rows):
        y, height = layout.y(place), layout.row_height
        score = QRectF(layout.score.x(), y, layout.score.width(), height)
        scaled = QRectF(layout.scaled.x(), y, layout.scaled.width(), height)
        appeared = ramp(local(position, 2, place, count), 0.7, 1.0)
        text = format_number(float(scene.scores[key]))
        if position <= 2:
            if appeared > 0:
                ink = now.color("attention", appeared)
                put_text(painter, score, text, bold if position == 2 else font, ink, RIGHT)
            continue
        put_text(painter, score, text, font, now.color("muted"), RIGHT)
        moved = local(position, 3, place, count)
        value = float(scene.scaled[key] if moved >= 0.6 else scene.scores[key])
        box = QRectF(scaled)
        box.moveLeft(lerp(score.x(), scaled.x(), moved))
        masked = ramp(local(position, 4, place, count), 0.4, 1.0) if scene.hidden(key) else 0.0
        used = position >= 5
        ink = now.color("muted") if used else now.color("attention")
        if masked > 0:
            ink.setAlphaF(1 - masked)
            shown = now.color("muted", masked)
            put_text(painter, scaled, f"{MINUS}\u221e", font, shown, RIGHT)
        if moved > 0 and masked < 1:
            put_text(painter, box, format_number(value), font if used else bold, ink, RIGHT)


def _weights(painter: QPainter, drawing: Drawing, position: float) -> None:
    """Draws weights as bars with numbers, which travel to the values as small tags."""
    if position <= 4:
        return
    now, layout, scene = theme.current(), drawing.layout, drawing.scene
    count, height = len(layout.rows), layout.row_height
    font, bold = now.font("label"), now.font("label", 600)
    number = now.px(WEIGHT_NUMBER)
    room = layout.weight.width() - number - now.px(6)
    bar_height = min(height - 4, now.px(12))
    for place in range(count):
        weight = float(drawing.weights[place])
        grown = local(position, 5, place, count)
        if grown <= 0:
            continue
        y = layout.y(place)
        start = lerp(layout.scaled.right() - number, layout.weight.x(), grown)
        text = format_number(weight)
        strong = weight >= 0.1
        hidden = scene.hidden(layout.rows[place])
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(now.color("attention"))
        bar = QRectF(layout.weight.x() + number + now.px(6), y + (height - bar_height) / 2,
                     max(room * weight * grown, 0.75), bar_height)  # fmt: skip
        if not hidden:
            painter.drawRoundedRect(bar, 1.5, 1.5)
        ink = now.color("attention" if strong else "muted", grown)
        put_text(
            painter, QRectF(start, y, number, height), text, bold if strong else font, ink, RIGHT
        )
    total = ramp(position, 4.6, 5.0)
    box = QRectF(layout.weight.x(), layout.output_y, layout.weight.width(), layout.band)
    put_text(painter, box, "\u03a3 = 1", bold, now.color("attention", total), LEFT)
    if 5 < position < 6:
        _tags(painter, drawing, position)


def _tags(painter: QPainter, drawing: Drawing, position: float) -> None:
    now, layout = theme.current(), drawing.layout
    count, font = len(layout.rows), now.font("label", 600)
    width, height = now.px(44), min(layout.row_height - 2, now.px(16))
    for place in range(count):
        weight = float(drawing.weights[place])
        way = local(position, 6, place, count)
        if not 0 < way < 1 or weight < 0.01:
            continue
        travel = min(1.0, way / 0.55)
        x = lerp(layout.weight.x(), layout.right.center().x() - width / 2, travel)
        y = layout.y(place) + (layout.row_height - height) / 2
        alpha = 1 - ramp(way, 0.55, 0.9)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(now.color("attention", alpha))
        tag = QRectF(x, y, width, height)
        painter.drawRoundedRect(tag, 3, 3)
        ink = now.color("surface", alpha)
        put_text(painter, tag, format_number(weight), font, ink)


def _values(painter: QPainter, drawing: Drawing, position: float) -> None:
    layout, scene = drawing.layout, drawing.scene
    x, count = layout.right.x(), len(layout.rows)
    if position <= 5:
        drawing.v.draw_all(painter, x, layout.top, lerp(1.0, WAITING, ramp(position, 0, 1)))
        return
    for place, key in enumerate(layout.rows):
        weight = float(drawing.weights[place])
        way = local(position, 6, place, count)
        scale = lerp(1.0, weight, ramp(way, 0.5, 1.0))
        base = lerp(WAITING, 1.0, min(1.0, way / 0.5))
        y = layout.y(place)
        gone = local(position, 7, place, count) if position > 6 else 0.0
        if not scene.hidden(key):
            drawing.v.draw(painter, place, x, y, scale=scale, alpha=lerp(base, 0.4, gone))
        else:
            drawing.v.draw(painter, place, x, y, scale=scale, alpha=base * (1 - way))
        if 0 < gone < 1 and weight >= 0.005:
            goal = layout.output_y + (layout.band - layout.row_height) / 2
            fade = 1 - ramp(gone, 0.8, 1.0)
            drawing.v.draw(painter, place, x, lerp(y, goal, gone), scale=scale, alpha=fade)


def _mask(painter: QPainter, drawing: Drawing, position: float) -> None:
    """Sweeps the mask over the rows of the hidden tokens."""
    if position <= 3:
        return
    now, layout, scene = theme.current(), drawing.layout, drawing.scene
    count = len(layout.rows)
    for place, key in enumerate(layout.rows):
        if not scene.hidden(key):
            continue
        swept = local(position, 4, place, count)
        left = layout.left.x()
        right = layout.score.right()
        rect = QRectF(left, layout.y(place) + 1, (right - left) * swept, layout.row_height - 2)
        painter.fillRect(rect, now.color("window", 0.75))
        painter.fillRect(rect, now.hatch())


def _output(painter: QPainter, drawing: Drawing, position: float) -> None:
    if position <= 6:
        return
    layout = drawing.layout
    arrived = ramp(position, 6.55, 7.0)
    drawing.output.draw(painter, 0, layout.right.x(), layout.output_y, alpha=arrived)
    at = QPointF(layout.right.x(), layout.output_y)
    _letter(painter, drawing, "o", "attention", at, arrived)


def draw_line(
    painter: QPainter, pieces: Sequence[tuple[str, str]], top: float, width: float
) -> None:
    """Draws the line of live numbers. A line that is too long is cut in the middle, so its result
    stays.
    """
    now, font = theme.current(), theme.current().font("body")
    metrics = QFontMetricsF(font)
    baseline = top + metrics.ascent() + now.px(2)
    painter.setFont(font)
    x = now.px(2)
    for text, role in cut_to(pieces, width - x, metrics.horizontalAdvance):
        painter.setPen(now.color(role))
        painter.drawText(QPointF(x, baseline), text)
        x += metrics.horizontalAdvance(text)


def draw_share(painter: QPainter, drawing: Drawing) -> None:
    """Draws how many keys are shown if not all of them fit."""
    now, layout, scene = theme.current(), drawing.layout, drawing.scene
    shown = len(layout.rows)
    if shown < scene.n_tokens:
        share = format_percent(float(drawing.weights.sum()))
        note = f"showing {shown} of {scene.n_tokens} keys ({share} of the weight)"
        box = QRectF(now.px(2), layout.output_y, layout.weight.x(), layout.band)
        put_text(painter, box, note, now.font("label"), now.color("muted"), LEFT)
