"""Byte-level BPE: text to ids and back, with merges learned in training.

A word starts as single bytes. Of all its pairs of neighbors that some merge can join, the one
learned first is merged first, at its leftmost position, until no merge applies.

Source: Sennrich et al. 2016, section 3.2; Radford et al. 2019, section 2.2.
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np

from core.files import quoted
from core.tokenization.bpe.composing import NORMALIZERS, byte_sources, compose
from core.tokenization.bpe.dropout import merge_with_dropout
from core.tokenization.bpe.merging import Ranks, merge_all
from core.tokenization.bpe.patterns import word_pattern
from core.tokenization.byte_level import (
    ALPHABET,
    CHARACTER_OF_BYTE,
    clean_text,
    to_bytes,
    to_characters,
)
from core.tokenization.specials import SpecialTokens
from core.tokenization.tokenizer import Encoding, Stage, check_id, number_pieces
from core.tokenization.word_cache import WordCache


class ByteLevelBPE:
    """A tokenizer that can encode every text: vocabulary, merges, special tokens.

    vocabulary      pieces by id, spelled with byte characters, all 256 of which are included
    merges          pairs of pieces in the order they were learned
    special_tokens  tokens and their ids; each is also in the vocabulary
    pattern         how words are cut, by the names of core.tokenization.bpe.patterns
    ignore_merges   a word that is itself a piece becomes one token, whatever the merges would make
                    of it (Llama 3)
    unused          ids without meaning: their pieces are names that no text contains
    normalizer      "nfc" first converts every letter to one spelling (Qwen); None: no change

    Raises ValueError for an unknown pattern or normalizer, a vocabulary without one of the bytes or
    with a duplicate piece, or a merge whose parts or result are missing.
    """

    kind = "bpe"

    def __init__(
        self,
        vocabulary: Sequence[str],
        merges: Sequence[tuple[str, str]],
        special_tokens: Mapping[str, int] | None = None,
        *,
        pattern: str = "gpt2",
        ignore_merges: bool = False,
        unused: Collection[int] = (),
        normalizer: str | None = None,
    ) -> None:
        if normalizer is not None and normalizer not in NORMALIZERS:
            raise ValueError(f"no normalizer is called {normalizer!r}: choose nfc, or none")
        self.normalizer = normalizer
        self._vocabulary = list(vocabulary)
        self._merges = list(merges)
        self._specials = SpecialTokens(special_tokens or {})
        self._words = word_pattern(pattern)
        self.ignore_merges = ignore_merges
        self._id_of = number_pieces(self._vocabulary, self._specials.ids)
        check_bytes(self._id_of)
        self._ranks: Ranks = rank_merges(self._merges, self._id_of)
        nothing = frozenset(unused)
        self._bytes = [
            piece.encode()
            if piece in self._specials.ids
            else b""
            if token in nothing
            else to_bytes(piece)
            for token, piece in enumerate(self._vocabulary)
        ]
        self._byte_ids = [self._id_of[character] for character in CHARACTER_OF_BYTE]
        self._met = WordCache()
        self._made_of: dict[int, tuple[int, int]] | None = None

    @property
    def vocabulary(self) -> list[str]:
        return self._vocabulary

    @property
    def vocab_size(self) -> int:
        return len(self._vocabulary)

    @property
    def unknown_id(self) -> None:
        """None: bytes spell every text."""
        return None

    @property
    def merges(self) -> list[tuple[str, str]]:
        """The two pieces of each merge, by rank."""
        return self._merges

    def parents(self, token: int) -> tuple[int, int] | None:
        """Returns the two pieces merged into this one; None for a byte or a special token."""
        check_id(token, len(self._vocabulary))
        if self._made_of is None:
            self._made_of = {}
            for left, right in reversed(self._merges):  # of several, the first wins
                made = self._id_of[left + right]
                self._made_of[made] = (self._id_of[left], self._id_of[right])
        return self._made_of.get(token)

    @property
    def pattern(self) -> str:
        """The name of the pattern that cuts words."""
        return self._words.name

    @property
    def special_tokens(self) -> dict[str, int]:
        return self._specials.ids

    def encode(self, text: str, *, specials: bool = True) -> Encoding:
        """Returns the tokens of a text with their spans in its bytes.

        A lone surrogate counts as U+FFFD. With specials=False, a special token written out in the
        text is ordinary text.
        """
        text = clean_text(text)
        return self._encoding(text, self.encode_ids(text, specials=specials), specials)

    def normalize(self, text: str, *, specials: bool = True) -> str:
        """Returns the text before it is split into words: without lone surrogates, and with letters
        composed if the tokenizer requires it.

        Special tokens stay unchanged.
        """
        parts = [
            part if special is not None else self._compose(part)
            for part, special in self._specials.split(clean_text(text), specials)
        ]
        normalized = "".join(parts)  # step: normalize
        return normalized

    def _compose(self, text: str) -> str:
        return text if self.normalizer is None else compose(text)

    def _encoding(self, text: str, ids: list[int], specials: bool) -> Encoding:
        spans = self._spans([len(self._bytes[token]) for token in ids], text, specials)
        pieces = [self._vocabulary[token] for token in ids]  # step: pieces

        def explain() -> tuple[Stage, ...]:
            words = self.words(text, specials=specials)
            cuts = self._spans([len(data) for _, data in words], text, specials)
            spelled = [part for part, _ in words]
            normalized = self.normalize(text, specials=specials)
            return (
                Stage("normalizer", [normalized], [(0, len(text.encode()))]),
                Stage("pre-tokenizer", spelled, cuts),
                Stage("model", pieces, spans),
                Stage("post-processor", pieces, spans),
            )

        return Encoding(text, ids, pieces, spans, explain)

    def _spans(self, sizes: Sequence[int], text: str, specials: bool) -> list[tuple[int, int]]:
        """Returns the spans in the text of consecutive parts of the normalized text, by sizes."""
        ends = list(accumulate(sizes, initial=0))
        if self.normalizer is not None and self.normalize(text, specials=specials) != text:
            sources: list[int] = []
            for part, special, (start, end) in self._specials.places(text, specials):
                own = range(end - start) if special is not None else byte_sources(part)
                sources += [start + place for place in own]
            sources.append(len(text.encode()))
            ends = [sources[end] for end in ends]
        return list(pairwise(ends))

    def words(self, text: str, *, specials: bool = True) -> list[tuple[str, bytes]]:
        """Returns the words of the text, each spelled with byte characters, and its bytes.

        A special token is a word of its own, with its own spelling.
        """
        words: list[tuple[str, bytes]] = []
        for part, special in self._specials.split(text, specials):
            if special is not None:
                words.append((part, part.encode()))
            else:
                cut = self._words.split(self._compose(part))  # step: cut
                words += [(to_characters(word.encode()), word.encode()) for word in cut]
        return words

    def encode_ids(self, text: str, *, specials: bool = True) -> list[int]:
        """Returns only the ids of `encode`; a word that occurred before takes one look-up."""
        return self._specials.encode(clean_text(text), self._encode_ordinary, specials)

    def _encode_ordinary(self, text: str) -> list[int]:
        return self._met.encode(self._words.split(self._compose(text)), self.encode_word)

    def encode_word(self, word: str) -> list[int]:
        """Returns the ids of one word: its bytes, merged until no pair can be merged."""
        data = word.encode()
        if self.ignore_merges:
            whole = self._id_of.get(to_characters(data), -1)  # step: whole
            if whole >= 0:
                return [whole]
        letters = self.byte_ids(data)  # step: bytes
        ids = merge_all(letters, self._ranks)  # step: word
        return ids

    def byte_ids(self, data: bytes) -> list[int]:
        """Returns the ids of single bytes, the start of every word."""
        return [self._byte_ids[byte] for byte in data]

    @property
    def ranks_of_pairs(self) -> Ranks:
        """The rank and the result of joining two ids."""
        return self._ranks

    def sample(
        self, text: str, dropout: float, generator: np.random.Generator, *, specials: bool = True
    ) -> Encoding:
        """Returns one of many ways to split the text: BPE-dropout skips merges at random.

        dropout is the probability that a merge is skipped, from 0 (as encode) to 1 (bytes).
        Raises ValueError for other values.
        """

        def encode_ordinary(part: str) -> list[int]:
            ids: list[int] = []
            for word in self._words.split(self._compose(part)):
                letters = self.byte_ids(word.encode())
                ids += merge_with_dropout(letters, self._ranks, dropout, generator)
            return ids

        text = clean_text(text)
        ids = self._specials.encode(text, encode_ordinary, specials)
        return self._encoding(text, ids, specials)

    def decode(self, ids: Sequence[int]) -> str:
        """Returns the text of these ids, special tokens included.

        Tokens may end in the middle of a character: bytes that are not UTF-8 become U+FFFD.
        Raises ValueError for an id outside the vocabulary.
        """
        return b"".join([self.piece_bytes(token) for token in ids]).decode("utf-8", "replace")

    def piece_bytes(self, token: int) -> bytes:
        check_id(token, len(self._bytes))
        return self._bytes[token]

    def save(self, path: str | Path) -> None:
        """Writes tokenizer.json, which the Hugging Face tokenizers library can also open."""
        from core.tokenization.formats.tokenizer_json import byte_level_document, write_document

        document = byte_level_document(
            {piece: token for piece, token in self._id_of.items() if self.piece_bytes(token)},
            self.merges,
            self.special_tokens,
            self.pattern,
            ignore_merges=self.ignore_merges,
            normalizer=self.normalizer,
        )
        write_document(path, document)


def rank_merges(
    merges: Sequence[tuple[str, str]], id_of: Mapping[str, int]
) -> dict[tuple[int, int], tuple[int, int]]:
    """Maps pairs of ids to (rank, id of the result). Raises ValueError if a piece is missing."""
    ranks = {}
    for rank, (left, right) in enumerate(merges):
        for piece in (left, right, left + right):
            if piece not in id_of:
                raise ValueError(
                    f"merge {rank} ({quoted(left)} + {quoted(right)}) needs the piece "
                    f"{quoted(piece)}, which is not in the vocabulary: the file is incomplete, "
                    "get it again"
                )
        ranks[id_of[left], id_of[right]] = (rank, id_of[left + right])
    return ranks


def check_bytes(id_of: Mapping[str, int]) -> None:
    """Raises ValueError if one of the 256 bytes has no id, so some text could not be encoded."""
    missing = [character for character in ALPHABET if character not in id_of]
    if missing:
        raise ValueError(
            f"{len(missing)} of the 256 bytes are not in the vocabulary (the first is "
            f"{missing[0]!r}): this is not a complete byte-level vocabulary; choose another file"
        )
