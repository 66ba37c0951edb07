"""The texts of Overlap."""

from __future__ import annotations

from core.numbers import format_percent
from core.tokenization.analysis.overlap import Overlap

IDLE = "Choose two or more tokenizers to see which pieces their vocabularies share"
EMPTY = "Two open tokenizers are needed to compare vocabularies: add another one"
NOTE = (
    "Each row shows how much of that vocabulary is also in the others, from 0 (nothing) to 1 "
    "(all). Click a cell to see the pieces."
)
BYTES = "Pieces are compared by their bytes; special tokens are left out."
SYMBOLS = (
    "A and B are the two vocabularies, and |A| is the number of pieces in A. A \u2229 B holds the "
    "pieces in both, and A \u222a B holds those in at least one of them."
)
ONLY, BOTH = "Only in ", "In both"


def headline(overlap: Overlap, first: str, second: str) -> str:
    share, other = map(format_percent, (overlap.share_of_first, overlap.share_of_second))
    return (
        f"{second} also has {share} of {first}\u2019s pieces; "
        f"{first} also has {other} of {second}\u2019s"
    )
