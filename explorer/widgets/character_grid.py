"""A grid with one column per character, in which the tokens of several tokenizers are aligned.

A character is as wide as the widest of what the tokenizers draw there. Rows end where no token of
any tokenizer continues, if there is such a place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from explorer.widgets.flow_layout import GAP, Letters, PlacedTokens
from explorer.widgets.token_faces import FlowOptions, TokenFace, TokenFaces
from explorer.widgets.tokens import Tokens


def character_grid(
    beside: Sequence[Tokens], tokens: Tokens, starts: np.ndarray, faces: TokenFaces, width: float
) -> CharacterGrid | None:
    """Returns the grid of several cuts; None if `tokens` is not among them or the texts differ."""
    if len(beside) < 2 or not any(one is tokens for one in beside):
        return None
    if any(one.data != tokens.data for one in beside):
        return None
    return _shared(tuple(beside), starts.tobytes(), faces.options, faces.look, max(40.0, width))


@lru_cache(maxsize=1)
def _shared(
    beside: tuple[Tokens, ...], starts: bytes, options: FlowOptions, look: object, width: float
) -> CharacterGrid:
    """Caches the grid, shared by all flows with the same arguments."""
    return CharacterGrid(beside, np.frombuffer(starts, dtype=np.int64), TokenFaces(options), width)


@dataclass(frozen=True, slots=True)
class Block:
    """The layout of n bytes, by place 0 to n: where what begins there begins (`left`) and where
    what ends there ends (`right`). A character that a token cuts is divided among its bytes.

    before  px in front of a place for tokens without text
    marks   px in front of the letter at a place for the marks of pieces: "##"
    """

    left: np.ndarray
    right: np.ndarray
    left_row: np.ndarray
    right_row: np.ndarray
    before: np.ndarray
    marks: np.ndarray
    rows: int


class CharacterGrid:
    """Places the tokens of any of the cuts, one block of the text at a time."""

    def __init__(
        self, cuts: Sequence[Tokens], starts: np.ndarray, faces: TokenFaces, width: float
    ) -> None:
        self.cuts, self.starts, self.faces, self.width = cuts, starts, faces, width
        self._blocks: dict[int, Block] = {}

    def place(self, block: int, tokens: Tokens, first: int, last: int) -> PlacedTokens:
        grid = self._blocks.get(block)
        if grid is None:
            grid = self._blocks[block] = self._lay_out(block)
        low, high = self._range(block)
        faces = self.faces.run(tokens, first, last)
        wanted = self.faces.widths(tokens, first, faces)
        xs: list[float] = []
        rows: list[int] = []
        widths: list[float] = []
        letters: list[Letters] = []
        at, used = -1, 0.0  # tokens without text are placed one after the other
        for index, face, want in zip(range(first, last), faces, wanted, strict=True):
            start, end = _span(tokens, index, low, high)
            row = int(grid.left_row[start])
            if start == end:
                used = used if at == start else 0.0
                x, width = float(grid.left[start] - grid.before[start]) + used, want
                at, used = start, used + want + GAP
            else:
                x = float(grid.left[start])
                until = grid.right[end] if grid.right_row[end] == row else self.width
                width = float(until) - x - GAP
            xs.append(x)
            rows.append(row)
            widths.append(width)
            letters.append(self._letters(grid, face, tokens.slice(index), start))
        return PlacedTokens(first, faces, xs, rows, widths, grid.rows, letters)

    def _letters(self, grid: Block, face: TokenFace, data: bytes, start: int) -> Letters:
        """Returns each letter centered in its character, up to the end of the row it begins in."""
        found = []
        for letter, place, until in self._written(face, data, start, len(grid.left) - 1):
            if grid.right_row[until] != grid.left_row[start]:
                break
            cell = (grid.left[place] + grid.right[until] - GAP) / 2 - grid.left[start]
            middle = cell + (grid.marks[place] - self.faces.mark_width(letter)) / 2
            found.append((float(middle), letter))
        return found

    def _written(
        self, face: TokenFace, data: bytes, start: int, size: int
    ) -> list[tuple[str, int, int]]:
        """Returns the letter a token draws under each character, with its bytes in the block."""
        text = _text(data)
        letters = self.faces.letters(face, text)
        places = start + np.cumsum([0, *(len(character.encode()) for character in text)])
        spans = zip(letters, places[:-1].tolist(), places[1:].tolist(), strict=False)
        return [(letter, place, until) for letter, place, until in spans if until <= size]

    def _range(self, block: int) -> tuple[int, int]:
        ends = self.starts[block + 1 : block + 2]
        return int(self.starts[block]), int(ends[0] if len(ends) else len(self.cuts[0].data))

    def _lay_out(self, block: int) -> Block:
        low, high = self._range(block)
        text = _text(self.cuts[0].data[low:high])
        lengths = [len(character.encode()) for character in text]
        begins = np.cumsum([0, *lengths])  # first byte of each character, and the end
        room = np.zeros(high - low)  # px of each byte
        for place, character, length in zip(begins.tolist(), text, lengths, strict=False):
            wide = self.faces.letter_width(self.faces.letter(character))
            room[place : place + length] = wide / length
        before, marks = np.zeros(high - low + 1), np.zeros(high - low + 1)
        inside = np.ones(high - low + 1, dtype=bool)  # inside a character or a token of any cut
        inside[begins] = False
        for cut in self.cuts:
            wanted = self._fit(cut, low, high, room, inside, marks)
            np.maximum(before, wanted, out=before)
        return self._flow(room, before, marks, inside, set(begins.tolist()))

    def _fit(
        self,
        cut: Tokens,
        low: int,
        high: int,
        room: np.ndarray,
        inside: np.ndarray,
        marks: np.ndarray,
    ) -> np.ndarray:
        """Widens bytes and marks to fit the tokens of a cut and marks the places inside them;
        returns the px that tokens without text need in front of each place."""
        before = np.zeros(len(room) + 1)
        first, last = np.searchsorted(cut.starts, (low, high), side="left").tolist()
        if high == len(cut.data):
            last = len(cut)
        faces = self.faces.run(cut, first, last)
        wanted = self.faces.widths(cut, first, faces)
        for index, face, want in zip(range(first, last), faces, wanted, strict=True):
            start, end = _span(cut, index, low, high)
            if start == end:
                before[start] += want + GAP
                continue
            inside[start + 1 : end] = True
            written = self._written(face, cut.slice(index), start, len(room))
            for letter, place, until in written:
                marks[place] = max(marks[place], self.faces.mark_width(letter))
                _widen(room, place, until, self.faces.letter_width(letter))
            _widen(room, start, end, GAP + (0.0 if written and want <= face.width else want))
        return before

    def _flow(
        self,
        room: np.ndarray,
        before: np.ndarray,
        marks: np.ndarray,
        inside: np.ndarray,
        begins: set[int],
    ) -> Block:
        """Fills rows of the available width; a row ends only where no token continues."""
        size = len(room)
        left, right = np.zeros(size + 1), np.zeros(size + 1)
        left_row = np.zeros(size + 1, dtype=np.int64)
        right_row = np.zeros(size + 1, dtype=np.int64)
        x, row, start = 0.0, 0, 0
        for end in (np.flatnonzero(~inside[1:]) + 1).tolist():  # ends of unbreakable spans
            wide = float(room[start:end].sum() + before[start:end].sum())
            if x > 0 and x + wide > self.width:
                x, row = 0.0, row + 1
            for place in range(start, end):
                too_wide = wide > self.width and place in begins
                if too_wide and x > 0 and x + room[place] > self.width:
                    x, row = 0.0, row + 1
                x += before[place]
                left[place], left_row[place] = x, row
                x += room[place]
                right[place + 1], right_row[place + 1] = x, row
            start = end
        if before[size] and x > 0 and x + before[size] > self.width:
            x, row = 0.0, row + 1
        left[size], left_row[size] = x + before[size], row
        return Block(left, right, left_row, right_row, before, marks, row + 1)


def _span(tokens: Tokens, index: int, low: int, high: int) -> tuple[int, int]:
    """Returns a token's byte range relative to a block, cut at the block's end."""
    return int(tokens.starts[index]) - low, min(int(tokens.ends[index]), high) - low


def _widen(room: np.ndarray, start: int, end: int, least: float) -> None:
    """Divides the missing px among the bytes."""
    missing = least - float(room[start:end].sum())
    if missing > 0:
        room[start:end] += missing / (end - start)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
