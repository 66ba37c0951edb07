"""Batches as a pure function of the training position: resuming needs no state.

B  sequences in a batch
T  tokens in a sequence (the block size)
"""

from collections.abc import Iterator

import numpy as np

from core.data.corpus import SPLITS, Corpus, check_split, too_short

NO_TOKEN = -1  # instead of an id: padding, or a target without a loss
SHORTEST_PERIOD = 4

Batch = tuple[np.ndarray, np.ndarray]


class Batches:
    """Draws (ids, targets) of one split; targets are the ids shifted by one.

    corpus             source of the sequences
    split              "train" or "validation"
    block_size         T
    batch_size         B
    seed               determines every id, together with step and micro-batch
    repeated_fraction  share of sequences that are random ids of the whole vocabulary instead,
                       repeated with a period drawn from 4 ... T // 2. They can be predicted only by
                       looking back, so they teach induction (Olsson et al. 2022, section 2)

    Raises ValueError for a text too short for one sequence and for invalid values.
    """

    def __init__(
        self,
        corpus: Corpus,
        split: str,
        block_size: int,
        batch_size: int,
        seed: int,
        repeated_fraction: float = 0.0,
    ) -> None:
        check_split(split)
        if block_size < 1 or batch_size < 1:
            raise ValueError("block_size and batch_size must be 1 or more")
        if seed < 0:
            raise ValueError(f"the seed must be 0 or more, not {seed}")
        if not 0.0 <= repeated_fraction <= 1.0:
            raise ValueError(f"repeated_fraction {repeated_fraction} is no share: use 0.0 to 1.0")
        if repeated_fraction > 0 and block_size < 2 * SHORTEST_PERIOD:
            raise ValueError(
                f"block_size {block_size} is too small to repeat anything: use "
                f"{2 * SHORTEST_PERIOD} or more, or a repeated_fraction of 0"
            )
        self.corpus = corpus
        self.split = split
        self.block_size = block_size
        self.batch_size = batch_size
        self.seed = seed
        self.repeated_fraction = repeated_fraction
        corpus.windows(split, np.random.default_rng(0), 1, block_size + 1)  # checks the length

    def generator(self, step: int, micro_batch: int) -> np.random.Generator:
        """Returns the generator that draws only this batch."""
        # The 0 was the rank when each rank drew its own batch: runs keep their batches.
        key = [self.seed, SPLITS.index(self.split), step, micro_batch, 0]
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))

    def batch(self, step: int, micro_batch: int = 0, rank: int = 0, ranks: int = 1) -> Batch:
        """Returns ids and targets, each (B, T) int64. The same arguments always give the same ones.

        With several ranks, each takes its rows of the batch that a single process would draw:
        (about B / ranks, T). Raises ValueError for more ranks than rows.
        """
        rows = rank_rows(self.batch_size, rank, ranks)
        if self.batch_size < ranks:
            raise ValueError(
                f"a batch of {self.batch_size} sequences leaves some of {ranks} ranks without one; "
                f"use a batch_size of {ranks} or more, or fewer ranks"
            )
        ids, targets = self._whole(step, micro_batch)
        return ids[rows], targets[rows]

    def _whole(self, step: int, micro_batch: int) -> Batch:
        B, T = self.batch_size, self.block_size
        generator = self.generator(step, micro_batch)
        windows = self.corpus.windows(self.split, generator, B, T + 1)  # (B, T + 1)
        ids, targets = windows[:, :-1].copy(), windows[:, 1:].copy()
        if self.repeated_fraction > 0:
            for row in np.flatnonzero(generator.random(B) < self.repeated_fraction):
                ids[row], targets[row] = repeated_ids(generator, self.corpus.vocab_size, T)
        return ids, targets

    def whole_split(self) -> Iterator[Batch]:
        """Yields every token of the split as a target once, except the first (no context).

        Windows do not overlap; the last one is padded with ignored targets. Yields (ids, targets),
        each (<= B, T) int64. Raises ValueError for an endless split.
        """
        return split_in_order(self.corpus.tokens(self.split), self.block_size, self.batch_size)


def rank_rows(count: int, rank: int, ranks: int) -> slice:
    """Returns a rank's consecutive rows of `count`; the first ranks get one more than others.

    Raises ValueError for a rank outside 0 to ranks - 1.
    """
    if not 0 <= rank < ranks:
        raise ValueError(f"rank {rank} is not one of {ranks} ranks, which are counted from 0")
    share, left = divmod(count, ranks)
    start = rank * share + min(rank, left)
    return slice(start, start + share + (rank < left))


def repeated_ids(generator: np.random.Generator, vocab_size: int, T: int) -> Batch:
    """Returns random ids, repeated: ids and targets, each (T,) int64.

    Targets within the first period cannot be predicted, so they are ignored.
    """
    period = int(generator.integers(SHORTEST_PERIOD, T // 2 + 1))
    once = generator.integers(0, vocab_size, period)
    sequence = np.resize(once, T + 1)  # repeated to the end
    targets = sequence[1:].copy()
    targets[: period - 1] = NO_TOKEN
    return sequence[:-1], targets


def split_in_order(tokens: np.ndarray, block_size: int, batch_size: int) -> Iterator[Batch]:
    """Yields (ids, targets) in order without overlap; each (<= batch_size, block_size).

    Raises ValueError for fewer than two tokens.
    """
    T = block_size
    n_targets = len(tokens) - 1
    if n_targets < 1:
        raise ValueError(too_short("the split", len(tokens), 2))
    for start in range(0, n_targets, T * batch_size):
        part = np.asarray(tokens[start : start + T * batch_size + 1], np.int64)
        rows = -(-(len(part) - 1) // T)
        ids = np.zeros(rows * T, np.int64)
        targets = np.full(rows * T, NO_TOKEN, np.int64)
        ids[: len(part) - 1] = part[:-1]
        targets[: len(part) - 1] = part[1:]
        yield ids.reshape(rows, T), targets.reshape(rows, T)  # (rows * T) -> (rows, T)
