"""Draws the last steps at a position: 8 mix, 9 add, 10 predict. As in `draw_attention`, each
element is a function of the position.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage, QPainter

from core.numbers import format_number
from core.tokenization.telling import count
from explorer import theme
from explorer.panes.attention import scene as S
from explorer.panes.attention.draw_attention import GHOST, WAITING, Drawing, largest, ramp
from explorer.panes.attention.draw_vectors import Strips
from explorer.panes.attention.step_layout import STRIPS, grouped, lay_out_downstream
from explorer.theme import ease_out, lerp
from explorer.widgets.base import LEFT, RIGHT, elide, packed_image, packed_table, put_text
from explorer.widgets.color_bar import ColorBar
from explorer.widgets.likeliest_bars import NextToken, draw_likeliest, likeliest_rows
from explorer.widgets.token_strip import chip

ROLES = {"written": "attention", "others": "outline", "residual": "muted", "added": "text"}
FORMULAS = {
    "written": "w, output of this head =",
    "others": "w of the other heads =",
    "residual": "x =",
    "added": "x\u2032 = x + w + w of the other heads =",
}
REACH = 98  # percent of the bars that fit their scale: a few dimensions of a stream are huge


class NextTokenDrawing:
    """The last steps, after those of `before`, laid out and rendered for one size."""

    def __init__(self, before: Drawing, width: float, height: float) -> None:
        scene, ratio = before.scene, before.ratio
        assert scene.downstream is not None
        self.before, self.one = before, scene.downstream
        self.layout = lay_out_downstream(self.one, width, height)
        group, wide = self.layout.group, self.layout.matrix.width()
        self.values = values = {name: grouped(getattr(self.one, name), group) for name in STRIPS}
        every = np.abs(np.concatenate(list(values.values())))
        limit = float(np.percentile(every, REACH)) or 1.0
        self.is_cut = bool(every.max(initial=0.0) > limit * 1.001)
        own = largest(values["written"])
        self.grown = limit / own if own else 1.0  # scale of `written` while it is alone
        band = self.layout.strips["added"].height()
        self.strips = {
            name: Strips(one, ROLES[name], limit, wide, band, ratio) for name, one in values.items()
        }
        self.alone = Strips(values["written"], ROLES["written"], own, wide, band, ratio)
        upright, read = self.layout.upright, largest(scene.output)
        self.upright = Strips(
            scene.output, "attention", read, upright.height(), upright.width(), ratio
        )
        self.read = read / before.values_limit  # height of o's bars among the values, as a fraction
        w_o = grouped(self.one.w_o, group)
        self.most = largest(w_o) or 1.0
        self.bar = ColorBar()
        self.bar.set_scale("diverging", high=self.most)
        self.w_o, self.products = (
            self._image(one, largest(one) or 1.0) for one in (w_o, w_o * scene.output[:, None])
        )

        self.tokens = [
            NextToken(one.piece, one.share, one.came, one.before) for one in self.one.likeliest
        ]
        self.rows = likeliest_rows(self.layout.bars, len(self.tokens))

    def _image(self, values: np.ndarray, most: float) -> QImage:
        return packed_image(packed_table(self.bar.table())[self.bar.levels(values, -most, most)])

    def row_at(self, point: QPointF) -> int:
        """Returns the index of the token at a point, or -1."""
        return next((place for place, row in enumerate(self.rows) if row.contains(point)), -1)

    def said_at(self, point: QPointF, step: int) -> str:
        """Returns the tooltip with the numbers at a point of a step, or ""."""
        if step == S.PREDICT:
            found = self.row_at(point)
            if found < 0:
                return ""
            one = self.tokens[found]
            return f"{chip(0, one.piece).text}: {one.told}\np = e^z \u00f7 \u03a3 e^z"
        layout, bars = self.layout, self.values["written"].size
        place = int((point.x() - layout.matrix.left()) / layout.matrix.width() * bars)
        if not 0 <= place < bars:
            return ""
        first = place * layout.group
        last = min(first + layout.group, self.one.written.size) - 1
        where = f"dimension {first}" if first == last else f"mean of dimensions {first} to {last}"
        for name in STRIPS if step >= S.ADD else STRIPS[:1]:
            if layout.strips[name].contains(point):
                value = format_number(float(self.values[name][place]))
                return f"{where}\n{FORMULAS[name]} {value}"
        if layout.matrix.contains(point):
            D = len(self.one.w_o)
            row = int((point.y() - layout.matrix.top()) / layout.matrix.height() * D)
            row = min(row, D - 1)
            value = format_number(float(self.one.w_o[row, first : last + 1].mean()))
            return f"o\u2009{row}, {where}\nW_O = {value}"
        return ""


def draw(
    painter: QPainter, last: NextTokenDrawing, position: float, moved: float = 1.0, row: int = -1
) -> None:
    """Draws the last steps at `position`, from OUTPUT on, while the earlier ones fade.

    moved  progress 0..1 of the bars from their lengths with all heads on
    row    index of the highlighted token, or -1
    """
    gone = ramp(position, S.ADD, S.ADD + 0.3)
    if gone < 1:
        _matrix(painter, last, position, 1 - gone)
        _strips(painter, last, position, 1 - gone)
    _added(painter, last, position)
    if position > S.ADD:
        _tokens(painter, last, ramp(position, S.ADD, S.PREDICT), moved, row)


def _matrix(painter: QPainter, last: NextTokenDrawing, position: float, alpha: float) -> None:
    """Draws W_O, and moves o beside it."""
    layout, now = last.layout, theme.current()
    mixed = ramp(position, S.OUTPUT, S.MIX)
    used = lerp(1.0, GHOST, ramp(position, S.MIX, S.MIX + 0.3)) * alpha
    shown = ramp(mixed, 0.3, 0.55) * used
    if shown > 0:
        painter.setOpacity(shown)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(layout.matrix, last.w_o)
        painter.setPen(now.pen("divider"))
        painter.drawRect(layout.matrix)
        place = QRectF(layout.matrix.left(), 0, layout.matrix.width(), layout.matrix.top())
        bar = QRectF(place.right() - now.px(110), now.px(2), now.px(110), now.px(24))
        D, C = last.one.w_o.shape
        title, font = f"W_O of this head: {D} \u00d7 {C}", now.font("label", 600)
        title = elide(title, font, bar.left() - place.left() - now.px(8))
        put_text(painter, place, title, font, now.color("text"), LEFT)
        last.bar.draw(painter, bar, -last.most, last.most)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setOpacity(1.0)
    _upright(painter, last, ease_out(ramp(mixed, 0.05, 0.5)), used)
    gathered = ease_out(ramp(mixed, 0.55, 1.0))
    if 0 < gathered < 1:
        goal, start = layout.strips["written"], layout.matrix
        place = QRectF(
            start.left(),
            lerp(start.top(), goal.top(), gathered),
            start.width(),
            lerp(start.height(), goal.height(), gathered),
        )
        painter.setOpacity(0.9 * (1 - ramp(gathered, 0.7, 1.0)))
        painter.drawImage(place, last.products)
        painter.setOpacity(1.0)


def _upright(painter: QPainter, last: NextTokenDrawing, way: float, alpha: float) -> None:
    """Turns o from the row of the earlier steps into a column."""
    now, goal, strip, old = theme.current(), last.layout.upright, last.upright, last.before.layout
    start = QRectF(old.right.x(), old.output_y, last.before.output.width, old.band)
    center = QPointF(
        lerp(start.center().x(), goal.center().x(), way),
        lerp(start.center().y(), goal.center().y(), way),
    )
    long = lerp(start.width(), goal.height(), way)
    thick = lerp(start.height() * last.read, goal.width(), way)  # then on its own scale
    painter.save()
    painter.setOpacity(alpha * (GHOST if last.one.is_off else 1.0))
    painter.translate(center)
    painter.rotate(90 * way)
    painter.drawPixmap(
        QRectF(-long / 2, -thick / 2, long, thick), strip.pixmap, QRectF(strip.pixmap.rect())
    )
    painter.restore()
    ink = now.color("attention", alpha * ramp(way, 0.6, 1.0))
    place = QRectF(goal.left(), 0, goal.width(), goal.top())
    put_text(painter, place, "o", now.font("title", 600), ink)
    if last.one.is_off:
        place = QRectF(0, goal.top(), goal.left(), now.px(18))
        ink = now.color("muted", alpha * way)
        put_text(painter, place, "off", now.font("label", 600), ink, RIGHT)


def _strips(painter: QPainter, last: NextTokenDrawing, position: float, alpha: float) -> None:
    """Draws the terms of the sum: this head's output, that of the others, and the stream."""
    layout, one = last.layout, last.one
    mixed, added = ramp(position, S.OUTPUT, S.MIX), ramp(position, S.MIX, S.ADD)
    names = {
        "written": "this head",
        "others": f"{len(one.by_head) - 1} others" + (" + bias" if one.bias is not None else ""),
        "residual": "stream x",
    }
    shares = ramp(mixed, 0.85, 1.0)
    for index, (name, text) in enumerate(names.items()):
        place, strip = layout.strips[name], last.strips[name]
        if name == "written":
            _name(painter, last, place, text, name, shares * alpha)
            # From its own scale to that of the stream.
            scale = lerp(1.0, 1 / last.grown, ramp(added, 0, 0.3))
            last.alone.draw(painter, 0, place.x(), place.y(), scale=scale, alpha=shares * alpha)
        else:
            shown = lerp(WAITING * shares, 1.0, ramp(added, 0, 0.25)) * alpha
            _name(painter, last, place, text, name, shown)
            strip.draw(painter, 0, place.x(), place.y(), alpha=shown)
        way = ease_out(ramp(added, 0.3 + 0.08 * index, 0.84 + 0.08 * index))
        if 0 < way < 1:
            y = lerp(place.y(), layout.strips["added"].y(), way)
            strip.draw(painter, 0, place.x(), y, alpha=0.8 * (1 - ramp(way, 0.85, 1.0)))
    if added > 0:
        _scale_note(painter, last, ramp(added, 0, 0.3) * alpha)


