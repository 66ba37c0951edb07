"""The loss of probability that each piece prevents, and the removal of pieces by it.

Without a piece, the words that use it would be cut differently: the piece would be replaced by the
pieces of its own second-best way to be cut. That makes the text less probable; the difference is
the piece's loss. Pieces with the smallest losses are removed; a piece whose best way to be cut is
not even itself is removed at once. A single character stays, because nothing can replace it.

Source: Kudo 2018, "Subword Regularization", section 3.2, step 2; the estimate is SentencePiece's.
"""

from collections.abc import Generator, Sequence

import numpy as np

from core.tokenization.steps import PruneStep, Weighed, WorkingStep
from core.tokenization.unigram.em import Corpus, Model, in_blocks
from core.tokenization.unigram.piece_trie import PieceTrie
from core.tokenization.unigram.word_lattices import WordLattices

SHRINK = np.float32(0.75)  # share of the pieces that remain after a pruning


def weigh(share: np.ndarray, whole: np.ndarray, without: np.ndarray) -> Weighed:
    """Returns each piece's loss (m): the log probability lost per use, times its uses per word."""
    loss = share * (whole - without)  # step: prune
    return Weighed(loss, share, whole, without)


def prune(
    model: Model, corpus: Corpus, wanted: int, round_: int
) -> Generator[WorkingStep | PruneStep, None, Model]:
    """Drops the quarter of the pieces with the smallest losses, but keeps at least `wanted`."""
    size = len(model.pieces)
    used = yield from count_best_uses(model, corpus)
    losses = np.where(used > 0, np.inf, 0).astype(np.float32)
    lengths = np.array([len(piece) for piece in model.pieces])
    at_stake = np.flatnonzero((used > 0) & (lengths > 1))
    divided = np.zeros(size, dtype=bool)  # pieces that score higher cut than whole
    could_go = at_stake
    shares, wholes, withouts = np.zeros((3, size), dtype=np.float32)
    trie = PieceTrie(model.pieces)
    for names in in_blocks([model.pieces[piece] for piece in at_stake]):
        block, at_stake = at_stake[: len(names)], at_stake[len(names) :]
        score, without = cut_otherwise(model, names, trie, used, block)
        divided[block] = score > model.scores[block]
        shares[block] = used[block] / np.float32(corpus.n_words)
        wholes[block] = log_share(used[block], add_up(used))
        withouts[block] = without
        yield WorkingStep("prune", size - len(at_stake))

    weighed = weigh(shares[could_go], wholes[could_go], withouts[could_go])
    losses[could_go] = weighed.loss
    losses[divided] = 0
    forever = np.flatnonzero(np.isinf(losses))
    candidates = np.flatnonzero((used > 0) & (lengths > 1) & ~divided)
    ranking = candidates[np.argsort(-losses[candidates], kind="stable")]
    room = max(wanted, int(SHRINK * size)) - len(forever)
    kept = np.concatenate([forever, ranking[:room]])
    gone = np.setdiff1d(np.arange(size), kept)
    gone = gone[np.argsort(losses[gone], kind="stable")]
    corpus.renumber(kept, size)
    smaller = Model([model.pieces[piece] for piece in kept], model.scores[kept])
    yield PruneStep(
        round=round_,
        pieces=smaller.pieces,
        scores=smaller.scores,
        removed=[(model.pieces[piece], float(losses[piece])) for piece in gone],
        losses=losses[kept],
        measured=losses,
        weighed=weighed,
    )
    return smaller


def count_best_uses(model: Model, corpus: Corpus) -> Generator[WorkingStep, None, np.ndarray]:
    """Returns how often each piece is used if every word is cut in its best way (n)."""
    used = np.zeros(len(model.pieces), dtype=np.float32)
    done = 0
    for block in corpus.blocks:
        lattices = block.lattices
        _, arrived = lattices.viterbi(model.of_edges(lattices))
        pieces = block.used_pieces()
        for words, edges in lattices.backtrace(arrived):
            np.add.at(used, pieces[edges], block.counts[words])
        done += len(block.counts)
        yield WorkingStep("prune", done)
    return used


def cut_otherwise(
    model: Model, names: Sequence[str], trie: PieceTrie, used: np.ndarray, block: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Finds the best way to cut each of some pieces (K) into smaller ones.

    Returns the score of that way for each piece, and the log probability of its parts once they
    also replace every use of the piece.
    """
    lattices = WordLattices(names, trie, whole=False)
    best, arrived = lattices.viterbi(model.of_edges(lattices))
    part_of_edge = np.maximum(lattices.piece, 0)
    rounds = lattices.backtrace(arrived)
    n_parts = np.zeros(len(names), dtype=np.float32)
    for words, _ in rounds:
        n_parts[words] += 1
    # Every use of the piece becomes a use of each of its parts.
    instead = used[block]
    total = np.log((add_up(used) + instead * (n_parts - 1)).astype(np.float64)).astype(np.float32)
    without = np.zeros(len(names), dtype=np.float32)
    for words, edges in reversed(rounds):
        part = part_of_edge[edges]
        often = (used[part] + instead[words]).astype(np.float64)
        without[words] += np.log(often) - total[words]
    return best[lattices.ends], without


def add_up(used: np.ndarray) -> np.float32:
    """Returns the sum, computed in 64 bits and rounded once."""
    return np.float32(used.sum(dtype=np.float64))


def log_share(used: np.ndarray, total: np.float32) -> np.ndarray:
    """Returns the logarithm of the share of counts in a total, in 32 bits."""
    log_total = np.float32(np.log(np.float64(total)))
    return (np.log(used.astype(np.float64)) - log_total).astype(np.float32)
