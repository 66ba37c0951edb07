"""The spelling of pieces in a tokenizer.json, and the bytes that a piece stands for.

byte-level    "Ġthe"   each character is a byte           b" the"
metaspace     "▁the"   "▁" is a space                     b" the"
wordpiece     "##ing"  "##" continues a word              b"ing"
byte pieces   "<0xE2>" one byte, with any of the above    b"\\xe2"
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.tokenization.byte_level import BYTE_OF_CHARACTER
from core.tokenization.sentencepiece.normalizer import SPACE
from core.tokenization.wordpiece.tokenizer import PREFIX

BYTE_PIECE = re.compile(r"<0x([0-9A-Fa-f]{2})>")


@dataclass(frozen=True, slots=True)
class Spelling:
    """The conventions that must be undone to get from a piece to its bytes.

    byte_level    characters stand for bytes
    space         the character that stands for a space, or ""
    prefix        the prefix of a piece that continues a word ("##"), or ""
    suffix        the suffix of a piece that ends a word ("</w>"), or ""
    byte_pieces   "<0xE2>" is one byte
    """

    byte_level: bool = False
    space: str = ""
    prefix: str = ""
    suffix: str = ""
    byte_pieces: bool = False

    def to_bytes(self, piece: str) -> bytes:
        """Returns the bytes that a piece stands for."""
        if self.byte_pieces and (match := BYTE_PIECE.fullmatch(piece)):
            return bytes([int(match[1], 16)])
        if self.prefix:
            piece = piece.removeprefix(self.prefix)
        if self.suffix:
            piece = piece.removesuffix(self.suffix)
        if self.byte_level:
            return b"".join(_byte(character) for character in piece)
        if self.space:
            piece = piece.replace(self.space, " ")
        return piece.encode("utf-8", "replace")


def _byte(character: str) -> bytes:
    byte = BYTE_OF_CHARACTER.get(character)
    return character.encode("utf-8", "replace") if byte is None else bytes([byte])


# The spellings of our own kinds; other files state theirs.
_BYTE_LEVEL = Spelling(byte_level=True)
_WORDPIECE = Spelling(prefix=PREFIX)
_META = Spelling(space=SPACE, byte_pieces=True)


def bytes_of(kind: str, piece: str) -> bytes:
    """Returns the bytes that a piece of a tokenizer of this kind stands for.

    kind  "bpe" (unless the piece contains "▁", which stands for no byte), "wordpiece" or
          "wordpiece-likelihood"; any other is spelled as in SentencePiece
    """
    if kind == "bpe" and SPACE not in piece:
        return _BYTE_LEVEL.to_bytes(piece)
    return (_WORDPIECE if kind.startswith("wordpiece") else _META).to_bytes(piece)


def spelling_of(document: Mapping[str, Any]) -> Spelling:
    """Returns the spelling that the stages and the model of a tokenizer.json define."""
    model = document.get("model")
    model = model if isinstance(model, dict) else {}
    named = [document.get(key) for key in ("normalizer", "pre_tokenizer", "decoder")]
    stages = list(stages_in(named))
    kinds = {_text(stage.get("type")) for stage in stages}
    space = ""
    for stage in stages:
        if stage.get("type") == "Metaspace":
            space = _text(stage.get("replacement")) or SPACE
        elif stage.get("type") == "Replace" and _text(stage.get("content")) == SPACE:
            space = SPACE
    return Spelling(
        byte_level="ByteLevel" in kinds,
        space=space,
        prefix=_text(model.get("continuing_subword_prefix")),
        suffix=_text(model.get("end_of_word_suffix")),
        byte_pieces=bool(model.get("byte_fallback")) or "ByteFallback" in kinds,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def stages_in(part: Any) -> Iterator[dict[str, Any]]:
    """Yields every object that describes a stage, including those inside sequences."""
    if isinstance(part, list):
        for child in part:
            yield from stages_in(child)
    elif isinstance(part, dict):
        yield part
        for key in ("normalizers", "pretokenizers", "processors", "decoders"):
            yield from stages_in(part.get(key))
