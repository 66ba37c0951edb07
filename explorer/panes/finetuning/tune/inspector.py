"""The inspector's content for a method: its idea, its lines in core, and its costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.trace import Step
from explorer.panes.base import Inspection
from explorer.panes.finetuning.tune import text
from explorer.panes.finetuning.tune.compute import Method
from explorer.panes.finetuning.tune.methods import METHOD_TEXTS

if TYPE_CHECKING:
    from core.finetuning.trainable_parameters import LoRACount


def inspection(method: Method, counts: Sequence[LoRACount] = ()) -> Inspection:
    """`counts`: of LoRA's numbers, by kind of matrix."""
    told = METHOD_TEXTS[method.name]
    step = Step(f"tune.{method.name}", told.title, told.formula, told.code, {})
    first, *rest = text.method_tip(method).split("\n")
    rows = [first, *(text.count_rows(counts) if method.name == "lora" else ()), *rest]
    return Inspection(step=step if told.formula else None, rows=rows, title=told.title)
