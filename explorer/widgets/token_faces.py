"""What is drawn for a token: its text, the bytes of a part of a character, or its name."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtGui import QFontMetricsF

from explorer import theme
from explorer.widgets.token_colors import slot
from explorer.widgets.tokens import SIGNS, Tokens, text_of

PADDING = 4  # left and right of a token's text
LONGEST = 120  # characters of one token that are drawn
INVISIBLE = "\u2205"  # stands for text that no font draws
_SPACES = {ord(sign): " " for sign in "\u2581\u0120"}  # how vocabularies spell one
MARKS = ("", "##", chr(0x2423))  # that a word goes on, or begins with a space the text has not
UNSIGNED = str.maketrans({chr(0x2423): " ", chr(0x21B5): " ", chr(0x21E5): "  ", chr(0x240D): " "})
BLANKS = str.maketrans({"\n": " ", "\t": "  ", "\r": " "})


@dataclass(frozen=True)
class FlowOptions:
    """ids: below each token; pieces: as the vocabulary holds them, where the text under them is
    another; bytes: hexadecimal in place of text; whitespace: as glyphs."""

    ids: bool = False
    pieces: bool = True
    bytes: bool = False
    whitespace: bool = True


@dataclass(frozen=True, slots=True)
class TokenFace:
    """kind   "text", "bytes" (cells of hexadecimal), "special" or "unknown"
    text   what is written; of bytes two digits for each
    width  in pixels, padding included
    slot   which color
    breaks the next token begins a new row
    """

    kind: str
    text: str
    width: float
    slot: int
    breaks: bool


class TokenFaces:
    """The faces of tokens in one font; what was met before costs one look-up."""

    def __init__(self, options: FlowOptions) -> None:
        self.options = options
        now = theme.current()
        self._metrics: QFontMetricsF = now.metrics("mono", mono=True)
        self._narrow: QFontMetricsF = now.metrics("label", mono=True)
        self._padding = 2 * now.px(PADDING)
        self.look = now.zoom  # by which all is measured
        self.byte_width = self._narrow.horizontalAdvance("FF") + now.px(4)
        self.digit_width = now.metrics("label").horizontalAdvance("0")
        self._known: dict[bytes, TokenFace] = {}
        self._spelled: dict[tuple[bytes, str], TokenFace] = {}  # by text and piece
        self._reads: Callable[[str], str] | None = None
        self._named: dict[tuple[str, str], TokenFace] = {}

    def face(self, tokens: Tokens, index: int) -> TokenFace:
        return self.run(tokens, index, index + 1)[0]

    def run(self, tokens: Tokens, first: int, last: int) -> list[TokenFace]:
        """The faces of the tokens first to last - 1."""
        starts, ends = tokens.starts[first:last].tolist(), tokens.ends[first:last].tolist()
        data, unknown, special, known = tokens.data, tokens.unknown, tokens.special, self._known
        pieces = self.options.pieces and not self.options.bytes and tokens.reads is not None
        if pieces and tokens.reads is not self._reads:  # another kind reads its pieces otherwise
            self._reads, self._spelled = tokens.reads, {}
        spelled = self._spelled
        faces = []
        for index, identity in enumerate(tokens.ids[first:last].tolist()):
            part = data[starts[index] : ends[index]]
            if identity == unknown:
                face = self._name("unknown", text_of(part) or tokens.pieces[first + index])
            elif identity in special:
                face = self._name("special", tokens.pieces[first + index])
            elif not part:  # such as a space in front that the text does not have
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
        """What is written of a token under each character of its text: a mark in front stands with
        the first letter. None where it has other letters than the text, or is drawn as bytes."""
        written = face.text
        mark = max(0, len(written) - len(text))
        drawn = face.kind in ("text", "unknown")
        if not drawn or len(written) < len(text) or written[:mark] not in MARKS:
            return []
        return [written[: mark + 1], *written[mark + 1 :]] if text else []

    def mark_width(self, letter: str) -> float:
        """The room of the mark in front of a letter."""
        return self._metrics.horizontalAdvance(letter[:-1])

    def letter_width(self, text: str) -> float:
        """The room that a character takes where it stands above and below others."""
        return self._metrics.horizontalAdvance(text) + self._padding / 2

    def letter(self, character: str) -> str:
        """How a character of the text is written."""
        return character.translate(SIGNS if self.options.whitespace else BLANKS)

    def widths(self, tokens: Tokens, first: int, faces: list[TokenFace]) -> list[float]:
        """Of tokens from `first` on, with whatever is written below them."""
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
        """A piece as its vocabulary holds it, in the color of the text under it."""
        shown = tokens.written(index)[:LONGEST]
        if not shown:
            return self._known.get(data) or self._make(data)
        if not self.options.whitespace:
            shown = shown.translate(UNSIGNED)
        width = math.ceil(self._metrics.horizontalAdvance(shown) + self._padding)
        return TokenFace("text", shown, width, slot(data), data.endswith(b"\n"))

    def _added(self, piece: str) -> TokenFace:
        """An ordinary piece under which there is no text: in the color of what it stands for."""
        text = piece.translate(_SPACES)
        return self._known.get(text.encode()) or self._make(text.encode("utf-8", "replace"))

    def _name(self, kind: str, text: str) -> TokenFace:
        """A token that stands for something else than the text it covers."""
        face = self._named.get((kind, text))
        if face is None:
            shown = text[:LONGEST].translate(SIGNS) or INVISIBLE
            width = math.ceil(self._metrics.horizontalAdvance(shown) + self._padding)
            face = TokenFace(kind, shown, width, slot(text.encode("utf-8", "replace")), False)
            self._named[kind, text] = face
        return face
