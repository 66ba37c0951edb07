"""Data for the gallery: tokens, attention and code as the app shows them."""

from __future__ import annotations

import numpy as np
from PySide6.QtWidgets import QWidget

from explorer.widgets.pooling import to_uint8

Sample = tuple[str, QWidget, int, int]  # a widget with its name, width and height

TOKENS = [
    "Once",
    " upon",
    " a",
    " time",
    " Mira",
    " found",
    " a",
    " red",
    " kite",
    ".",
    " Mira",
    " found",
    " a",
    " red",
]
CODE = '''def attend(q, k, v, mask, scale):
    """Scaled dot-product attention with every intermediate kept (Vaswani et al. 2017, 3.2.1)."""
    scores = q @ k.mT                                  # (H, T, T)  # step: scores
    scaled = scores * scale  # step: scale
    masked = scaled.masked_fill(mask, float("-inf"))  # step: mask
    weights = masked.softmax(dim=-1)  # step: softmax
    # One row of weights adds up to 1, so the output is a mean of values.
    output = weights @ v  # step: output
    return Attended(scores, scaled, masked, weights, output)'''


def _causal_softmax(scores: np.ndarray) -> np.ndarray:
    """Scores (T, T) -> weights: no weight on later tokens, each row sums to 1."""
    scores[np.triu_indices(len(scores), 1)] = -np.inf
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def attention(tokens: int = 14, seed: int = 1) -> np.ndarray:
    """Returns weights (T, T) like an induction head's."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 1.2, (tokens, tokens))
    for query in range(tokens):
        for key in range(query):
            if tokens == len(TOKENS) and key and TOKENS[key - 1] == TOKENS[query]:
                scores[query, key] += 4.5
    scores[:, 0] += 1.0
    return _causal_softmax(scores).astype(np.float32)


def heads(layers: int, count: int, tokens: int) -> np.ndarray:
    """Returns maps (L, H, T, T) uint8 of the usual kinds of heads."""
    rng = np.random.default_rng(0)
    maps = np.zeros((layers, count, tokens, tokens), dtype=np.float32)
    row = np.arange(tokens)
    for layer in range(layers):
        for head in range(count):
            width = rng.uniform(0.5, tokens / 3)
            shift = rng.choice([0, 0, 1, 1, tokens // 3])
            distance = row[:, None] - row[None, :] - shift
            scores = -np.abs(distance) / width + rng.normal(0, 0.6, (tokens, tokens))
            scores[:, 0] += rng.uniform(0, 3)
            maps[layer, head] = _causal_softmax(scores)
    return to_uint8(maps)


def causal_mask(tokens: int) -> np.ndarray:
    return np.triu(np.ones((tokens, tokens), dtype=bool), 1)
