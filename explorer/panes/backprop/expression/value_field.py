"""The field for the value of an input: a number, or rows of numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import Signal

from core.autograd import ExpressionError, parse
from core.numbers import format_general
from explorer.panes.backprop.expression.compute import array_of
from explorer.state.typed_numbers import read_number
from explorer.widgets.typed_field import TypedField

ROWS = "a value is a number, or rows such as [[1, 2], [3, 4]]"
FINITE = "use finite numbers, like 0.03"


class ValueField(TypedField):
    """`changed` carries a float for one element, or a list for the whole tensor. `fits` raises
    ValueError, with the remedy, for a list that the formula cannot use.
    """

    changed = Signal(object)
    fits: Callable[[list[Any]], None] | None = None

    def read(self, text: str) -> float | list[Any]:
        if "[" not in text:
            return read_number(text)
        try:
            expression = parse(f"value = {text}".replace("\u2212", "-"))
            array = array_of(expression.defaults["value"])
        except KeyError:
            raise ValueError(ROWS) from None
        except ExpressionError as error:
            raise ValueError(f"{ROWS}: {error}") from None
        if not np.isfinite(array).all():
            raise ValueError(FINITE)
        rows: list[Any] = array.tolist()
        if self.fits is not None:
            self.fits(rows)
        return rows

    def tell(self, value: float | list[Any]) -> str:
        return str(value) if isinstance(value, list) else format_general(value)
