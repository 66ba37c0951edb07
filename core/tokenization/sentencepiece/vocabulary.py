"""The vocabulary of every SentencePiece tokenizer, whichever way it finds pieces in a text.

It turns the strings found in a normalized text into tokens: an unknown character becomes its bytes
if the vocabulary has them; otherwise adjacent unknown strings become one unknown token. It also
turns tokens back into text.

Source: Kudo and Richardson 2018, section 3.
"""

from collections.abc import Iterable, Sequence

from core.tokenization.sentencepiece.normalizer import SPACE, Normalized, SentencePieceNormalizer
from core.tokenization.sentencepiece.pieces import BYTE_PIECES, Piece, PieceType
from core.tokenization.tokenizer import check_id

UNKNOWN_SURFACE = " \u2047 "  # the text that an unknown token is decoded to: " ⁇ "
MATCHED = (PieceType.NORMAL, PieceType.USER_DEFINED, PieceType.UNUSED)


class SentencePieceVocabulary:
    """The pieces by id, and the purpose of each.

    pieces           each spelled with "▁" for a space
    byte_fallback    a character without a piece becomes its bytes
    unknown_surface  the text that an unknown token is decoded to

    ids       the id of each piece that may stand for text: normal, user-defined and unused ones
    special_tokens  the unknown piece and the control pieces, with their ids

    Raises ValueError for a repeated or empty piece, for none or several unknown pieces, and for
    missing bytes.
    """

    def __init__(
        self,
        pieces: Sequence[Piece],
        byte_fallback: bool = False,
        unknown_surface: str = UNKNOWN_SURFACE,
    ) -> None:
        self.pieces = list(pieces)
        self.spelled = [piece.text for piece in self.pieces]
        self.byte_fallback = byte_fallback
        self.unknown_surface = unknown_surface
        if len(set(self.spelled)) != len(self.spelled):
            raise ValueError("the vocabulary holds a piece twice: every id needs its own piece")
        by_type: dict[PieceType, dict[str, int]] = {kind: {} for kind in PieceType}
        for token, piece in enumerate(self.pieces):
            if not piece.text:
                raise ValueError(f"piece {token} is empty: every piece needs a spelling")
            by_type[piece.type][piece.text] = token
        unknown = list(by_type[PieceType.UNKNOWN].values())
        if len(unknown) != 1:
            raise ValueError(
                f"the vocabulary has {len(unknown)} pieces for what is unknown, it needs exactly "
                "one: get the file again"
            )
        self.unknown = unknown[0]
        missing = [piece for piece in BYTE_PIECES if piece not in by_type[PieceType.BYTE]]
        if byte_fallback and missing:
            raise ValueError(
                f"{len(missing)} of the 256 bytes are not in the vocabulary (the first is "
                f"{missing[0]}), but unknown characters are to be written with them: get the file "
                "again"
            )
        self.byte_ids = [by_type[PieceType.BYTE].get(piece, -1) for piece in BYTE_PIECES]
        self._byte_of = {token: byte for byte, token in enumerate(self.byte_ids) if token >= 0}
        self.control = by_type[PieceType.CONTROL]
        self.user_defined = by_type[PieceType.USER_DEFINED]
        self.unused = by_type[PieceType.UNUSED]
        self.ids = {text: token for kind in MATCHED for text, token in by_type[kind].items()}
        self._control_ids = frozenset(self.control.values())
        self.special_tokens = by_type[PieceType.UNKNOWN] | self.control

    def __len__(self) -> int:
        return len(self.pieces)

    def finish_ids(self, found: Iterable[tuple[str, int]]) -> list[int]:
        """Returns the tokens of strings of a normalized text; unknown ones become bytes or unk."""
        unknown, byte_ids = self.unknown, self.byte_ids
        ids: list[int] = []
        before = -1
        for part, token in found:
            if token != unknown:
                ids.append(token)
            elif self.byte_fallback:
                data = [byte_ids[byte] for byte in part.encode()]  # step: bytes
                ids += data
            elif before != unknown:
                ids.append(unknown)  # step: unknown
            before = token
        return ids

    def finish(
        self, found: Iterable[tuple[str, int]], normalized: Normalized
    ) -> tuple[list[int], list[tuple[int, int]]]:
        """Returns the ids of finish_ids, and the span of each token in the original's bytes.

        Each byte of an unknown character has a span of its own if the original has as many bytes;
        otherwise the last one has the whole span.
        """
        unknown, starts = self.unknown, normalized.starts
        ids: list[int] = []
        spans: list[tuple[int, int]] = []
        place = 0
        before = -1
        for part, token in found:
            start, end = starts[place], starts[place + len(part)]
            place += len(part)
            if token == unknown and self.byte_fallback:
                for character, stop in zip(part, starts[place - len(part) + 1 : place + 1]):
                    data = character.encode()
                    ids += [self.byte_ids[byte] for byte in data]
                    spans += byte_spans(start, stop, len(data))
                    start = stop
            elif token == unknown == before:
                spans[-1] = (spans[-1][0], end)
            else:
                ids.append(token)
                spans.append((start, end))
            before = token
        return ids, spans

    def decode(self, ids: Sequence[int], normalizer: SentencePieceNormalizer) -> str:
        """Returns the text of these ids, without the space that the normalizer added in front.

        Control pieces stand for no text. Bytes that form no character become U+FFFD.
        Raises ValueError for an id outside the vocabulary.
        """
        removes = normalizer.remove_extra_whitespaces
        parts: list[str] = []
        run = bytearray()
        at_start = normalizer.add_dummy_prefix or removes
        for token in ids:
            check_id(token, len(self.pieces))
            if token in self._byte_of:
                run.append(self._byte_of[token])
                continue
            if run:
                parts.append(decode_bytes(run))
                run.clear()
                at_start = False
            if token in self._control_ids:
                continue
            spelled = self.unknown_surface if token == self.unknown else self.spelled[token]
            if token != self.unknown and at_start and spelled.startswith(SPACE):
                spelled = spelled[len(SPACE) :]
                at_start = removes and not spelled  # a second space in front is removed too
            elif spelled:
                at_start = False
            parts.append(spelled.replace(SPACE, " "))
        parts.append(decode_bytes(run))
        return "".join(parts)

    def piece_bytes(self, token: int) -> bytes:
        """Returns the bytes that one token stands for."""
        check_id(token, len(self.pieces))
        if token in self._byte_of:
            return bytes([self._byte_of[token]])
        if token == self.unknown:
            return self.unknown_surface.encode()
        if token in self._control_ids:
            return self.spelled[token].encode()
        return self.spelled[token].replace(SPACE, " ").encode()


def byte_spans(start: int, stop: int, number: int) -> list[tuple[int, int]]:
    """Returns the spans of a character's bytes in the original."""
    if stop - start == number:
        return [(place, place + 1) for place in range(start, stop)]
    return [(start, start)] * (number - 1) + [(start, stop)]


def decode_bytes(data: bytes | bytearray) -> str:
    """Decodes UTF-8, with U+FFFD for every single byte that belongs to no character."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        pass
    text: list[str] = []
    place = 0
    while place < len(data):
        for size in (1, 2, 3, 4):
            try:
                text.append(data[place : place + size].decode())
            except UnicodeDecodeError:
                continue
            place += size
            break
        else:
            text.append("\ufffd")
            place += 1
    return "".join(text)
