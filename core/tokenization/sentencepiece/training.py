"""Trains SentencePiece's byte-pair encoding from scratch.

The idea is that of every BPE: count all pairs of neighbors, merge the most frequent, and repeat.
What differs is the start and the rules for pieces. It starts from the characters of the normalized
text, in which a space is the character "▁"; so the pieces are text, and joined together they are
the text again. And it merges only pairs that look like a piece of a word: at most 16 characters, of
one script, with "▁" nowhere but in front.

Of equally frequent pairs the shorter wins, then the one whose bytes come first. A piece that two
pairs spell is learned once: the second pair is discarded. When no two neighbors are left, pairs
that occurred in the text earlier fill the vocabulary, with a count of 0. These are the rules of
SentencePiece, whose pieces and scores this trainer reproduces: it always considers all pairs, as
SentencePiece does since 0.2.2.

SentencePiece 0.2.1 and older consider only a short list of the most frequent pairs, 1,000 or 5 % of
all, which they renew every 100 merges. If the list ends among pairs of equal counts, the order of a
hash table decides which of them are on it. So their pieces can differ as soon as a text has more
than 1,000 pairs, whatever the size of the vocabulary: from the first piece on whose count is no
larger than that of the last pair on the list.

Source: Kudo and Richardson 2018, "SentencePiece: A simple and language independent subword
tokenizer", section 3; Sennrich et al. 2016, section 3.2.
"""

import heapq
from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from core.tokenization.sentencepiece.normalizer import SentencePieceNormalizer
from core.tokenization.sentencepiece.pieces import Piece, meta_pieces
from core.tokenization.sentencepiece.text import (
    CHARACTER_COVERAGE,
    RARE,
    check_size,
    is_valid_piece,
    prepare,
)
from core.tokenization.steps import AlphabetStep, CountingStep, MergeStep, rivals_by_count
from core.tokenization.symbol_row import Pair, SymbolRow, row_of_words

ALGORITHM = "sentencepiece-bpe"

SentencePieceBPEStep = CountingStep | AlphabetStep | MergeStep


class Candidate(NamedTuple):
    """A pair in the heap; the smallest is the best.

    serial  decides between two pairs that spell one piece: the one that was added first wins
    places  positions of the pair when it was added
    """

    negative_count: int
    length: int
    piece: str
    serial: int
    pair: Pair
    places: list[int]

    @property
    def pair_count(self) -> int:
        """The number of times the pair occurred in the text when it was last counted."""
        return -self.negative_count


class Candidates:
    """All pairs that may be merged, the best first.

    The counts in the heap may be outdated, but are never too low: a pair that is popped with a
    higher count than it has now is pushed back with the current one.
    """

    def __init__(self, row: SymbolRow, pieces: Sequence[str]) -> None:
        self._row = row
        self._pieces = pieces
        self._known: set[str] = set()
        self._heap: list[Candidate] = []
        self._serial = 0
        self.add(row.where)

    def add(self, where: Mapping[Pair, list[int]]) -> None:
        """Adds the new pairs of the text that may become pieces."""
        for pair, places in where.items():
            piece = self._pieces[pair[0]] + self._pieces[pair[1]]
            if is_valid_piece(piece):
                self._serial += 1
                count = self._row.count[pair]
                heapq.heappush(
                    self._heap, Candidate(-count, len(piece), piece, self._serial, pair, places)
                )

    def pop(self) -> Candidate | None:
        """Pops the pair that is best in the current text; returns None if no pair is left."""
        heap, count, known = self._heap, self._row.count, self._known
        while heap:
            candidate = heap[0]
            now = count[candidate.pair]
            if candidate.piece in known:  # learned from another pair
                heapq.heappop(heap)
            elif candidate.negative_count != -now:
                heapq.heapreplace(heap, candidate._replace(negative_count=-now))
            else:
                return heapq.heappop(heap)
        return None

    def take(self) -> Candidate | None:
        """Does the same as pop, and discards all other pairs that spell this piece."""
        best = self.pop()
        if best is not None:
            self._known.add(best.piece)
        return best

    def best(self, number: int) -> list[Candidate]:
        """Returns the next best pairs without removing them."""
        found: list[Candidate] = []
        while len(found) < number and (candidate := self.pop()) is not None:
            found.append(candidate)
        for candidate in found:
            heapq.heappush(self._heap, candidate)
        return found


