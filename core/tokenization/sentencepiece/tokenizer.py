"""SentencePiece's byte-pair encoding: a text to ids and back, with pieces that have scores.

A normalized text starts as single characters. Of all neighbors that together spell a piece, those
whose piece has the highest score are merged, the leftmost of several, until no two neighbors spell
a piece. There is no list of merges: any two neighbors that spell a piece may become it.

Source: Kudo and Richardson 2018, section 3.1; BPE-dropout: Provilkov et al. 2020.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import regex

from core.tokenization.bpe.dropout import check_dropout
from core.tokenization.bpe.merging import merge_all
from core.tokenization.byte_level import clean_text
from core.tokenization.sentencepiece.base import Found, SentencePieceTokenizer
from core.tokenization.sentencepiece.normalizer import SPACE, SentencePieceNormalizer, one_of
from core.tokenization.sentencepiece.pieces import Piece
from core.tokenization.sentencepiece.score_merging import (
    Choice,
    Symbols,
    find_joins,
    merge_by_score,
    merge_with_ties,
    split_unused,
    tied_pieces,
)
from core.tokenization.sentencepiece.vocabulary import UNKNOWN_SURFACE
from core.tokenization.tokenizer import Encoding
from core.tokenization.word_cache import WordCache


class SentencePieceBPE(SentencePieceTokenizer):
    """Merges a text's characters by the scores of the pieces that they spell.

    Arguments and errors are those of SentencePieceTokenizer.
    """

    kind = "sentencepiece-bpe"
    model_type = "bpe"
    cuts_words = True

    def __init__(
        self,
        pieces: Sequence[Piece],
        normalizer: SentencePieceNormalizer | None = None,
        *,
        byte_fallback: bool = False,
        unknown_surface: str = UNKNOWN_SURFACE,
    ) -> None:
        super().__init__(
            pieces, normalizer, byte_fallback=byte_fallback, unknown_surface=unknown_surface
        )
        self.symbols = Symbols(self.pieces)
        self.joins = find_joins(self.pieces, self.symbols)
        self._frozen = one_of(self.pieces.user_defined)
        self._unused = frozenset(self.pieces.unused.values())
        self.ties = one_of(self.vocabulary[token] for token in tied_pieces(self.joins))
        # How an unused piece is split depends on other occurrences of it in the text.
        self.by_words = not self._unused
        self._word = word_pattern(self.pieces.ids)
        # Unknown neighbors are one token, so a word's tokens may depend on the word before it.
        cuts_are_clean = byte_fallback or SPACE in self.pieces.ids
        self._remembers = self.by_words and cuts_are_clean and not self.pieces.user_defined
        self._met = WordCache()

    def sample(
        self, text: str, dropout: float, generator: np.random.Generator, *, specials: bool = True
    ) -> Encoding:
        """Encodes the text in a random way: each merge is skipped with this probability.

        dropout is from 0 (as encode) to 1 (characters). Raises ValueError for one outside of that.
        """
        check_dropout(dropout)

        def find_word(word: str) -> Found:
            return self.sample_word(word, dropout, generator)

        def find(normalized: str) -> Found:
            return self._find(normalized, find_word)

        return self._encoding(clean_text(text), specials, find)

    def _encode_ordinary(self, text: str) -> list[int]:
        normalized = self.normalizer.normalize(text)
        if not self._remembers:
            return self.pieces.finish_ids(self._find(normalized))
        return self._met.encode(self._word.findall(normalized), self._word_ids)

    def _word_ids(self, word: str) -> list[int]:
        return self.pieces.finish_ids(self.encode_word(word))

    @property
    def word_pattern(self) -> str:
        """The regular expression for the words: no piece reaches from one into the next."""
        return self._word.pattern

    def document(self) -> dict[str, Any]:
        from core.tokenization.formats.sentencepiece.documents import bpe_document

        return bpe_document(self.pieces, self.normalizer, self.joins, self.word_pattern)

    def forget(self) -> None:
        """Empties the cache of encoded words."""
        self._met.forget()

    def words(self, normalized: str) -> list[str]:
        """Cuts a normalized text into words that no piece crosses."""
        return self._word.findall(normalized) if self.by_words else [normalized]

    def _cut(self, normalized: str) -> list[str]:
        words: list[str] = []
        for part, frozen in split_at(self._frozen, normalized):
            words += [part] if frozen else self.words(part)
        return words

    def encode_word(self, word: str) -> Found:
        """Merges a word's characters until no pair can be merged; returns the strings and ids."""
        numbers = [self.symbols[letter] for letter in word]  # step: letters
        merge = merge_with_ties if self.ties.search(word) else merge_all
        merged = merge(numbers, self.joins)  # step: merged
        return self._named(merged)

    def sample_word(
        self,
        word: str,
        dropout: float,
        generator: np.random.Generator,
        seen: list[Choice] | None = None,
    ) -> Found:
        """Does the same as encode_word, but skips merges at random; adds chosen ones to `seen`."""
        return self._find_at_once(word, dropout, generator, seen)

    def _find(self, normalized: str, find_word: Callable[[str], Found] | None = None) -> Found:
        """Returns the strings that a normalized text is cut into, with their ids."""
        if not self.by_words:
            return (find_word or self._find_at_once)(normalized)
        encode = find_word or self.encode_word
        found: Found = []
        for part, frozen in split_at(self._frozen, normalized):
            if frozen:
                found.append((part, self.pieces.ids[part]))  # step: whole
                continue
            words = self._word.findall(part)  # step: cut
            for word in words:
                found += encode(word)
        return found

    def _find_at_once(
        self,
        normalized: str,
        dropout: float = 0.0,
        generator: np.random.Generator | None = None,
        seen: list[Choice] | None = None,
    ) -> Found:
        """Merges the whole text at once; of pairs with equal scores, the leftmost first."""
        strings, frozen = self.letters(normalized)
        numbers = [self.symbols[string] for string in strings]  # step: letters
        merged = merge_by_score(numbers, frozen, self.joins, dropout, generator, seen)
        kept = split_unused(merged, self._unused)  # step: kept
        return self._named(kept)

    def letters(self, normalized: str) -> tuple[list[str], list[bool]]:
        """Returns the initial strings: characters, and the pieces that are never cut (True)."""
        strings: list[str] = []
        frozen: list[bool] = []
        for part, whole in split_at(self._frozen, normalized):
            strings += [part] if whole else list(part)
            frozen += [whole] * (len(strings) - len(frozen))
        return strings, frozen

    def _named(self, numbers: Iterable[int]) -> Found:
        size, spelled, unknown = len(self.pieces), self.symbols.spelled, self.pieces.unknown
        return [(spelled[number], number if number < size else unknown) for number in numbers]


def word_pattern(pieces: Iterable[str]) -> regex.Pattern[str]:
    """Returns a pattern that cuts before each "▁" or run of them, or nowhere if a piece crosses.

    If no piece starts with two "▁", each "▁" starts a word of its own.
    """
    inside = doubled = False
    for piece in pieces:
        inside = inside or SPACE in piece.lstrip(SPACE)
        doubled = doubled or piece.startswith(SPACE * 2)
    if inside:
        return regex.compile(r"(?s:.+)")
    if doubled:
        return regex.compile(f"{SPACE}*[^{SPACE}]+|{SPACE}+")
    return regex.compile(f"{SPACE}?[^{SPACE}]+|{SPACE}")


def split_at(pattern: re.Pattern[str], text: str) -> Iterator[tuple[str, bool]]:
    """Yields the parts of a text that match the pattern (True), and those between them (False)."""
    end = 0
    for match in pattern.finditer(text):
        if match.start() > end:
            yield text[end : match.start()], False
        yield match.group(), True
        end = match.end()
    if end < len(text):
        yield text[end:], False
