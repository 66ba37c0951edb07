"""What the inspector shows of a moment: its formula, its line of core, its numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.tokenization.sentencepiece.normalizer import readable
from explorer.panes.base import Inspection
from explorer.panes.tokenizers.encoding.moments import Moment
from explorer.panes.tokenizers.encoding.scenes import LatticeFrame, LatticeScene, Number
from explorer.widgets.live_numbers import Equation


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
