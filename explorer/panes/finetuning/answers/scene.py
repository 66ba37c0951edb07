"""Which of the next tokens are shown, and how far two texts are one. No Qt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer.panes.finetuning.answers.compute import NextTokens

ROWS = 6


def likeliest(found: NextTokens) -> list[int]:
    """The tokens that one of the two finds likeliest, in that order."""
    order = np.argsort(-np.maximum(found.base, found.tuned), kind="stable")
    return [int(token) for token in order[:ROWS]]


def common(first: Sequence[int], second: Sequence[int]) -> int:
    """How many tokens two texts begin with together."""
    pairs = zip(first, second, strict=False)
    different = (at for at, (one, other) in enumerate(pairs) if one != other)
    return next(different, min(len(first), len(second)))
