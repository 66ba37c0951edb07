"""What the inspector tells of a method: its idea, and what it takes."""

from __future__ import annotations

from core.trace import Step
from explorer.panes.base import Inspection
from explorer.panes.finetuning.tune import text
from explorer.panes.finetuning.tune.scene import MethodRow

FORMULA = r"h = W x + \frac{\alpha}{r} B A x"
CODE = "core.finetuning.lora:low_rank_output#expand"


def inspection(row: MethodRow) -> Inspection:
    """Of LoRA also its formula and the lines that compute it."""
    said = text.row_tip(row).split("\n")
    title = text.TITLES[row.method]
    step = Step("tune.lora", title, FORMULA, CODE, {}) if row.method == "lora" else None
    return Inspection(step=step, rows=said, title=title)
