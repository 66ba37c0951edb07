"""The text on a line plot: titles, the badge, the readout at the pointer."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, inf, log10

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter

from core.numbers import format_number
from explorer import theme
from explorer.widgets.base import LEFT, RIGHT, elide, put_text
from explorer.widgets.plots.math import linear_ticks, log_ticks, tick_texts

ABOVE, BELOW = 24, 22  # px above and below the axes, for a title and for numbers
APART = 4  # px between two numbers of an axis
BESIDE = 24  # px: half a number such as 1,500 extends beyond the end of the axis


def title_room(title: str) -> float:
    """Returns the margin right of the plot that the title needs beyond the usual one."""
    now = theme.current()
    return now.metrics("label").horizontalAdvance(title) + now.px(BESIDE - 8)


def axes_area(size: QSize, numbers: Sequence[str], names: Sequence[str], title: str) -> QRectF:
    """Returns the area inside the axes of a plot of `size` px: the `numbers` of the y axis are to
    its left, the `names` of the lines and the `title` of the x axis to its right.
    """
    now = theme.current()
    metrics, bold = now.metrics("label"), now.metrics("label", 600)
    left = round(now.px(14) + max((metrics.horizontalAdvance(one) for one in numbers), default=0.0))
    named = min(max((bold.horizontalAdvance(one) for one in names), default=0.0), now.px(148))
    right, top = max(named, title_room(title)) + now.px(14), now.px(ABOVE)
    width, height = size.width() - left - right, size.height() - top - now.px(BELOW)
    return QRectF(left, top, max(1.0, width), max(1.0, height))


def title_left(title: str, rect: QRectF, width: float) -> float:
    """Returns the left of the x axis title: right of the axis and of its last number, but within
    the widget's `width`.
    """
    now = theme.current()
    wide = now.metrics("label").horizontalAdvance(title)
    return min(rect.right() + now.px(BESIDE), width - wide - now.px(4))


def draw_titles(painter: QPainter, rect: QRectF, titles: tuple[str, str], width: float) -> None:
    """Draws the titles: x right of the bottom axis, y above the left axis."""
    now = theme.current()
    font, muted = now.font("label"), now.color("muted")
    left = title_left(titles[0], rect, width)
    place = QRectF(left, rect.bottom() + now.px(4), width - left, now.px(16))
    put_text(painter, place, titles[0], font, muted, LEFT)
    put_text(painter, QRectF(0, 0, width, now.px(18)), titles[1], font, muted, LEFT)


def x_numbers(
    ticks: list[float], limits: tuple[float, float], rect: QRectF, title: str, width: float
) -> list[tuple[float, str]]:
    """Returns the numbers at the ticks of the x axis, except below its title; a narrow plot shows
    every second or third one, so that they do not overlap.
    """
    now = theme.current()
    metrics = now.metrics("label")
    end = title_left(title, rect, width) - now.px(6)
    low, high = limits
    texts = tick_texts(ticks)
    pixel = rect.width() / max(1e-30, high - low)
    widest = max(map(metrics.horizontalAdvance, texts), default=0.0) + now.px(APART)
    every = 1
    if len(ticks) > 1 and ticks[1] > ticks[0]:
        every = max(1, ceil(widest / max(1e-30, (ticks[1] - ticks[0]) * pixel)))
    numbers = []
    for place, (tick, text) in enumerate(zip(ticks, texts, strict=True)):
        middle = rect.left() + (tick - low) * pixel
        fits = middle + metrics.horizontalAdvance(text) / 2 < end and place % every == 0
        numbers.append((tick, text if fits else ""))
    return numbers


def y_numbers(limits: tuple[float, float], log: bool, height: float) -> list[tuple[float, str]]:
    """Returns the numbers at the ticks of the y axis and their positions, which are logarithms on a
    log axis. A low plot leaves some out, so that they do not overlap.
    """
    now = theme.current()
    if log:
        values = log_ticks(*limits, int(height / now.px(32)))
        texts, places = [format_number(one) for one in values], [log10(one) for one in values]
        low, high = log10(limits[0]), log10(limits[1])
    else:
        room = sum(height >= now.px(least) for least in (130, 280))
        places = linear_ticks(*limits, 3 + room)
        texts, (low, high) = tick_texts(places), limits
    pixel = max(1.0, height - now.px(ABOVE + BELOW)) / max(1e-30, high - low)
    least = now.metrics("label").ascent()
    numbers, last = [], -inf
    for place, text in zip(places, texts, strict=True):
        at = (place - low) * pixel
        fits = at - last >= least
        numbers.append((place, text if fits else ""))
        last = at if fits else last
    return numbers


def badge_parts(bucket: int, outside: int, note: str) -> list[str]:
    """Lists hidden data: points that share a pixel, values beyond the axis, lines left out."""
    parts = [note] if note else []
    if outside:
        parts.append(f"{outside:,} {'spike' if outside == 1 else 'spikes'} beyond the axis")
    if bucket > 1:
        parts.append(f"range of every {bucket} values")
    return parts


def draw_badge(painter: QPainter, parts: Sequence[str], title: str, width: float) -> None:
    """Draws as many parts as fit right of the y axis title, but always the first."""
    if not parts:
        return
    now = theme.current()
    font, metrics = now.font("label"), now.metrics("label")
    room = width - metrics.horizontalAdvance(title) - now.px(28)
    text = parts[0]
    for part in parts[1:]:
        longer = f"{text}, {part}"
        text = longer if metrics.horizontalAdvance(longer) <= room else text
    place = QRectF(width - room - now.px(4), 0, room, now.px(18))
    shown = elide(text, font, room, Qt.TextElideMode.ElideRight)
    put_text(painter, place, shown, font, now.color("muted"), RIGHT)


def readout_left(x: float, room: float, width: float) -> float:
    """Returns the left of a readout of width `room`: beside the rule at `x`, inside the plot."""
    beside = x + 8 if x + 8 + room < width else x - 8 - room
    return max(beside, 0.0)


def draw_readout(
    painter: QPainter,
    x: float,
    rect: QRectF,
    head: str,
    rows: list[tuple[str, str, QColor]],
    width: float,
) -> None:
    """Draws a small box beside the rule at `x`, with `head` and (name, value, color) rows."""
    now = theme.current()
    metrics = now.metrics("label", 600)
    line = now.px(16)
    widest = max([metrics.horizontalAdvance(f"{name}   {value}") for name, value, _ in rows] + [0])
    room = max(widest, metrics.horizontalAdvance(head)) + now.px(18)
    left = readout_left(x, room, width)
    box = QRectF(left, rect.top() + 4, room, (len(rows) + 1) * line + now.px(8))
    painter.setPen(now.pen("divider"))
    painter.setBrush(now.color("surface", 0.95))
    painter.drawRoundedRect(box, 6, 6)
    place = QRectF(box.x() + 8, box.y() + 4, room - 16, line)
    put_text(painter, place, head, now.font("label"), now.color("muted"), LEFT)
    for name, value, color in rows:
        place.translate(0, line)
        put_text(painter, place, name, now.font("label"), color, LEFT)
        put_text(painter, place, value, now.font("label", 600), now.color("text"), RIGHT)