def sentencepiece_bpe_steps(
    texts: Iterable[str],
    vocab_size: int,
    special_tokens: Sequence[str] = (),
    *,
    normalizer: SentencePieceNormalizer | None = None,
    user_defined: Sequence[str] = (),
    byte_fallback: bool = False,
    character_coverage: float = CHARACTER_COVERAGE,
    rivals: int = 0,
) -> Generator[SentencePieceBPEStep, None, list[Piece]]:
    """Trains on the texts, one merge at a time; the generator returns the pieces by id.

    The ids of a step are those of the finished vocabulary: first "<unk>", "<s>", "</s>" and the
    other pieces that need no training, then the merges in their order, at the end the characters,
    the most frequent first.

    normalizer          None: nmt_nfkc with all rules for spaces
    user_defined        pieces that are never cut
    byte_fallback       256 more pieces, so that no character is unknown
    character_coverage  share of the text whose characters the vocabulary must spell
    rivals              number of next best pairs that each MergeStep lists

    Raises ValueError for a text without words, and for a vocab_size that cannot hold the characters
    or that the text cannot fill, stating the limit.
    """
    normalizer = normalizer or SentencePieceNormalizer()
    meta = meta_pieces(special_tokens, user_defined, byte_fallback)
    text = yield from prepare(texts, normalizer, meta, character_coverage)
    check_size(vocab_size, meta, text)
    characters = [character for character, _ in text.characters]
    first_character = vocab_size - len(characters)
    ids = {character: first_character + place for place, character in enumerate(characters)}
    ids[RARE] = vocab_size
    spelled = ([ids[character] for character in word] for word, _ in text.words)
    row = row_of_words(spelled, [times for _, times in text.words])
    times = np.zeros(vocab_size + 1, np.int64)
    times[: len(row.counts)] = row.counts
    of_meta = [0] * len(meta)
    counts = [*of_meta, *times[first_character:vocab_size].tolist()]  # step: alphabet
    yield AlphabetStep(
        [piece.text for piece in meta] + characters,
        counts,
        row.tokens,
        ALGORITHM,
    )

    # The pieces by id; training fills the middle. The last entry stands for rare characters.
    pieces = [piece.text for piece in meta] + [""] * (first_character - len(meta))
    pieces += [*characters, RARE]
    candidates = Candidates(row, pieces)
    for token in range(len(meta), first_character):
        best = candidates.take()
        if best is None:
            largest = token + len(characters)
            raise ValueError(
                f"vocab_size {vocab_size:,} is too large: the text holds no more pairs to join "
                f"after {largest:,} pieces; choose at most {largest:,}, or a longer text"
            )
        pair, count = best.pair, best.pair_count  # step: choose
        others = [(it.pair, it.pair_count) for it in candidates.best(rivals)]
        told = rivals_by_count(others, pieces)
        left, right = pair
        pieces[token] = best.piece
        candidates.add(row.merge(left, right, token, best.places))
        yield MergeStep(
            rank=token - len(meta),
            left=left,
            right=right,
            count=count,
            token=token,
            left_piece=pieces[left],
            right_piece=pieces[right],
            piece=best.piece,
            vocab_size=token + 1 + len(characters),
            score=count,
            tokens=row.tokens,
            tokens_before=row.tokens_before,
            rivals=told,
            algorithm=ALGORITHM,
        )
    trained = pieces[len(meta) : vocab_size]
    return meta + [Piece(piece, float(-rank)) for rank, piece in enumerate(trained)]
