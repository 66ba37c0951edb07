"""Fine-tuning: a model that has learned one thing learns another, and most of it stays as it is.

Reading order: targets, lora, adapter; peft_config, adapter_files.
"""

from __future__ import annotations

import importlib
from typing import Any

# name -> the module that defines it
_HOME = {
    "LoRAConfig": "core.finetuning.lora",
    "Adapter": "core.finetuning.adapter",
    "add_lora": "core.finetuning.adapter",
    "adapter_parameter_count": "core.finetuning.adapter",
    "load_adapter": "core.finetuning.adapter_files",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'core.finetuning' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
