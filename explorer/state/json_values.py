"""The values that the workspace may hold: those of JSON, so that a file can restore them."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import Any

from core.files import quoted


def checked(value: Any, what: str) -> Any:
    """Returns a copy of a JSON value that shares no list or dict with it.

    Raises ValueError for anything else: tuples, arrays, dataclasses, infinite numbers and NaN.
    """
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float and math.isfinite(value):
        return value
    if type(value) is list:
        return [checked(one, what) for one in value]
    if type(value) is dict and all(type(key) is str for key in value):
        return {key: checked(one, what) for key, one in value.items()}
    raise ValueError(
        f"{what} holds {quoted(value)}, a {type(value).__name__}, which JSON cannot hold; write it "
        "as lists, objects, texts and finite numbers"
    )


def written(value: Any) -> Any:
    """Makes a value valid for `checked`: tuples become lists, infinities and NaN texts ("inf")."""
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, (tuple, list)):
        return [written(one) for one in value]
    if isinstance(value, Mapping):
        return {key: written(one) for key, one in value.items()}
    return value


def without_endless_numbers(value: Any) -> Any:
    """Removes entries of objects that are integers too large for a float: nothing on screen is that
    large.
    """
    if type(value) is dict:
        kept = {key: without_endless_numbers(one) for key, one in value.items()}
        return {key: one for key, one in kept.items() if _is_finite(one)}
    if type(value) is list:
        return [without_endless_numbers(one) for one in value]
    return value


def _is_finite(value: Any) -> bool:
    if type(value) is list:
        return all(map(_is_finite, value))
    return type(value) is not int or abs(value) <= sys.float_info.max


def is_same(one: Any, other: Any) -> bool:
    """True if JSON values are equal bit by bit: 0.0 is not -0.0, and 1 is neither 1.0 nor true."""
    if type(one) is not type(other):
        return False
    if type(one) is float:
        return one == other and math.copysign(1.0, one) == math.copysign(1.0, other)
    if type(one) is list:
        return len(one) == len(other) and all(map(is_same, one, other))
    if type(one) is dict:
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    return bool(one == other)
