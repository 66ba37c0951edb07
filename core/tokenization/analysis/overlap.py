"""The pieces that two vocabularies share, by their bytes.

Spellings differ ("Ġthe", "▁the", " the"), bytes do not. Special tokens and ids without a piece are
omitted. WordPiece spells the start of a word without a space, so its "the" differs from the " the"
of the others.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from core.jobs import to_the_end
from core.tokenization.telling import arrays
from core.tokenization.tokenizer import Tokenizer
from core.trace import Step

PAUSE = 20_000  # pieces between two yields


@dataclass(frozen=True, slots=True, eq=False)
class Overlap:
    """The ids of shared pieces, common (n, 2): in the first and in the second vocabulary, sorted by
    the first; and the sorted ids of the other pieces (m) of each.
    """

    common: np.ndarray
    only_first: np.ndarray
    only_second: np.ndarray

    @property
    def counts(self) -> tuple[int, int, int]:
        """The numbers of pieces in both vocabularies, only in the first, only in the second."""
        return len(self.common), len(self.only_first), len(self.only_second)

    def turned(self) -> "Overlap":
        """Returns the same overlap with the second vocabulary first."""
        order = np.argsort(self.common[:, 1], kind="stable")
        return Overlap(self.common[order, ::-1], self.only_second, self.only_first)

    @property
    def jaccard(self) -> float:
        """The share of all pieces, those of either vocabulary, that are in both, from 0 to 1."""
        return jaccard(len(self.common), len(self.only_first), len(self.only_second))

    @property
    def share_of_first(self) -> float:
        """The share of the first vocabulary that is also in the second."""
        return share_of(len(self.common), len(self.common) + len(self.only_first))

    @property
    def share_of_second(self) -> float:
        """The share of the second vocabulary that is also in the first."""
        return share_of(len(self.common), len(self.common) + len(self.only_second))


def jaccard(common: int, only_first: int, only_second: int) -> float:
    """Returns the share of all pieces, those of either vocabulary, that are in both."""
    if not common:
        return 0.0
    index = common / (common + only_first + only_second)  # step: jaccard
    return index


def share_of(common: int, size: int) -> float:
    """Returns the share of one vocabulary that is also in the other."""
    if not size:
        return 0.0
    share = common / size  # step: share
    return share


def share_step(common: int, size: int) -> Step:
    """Returns the step that computes `share_of`."""
    values = {"common": common, "size": size, "share": share_of(common, size)}
    return Step(
        "overlap.share",
        "How much of one vocabulary is also in the other",
        r"\frac{|A \cap B|}{|A|}",
        "core.tokenization.analysis.overlap:share_of#share",
        arrays(values),
    )


def jaccard_step(common: int, only_first: int, only_second: int) -> Step:
    """Returns the step that computes `jaccard`."""
    values = {
        "common": common,
        "only_first": only_first,
        "only_second": only_second,
        "index": jaccard(common, only_first, only_second),
    }
    return Step(
        "overlap.jaccard",
        "How alike two vocabularies are",
        r"J(A, B) = \frac{|A \cap B|}{|A \cup B|}",
        "core.tokenization.analysis.overlap:jaccard#jaccard",
        arrays(values),
    )


def overlap_steps(first: Tokenizer, second: Tokenizer) -> Generator[int, None, Overlap]:
    """Compares two vocabularies; yields the number of pieces compared so far."""
    ids_of_first = yield from _ids_by_bytes(first)
    ids_of_second = yield from _ids_by_bytes(second)
    return (yield from _compared(ids_of_first, ids_of_second))


def all_overlaps_steps(
    tokenizers: Sequence[Tokenizer],
) -> Generator[int, None, dict[tuple[int, int], Overlap]]:
    """Compares every pair, as (i, j) and as (j, i); each vocabulary is read once.

    Yields progress, as overlap_steps does.
    """
    tables = []
    for tokenizer in tokenizers:
        tables.append((yield from _ids_by_bytes(tokenizer)))
    overlaps = {}
    for i, j in combinations(range(len(tables)), 2):
        overlaps[i, j] = yield from _compared(tables[i], tables[j])
        overlaps[j, i] = overlaps[i, j].turned()
        yield len(overlaps)
    return overlaps


def _compared(first: dict[bytes, int], second: dict[bytes, int]) -> Generator[int, None, Overlap]:
    """Compares two tables of ids by bytes; yields progress."""
    pairs = [(token, second[data]) for data, token in first.items() if data in second]
    common = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    common = common[np.argsort(common[:, 0], kind="stable")]
    yield len(common)
    only_first = [token for data, token in first.items() if data not in second]
    yield len(first)
    only_second = [token for data, token in second.items() if data not in first]
    alone = (np.sort(np.array(ids, dtype=np.int64)) for ids in (only_first, only_second))
    return Overlap(common, *alone)


def vocabulary_overlap(first: Tokenizer, second: Tokenizer) -> Overlap:
    """Runs overlap_steps to the end; returns the overlap."""
    return to_the_end(overlap_steps(first, second))


def _ids_by_bytes(tokenizer: Tokenizer) -> Generator[int, None, dict[bytes, int]]:
    """Returns the id of every piece by its bytes; of two pieces with equal bytes, the first."""
    special = set(tokenizer.special_tokens.values())
    ids: dict[bytes, int] = {}
    for token in range(tokenizer.vocab_size):
        data = b"" if token in special else tokenizer.piece_bytes(token)
        if data:
            ids.setdefault(data, token)
        if token % PAUSE == PAUSE - 1:
            yield token + 1
    return ids
