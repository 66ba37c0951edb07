"""What Translate asks of core, on the engine's thread. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.trace import Trace


def traced(model: Any, source_ids: Sequence[int], head: Any, name: Callable[[int], str]) -> Trace:
    """`head`: the one whose reading is explained; None: the sharpest."""
    from core.inference.translation_trace import trace_translation

    return trace_translation(model, source_ids, head, name)
