"""The inspector's content for a step of an encoding: formula, line of core, live numbers."""

from __future__ import annotations

from typing import Any

from core.tokenization.sentencepiece.normalizer import readable
from explorer.panes.base import Inspection
from explorer.panes.tokenizers.encoding.compute import EncodingStep
from explorer.panes.tokenizers.encoding.scene import LatticeFrame
from explorer.panes.tokenizers.encoding.text import numbers_of, symbols_of
from explorer.widgets.equations import Equation


def inspection(name: str, one: EncodingStep) -> Inspection:
    """Returns the inspection of a step of the tokenizer `name`."""
    rows: list[Any] = list(one.rows) or [
        Equation(name, value) for name, value in numbers_of(one.step)
    ]
    if isinstance(one.frame, LatticeFrame):
        path = one.frame.path
        rows += [Equation(f"log p({readable(node.piece)})", node.score) for node in path]
        if len(path) > 1:
            rows.append(Equation("sum", sum(node.score for node in path), "attention"))
    rows = [*symbols_of(one.step), *rows]
    return Inspection(one.step, rows, title=f"{name}: {one.step.title}", plain=True)
