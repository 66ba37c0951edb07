"""What the inspector tells of a method: its idea, its lines in core, and what it takes."""

from __future__ import annotations

from core.trace import Step
from explorer.panes.base import Inspection
from explorer.panes.finetuning.tune import text
from explorer.panes.finetuning.tune.compute import Method
from explorer.panes.finetuning.tune.scene import TITLES

LEARNS = r"\theta \leftarrow \theta - \eta\, \hat{g}"
SELECT = "core.finetuning.selection:select#learn"
# Of a method its formula, and the line that computes it or lets it learn.
STEPS = {
    "lora": (r"y = W x + \frac{\alpha}{r} B A x", "core.finetuning.lora:low_rank_output#expand"),
    "full": (LEARNS, SELECT),
    "last-layers": (LEARNS, SELECT),
    "head": (r"z = W_U h", SELECT),
    "bitfit": (r"y = W x + b", SELECT),
    "prompt": (
        r"[p_1, \ldots, p_P, x_1, \ldots, x_T]",
        "core.finetuning.soft_prompt:put_in_front#front",
    ),
}


def inspection(method: Method) -> Inspection:
    title, found = TITLES[method.name], STEPS.get(method.name)
    step = Step(f"tune.{method.name}", title, *found, {}) if found is not None else None
    return Inspection(step=step, rows=text.method_tip(method).split("\n"), title=title)
