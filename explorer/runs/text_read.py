"""What a model computed for a text that it has read. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from core.transformer.cache import LayerUse


@dataclass(frozen=True, eq=False)
class Read:
    """What a model makes of a text: the logits of the token after it.

    logits       (V,) float32
    surprises    (T,) nats; the first one's is NaN
    version      of the model
    seconds      that reading took
    tokens       that were read
    cache        keys and values that are kept, so that nothing is read twice, by layer; empty: none
    """

    logits: np.ndarray
    surprises: np.ndarray
    version: int
    seconds: float = 0.0
    tokens: int = 0
    cache: tuple[LayerUse, ...] = ()
