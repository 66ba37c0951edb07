"""Measures how a tokenizer treats one text: the number of tokens, and the losses.

A low count is no merit if it comes from unknown tokens: a vocabulary without Ethiopic letters
encodes a page of Amharic with one "[UNK]" per word, and one that drops characters it cannot spell
encodes it with no token at all. So the losses are measured along with the cost.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import regex

from core.tokenization.analysis.rates import bytes_per_token, tokens_per_word
from core.tokenization.tokenizer import Encoding, Tokenizer

# Scripts written without spaces, whose words cannot be counted.
_UNSPACED = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}]"
)
_LETTER = regex.compile(r"[\p{L}\p{N}]")
# Characters that a normalizer may remove without losing a letter.
_NO_LETTER = regex.compile(r"[\s\p{M}\p{C}]+")
# Letters with their marks and joiners, joined by hyphens and apostrophes; "፡" separates words too.
_RUN = r"[\p{L}\p{N}][\p{L}\p{N}\p{M}\u200c\u200d]*+"
_WORD = regex.compile(rf"{_RUN}(?:['’\-]{_RUN})*+")


@dataclass(frozen=True, slots=True)
class Measures:
    """One text under one tokenizer, not counting special tokens.

    words          runs of letters and digits; None for a text in a script without spaces
    unknown        number of unknown tokens
    unknown_bytes  bytes of the text that these stand for, which are lost
    dropped_bytes  bytes without a token, except white space and accents; lost as well
    lossless       decode(encode(text)) equals the text, measured on this text
    """

    tokens: int
    characters: int
    bytes: int
    words: int | None
    unknown: int
    unknown_bytes: int
    dropped_bytes: int
    lossless: bool

    @property
    def fertility(self) -> float | None:
        """Tokens per word."""
        return tokens_per_word(self.tokens, self.words)

    @property
    def bytes_per_token(self) -> float:
        """Bytes of text per token."""
        return bytes_per_token(self.bytes, self.tokens)

    @property
    def lost_share(self) -> float:
        """The share of the text's bytes that is unknown or dropped, white space not counted."""
        return (self.unknown_bytes + self.dropped_bytes) / self.bytes if self.bytes else 0.0


def measure(tokenizer: Tokenizer, text: str, encoding: Encoding | None = None) -> Measures:
    """Measures how a tokenizer splits a text, and how much of it is lost.

    `encoding`, if given, saves encoding the text again. It must be made without special tokens:
    tokenizer.encode(text, specials=False).
    """
    if encoding is None:
        encoding = tokenizer.encode(text, specials=False)
    characters = len(encoding.text)  # step: characters
    data = encoding.text.encode()
    size = len(data)  # step: bytes
    tokens = len(encoding.ids)  # step: tokens
    unknown = [
        data[start:stop]
        for token, (start, stop) in zip(encoding.ids, encoding.spans, strict=True)
        if token == tokenizer.unknown_id
    ]
    lost_bytes = b"".join([part.strip() for part in unknown])
    lost = len(lost_bytes)  # step: lost
    gaps = [data[start:stop] for start, stop in _between(encoding.spans, size)]
    dropped_bytes = b"".join([_letters(gap) for gap in gaps])
    dropped = len(dropped_bytes)  # step: dropped
    decoded = tokenizer.decode(encoding.ids)
    lossless = decoded == encoding.text  # step: lossless
    return Measures(
        tokens=tokens,
        characters=characters,
        bytes=size,
        words=count_words(encoding.text),
        unknown=len(unknown),
        unknown_bytes=lost,
        dropped_bytes=dropped,
        lossless=lossless,
    )


def lost_bytes(tokenizer: Tokenizer, encoding: Encoding) -> int:
    """Returns the number of a text's bytes, except white space, that its ids do not restore: those
    of characters that are unknown, dropped or changed, such as a capital made lower case.

    The encoding must be one without special tokens.
    """
    data = encoding.text.encode()
    lost = sum(len(_letters(data[a:b])) for a, b in _between(encoding.spans, len(data)))
    for token, (start, stop) in zip(encoding.ids, encoding.spans, strict=True):
        written = data[start:stop].strip()
        given = b"" if token == tokenizer.unknown_id else tokenizer.piece_bytes(token).strip()
        if given != written:
            lost += len(written) - _bytes_in_common(written, given)
    return lost


def _bytes_in_common(written: bytes, given: bytes) -> int:
    """Returns the number of bytes of the characters that both have, in this order."""
    first, second = (data.decode("utf-8", "ignore") for data in (written, given))
    blocks = SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
    return sum(len(first[block.a : block.a + block.size].encode()) for block in blocks)


def _between(spans: Sequence[tuple[int, int]], size: int) -> Iterator[tuple[int, int]]:
    """Yields the gaps in a text of `size` bytes that none of the ordered spans covers."""
    end = 0
    for start, stop in spans:
        if start > end:
            yield end, start
        end = max(end, stop)
    if end < size:
        yield end, size


def _letters(data: bytes) -> bytes:
    """Returns the bytes without white space and accents."""
    return _NO_LETTER.sub("", data.decode("utf-8", "ignore")).encode()


def count_words(text: str) -> int | None:
    """Counts words; returns None if most letters are of scripts written without spaces."""
    if 2 * len(_UNSPACED.findall(text)) > len(_LETTER.findall(text)):
        return None
    return len(_WORD.findall(text))
