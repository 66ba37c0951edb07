"""Lines of live numbers as data: a name and its value, a sum of products. No Qt here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Terms:
    """A sum of products with real numbers: `name = a1 x b1 + a2 x b2 + ... = result`.

    `roles` color the two factors ("q", "k"); the three largest terms are written out, the others
    summed up ("+ 13 more = 0.21"). `labels` name the terms (d3, or a token).
    """

    name: str
    left: np.ndarray
    right: np.ndarray
    roles: tuple[str, str] = ("q", "k")
    labels: Sequence[str] = ()
    result: float | None = None
    role: str = "attention"


@dataclass(frozen=True)
class Equation:
    """One short line, `name = value`, with a note after it."""

    name: str
    value: float | str
    role: str = "text"
    note: str = ""


def products_of(terms: Terms) -> np.ndarray:
    left, right = np.asarray(terms.left, np.float64), np.asarray(terms.right, np.float64)
    with np.errstate(all="ignore"):  # infinity and nan are valid here
        return left * right


def largest_terms(terms: Terms, count: int = 3) -> tuple[list[int], float, int, float]:
    """Returns indices of the largest terms, sum and number of the others, and the total."""
    products = products_of(terms)
    order = np.argsort(-np.abs(products), kind="stable")
    shown = sorted(int(index) for index in order[:count])
    rest = [index for index in range(products.size) if index not in shown]
    total = float(products.sum()) if terms.result is None else float(terms.result)
    return shown, float(products[rest].sum()) if rest else 0.0, len(rest), total
