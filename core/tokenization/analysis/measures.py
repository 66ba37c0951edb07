"""How a tokenizer treats one text: how many tokens, and what is lost on the way.

A low count is no merit where it comes from unknown tokens: a vocabulary without Ethiopic letters
writes a page of Amharic with one "[UNK]" a word, and one that drops what it cannot spell writes it
with no token at all. So what is lost is measured beside what it costs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import regex

from core.tokenization.analysis.rates import bytes_per_token, tokens_per_word
from core.tokenization.tokenizer import Encoding, Tokenizer

# Scripts that are written without spaces: there is nothing to count words by.
_UNSPACED = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}]"
)
_LETTER = regex.compile(r"[\p{L}\p{N}]")
# What a normalizer may take from a letter, or between letters: the letters are still there.
_NO_LETTER = regex.compile(r"[\s\p{M}\p{C}]+")
# Letters with their marks and joiners, and what hyphens and apostrophes join; "፡" parts words too.
_RUN = r"[\p{L}\p{N}][\p{L}\p{N}\p{M}\u200c\u200d]*+"
_WORD = regex.compile(rf"{_RUN}(?:['’\-]{_RUN})*+")


@dataclass(frozen=True, slots=True)
class Measures:
    """One text under one tokenizer, special tokens not counted.

    words          runs of letters and digits; None for a text in a script that sets no spaces
    unknown        how many tokens are the unknown token
    unknown_bytes  bytes of the text that they stand for: these are lost
    dropped_bytes  bytes of what no token stands for, white space and accents aside: lost as well
    lossless       decode(encode(text)) is the text again, measured on this text
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
        """The share of the text's bytes, white space aside, that is unknown or dropped."""
        return (self.unknown_bytes + self.dropped_bytes) / self.bytes if self.bytes else 0.0


def measure(tokenizer: Tokenizer, text: str, encoding: Encoding | None = None) -> Measures:
    """Measures how a tokenizer splits a text, and what it loses of it.

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
    """Bytes of a text, white space aside, that its ids do not give back: of the characters that are
    unknown or dropped, or came back as others, as a capital that was made small.

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
    """Of the characters that stand in both, in this order."""
    first, second = (data.decode("utf-8", "ignore") for data in (written, given))
    blocks = SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
    return sum(len(first[block.a : block.a + block.size].encode()) for block in blocks)


def _between(spans: Sequence[tuple[int, int]], size: int) -> Iterator[tuple[int, int]]:
    """The places of a text of `size` bytes that none of the spans, which are in order, covers."""
    end = 0
    for start, stop in spans:
        if start > end:
            yield end, start
        end = max(end, stop)
    if end < size:
        yield end, size


def _letters(data: bytes) -> bytes:
    """The bytes without white space and accents."""
    return _NO_LETTER.sub("", data.decode("utf-8", "ignore")).encode()


def count_words(text: str) -> int | None:
    """Words, by their letters; None where most letters are of scripts that set no spaces."""
    if 2 * len(_UNSPACED.findall(text)) > len(_LETTER.findall(text)):
        return None
    return len(_WORD.findall(text))
