"""The pieces of a SentencePiece vocabulary: their types, and those that need no training."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from core.files import quoted

UNKNOWN, BEGIN, END = "<unk>", "<s>", "</s>"


class PieceType(IntEnum):
    """The purpose of a piece; the numbers are those of the file format.

    NORMAL        found by training
    UNKNOWN       stands for characters that the vocabulary cannot spell
    CONTROL       stands for no text: the beginning, the end
    USER_DEFINED  always one piece, wherever it occurs in a text
    UNUSED        in the vocabulary, but never in a result: it is split again
    BYTE          one byte of a character that no other piece spells
    """

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece with its score: the higher, the earlier it is merged (BPE), or the likelier it is."""

    text: str
    score: float = 0.0
    type: PieceType = PieceType.NORMAL


BYTE_PIECES = tuple(f"<0x{byte:02X}>" for byte in range(256))


def meta_pieces(
    special_tokens: Sequence[str] = (),
    user_defined: Sequence[str] = (),
    byte_fallback: bool = False,
) -> list[Piece]:
    """Returns the pieces that a vocabulary starts with, by id.

    First "<unk>", "<s>", "</s>"; then control pieces, user-defined ones, and the 256 bytes.

    Raises ValueError for a piece that is named twice, is empty, or is "<unk>".
    """
    control = [token for token in special_tokens if token not in (BEGIN, END)]
    pieces = [Piece(UNKNOWN, type=PieceType.UNKNOWN)]
    pieces += [Piece(text, type=PieceType.CONTROL) for text in (BEGIN, END, *control)]
    pieces += [Piece(text, type=PieceType.USER_DEFINED) for text in user_defined]
    if byte_fallback:
        pieces += [Piece(text, type=PieceType.BYTE) for text in BYTE_PIECES]
    seen: set[str] = set()
    for piece in pieces:
        if not piece.text or "\0" in piece.text:
            raise ValueError(f"{quoted(piece.text)} cannot be a piece: it is empty or holds U+0000")
        if piece.text in seen:
            raise ValueError(
                f"{quoted(piece.text)} is named twice, or is there already: name it once"
            )
        seen.add(piece.text)
    return pieces
