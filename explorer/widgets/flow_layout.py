"""Positions of tokens that flow in rows, computed only for what is visible.

The text is cut into blocks, one per line; long lines into several. Every block begins a row. Blocks
that are not visible have an estimated height, so that a text of a megabyte costs no more than its
visible part. Blocks depend only on the text: they are the same for every tokenizer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from explorer.widgets.token_faces import FlowOptions, TokenFace, TokenFaces
from explorer.widgets.tokens import Tokens

LONG_LINE = 2048  # bytes of one line after which a block ends
GAP = 2  # pixels between two tokens, and between two rows
GUESS = 34.0  # px: the width of a token not measured yet

Letters = Sequence[tuple[float, str]]  # of one token: the center of each letter, and the letter


def block_starts(data: bytes) -> np.ndarray:
    """Returns the positions in `data` where blocks begin: after each line break and, in long lines,
    after the first space that follows every LONG_LINE bytes."""
    array = np.frombuffer(data, dtype=np.uint8)
    starts = np.concatenate(([0], np.flatnonzero(array == 10) + 1))
    ends = np.append(starts[1:], len(data))
    more: list[int] = []
    for start, end in zip(
        starts[ends - starts > LONG_LINE], ends[ends - starts > LONG_LINE], strict=True
    ):
        at = int(start)
        while end - at > LONG_LINE:
            space = data.find(b" ", at + LONG_LINE, min(int(end), at + 2 * LONG_LINE))
            at = space if space >= 0 else at + LONG_LINE
            while at < end and array[at] & 0xC0 == 0x80:
                at += 1
            more.append(at)
    starts = np.unique(np.concatenate((starts, np.array(more, dtype=np.int64))))
    return starts[starts < max(1, len(data))]


@dataclass(frozen=True, slots=True)
class PlacedTokens:
    """The tokens of one block: token `first + k` is at x[k] in row[k], width[k] wide; letters[k]
    are its letters, each with its center relative to x[k], if it is on a grid."""

    first: int
    faces: list[TokenFace]
    x: list[float]
    row: list[int]
    width: list[float]
    rows: int
    letters: Sequence[Letters] = ()


class Grid(Protocol):
    """The positions of the characters of a text, the same for every tokenizer."""

    def place(self, block: int, tokens: Tokens, first: int, last: int) -> PlacedTokens:
        """Places tokens first to last - 1, which are those of a block."""


class FlowLayout:
    """Blocks of rows below one another, at one width; on a grid of characters if given. `before` is
    the layout of the text before a keystroke: the unchanged beginning of a block is reused."""

    def __init__(
        self,
        tokens: Tokens,
        starts: np.ndarray,
        faces: TokenFaces,
        width: float,
        row_height: float,
        grid: Grid | None = None,
        before: FlowLayout | None = None,
    ) -> None:
        self.grid = grid
        self._before = before
        if before is not None:
            before._before = None  # only one earlier layout is cached, not a chain
        self.tokens = tokens
        self.faces = faces
        self.width = max(40.0, width)
        self.row_height = row_height
        self.starts = starts
        firsts = np.searchsorted(tokens.starts, starts, side="left")
        firsts[0] = 0
        self.firsts = np.append(firsts, len(tokens))
        counts = np.diff(self.firsts)
        per_row = max(1.0, self.width / (GUESS + GAP))
        rows = np.ceil(counts / per_row)
        self.heights = rows * row_height
        self._placed: dict[int, PlacedTokens] = {}

    @property
    def blocks(self) -> int:
        return len(self.heights)

    @property
    def height(self) -> float:
        return float(self.heights.sum())

    @property
    def known(self) -> int:
        """The number of blocks laid out so far."""
        return len(self._placed)

    def placed(self, block: int) -> PlacedTokens:
        """Returns the exact rows of one block."""
        found = self._placed.get(block)
        if found is None:
            found = self._placed[block] = self._lay_out(block)
            self.heights[block] = found.rows * self.row_height
        return found

    def _lay_out(self, block: int) -> PlacedTokens:
        first, last = int(self.firsts[block]), int(self.firsts[block + 1])
        if self.grid is not None:
            return self.grid.place(block, self.tokens, first, last)
        kept = self._kept(block, first, last)
        limit, begin = self.width, first + len(kept.faces)
        faces = self.faces.run(self.tokens, begin, last)
        widths = [min(w, limit) for w in self.faces.widths(self.tokens, begin, faces)]
        xs, rows = kept.x, kept.row
        x, row, broken = 0.0, 0, False
        if xs:
            x, row = xs[-1] + kept.width[-1] + GAP, rows[-1]
            broken = kept.faces[-1].breaks
        for face, width in zip(faces, widths, strict=True):
            if x > 0 and (broken or x + width > limit):
                x, row = 0.0, row + 1
            xs.append(x)
            rows.append(row)
            x += width + GAP
            broken = face.breaks
        faces, widths = kept.faces + faces, kept.width + widths
        return PlacedTokens(first, faces, xs, rows, widths, row + 1 if xs else 0)

    def _kept(self, block: int, first: int, last: int) -> PlacedTokens:
        """Returns the unchanged tokens at the beginning of a block at their old positions."""
        old = self._before
        placed = old._placed.get(block) if old is not None else None
        if old is None or placed is None or placed.letters:
            return PlacedTokens(first, [], [], [], [], 0)
        now, was, at = self.tokens, old.tokens, placed.first
        size = min(last - first, len(placed.faces))
        same = (
            old.faces is self.faces
            and old.width == self.width
            and (now.unknown, now.special, now.reads) == (was.unknown, was.special, was.reads)
        )
        size = size if same else 0
        origin, origin_before = now.starts[first : first + 1], was.starts[at : at + 1]
        differ = now.ids[first : first + size] != was.ids[at : at + size]
        for places, earlier in ((now.starts, was.starts), (now.ends, was.ends)):
            moved = places[first : first + size] - origin
            differ |= moved != earlier[at : at + size] - origin_before
        size = int(differ.argmax()) if differ.any() else size
        if size:
            here = now.data[int(origin[0]) : int(now.ends[first + size - 1])]
            there = was.data[int(origin_before[0]) : int(was.ends[at + size - 1])]
            pieces = now.pieces[first : first + size] == was.pieces[at : at + size]
            size = size if here == there and pieces else 0
        return PlacedTokens(
            first,
            placed.faces[:size],
            placed.x[:size],
            placed.row[:size],
            placed.width[:size],
            0,
        )

    def block_of(self, token: int) -> int:
        """Returns the block of a token."""
        return int(np.searchsorted(self.firsts, token, side="right")) - 1

    def above(self, block: int) -> float:
        """Returns the height of all blocks before this one."""
        return float(self.heights[:block].sum())

    def at_height(self, y: float) -> tuple[int, float]:
        """Returns the block at a height, and the distance below its top."""
        ends = np.cumsum(self.heights)
        block = min(int(np.searchsorted(ends, y, side="right")), self.blocks - 1)
        return block, y - self.above(block)


def row_height(options: FlowOptions, scale: float) -> float:
    """Returns the px from one row to the next."""
    return round((36 if options.ids else 22) * scale) + GAP
