"""Where the parts of a text stand after each stage of its encoding: one row a stage, and what comes
from the same bytes stands one below the other. No Qt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.tokenization.byte_level import to_characters
from core.tokenization.sentencepiece.normalizer import SPACE
from core.tokenization.telling import visible
from explorer.panes.tokenizers.encoding.compute import ExplainedText
from explorer.panes.tokenizers.pieces import SymbolFace, face_of

SPELLED = ("model", "post-processor")  # stages whose parts are pieces, each in its color
NOTHING = "\u2205"  # stands for a part without a character
Span = tuple[int, int]  # bytes of the text


@dataclass(frozen=True)
class Part:
    """A part of a row: its words, its own bytes, the bytes of the text that it comes from, and its
    place in the unit of `wide`.
    """

    text: str
    data: bytes
    span: Span
    left: float
    width: float

    def comes_from(self, span: Span) -> bool:
        """Whether it comes from any of these bytes."""
        return self.span[0] < span[1] and span[0] < self.span[1]


@dataclass(frozen=True)
class Row:
    """The text, or what a stage makes of it."""

    name: str
    parts: tuple[Part, ...]


def rows_of(inside: ExplainedText, wide: Callable[[str], float], gap: float) -> list[Row]:
    """Lays out the text and its stages. wide: the width of a part with these words; gap: between
    two parts.

    Every byte of the text has a place, as far right as the widest parts before it need.
    """
    data = inside.text.encode()
    faces = [("text", [(face_of_text(inside.text), (0, len(data)))])]
    for stage in inside.stages:
        row = []
        for part, (start, end) in zip(stage.parts, stage.spans, strict=True):
            span = start, min(end, len(data))
            row.append((face_of_part(inside.kind, stage.name, part, data[slice(*span)]), span))
        faces.append((stage.name, row))
    edges = [0.0] * (len(data) + 1)
    ending: dict[int, list[tuple[int, float]]] = {}
    for _, row in faces:
        for face, (start, end) in row:
            if start < end:
                ending.setdefault(end, []).append((start, wide(face.text) + gap))
    for place in range(1, len(edges)):
        needed = [edges[start] + width for start, width in ending.get(place, ())]
        edges[place] = max([edges[place - 1], *needed])
    added = [sum(wide(face.text) + gap for face, span in row if span == (0, 0)) for _, row in faces]
    first = max(added)  # before the text there is room for what is put there
    rows = []
    for name, row in faces:
        left, laid = 0.0, []
        for face, (start, end) in row:
            if start < end:
                at, width = first + edges[start], edges[end] - edges[start] - gap
            else:  # what no character of the text stands for
                at, width = left if end == 0 else max(first + edges[-1], left), wide(face.text)
            laid.append(Part(face.text, face.data, (start, end), at, width))
            left = max(left, at + width + gap)
        rows.append(Row(name, tuple(laid)))
    return rows


def face_of_text(text: str) -> SymbolFace:
    """A text with its white space as signs."""
    return SymbolFace(visible(text), text.encode())


def face_of_part(kind: str, stage: str, part: str, data: bytes) -> SymbolFace:
    """A part as people read it; `data` is what it comes from. Where byte characters spell it, it
    is those bytes; else a sign for a space is the open box.
    """
    if kind == "bpe" and part != to_characters(data):
        kind = "sentencepiece-bpe"  # another library's, which spells as that does
    if stage in SPELLED or kind == "bpe":
        face = face_of(kind, part)
    else:
        face = face_of_text(part.replace(SPACE, " "))
    return face if face.text else SymbolFace(NOTHING, part.encode())