def _scale_note(painter: QPainter, last: NextTokenDrawing, alpha: float) -> None:
    """Draws the note on the shared scale of the bars at the foot of the matrix."""
    now, layout = theme.current(), last.layout
    bar = f"; each bar is the mean of {layout.group} dimensions" if layout.group > 1 else ""
    cut = "; the longest are cut" if last.is_cut else ""
    text = elide(f"One scale{bar}{cut}", now.font("label"), layout.matrix.width() - now.px(8))
    wide = now.metrics("label").horizontalAdvance(text) + now.px(8)
    place = QRectF(layout.matrix)
    place.setTop(place.bottom() - now.px(18))
    place.setLeft(max(place.left(), place.right() - wide))
    painter.fillRect(place, now.color("surface", 0.85 * alpha))
    put_text(painter, place, text, now.font("label"), now.color("muted", alpha))


def _name(
    painter: QPainter, last: NextTokenDrawing, place: QRectF, text: str, name: str, alpha: float
) -> None:
    """Draws the name of a strip."""
    now, font = theme.current(), theme.current().font("label", 600)
    box = QRectF(0, place.top(), last.layout.label.width(), place.height())
    role = "attention" if name == "written" else "text"
    put_text(painter, box, elide(text, font, box.width()), font, now.color(role, alpha), RIGHT)


