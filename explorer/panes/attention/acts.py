"""Draws a story at a position. Each element is a function of the position, so it can be scrubbed.

0 project, 1 products, 2 scores, 3 scale, 4 mask, 5 softmax, 6 weigh, 7 output.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from core.numbers import MINUS, format_number, format_percent
from explorer import theme
from explorer.panes.attention import story as S
from explorer.panes.attention.lines import cut_to
from explorer.theme import lerp
from explorer.widgets.base import LEFT, RIGHT, elide, put_text, visible_text

if TYPE_CHECKING:
    from explorer.panes.attention.stage import StoryScene

GHOST = 0.30  # what has been used stays, faint
WEIGHT_NUMBER = 48  # px beside a weight's bar
WAITING = 0.34  # what is needed later is there, faint


def ramp(position: float, start: float, end: float) -> float:
    """0 before `start`, 1 after `end`, straight between."""
    return min(1.0, max(0.0, (position - start) / (end - start)))


def draw(painter: QPainter, scene: StoryScene, position: float, spot: int, pinned: int) -> None:
    """The whole picture at `position`; `spot` is the key whose row is lit."""
    _rows(painter, scene, position, spot, pinned)
    _headings(painter, scene, position)
    _query(painter, scene, position)
    _left(painter, scene, position)
    _numbers(painter, scene, position)
    _weights(painter, scene, position)
    _values(painter, scene, position)
    _hatch(painter, scene, position)
    _output(painter, scene, position)


def local(position: float, step: int, place: int, count: int) -> float:
    """Progress 0..1 of row `place` on the way from step - 1 to `step`, rows setting off in turn."""
    return theme.stagger(ramp(position, step - 1, step), place, count)


def _rows(painter: QPainter, scene: StoryScene, position: float, spot: int, pinned: int) -> None:
    now, layout, story = theme.current(), scene.layout, scene.story
    font, bold = now.font("label"), now.font("label", 600)
    for place, key in enumerate(layout.rows):
        rect = layout.row_rect(place)
        if key == spot:
            painter.setPen(now.pen("accent", 1.5) if key == pinned else Qt.PenStyle.NoPen)
            painter.setBrush(now.color("selected"))
            painter.drawRoundedRect(rect, 3, 3)
        mine = key == story.query
        role = "q" if mine else "text" if key == spot else "muted"
        use = bold if mine or key == spot else font
        room = layout.label.width() - now.px(8)
        text = elide(visible_text(story.labels[key]), use, room)
        box = QRectF(now.px(2), rect.y(), room, rect.height())
        put_text(painter, box, text, use, now.color(role), RIGHT)


def _headings(painter: QPainter, scene: StoryScene, position: float) -> None:
    now, layout, story = theme.current(), scene.layout, scene.story
    step = round(min(position, S.OUTPUT))
    products = position > 0.5
    wide = layout.left.width() >= now.px(124)
    product = "q \u00d7 k, per dimension" if wide else "q \u00d7 k"
    keys, values = ("k  keys", "v  values") if layout.left.width() >= now.px(60) else ("k", "v")
    columns = (
        (layout.left, product if products else keys,
         "attention" if products else "k", step in (S.PROJECT, S.PRODUCTS)),
        (layout.score, "q\u00b7k", "attention", step == S.SCORES),
        (layout.scaled, f"\u00f7 \u221a{story.size}", "attention", step in (S.SCALE, S.MASK)),
        (layout.weight, "a  weight", "attention", step == S.SOFTMAX),
        (layout.right, "a \u00d7 v" if position > 5.5 else values, "v",
         step in (S.PROJECT, S.WEIGH, S.OUTPUT)),
    )  # fmt: skip
    arrives = {id(layout.score): 1.5, id(layout.scaled): 2.5, id(layout.weight): 4.5}
    for rect, text, role, active in columns:
        font = now.font("label", 600 if active else 400)
        numbers = rect in (layout.score, layout.scaled)
        box = QRectF(rect.x() - now.px(12), 0, rect.width() + now.px(12), now.px(18))
        if not numbers:
            box = QRectF(rect.x(), 0, max(rect.width(), now.px(72)), now.px(18))
        ink = now.color(role if active else "muted")
        if position < arrives.get(id(rect), -1.0):
            ink.setAlphaF(theme.DISABLED_OPACITY)
        put_text(painter, box, text, font, ink, RIGHT if numbers else LEFT)


def _query(painter: QPainter, scene: StoryScene, position: float) -> None:
    layout = scene.layout
    alpha = lerp(1.0, WAITING, ramp(position, 2, 3))
    scene.q.draw(painter, 0, layout.left.x(), layout.query_y, alpha=alpha)
    _letter(painter, scene, "q", "q", layout.query_y, layout.left.x(), alpha)
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
            scene.small_q.draw(painter, 0, layout.left.x(), y, alpha=alpha)


def _letter(
    painter: QPainter,
    scene: StoryScene,
    letter: str,
    role: str,
    y: float,
    right: float,
    alpha: float,
) -> None:
    now = theme.current()
    box = QRectF(right - now.px(22) - now.px(6), y, now.px(22), scene.layout.band)
    put_text(painter, box, letter, now.font("title", 600), now.color(role, alpha), RIGHT)


def _left(painter: QPainter, scene: StoryScene, position: float) -> None:
    layout = scene.layout
    x, count = layout.left.x(), len(layout.rows)
    if position <= 0:
        scene.k.draw_all(painter, x, layout.top)
        return
    for place in range(count):
        y = layout.y(place)
        if position < 1:
            met = ramp(local(position, 1, place, count), 0.8, 1.0)
            scene.k.draw(painter, place, x, y, alpha=1 - met)
            scene.products.draw(painter, place, x, y, alpha=met)
            continue
        gathered = local(position, 2, place, count) if position < 2 else 1.0
        scene.products.draw(painter, place, x, y, alpha=lerp(1.0, GHOST, gathered))
        if 0 < gathered < 1:
            left = lerp(x, layout.score.right() - 8, gathered)
            width = lerp(layout.left.width(), 8.0, gathered)
            fade = 1 - ramp(gathered, 0.75, 1.0)
            scene.products.draw(painter, place, left, y, width=width, alpha=fade)


def _numbers(painter: QPainter, scene: StoryScene, position: float) -> None:
    """The scores, and how they move to the scaled column and meet the mask."""
    now, layout, story = theme.current(), scene.layout, scene.story
    count = len(layout.rows)
    font, bold = now.font("label"), now.font("label", 600)
    for place, key in enumerate(layout.rows):
        y, height = layout.y(place), layout.row_height
        score = QRectF(layout.score.x(), y, layout.score.width(), height)
        scaled = QRectF(layout.scaled.x(), y, layout.scaled.width(), height)
        appeared = ramp(local(position, 2, place, count), 0.7, 1.0)
        text = format_number(float(story.scores[key]))
        if position <= 2:
            if appeared > 0:
                ink = now.color("attention", appeared)
                put_text(painter, score, text, bold if position == 2 else font, ink, RIGHT)
            continue
        put_text(painter, score, text, font, now.color("muted"), RIGHT)
        moved = local(position, 3, place, count)
        value = float(story.scaled[key] if moved >= 0.6 else story.scores[key])
        box = QRectF(scaled)
        box.moveLeft(lerp(score.x(), scaled.x(), moved))
        masked = ramp(local(position, 4, place, count), 0.4, 1.0) if story.hidden(key) else 0.0
        used = position >= 5
        ink = now.color("muted") if used else now.color("attention")
        if masked > 0:
            ink.setAlphaF(1 - masked)
            shown = now.color("muted", masked)
            put_text(painter, scaled, f"{MINUS}\u221e", font, shown, RIGHT)
        if moved > 0 and masked < 1:
            put_text(painter, box, format_number(value), font if used else bold, ink, RIGHT)


def _weights(painter: QPainter, scene: StoryScene, position: float) -> None:
    """Weights as bars with numbers; on the way to the values they travel as small tags."""
    if position <= 4:
        return
    now, layout, story = theme.current(), scene.layout, scene.story
    count, height = len(layout.rows), layout.row_height
    font, bold = now.font("label"), now.font("label", 600)
    number = now.px(WEIGHT_NUMBER)
    room = layout.weight.width() - number - now.px(6)
    bar_height = min(height - 4, now.px(12))
    for place in range(count):
        weight = float(scene.weights[place])
        grown = local(position, 5, place, count)
        if grown <= 0:
            continue
        y = layout.y(place)
        start = lerp(layout.scaled.right() - number, layout.weight.x(), grown)
        text = format_number(weight)
        strong = weight >= 0.1
        hidden = story.hidden(layout.rows[place])
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
        _tags(painter, scene, position)


def _tags(painter: QPainter, scene: StoryScene, position: float) -> None:
    now, layout = theme.current(), scene.layout
    count, font = len(layout.rows), now.font("label", 600)
    width, height = now.px(44), min(layout.row_height - 2, now.px(16))
    for place in range(count):
        weight = float(scene.weights[place])
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


def _values(painter: QPainter, scene: StoryScene, position: float) -> None:
    layout, story = scene.layout, scene.story
    x, count = layout.right.x(), len(layout.rows)
    if position <= 5:
        scene.v.draw_all(painter, x, layout.top, lerp(1.0, WAITING, ramp(position, 0, 1)))
        return
    for place, key in enumerate(layout.rows):
        weight = float(scene.weights[place])
        way = local(position, 6, place, count)
        scale = lerp(1.0, weight, ramp(way, 0.5, 1.0))
        base = lerp(WAITING, 1.0, min(1.0, way / 0.5))
        y = layout.y(place)
        gone = local(position, 7, place, count) if position > 6 else 0.0
        if not story.hidden(key):
            scene.v.draw(painter, place, x, y, scale=scale, alpha=lerp(base, 0.4, gone))
        else:
            scene.v.draw(painter, place, x, y, scale=scale, alpha=base * (1 - way))
        if 0 < gone < 1 and weight >= 0.005:
            goal = layout.output_y + (layout.band - layout.row_height) / 2
            fade = 1 - ramp(gone, 0.8, 1.0)
            scene.v.draw(painter, place, x, lerp(y, goal, gone), scale=scale, alpha=fade)


def _hatch(painter: QPainter, scene: StoryScene, position: float) -> None:
    """The mask sweeps over the rows of the tokens that come later."""
    if position <= 3:
        return
    now, layout, story = theme.current(), scene.layout, scene.story
    count = len(layout.rows)
    for place, key in enumerate(layout.rows):
        if not story.hidden(key):
            continue
        swept = local(position, 4, place, count)
        left = layout.left.x()
        right = layout.score.right()
        rect = QRectF(left, layout.y(place) + 1, (right - left) * swept, layout.row_height - 2)
        painter.fillRect(rect, now.color("window", 0.75))
        painter.fillRect(rect, now.hatch())


def _output(painter: QPainter, scene: StoryScene, position: float) -> None:
    if position <= 6:
        return
    layout = scene.layout
    arrived = ramp(position, 6.55, 7.0)
    scene.output.draw(painter, 0, layout.right.x(), layout.output_y, alpha=arrived)
    _letter(painter, scene, "o", "attention", layout.output_y, layout.right.x(), arrived)


def draw_line(
    painter: QPainter, pieces: Sequence[tuple[str, str]], top: float, width: float
) -> None:
    """Live numbers. A line that is too long is cut in its middle: what it comes to is always
    there.
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


def draw_share(painter: QPainter, scene: StoryScene) -> None:
    """How many keys are shown when not all fit."""
    now, layout, story = theme.current(), scene.layout, scene.story
    shown = len(layout.rows)
    if shown < story.n_tokens:
        share = format_percent(float(scene.weights.sum()))
        note = f"{shown} of {story.n_tokens} keys, {share} of the weight"
        box = QRectF(now.px(2), layout.output_y, layout.weight.x(), layout.band)
        put_text(painter, box, note, now.font("label"), now.color("muted"), LEFT)
