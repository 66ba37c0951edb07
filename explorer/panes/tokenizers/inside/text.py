"""What Inside says: its headline, and what the inspector shows of a moment."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.tokenization.sentencepiece.normalizer import readable
from explorer.panes.base import Inspection
from explorer.panes.tokenizers.compare.text import tokens
from explorer.panes.tokenizers.inside.looking import LONGEST, Inside, Moment
from explorer.panes.tokenizers.inside.scenes import LatticeFrame, LatticeScene, Number
from explorer.widgets.live_numbers import Equation

IDLE = "Type a word or a sentence: every step from text to tokens is played"


def headline(name: str, inside: Inside | None, moment: Moment | None) -> str:
    """One sentence: what you see now."""
    if inside is None or not inside.text:
        return IDLE
    if moment is None:
        return f"{name} makes {tokens(len(inside.ids))} of this text"
    return moment.step.title


def too_long(size: int) -> str:
    """What is said of a text that was cut."""
    return f"That would be {size:,} characters; the first {LONGEST:,} were taken, a sentence"


def inspection(name: str, moment: Moment) -> Inspection:
    """Formula, line of core and numbers of one step."""
    rows: list[Any] = [_row(number) for number in moment.numbers] or [
        Equation(key, _number(value))
        for key, value in moment.step.values.items()
        if isinstance(value, np.ndarray) and value.ndim == 0
    ]
    scene, frame = moment.scene, moment.frame
    if isinstance(scene, LatticeScene) and isinstance(frame, LatticeFrame):
        for node in frame.path:
            rows.append(Equation(readable(node.piece), node.score, note="log p"))
        if len(frame.path) > 1:
            rows.append(Equation("sum", sum(node.score for node in frame.path), "attention"))
    return Inspection(moment.step, rows, title=f"{name}: {moment.step.title}", plain=True)


def _row(number: Number) -> Equation | str:
    if not number.name:
        return str(number.value)
    return Equation(number.name, number.value, number.role, number.note)


def _number(value: np.ndarray) -> float | str:
    return float(value) if value.dtype.kind in "iuf" else str(value)