def _added(painter: QPainter, last: NextTokenDrawing, position: float) -> None:
    """Draws the sum, which finally moves up to the rest of the model."""
    arrived = ramp(position, S.MIX + 0.78, S.ADD)
    if arrived <= 0:
        return
    layout, way = last.layout, ease_out(ramp(position, S.ADD + 0.1, S.ADD + 0.5))
    place = QRectF(layout.strips["added"])
    place.moveTop(lerp(place.y(), layout.above.y(), way))
    _name(painter, last, place, "= x\u2032" if way < 0.5 else "x\u2032", "added", arrived)
    last.strips["added"].draw(painter, 0, place.x(), place.y(), alpha=arrived)


def _tokens(
    painter: QPainter, last: NextTokenDrawing, share: float, moved: float, row: int
) -> None:
    now, layout, left = theme.current(), last.layout, last.one.layers_left
    layers = [count(left, "more layer")] if left else []
    rest = ["MLP", *layers, "norm", "unembedding", "softmax"]
    if last.one.post_norm:
        rest = ["norm", "MLP", *layers, "unembedding", "softmax"]
    ink, font = now.color("muted", ramp(share, 0.35, 0.6)), now.font("label")
    flow = elide("\u2193  " + "  \u2192  ".join(rest), font, layout.flow.width())
    put_text(painter, layout.flow, flow, font, ink, LEFT)
    grown = ramp(share, 0.5, 1.0)
    if grown > 0:
        tokens = last.tokens
        if 0 <= row < len(tokens):
            painter.fillRect(last.rows[row], now.color("raised"))
        ways = [
            theme.stagger(grown, place, len(tokens)) * ease_out(moved)
            for place in range(len(tokens))
        ]
        painter.setOpacity(ramp(grown, 0, 0.2))
        draw_likeliest(painter, layout.bars, tokens, ways)
        painter.setOpacity(1.0)
