"""Byte-level BPE: a text to ids and back, with merges that were trained before.

A word starts as single bytes. Of all its neighbors that some merge can join, the merge that was
learned first is done first, the leftmost where it fits more than once, until none fits.

Source: Sennrich et al. 2016, section 3.2; Radford et al. 2019, section 2.2.
"""

import heapq
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.tokenization.byte_level import (
    ALPHABET,
    CHARACTER_OF_BYTE,
    clean_text,
    split_words,
    to_bytes,
)
from core.tokenization.specials import SpecialTokens
from core.tokenization.tokenizer import Encoding, check_id, number_pieces

CACHED_WORDS = 200_000  # words remembered with their ids, about 40 MB
CACHED_LENGTH = 64  # longer words are rarely met twice


class ByteLevelBPE:
    """A tokenizer that knows every text: vocabulary, merges, special tokens.

    vocabulary      pieces by id, spelled with byte characters; all 256 of these are among them
    merges          pairs of pieces in the order they were learned
    special_tokens  tokens and their ids; each is also in the vocabulary

    Raises ValueError for a vocabulary without one of the bytes, with a piece twice, or a merge
    whose parts or result are missing.
    """

    kind = "bpe"

    def __init__(
        self,
        vocabulary: Sequence[str],
        merges: Sequence[tuple[str, str]],
        special_tokens: Mapping[str, int] | None = None,
    ) -> None:
        self._vocabulary = list(vocabulary)
        self._merges = list(merges)
        self._specials = SpecialTokens(special_tokens or {})
        self._id_of = number_pieces(self._vocabulary, self._specials.ids)
        check_bytes(self._id_of)
        self._ranks = rank_merges(self._merges, self._id_of)
        self._bytes = [
            piece.encode() if piece in self._specials.ids else to_bytes(piece)
            for piece in self._vocabulary
        ]
        self._byte_ids = [self._id_of[character] for character in CHARACTER_OF_BYTE]
        self._cache: dict[str, list[int]] = {}

    @property
    def vocabulary(self) -> list[str]:
        return self._vocabulary

    @property
    def vocab_size(self) -> int:
        return len(self._vocabulary)

    @property
    def unknown_id(self) -> None:
        """Bytes spell every text."""
        return None

    @property
    def merges(self) -> list[tuple[str, str]]:
        return self._merges

    @property
    def special_tokens(self) -> dict[str, int]:
        return self._specials.ids

    def encode(self, text: str, *, specials: bool = True) -> Encoding:
        """The tokens of a text with their places in its bytes.

        A lone surrogate counts as U+FFFD. With specials=False a special token that is written out
        in the text is ordinary text.
        """
        text = clean_text(text)
        ids = self.encode_ids(text, specials=specials)
        spans: list[tuple[int, int]] = []
        end = 0
        for token in ids:
            start, end = end, end + len(self._bytes[token])
            spans.append((start, end))
        return Encoding(text, ids, [self._vocabulary[token] for token in ids], spans)

    def encode_ids(self, text: str, *, specials: bool = True) -> list[int]:
        """encode(text).ids without the rest; a word that was met before costs one look-up."""
        text = clean_text(text)
        if not specials:
            return self._encode_ordinary(text)
        return self._specials.encode(text, self._encode_ordinary)

    def _encode_ordinary(self, text: str) -> list[int]:
        cache = self._cache
        ids: list[int] = []
        for word in split_words(text):
            known = cache.get(word)
            if known is None:
                known = self.encode_word(word)
                if len(word) <= CACHED_LENGTH:
                    if len(cache) >= CACHED_WORDS:
                        cache.clear()
                    cache[word] = known
            ids += known
        return ids

    def encode_word(self, word: str) -> list[int]:
        """The ids of one word: its bytes, merged until nothing fits any more."""
        ids = [self._byte_ids[byte] for byte in word.encode()]
        return merge_all(ids, self._ranks)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of these ids, special tokens included.

        Tokens may end in the middle of a character: bytes that are not UTF-8 become U+FFFD.
        Raises ValueError for an id outside the vocabulary.
        """
        return b"".join([self.piece_bytes(token) for token in ids]).decode("utf-8", "replace")

    def piece_bytes(self, token: int) -> bytes:
        check_id(token, len(self._bytes))
        return self._bytes[token]

    def save(self, path: str | Path) -> None:
        """Writes tokenizer.json, which the Hugging Face tokenizers library opens too."""
        from core.tokenization.tokenizer_json import write_byte_level_bpe

        write_byte_level_bpe(path, self)


def merge_all(ids: list[int], ranks: Mapping[tuple[int, int], tuple[int, int]]) -> list[int]:
    """Merges a word until no merge fits; `ranks` maps a pair of ids to (rank, id of the result).

    The neighbors wait in a heap, so that a word of n symbols takes n log n steps: a word of
    100,000 letters is no trap.
    """
    size = len(ids)
    symbols: list[int] = list(ids)
    following = list(range(1, size + 1))
    previous = list(range(-1, size - 1))
    heap: list[tuple[int, int, int, int, int]] = []
    for place in range(size - 1):
        pair = (symbols[place], symbols[place + 1])
        if pair in ranks:
            rank, joined = ranks[pair]
            heap.append((rank, place, *pair, joined))
    heapq.heapify(heap)
    while heap:
        candidate = heapq.heappop(heap)  # step: choose
        _, place, left, right, joined = candidate
        after = following[place]
        if symbols[place] != left or after >= size or symbols[after] != right:
            continue  # a merge next to it came first
        symbols[place] = joined  # step: merge
        symbols[after] = -1
        following[place] = following[after]
        if following[place] < size:
            previous[following[place]] = place
        for start in (previous[place], place):
            stop = following[start] if start >= 0 else size
            if start < 0 or stop >= size:
                continue
            pair = (symbols[start], symbols[stop])
            if pair in ranks:
                heapq.heappush(heap, (ranks[pair][0], start, *pair, ranks[pair][1]))
    return [symbol for symbol in symbols if symbol >= 0]


def rank_merges(
    merges: Sequence[tuple[str, str]], id_of: Mapping[str, int]
) -> dict[tuple[int, int], tuple[int, int]]:
    """Pairs of ids to (rank, id of the result). Raises ValueError for a piece that is missing."""
    ranks = {}
    for rank, (left, right) in enumerate(merges):
        for piece in (left, right, left + right):
            if piece not in id_of:
                raise ValueError(
                    f"merge {rank} ({left!r} + {right!r}) needs the piece {piece!r}, which is not "
                    "in the vocabulary: the file is incomplete, get it again"
                )
        ranks[id_of[left], id_of[right]] = (rank, id_of[left + right])
    return ranks


def check_bytes(id_of: Mapping[str, int]) -> None:
    """Raises ValueError when one of the 256 bytes has no id: some text could not be encoded."""
    missing = [character for character in ALPHABET if character not in id_of]
    if missing:
        raise ValueError(
            f"{len(missing)} of the 256 bytes are not in the vocabulary (the first is "
            f"{missing[0]!r}): this is not a complete byte-level vocabulary"
        )
