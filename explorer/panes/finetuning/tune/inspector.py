"""What the inspector tells of a method: its idea, and what it takes."""

from __future__ import annotations

from core.trace import Step
from explorer.panes.base import Inspection
from explorer.panes.finetuning.tune import text
from explorer.panes.finetuning.tune.compute import Method

FORMULA = r"h = W x + \frac{\alpha}{r} B A x"
CODE = "core.finetuning.lora:low_rank_output#expand"


def inspection(method: Method) -> Inspection:
    """Of LoRA also its formula and the lines that compute it."""
    title = text.title(method.name)
    step = Step("tune.lora", title, FORMULA, CODE, {}) if method.name == "lora" else None
    return Inspection(step=step, rows=text.method_tip(method).split("\n"), title=title)
