"""Where a line of a formula gives a name its numbers, moving the name rewrites the line. No Qt."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from core.autograd import Expression

MOST_WRITTEN = 64  # numbers in a line; more are kept beside the text
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


def can_rewrite(expression: Expression, name: str, value: Any = 0.0) -> bool:
    """Whether one line, and only one, gives `name` its numbers, and these can stand in it."""
    array = np.asarray(value, dtype=np.float64)
    fits = array.size <= MOST_WRITTEN and bool(np.isfinite(array).all())
    return (
        fits and name in expression.defaults and len(_pattern(name).findall(expression.text)) == 1
    )


def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(_LINE.format(name=re.escape(name)), re.MULTILINE)


def written(value: Any) -> str:
    """Finite numbers as a formula has them: read again, they are the same."""
    array = np.asarray(value, dtype=np.float64)
    if array.ndim == 0:
        return repr(array.item()).removesuffix(".0")
    return "[" + ", ".join(written(row) for row in array) + "]"
