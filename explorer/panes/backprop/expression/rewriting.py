"""Where a line of a formula gives a name its numbers, moving the name rewrites the line. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.autograd import Expression

MOST_WRITTEN = 64  # numbers in a line; more are kept beside the text


def with_values(expression: Expression, values: Mapping[str, Any]) -> str:
    """The text in which the lines of these names, all of which `can_rewrite`, say these values."""
    text = expression.text
    places = {expression.given_at(name): value for name, value in values.items()}
    for start, length in sorted(places, reverse=True):  # from the end: places before it stay
        text = text[:start] + written(places[start, length]) + text[start + length :]
    return text


def can_rewrite(expression: Expression, name: str, value: Any = 0.0) -> bool:
    """Whether a line gives `name` its numbers, and these can stand in it."""
    array = np.asarray(value, dtype=np.float64)
    fits = array.size <= MOST_WRITTEN and bool(np.isfinite(array).all())
    return fits and name in expression.defaults


def written(value: Any) -> str:
    """Finite numbers as a formula has them: read again, they are the same."""
    array = np.asarray(value, dtype=np.float64)
    if array.ndim == 0:
        return repr(array.item()).removesuffix(".0")
    return "[" + ", ".join(written(row) for row in array) + "]"
