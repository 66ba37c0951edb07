"""SentencePiece's byte-pair encoding: a text to ids and back, with pieces that have scores.

A normalized text starts as single characters. Of all neighbors whose joined spelling is a piece,
those whose piece has the highest score are joined, the leftmost where it fits more than once, until
no two fit. There is no list of merges: any two neighbors that spell a piece may become it.

Source: Kudo and Richardson 2018, section 3.1; BPE-dropout: Provilkov et al. 2020.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import regex

from core.tokenization.bpe.merging import merge_all
from core.tokenization.byte_level import clean_text
from core.tokenization.sentencepiece.normalizer import (
    SPACE,
    Normalized,
    SentencePieceNormalizer,
    one_of,
)
from core.tokenization.sentencepiece.pieces import Piece
from core.tokenization.sentencepiece.score_merging import (
    Symbols,
    find_joins,
    merge_by_score,
    merge_with_ties,
    split_unused,
    tied_pieces,
)
from core.tokenization.sentencepiece.vocabulary import UNKNOWN_SURFACE, SentencePieceVocabulary
from core.tokenization.specials import SpecialTokens
from core.tokenization.tokenizer import Encoding, Stage

CACHED_WORDS = 200_000  # words remembered with their ids, about 40 MB
CACHED_LENGTH = 64  # longer words are rarely met twice

Parts = list[tuple[str, int]]  # strings of a normalized text, with their ids


class SentencePieceBPE:
    """A tokenizer of pieces with scores.

    pieces           by id
    normalizer       what happens to a text before; None: nmt_nfkc with all rules for spaces
    byte_fallback    a character without a piece is written with its bytes; else it is unknown
    unknown_surface  what an unknown token is decoded to

    Raises ValueError for a vocabulary without its unknown piece or bytes, or with a piece twice.
    """

    kind = "sentencepiece-bpe"

    def __init__(
        self,
        pieces: Sequence[Piece],
        normalizer: SentencePieceNormalizer | None = None,
        *,
        byte_fallback: bool = False,
        unknown_surface: str = UNKNOWN_SURFACE,
    ) -> None:
        self.pieces = SentencePieceVocabulary(pieces, byte_fallback, unknown_surface)
        self.normalizer = (normalizer or SentencePieceNormalizer()).protecting(
            list(self.pieces.user_defined)
        )
        self._specials = SpecialTokens(self.pieces.special_tokens)
        self.symbols = Symbols(self.pieces)
        self.joins = find_joins(self.pieces, self.symbols)
        self._frozen = one_of(self.pieces.user_defined)
        self._unused = frozenset(self.pieces.unused.values())
        self.ties = one_of(self.vocabulary[token] for token in tied_pieces(self.joins))
        # How an unused piece is cut again depends on where else in the text it could have stood.
        self.by_words = not self._unused
        self._word = word_pattern(self.pieces.ids)
        # Unknown neighbors are one token, so a word's tokens may depend on the word before it.
        cuts_are_clean = byte_fallback or SPACE in self.pieces.ids
        self._remembers = self.by_words and cuts_are_clean and not self.pieces.user_defined
        self._cache: dict[str, list[int]] = {}

    @property
    def vocabulary(self) -> list[str]:
        return self.pieces.spelled

    @property
    def vocab_size(self) -> int:
        return len(self.pieces)

    @property
    def unknown_id(self) -> int:
        """The unknown piece; with byte_fallback no text needs it."""
        return self.pieces.unknown

    @property
    def special_tokens(self) -> dict[str, int]:
        """The unknown piece and the control pieces."""
        return self.pieces.special_tokens

    def encode(self, text: str, *, specials: bool = True) -> Encoding:
        """The tokens of a text with their places in its bytes.

        A lone surrogate counts as U+FFFD. With specials=True a special token that is written out in
        the text is that token, and what stands between two of them is a text of its own; with
        specials=False it is ordinary text, as SentencePiece has it.
        """
        return self._encoding(clean_text(text), specials, self._find)

    def sample(
        self, text: str, dropout: float, generator: np.random.Generator, *, specials: bool = True
    ) -> Encoding:
        """One of the many ways to write the text: each merge is left out with this probability.

        dropout is from 0 (as encode) to 1 (characters). Raises ValueError for one outside of that.
        """
        if not 0 <= dropout <= 1:
            raise ValueError(
                f"dropout is a probability, not {dropout}: choose a number from 0 to 1"
            )

        def find(normalized: str) -> Parts:
            return self._find_at_once(normalized, dropout, generator)

        return self._encoding(clean_text(text), specials, find)

    def encode_ids(self, text: str, *, specials: bool = True) -> list[int]:
        """encode(text).ids without the rest; a word that was met before costs one look-up."""
        text = clean_text(text)
        if not specials:
            return self._encode_ordinary(text)
        return self._specials.encode(text, self._encode_ordinary)

    def _encode_ordinary(self, text: str) -> list[int]:
        normalized = self.normalizer.normalize(text)
        if not self._remembers:
            return self.pieces.finish_ids(self._find(normalized))
        cache = self._cache
        words = self._word.findall(normalized)
        long: dict[str, list[int]] = {}
        for word in set(words).difference(cache):
            ids = self.pieces.finish_ids(self.encode_word(word))
            (cache if len(word) <= CACHED_LENGTH else long)[word] = ids
        if len(cache) > CACHED_WORDS:
            self._cache = {}  # a new one: another thread may still read the old one
        return [token for word in words for token in cache.get(word) or long[word]]

    @property
    def word_pattern(self) -> str:
        """The pattern of the words that no piece crosses."""
        return self._word.pattern

    def forget(self) -> None:
        """Empties the memory of words that were met before."""
        self._cache = {}

    def words(self, normalized: str) -> list[str]:
        """A normalized text, cut where no piece reaches across."""
        return self._word.findall(normalized) if self.by_words else [normalized]

    def encode_word(self, word: str) -> Parts:
        """A word's characters, merged until nothing fits any more, with their ids."""
        numbers = [self.symbols[letter] for letter in word]  # step: letters
        merge = merge_with_ties if self.ties.search(word) else merge_all
        merged = merge(numbers, self.joins)  # step: merged
        return self._named(merged)

    def _find(self, normalized: str) -> Parts:
        """The strings that a normalized text is cut into."""
        if not self.by_words:
            return self._find_at_once(normalized)
        found: Parts = []
        for part, frozen in split_at(self._frozen, normalized):
            if frozen:
                found.append((part, self.pieces.ids[part]))  # step: whole
                continue
            words = self._word.findall(part)  # step: cut
            for word in words:
                found += self.encode_word(word)
        return found

    def _find_at_once(
        self,
        normalized: str,
        dropout: float = 0.0,
        generator: np.random.Generator | None = None,
    ) -> Parts:
        """_find without a short cut: all of the text, the leftmost of equals first."""
        numbers: list[int] = []
        frozen: list[bool] = []
        for part, whole in split_at(self._frozen, normalized):
            strings = [part] if whole else list(part)
            numbers += [self.symbols[string] for string in strings]
            frozen += [whole] * len(strings)
        merged = merge_by_score(numbers, frozen, self.joins, dropout, generator)
        return self._named(split_unused(merged, self._unused))

    def _named(self, numbers: Iterable[int]) -> Parts:
        size, spelled, unknown = len(self.pieces), self.symbols.spelled, self.pieces.unknown
        return [(spelled[number], number if number < size else unknown) for number in numbers]

    def _encoding(self, text: str, specials: bool, find: Callable[[str], Parts]) -> Encoding:
        ids: list[int] = []
        spans: list[tuple[int, int]] = []
        start = 0
        for part, special in self._specials.split(text) if specials else [(text, None)]:
            if special is None:
                normalized = self.normalizer.trace(part)
                found, places = self.pieces.finish(find(normalized.text), normalized)
                ids += found
                spans += [(start + first, start + last) for first, last in places]
            else:
                ids.append(special)
                spans.append((start, start + len(part.encode())))
            start += len(part.encode())
        spelled = self.vocabulary
        pieces = [spelled[token] for token in ids]  # step: pieces

        def explain() -> tuple[Stage, ...]:
            model = Stage("model", pieces, spans)
            post = Stage("post-processor", pieces, spans)
            return (*self._stages_before(text, specials), model, post)

        return Encoding(text, ids, pieces, spans, explain)

    def _stages_before(self, text: str, specials: bool) -> tuple[Stage, Stage]:
        """The normalized text, and the words that no piece crosses."""
        whole = Stage("normalizer", [], [])
        cut = Stage("pre-tokenizer", [], [])
        start = 0
        for part, special in self._specials.split(text) if specials else [(text, None)]:
            end = start + len(part.encode())
            if special is None:
                normalized = self.normalizer.trace(part)
                words, spans = self._placed_words(normalized, start)
                part = normalized.text
            else:
                words, spans = [part], [(start, end)]
            whole.parts.append(part)
            whole.spans.append((start, end))
            cut.parts.extend(words)
            cut.spans.extend(spans)
            start = end
        return whole, cut

    def _placed_words(
        self, normalized: Normalized, start: int
    ) -> tuple[list[str], list[tuple[int, int]]]:
        words: list[str] = []
        spans: list[tuple[int, int]] = []
        place = 0
        for part, frozen in split_at(self._frozen, normalized.text):
            for word in [part] if frozen else self.words(part):
                first, last = normalized.starts[place], normalized.starts[place + len(word)]
                words.append(word)
                spans.append((start + first, start + last))
                place += len(word)
        return words, spans

    def decode(self, ids: Sequence[int]) -> str:
        """The text of these ids; control pieces stand for none.

        What the normalizer changed stays changed. Bytes that are no character become U+FFFD.
        Raises ValueError for an id outside the vocabulary.
        """
        return self.pieces.decode(ids, self.normalizer)

    def piece_bytes(self, token: int) -> bytes:
        """The bytes of one token; "▁" is a space."""
        return self.pieces.piece_bytes(token)

    def save(self, path: str | Path) -> None:
        """Writes a SentencePiece model where the path ends in ".model", else tokenizer.json.

        Both open in the library they come from: sentencepiece, and Hugging Face's tokenizers.
        """
        from core.tokenization.formats.sentencepiece.files import save_bpe

        save_bpe(path, self)


def word_pattern(pieces: Iterable[str]) -> regex.Pattern[str]:
    """Cuts a normalized text before each "▁" or run of them, or not at all where a piece crosses.

    Where no piece holds two "▁" in a row, each begins a word of its own.
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
    """The parts of a text that the pattern finds (True), and those between them (False)."""
    end = 0
    for match in pattern.finditer(text):
        if match.start() > end:
            yield text[end : match.start()], False
        yield match.group(), True
        end = match.end()
    if end < len(text):
        yield text[end:], False
