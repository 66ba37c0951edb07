"""The layout of a text's parts after each stage of its encoding: a row per stage, with parts from
the same bytes below each other. No Qt.
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
NOTHING = "\u2205"  # in place of a part without characters
Span = tuple[int, int]  # bytes of the text


@dataclass(frozen=True)
class Part:
    """A part of a row: its text, its own bytes, the bytes of the text that it comes from, and its
    position and width in the unit of `wide`.
    """

    text: str
    data: bytes
    span: Span
    left: float
    width: float

    def comes_from(self, span: Span) -> bool:
        """Returns True if it comes from any of these bytes."""
        return self.span[0] < span[1] and span[0] < self.span[1]


@dataclass(frozen=True)
class Row:
    """A row: the text, or the result of a stage."""

    name: str
    parts: tuple[Part, ...]


def rows_of(inside: ExplainedText, wide: Callable[[str], float], gap: float) -> list[Row]:
    """Lays out the text and its stages. `wide` returns the width of a part with a given text; `gap`
    is the space between two parts.

    Every byte of the text has an x position, as far right as the widest parts before it require.
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
    first = max(added)  # space before the text for added parts
    rows = []
    for name, row in faces:
        left, laid = 0.0, []
        for face, (start, end) in row:
            if start < end:
                at, width = first + edges[start], edges[end] - edges[start] - gap
            else:  # an added part that comes from no character of the text
                at, width = left if end == 0 else max(first + edges[-1], left), wide(face.text)
            laid.append(Part(face.text, face.data, (start, end), at, width))
            left = max(left, at + width + gap)
        rows.append(Row(name, tuple(laid)))
    return rows


def face_of_text(text: str) -> SymbolFace:
    """Returns a text with visible white space."""
    return SymbolFace(visible(text), text.encode())


def face_of_part(kind: str, stage: str, part: str, data: bytes) -> SymbolFace:
    """Returns a part, from the bytes `data`, as readable text. A part spelled in byte characters is
    decoded; in others SentencePiece's sign for a space becomes an open box.
    """
    if kind == "bpe" and part != to_characters(data):
        kind = "sentencepiece-bpe"  # from another library with that spelling
    if stage in SPELLED or kind == "bpe":
        face = face_of(kind, part)
    else:
        face = face_of_text(part.replace(SPACE, " "))
    return face if face.text else SymbolFace(NOTHING, part.encode())
