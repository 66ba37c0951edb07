"""Draws the last steps at a position: 8 mix, 9 add, 10 predict. Like the acts before them, each
element is a function of the position.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage, QPainter

from core.numbers import format_number
from explorer import theme
from explorer.panes.attention import story as S
from explorer.panes.attention.downstream import STRIPS, grouped, lay_out_downstream
from explorer.panes.attention.story import Likely, Story
from explorer.panes.attention.strips import Strips
from explorer.theme import ease_out, lerp
from explorer.widgets.base import LEFT, RIGHT, elide, packed_image, packed_table, put_text
from explorer.widgets.color_bar import ColorBar
from explorer.widgets.likeliest_bars import NextToken, draw_likeliest, likeliest_rows, rows_in
from explorer.widgets.token_strip import chip

if TYPE_CHECKING:
    from explorer.panes.attention.stage import StoryScene

GHOST, WAITING = 0.30, 0.34  # as in the acts: what has been used, and what is needed later
ROLES = {"written": "attention", "others": "outline", "residual": "muted", "added": "text"}
SAID = {
    "written": "w, what this head writes =",
    "others": "w of the other heads =",
    "residual": "x =",
    "added": "x\u2032 = x + w + w of the others =",
}
REACH = 98  # per cent of the bars that are drawn whole: a few dimensions of a stream are huge


def ramp(position: float, start: float, end: float) -> float:
    """0 before `start`, 1 after `end`, straight between."""
    return min(1.0, max(0.0, (position - start) / (end - start)))


class DownstreamScene:
    """The last steps of a story, laid out and rendered for one size."""

    def __init__(
        self, story: Story, width: float, height: float, ratio: float, values_limit: float
    ) -> None:
        after = story.after
        assert after is not None
        self.after, self.story = after, story
        self.layout = lay_out_downstream(after, width, height)
        group, wide = self.layout.group, self.layout.matrix.width()
        self.values = values = {name: grouped(getattr(after, name), group) for name in STRIPS}
        every = np.abs(np.concatenate(list(values.values())))
        self.limit = float(np.percentile(every, REACH)) or 1.0
        self.is_cut = bool(every.max(initial=0.0) > self.limit * 1.001)
        self.bars = values["written"].size
        own = float(np.abs(values["written"]).max(initial=0.0))
        self.grown = self.limit / own if own else 1.0  # `written` alone, on a scale of its own
        band = self.layout.strips["added"].height()
        self.strips = {
            name: Strips(one, ROLES[name], self.limit, wide, band, ratio)
            for name, one in values.items()
        }
        self.alone = Strips(values["written"], ROLES["written"], own, wide, band, ratio)
        bar = ColorBar()
        w_o = grouped(after.w_o, group)
        self.most = float(np.abs(w_o).max(initial=0.0)) or 1.0
        bar.set_scale("diverging", high=self.most)
        self.bar = bar
        upright, read = self.layout.upright, float(np.abs(story.output).max(initial=0.0))
        self.upright = Strips(
            story.output, "attention", read, upright.height(), upright.width(), ratio
        )
        self.read = read / values_limit  # of the height that o has among the values
        products = w_o * story.output[:, None]
        self.w_o = self._image(w_o, self.most)
        self.products = self._image(products, float(np.abs(products).max(initial=0.0)) or 1.0)

    def _image(self, values: np.ndarray, most: float) -> QImage:
        return packed_image(packed_table(self.bar.table())[self.bar.levels(values, -most, most)])

    @cached_property
    def shown(self) -> list[Likely]:
        """As many as there is room for; the likeliest, and those that are looked for, stay."""
        shown, kept = list(self.after.likeliest), (self.after.top, self.after.favorite)
        for one in reversed(self.after.likeliest):
            if len(shown) > rows_in(self.layout.bars.height()) and one not in kept and not one.came:
                shown.remove(one)
        return shown

    @cached_property
    def tokens(self) -> list[NextToken]:
        return [NextToken(one.piece, one.share, one.came, one.before) for one in self.shown]

    @cached_property
    def rows(self) -> list[QRectF]:
        """Where they stand."""
        return likeliest_rows(self.layout.bars, len(self.shown))

    def row_at(self, point: QPointF) -> int:
        """Which of `shown` is at a point; -1 for none."""
        return next((place for place, row in enumerate(self.rows) if row.contains(point)), -1)

    def said_at(self, point: QPointF, step: int) -> str | None:
        """What stands at a point of a step, with its numbers."""
        if step == S.PREDICT:
            found = self.row_at(point)
            if found < 0:
                return ""
            one = self.tokens[found]
            return f"{chip(0, one.piece).text}: {one.told}\np = e^z \u00f7 \u03a3 e^z"
        layout, after = self.layout, self.after
        group = int((point.x() - layout.matrix.left()) / layout.matrix.width() * self.bars)
        if not 0 <= group < self.bars:
            return ""
        first = group * layout.group
        last = min(first + layout.group, after.written.size) - 1
        where = f"dimension {first}" if first == last else f"dimensions {first} to {last}, mean"
        shown = STRIPS if step >= S.ADD else STRIPS[:1]
        for name in shown:
            if layout.strips[name].contains(point):
                value = float(self.values[name][group])
                return f"{where}\n{SAID[name]} {format_number(value)}"
        if layout.matrix.contains(point):
            row = int((point.y() - layout.matrix.top()) / layout.matrix.height() * len(after.w_o))
            row = min(row, len(after.w_o) - 1)
            value = float(after.w_o[row, first : last + 1].mean())
            return f"o\u2009{row}, {where}\nW_O = {format_number(value)}"
        return ""


def draw(
    painter: QPainter, scene: StoryScene, position: float, moved: float = 1.0, row: int = -1
) -> None:
    """The last steps at `position`, from OUTPUT on: what came before fades behind them.

    moved  how far the bars have come from what they were with all heads on, 0..1
    row    of the tokens, which is lit; -1 for none
    """
    last = scene.downstream
    mixed = ramp(position, S.OUTPUT, S.MIX)
    gone = ramp(position, S.ADD, S.ADD + 0.3)
    if gone < 1:
        _matrix(painter, scene, last, mixed, ramp(position, S.MIX, S.ADD), 1 - gone)
        _strips(painter, last, position, 1 - gone)
    _added(painter, last, position)
    if position > S.ADD:
        _tokens(painter, last, ramp(position, S.ADD, S.PREDICT), moved, row)


def _matrix(
    painter: QPainter,
    scene: StoryScene,
    last: DownstreamScene,
    mixed: float,
    added: float,
    alpha: float,
) -> None:
    """W_O, and how o comes from where it was read to stand beside it."""
    layout, now = last.layout, theme.current()
    used = lerp(1.0, GHOST, ramp(added, 0, 0.3)) * alpha
    shown = ramp(mixed, 0.3, 0.55) * used
    if shown > 0:
        painter.setOpacity(shown)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(layout.matrix, last.w_o)
        painter.setPen(now.pen("divider"))
        painter.drawRect(layout.matrix)
        D, C = last.after.w_o.shape
        place = QRectF(layout.matrix)
        place.setBottom(layout.matrix.top())
        place.setTop(0)
        bar = QRectF(place.right() - now.px(110), now.px(2), now.px(110), now.px(24))
        title, font = f"W_O of this head: {D} \u00d7 {C}", now.font("label", 600)
        room = bar.left() - place.left() - now.px(8)
        if now.metrics("label", 600).horizontalAdvance(title) > room:
            title = f"W_O: {D} \u00d7 {C}"
        put_text(painter, place, elide(title, font, room), font, now.color("text"), LEFT)
        last.bar.draw(painter, bar, -last.most, last.most)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setOpacity(1.0)
    _upright(painter, scene, last, ease_out(ramp(mixed, 0.05, 0.5)), used)
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


def _upright(
    painter: QPainter, scene: StoryScene, last: DownstreamScene, way: float, alpha: float
) -> None:
    """o turns from a row, where it was read, into a column."""
    now, goal, strip, old = theme.current(), last.layout.upright, last.upright, scene.layout
    start = QRectF(old.right.x(), old.output_y, scene.output.width, old.band)
    center = QPointF(
        lerp(start.center().x(), goal.center().x(), way),
        lerp(start.center().y(), goal.center().y(), way),
    )
    long = lerp(start.width(), goal.height(), way)
    thick = lerp(start.height() * last.read, goal.width(), way)  # then on a scale of its own
    painter.save()
    painter.setOpacity(alpha * (GHOST if last.after.is_off else 1.0))
    painter.translate(center)
    painter.rotate(90 * way)
    painter.drawPixmap(
        QRectF(-long / 2, -thick / 2, long, thick), strip.pixmap, QRectF(strip.pixmap.rect())
    )
    painter.restore()
    ink = now.color("attention", alpha * ramp(way, 0.6, 1.0))
    place = QRectF(goal.left(), 0, goal.width(), goal.top())
    put_text(painter, place, "o", now.font("title", 600), ink)
    if last.after.is_off:
        place = QRectF(0, goal.top(), goal.left(), now.px(18))
        ink = now.color("muted", alpha * way)
        put_text(painter, place, "off", now.font("label", 600), ink, RIGHT)


def _strips(painter: QPainter, last: DownstreamScene, position: float, alpha: float) -> None:
    """What this head writes, what the others do, and the stream: all go into the sum."""
    layout, others = last.layout, len(last.after.by_head) - 1
    mixed, added = ramp(position, S.OUTPUT, S.MIX), ramp(position, S.MIX, S.ADD)
    words = {
        "written": "this head writes",
        "others": f"{others} others" + (" + bias" if last.after.bias is not None else ""),
        "residual": "stream x",
    }
    shares = ramp(mixed, 0.85, 1.0)
    for index, (name, text) in enumerate(words.items()):
        place, strip = layout.strips[name], last.strips[name]
        if name == "written":
            _one(painter, last, place, text, name, shares * alpha)
            # From a scale of its own to the one that it shares with the stream.
            scale = lerp(1.0, 1 / last.grown, ramp(added, 0, 0.3))
            last.alone.draw(painter, 0, place.x(), place.y(), scale=scale, alpha=shares * alpha)
        else:
            shown = lerp(WAITING * shares, 1.0, ramp(added, 0, 0.25)) * alpha
            _one(painter, last, place, text, name, shown)
            strip.draw(painter, 0, place.x(), place.y(), alpha=shown)
        way = ease_out(ramp(added, 0.3 + 0.08 * index, 0.84 + 0.08 * index))
        if 0 < way < 1:
            goal = layout.strips["added"]
            y = lerp(place.y(), goal.y(), way)
            strip.draw(painter, 0, place.x(), y, alpha=0.8 * (1 - ramp(way, 0.85, 1.0)))
    if added > 0:
        cut = ", the longest cut" if last.is_cut else ""
        means = f"means of {layout.group} dimensions, " if layout.group > 1 else ""
        notes = (f"bars: {means}on one scale{cut}", f"{means}one scale", "on one scale")
        place = QRectF(layout.matrix)
        place.setTop(layout.matrix.bottom() - theme.current().px(18))
        _note(painter, place, notes, ramp(added, 0, 0.3) * alpha)


def _fitting(texts: Sequence[str], room: float) -> str:
    """The first that has room; "" for none."""
    advance = theme.current().metrics("label").horizontalAdvance
    return next((text for text in texts if advance(text) <= room), "")


def _note(painter: QPainter, place: QRectF, texts: Sequence[str], alpha: float) -> None:
    now, font = theme.current(), theme.current().font("label")
    text = _fitting(texts, place.width() - now.px(8))
    wide = now.metrics("label").horizontalAdvance(text) + now.px(8)
    box = QRectF(place.right() - wide, place.top(), wide, place.height())
    painter.fillRect(box, now.color("surface", 0.85 * alpha))
    put_text(painter, box, text, font, now.color("muted", alpha))


def _one(
    painter: QPainter, last: DownstreamScene, place: QRectF, text: str, name: str, alpha: float
) -> None:
    """The name of a strip."""
    now, font = theme.current(), theme.current().font("label", 600)
    box = QRectF(0, place.top(), last.layout.label.width(), place.height())
    role = "attention" if name == "written" else "text"
    put_text(painter, box, elide(text, font, box.width()), font, now.color(role, alpha), RIGHT)


def _added(painter: QPainter, last: DownstreamScene, position: float) -> None:
    """The sum; at last it goes up, to where the rest of the model takes it."""
    arrived = ramp(position, S.MIX + 0.78, S.ADD)
    if arrived <= 0:
        return
    layout, way = last.layout, ease_out(ramp(position, S.ADD + 0.1, S.ADD + 0.5))
    start, goal = layout.strips["added"], layout.above
    place = QRectF(start)
    place.moveTop(lerp(start.top(), goal.top(), way))
    _one(painter, last, place, "= x\u2032" if way < 0.5 else "x\u2032", "added", arrived)
    last.strips["added"].draw(painter, 0, place.x(), place.y(), alpha=arrived)


def _tokens(painter: QPainter, last: DownstreamScene, share: float, moved: float, row: int) -> None:
    now, layout = theme.current(), last.layout
    left = last.after.layers_left
    layers = [f"{left} more layer{'s' * (left > 1)}"] if left else []
    rest = ["MLP", *layers, "norm", "unembedding", "softmax"]
    if last.after.post_norm:
        rest = ["norm", "MLP", *layers, "unembedding", "softmax"]
    ways = ("  \u2192  ".join(parts) for parts in (rest, [*layers, "softmax"]))
    words = [f"\u2193  {way}" for way in ways]
    ink, font = now.color("muted", ramp(share, 0.35, 0.6)), now.font("label")
    put_text(painter, layout.flow, _fitting(words, layout.flow.width()), font, ink, LEFT)
    grown = ramp(share, 0.5, 1.0)
    if grown > 0:
        tokens, count = last.tokens, len(last.tokens)
        if 0 <= row < count:
            painter.fillRect(last.rows[row], now.color("raised"))
        ways = [theme.stagger(grown, place, count) * ease_out(moved) for place in range(count)]
        painter.setOpacity(ramp(grown, 0, 0.2))
        draw_likeliest(painter, layout.bars, tokens, ways)
        painter.setOpacity(1.0)
