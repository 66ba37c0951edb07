"""Marked lines of a test's own: a formula becomes the line of a function, as core has them."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Mapping
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np

from core.marked_line import marked_line
from core.substitution import Arithmetic, arithmetic
from core.trace import Step


def softmax(x: np.ndarray, axis: int = -1, dim: int | None = None) -> np.ndarray:
    axis = axis if dim is None else dim
    above = np.exp(x - x.max(axis, keepdims=True))
    return above / above.sum(axis, keepdims=True)


def logsumexp(x: np.ndarray) -> np.ndarray:
    return np.logaddexp.reduce(x.reshape(-1))


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0.0)


def mean(x: np.ndarray, dim: int, keepdim: bool) -> np.ndarray:
    return x.mean(dim, keepdims=keepdim)


class Library:
    """What a line calls behind torch's name, or F's."""

    softmax = staticmethod(softmax)
    relu = staticmethod(relu)
    mean = staticmethod(mean)
    exp, sqrt, tanh = (staticmethod(one) for one in (np.exp, np.sqrt, np.tanh))


KNOWN = {
    **{name: getattr(np, name) for name in ("exp", "log", "sqrt", "tanh", "sin", "cos", "abs")},
    "np": np,
    "math": np,
    "torch": Library,
    "F": Library,
    "max": np.maximum,
    "softmax": softmax,
    "logsumexp": logsumexp,
    "relu": relu,
}


@lru_cache
def marker_of(statement: str) -> str:
    """The marker of a function that is this one line, "made = a * b"."""
    name = f"formula_{len(linecache.cache)}"
    lines = ["def run():\n", f"    {statement}  # step: line\n"]
    file = f"<{name}>"
    linecache.cache[file] = (0, None, lines, file)
    module = ModuleType(name)
    exec(compile("".join(lines), file, "exec"), module.__dict__)
    sys.modules[name] = module
    return f"{name}:run#line"


def written(formula: str, values: Mapping[str, Any], cell: Any = None) -> Arithmetic:
    """The formula with its numbers; NumPy works out what it makes."""
    plain = {
        name: np.asarray(one) if isinstance(one, list) else one for name, one in values.items()
    }
    with np.errstate(all="ignore"):
        made = np.asarray(eval(formula, dict(KNOWN), plain))
    marker = marker_of(f"made = {formula}")
    return arithmetic(Step("formula", "", "", marker, {**plain, "made": made}), cell)


def refused(statement: str) -> str:
    """Why no marked line may be this; "" where it may."""
    try:
        marked_line(marker_of(statement))
    except ValueError as error:
        return str(error)
    return ""
