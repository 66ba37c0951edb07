"""What Translate asks of core, on the engine's thread. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from core.trace import Trace


def traced(
    model: Any,
    source_ids: Sequence[int],
    head: tuple[int, int] | None,
    name: Callable[[int], str],
) -> Trace:
    """`head`: the one whose reading is explained; where it is not there, the sharpest."""
    from core.inference.translation_trace import trace_translation

    decoder = model.config.decoder
    if head is not None and not (head[0] < decoder.n_layer and head[1] < decoder.n_head):
        head = None
    return trace_translation(model, source_ids, head, name)


def another(seed: int) -> str:
    """A date that the model has not been trained on."""
    from core.data.dates import Dates

    return Dates().pair("validation", np.random.default_rng(seed)).source
