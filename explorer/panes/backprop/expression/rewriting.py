"""Where a line of a formula gives a name its numbers, moving the name rewrites the line. No Qt."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from core.autograd import Expression

_LINE = r"^([ \t]*{name}[ \t]*=[ \t]*)(.*?)([ \t]*)$"


def with_value(expression: Expression, name: str, value: Any, text: str = "") -> str:
    """The text in which the line of `name` says `value`; unchanged where no one line gives it
    numbers. `text` is the expression's, where other names have been given others already.
    """
    text = text or expression.text
    if can_rewrite(expression, name):
        found = _pattern(name).search(text)
        assert found is not None
        return text[: found.start(2)] + written(value) + text[found.end(2) :]
    return text


def can_rewrite(expression: Expression, name: str) -> bool:
    """Whether one line, and only one, gives `name` its numbers."""
    return name in expression.defaults and len(_pattern(name).findall(expression.text)) == 1


def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(_LINE.format(name=re.escape(name)), re.MULTILINE)


def written(value: Any) -> str:
    """Numbers as a formula has them."""
    array = np.asarray(value, dtype=np.float64)
    if array.ndim == 0:
        return f"{array.item():.6g}" if np.isfinite(array) else "0"
    return "[" + ", ".join(written(row) for row in array) + "]"
