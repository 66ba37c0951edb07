"""What Translate asks of core, on the engine's thread. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from core.trace import Trace


def traced(
    model: Any, source_ids: Sequence[int], head: tuple[int, ...], name: Callable[[int], str]
) -> Trace:
    """`head`: the one whose reading is explained; where it is not there, the sharpest."""
    from core.inference.translation_trace import trace_translation

    layers, heads = model.config.decoder.n_layer, model.config.decoder.n_head
    is_there = len(head) == 2 and 0 <= head[0] < layers and 0 <= head[1] < heads
    return trace_translation(model, source_ids, (head[0], head[1]) if is_there else None, name)


def another(seed: int) -> str:
    """A date that the model has not been trained on."""
    from core.data.dates import Dates

    return Dates().pair("validation", np.random.default_rng(seed)).source
