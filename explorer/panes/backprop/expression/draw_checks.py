"""Draws what nudging says of a node's gradient, below it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QFontMetricsF, QPainter

from core.autograd import NumericGradient
from core.numbers import ABOUT
from explorer import theme
from explorer.panes.backprop.expression.colors import mono, sans
from explorer.panes.backprop.expression.compute import Array
from explorer.panes.backprop.expression.gradient_check import agree, is_within_error, short_compared
from explorer.widgets.base import LEFT, RIGHT, put_text

AGREE, DIFFER = "\u2713", "\u2260"


def draw_check(
    painter: QPainter, line: QRectF, gradient: Array, numeric: NumericGradient | None, final: bool
) -> None:
    """The numeric gradient, and a tick where both agree; that more is to come until the gradient is
    `final`.
    """
    now = theme.current()
    small = sans(11)
    put_text(painter, line, "numeric", small, now.color("muted"), LEFT)
    if numeric is None or numeric.slopes.shape != np.shape(gradient):
        return
    if not final:
        put_text(painter, line, "more to come", small, now.color("muted"), RIGHT)
        return
    mark, role, words = mark_of(gradient, numeric)
    if numeric.slopes.size == 1:
        told, words = checked_beside(line, gradient, numeric.slopes)
        if told == words and role != "success":  # there is no room for where they differ
            words = ""
    put_text(painter, line, f"{words} {mark}".strip(), mono(11, 600), now.color(role), RIGHT)


def mark_of(gradient: Array, numeric: NumericGradient) -> tuple[str, str, str]:
    """Whether both agree: a sign, its color, and a word."""
    if agree(gradient, numeric.slopes):
        return AGREE, "success", "agree"
    if is_within_error(gradient, numeric.slopes, numeric.errors):
        return ABOUT, "muted", "near"
    return DIFFER, "warning", "differ"


def checked_beside(line: QRectF, gradient: Array, numeric: Array) -> tuple[str, str]:
    """Both numbers, as they stand below one another in lines so wide."""
    room = min(letters_beside(line, "gradient"), letters_beside(line, "numeric") - 2)
    same = agree(gradient, numeric)
    return short_compared(np.asarray(gradient).item(), np.asarray(numeric).item(), same, room)


@lru_cache(maxsize=64)
def _letters_in(width: float, word: str) -> int:
    left = width - QFontMetricsF(sans(11)).horizontalAdvance(word) - 3
    return int(left / QFontMetricsF(mono(12, 600)).horizontalAdvance("0"))


def letters_beside(line: QRectF, word: str) -> int:
    """Of a number for which there is room beside a word."""
    return _letters_in(line.width(), word)
