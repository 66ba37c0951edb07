"""The face of a token: its text, the bytes of a part of a character, or its name."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtGui import QFontMetricsF

from explorer import theme
from explorer.widgets.token_colors import slot
from explorer.widgets.tokens import SIGNS, Tokens, text_of

PADDING = 4  # left and right of a token's text
LONGEST = 120  # drawn characters of one token
INVISIBLE = "\u2205"  # replaces text that no font draws
_SPACES = {ord(sign): " " for sign in "\u2581\u0120"}  # spellings of a space in vocabularies
MARKS = ("", "##", chr(0x2423))  # that a word continues, or begins with a space not in the text
UNSIGNED = str.maketrans({chr(0x2423): " ", chr(0x21B5): " ", chr(0x21E5): "  ", chr(0x240D): " "})
BLANKS = str.maketrans({"\n": " ", "\t": "  ", "\r": " "})


@dataclass(frozen=True)
class FlowOptions:
    """ids: below each token; pieces: as spelled in the vocabulary, if the text differs; bytes:
    hexadecimal instead of text; whitespace: as glyphs."""

    ids: bool = False
    pieces: bool = True
    bytes: bool = False
    whitespace: bool = True


@dataclass(frozen=True, slots=True)
class TokenFace:
    """kind   "text", "bytes" (cells of hexadecimal), "special" or "unknown"
    text   as displayed; two digits for each byte
    width  in pixels, including padding
    slot   index of the color
    breaks True if the next token begins a new row
    """

    kind: str
    text: str
    width: float
    slot: int
    breaks: bool


class TokenFaces:
    """The faces of tokens in one font; known ones are cached."""

    def __init__(self, options: FlowOptions) -> None:
        self.options = options
        now = theme.current()
        self._metrics: QFontMetricsF = now.metrics("mono", mono=True)
        self._narrow: QFontMetricsF = now.metrics("label", mono=True)
        self._padding = 2 * now.px(PADDING)
        self.look = now.zoom  # the scale of all measurements
        self.byte_width = self._narrow.horizontalAdvance("FF") + now.px(4)
        self.digit_width = now.metrics("label").horizontalAdvance("0")
        self._known: dict[bytes, TokenFace] = {}
        self._spelled: dict[tuple[bytes, str], TokenFace] = {}  # by text and piece
        self._reads: Callable[[str], str] | None = None
        self._named: dict[tuple[str, str], TokenFace] = {}

    def face(self, tokens: Tokens, index: int) -> TokenFace:
        return self.run(tokens, index, index + 1)[0]

    def run(self, tokens: Tokens, first: int, last: int) -> list[TokenFace]:
        """Returns the faces of tokens first to last - 1."""
        starts, ends = tokens.starts[first:last].tolist(), tokens.ends[first:last].tolist()
        data, unknown, special, known = tokens.data, tokens.unknown, tokens.special, self._known
        pieces = self.options.pieces and not self.options.bytes and tokens.reads is not None
        if pieces and tokens.reads is not self._reads:  # other tokenizers read pieces differently
            self._reads, self._spelled = tokens.reads, {}
        spelled = self._spelled
        faces = []
        for index, identity in enumerate(tokens.ids[first:last].tolist()):
            part = data[starts[index] : ends[index]]
            if identity == unknown:
                face = self._name("unknown", text_of(part) or tokens.pieces[first + index])
            elif identity in special:
                face = self._name("special", tokens.pieces[first + index])
            elif not part:  # such as a leading space that the text lacks
                face = self._added(tokens.pieces[first + index])
            elif pieces:
                key = part, tokens.pieces[first + index]
                face = spelled.get(key)
                if face is None:
                    face = spelled[key] = self._spell(tokens, first + index, part)
            else:
                face = known.get(part) or self._make(part)
            faces.append(face)
        return faces

    def letters(self, face: TokenFace, text: str) -> list[str]:
        """Returns what a token draws under each character of its text, a leading mark with the
        first letter; empty if its letters differ from the text or it is drawn as bytes."""
        written = face.text
        mark = max(0, len(written) - len(text))
        drawn = face.kind in ("text", "unknown")
        if not drawn or len(written) < len(text) or written[:mark] not in MARKS:
            return []
        return [written[: mark + 1], *written[mark + 1 :]] if text else []

    def mark_width(self, letter: str) -> float:
        """Returns the width of the mark in front of a letter."""
        return self._metrics.horizontalAdvance(letter[:-1])

    def letter_width(self, text: str) -> float:
        """Returns the width of a character that is aligned with others."""
        return self._metrics.horizontalAdvance(text) + self._padding / 2

    def letter(self, character: str) -> str:
        """Returns a character of the text as displayed."""
        return character.translate(SIGNS if self.options.whitespace else BLANKS)

    def widths(self, tokens: Tokens, first: int, faces: list[TokenFace]) -> list[float]:
        """Returns the widths of tokens from `first` on, including ids below them."""
        if not self.options.ids:
            return [face.width for face in faces]
        ids = tokens.ids[first : first + len(faces)].tolist()
        room = self._padding
        return [
            max(face.width, math.ceil(len(str(one)) * self.digit_width + room))
            for face, one in zip(faces, ids, strict=True)
        ]

    def _make(self, data: bytes) -> TokenFace:
        text = None if self.options.bytes else text_of(data)
        if text is None:
            cells = data[:LONGEST].hex().upper()
            width = len(cells) // 2 * self.byte_width + self._padding / 2
            face = TokenFace("bytes", cells, math.ceil(width), slot(data), data.endswith(b"\n"))
            self._known[data] = face
            return face
        shown = text[:LONGEST].translate(SIGNS if self.options.whitespace else BLANKS)
        width = math.ceil(self._metrics.horizontalAdvance(shown) + self._padding)
        face = self._known[data] = TokenFace("text", shown, width, slot(data), text.endswith("\n"))
        return face

    def _spell(self, tokens: Tokens, index: int, data: bytes) -> TokenFace:
        """Returns a piece as spelled in its vocabulary, in the color of its text."""
        shown = tokens.written(index)[:LONGEST]
        if not shown:
            return self._known.get(data) or self._make(data)
        if not self.options.whitespace:
            shown = shown.translate(UNSIGNED)
        width = math.ceil(self._metrics.horizontalAdvance(shown) + self._padding)
        return TokenFace("text", shown, width, slot(data), data.endswith(b"\n"))

    def _added(self, piece: str) -> TokenFace:
        """Returns the face of an ordinary piece without text, in the color of its meaning."""
        text = piece.translate(_SPACES)
        return self._known.get(text.encode()) or self._make(text.encode("utf-8", "replace"))

    def _name(self, kind: str, text: str) -> TokenFace:
        """Returns the face of a token that represents something other than the text it covers."""
        face = self._named.get((kind, text))
        if face is None:
            shown = text[:LONGEST].translate(SIGNS) or INVISIBLE
            width = math.ceil(self._metrics.horizontalAdvance(shown) + self._padding)
            face = TokenFace(kind, shown, width, slot(text.encode("utf-8", "replace")), False)
            self._named[kind, text] = face
        return face
