"""What the pictures of Inside draw, as plain data: merges, lookups into a vocabulary, a lattice.

A scene is a word's whole story; a frame says how much of it has been told. No Qt here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.tokenization.unigram.lattice import Best, Lattice, Path


@dataclass(frozen=True)
class SymbolFace:
    """How a symbol is shown: its text, or its bytes where they are no whole characters."""

    text: str
    data: bytes


@dataclass(frozen=True)
class Number:
    """A row below the formula: `name = value`, in the color of its role; without a name the value
    alone.
    """

    name: str
    value: float | str
    role: str = "text"
    note: str = ""


@dataclass(frozen=True)
class Pair:
    """Two neighbors that could be joined, and what they are chosen by, in words."""

    left: str
    right: str
    by: str


@dataclass(frozen=True)
class Branch:
    """A symbol of the tree: the letters that it covers, how high it lies, its two parts."""

    face: SymbolFace
    start: int
    end: int
    level: int
    parts: tuple[int, int] | None = None


@dataclass(frozen=True)
class MergeScene:
    """All symbols of one word: its letters first, then what each merge made."""

    letters: int
    branches: tuple[Branch, ...]


@dataclass(frozen=True)
class MergeFrame:
    """shown   how many branches there are now
    pair    the two that are chosen; None where none is
    why     what the pair is chosen by, in words
    passed  chance has passed it over
    """

    shown: int
    pair: tuple[int, int] | None = None
    why: str = ""
    passed: bool = False


@dataclass(frozen=True)
class Lookup:
    piece: str
    start: int
    end: int
    there: bool


@dataclass(frozen=True)
class MatchScene:
    """One word, and every string that is looked up in the vocabulary."""

    word: str
    lookups: tuple[Lookup, ...]


@dataclass(frozen=True)
class MatchFrame:
    """lookups    how many have been made
    taken    which of them have been taken
    unknown  what the whole word became, where nothing fits
    """

    lookups: int
    taken: tuple[int, ...] = ()
    unknown: str = ""


@dataclass(frozen=True, eq=False)
class LatticeScene:
    """A text's lattice with all answers; `sample` is drawn with scores counting `alpha` times."""

    lattice: Lattice
    best: Best
    n_best: tuple[Path, ...]
    shares: tuple[float, ...]  # of each of the n best among all ways
    posteriors: Any  # (nodes)
    sample: Path
    alpha: float
    unknown: int | None = None


@dataclass(frozen=True)
class LatticeFrame:
    """place    up to where the best scores are known
    ending   the place whose pieces are looked at; -1 for none
    path     the nodes that are bold
    way      "best", "rank" or "sample": what is bold
    rank     of the path among the n best, from 1; 0 for none
    likely   how likely each piece is, is shown by its fill
    """

    place: int
    ending: int = -1
    path: tuple[Any, ...] = ()
    way: str = "best"
    rank: int = 0
    likely: bool = False


Scene = MergeScene | MatchScene | LatticeScene
Frame = MergeFrame | MatchFrame | LatticeFrame
