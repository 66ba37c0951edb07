"""What a table of words shows. Knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class WordGrid:
    """Rows from the bottom up, columns from left to right.

    words     (R, C) what stands in the cells
    shares    (R, C) 0..1, how dark they are
    strong    (R, C) bool, which words are set in bold
    lengths   (R, C) beside the table: bars of the column that is chosen
    titles    above the table, and above the bars
    first     the place of the first column in a text of so many tokens: `total`
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    words: np.ndarray
    shares: np.ndarray
    strong: np.ndarray
    lengths: np.ndarray
    titles: tuple[str, str]
    first: int = 0
    total: int = 0
