"""What a model computed for a text that it has read. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from core.transformer.cache import LayerUse


@dataclass(frozen=True, eq=False)
class Read:
    """The result of reading a text: the logits of the token after it.

    logits     (V,) float32
    surprises  (T,) nats; the first one is NaN
    version    of the model
    seconds    the time that reading took
    tokens     number of tokens read
    cache      keys and values by layer, cached so that no token is read twice; empty: none
    """

    logits: np.ndarray
    surprises: np.ndarray
    version: int
    seconds: float = 0.0
    tokens: int = 0
    cache: tuple[LayerUse, ...] = ()
