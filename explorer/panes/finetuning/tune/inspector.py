"""The inspector's content for a method: its idea, its lines in core, and its costs."""

from __future__ import annotations

from core.trace import Step
from explorer.panes.base import Inspection
from explorer.panes.finetuning.tune import text
from explorer.panes.finetuning.tune.compute import Method
from explorer.panes.finetuning.tune.methods import METHOD_TEXTS


def inspection(method: Method) -> Inspection:
    told = METHOD_TEXTS[method.name]
    step = Step(f"tune.{method.name}", told.title, told.formula, told.code, {})
    rows = text.method_tip(method).split("\n")
    return Inspection(step=step if told.formula else None, rows=rows, title=told.title)
