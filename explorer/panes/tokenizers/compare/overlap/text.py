"""The sentences of Overlap."""

from __future__ import annotations

from core.numbers import format_percent
from core.tokenization.analysis.overlap import Overlap

IDLE = "What vocabularies share: choose two or more tokenizers"
EMPTY = "An overlap needs two open tokenizers: add another one"
NOTE = (
    "Each row: how much of that vocabulary the others hold too, from 0 (nothing) to 1 (all of it). "
    "Click a cell to see the pieces."
)
BYTES = "Pieces are compared by their bytes; special tokens are left out."
SYMBOLS = (
    "A and B are the two vocabularies; |A| is the number of pieces in A; A \u2229 B are the "
    "pieces in both, A \u222a B those in either."
)
ONLY, BOTH = "Only in ", "In both"


def headline(overlap: Overlap, first: str, second: str) -> str:
    share, other = map(format_percent, (overlap.share_of_first, overlap.share_of_second))
    return (
        f"{second} shares {share} of {first}\u2019s pieces; "
        f"{first} shares {other} of {second}\u2019s"
    )
