"""Fine-tuning: a model that has learned one thing learns another, and most of it stays as it is.

Reading order: targets, lora, adapter, scales, verdicts, adapted_trace.
"""

from __future__ import annotations

import importlib
from typing import Any

# name -> the module that defines it
_HOME = {
    "LoRAConfig": "core.finetuning.lora",
    "Adapter": "core.finetuning.adapter",
    "add_lora": "core.finetuning.adapter",
    "at_scales": "core.finetuning.scales",
    "generate_at_scales_steps": "core.finetuning.scales",
    "Verdict": "core.finetuning.verdicts",
    "check_identity": "core.finetuning.verdicts",
    "check_merge": "core.finetuning.verdicts",
    "trace_adapter": "core.finetuning.adapted_trace",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'core.finetuning' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
