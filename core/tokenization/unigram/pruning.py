"""What the text would lose without a piece, and which pieces go.

Without a piece the words that use it would be cut otherwise: where it stood would stand the pieces
of its own second-best way to be cut. That makes the text less probable, and by how much is its
loss. Pieces with the smallest losses go; a piece whose best way to be cut is not even itself goes
at once. A single character stays: nothing can stand for it.

Source: Kudo 2018, "Subword Regularization", section 3.2, step 2; the estimate is SentencePiece's.
"""

from collections.abc import Generator, Sequence

import numpy as np

from core.tokenization.steps import PruneStep, Weighed, WorkingStep
from core.tokenization.unigram.em import Corpus, Model, in_blocks
from core.tokenization.unigram.piece_trie import PieceTrie
from core.tokenization.unigram.word_lattices import WordLattices

SHRINK = np.float32(0.75)  # share of the pieces that a pruning leaves


def weigh(share: np.ndarray, whole: np.ndarray, without: np.ndarray) -> Weighed:
    """The loss of each piece (m): the log probability lost per use, times its uses per word."""
    loss = share * (whole - without)  # step: prune
    return Weighed(loss, share, whole, without)


def prune(
    model: Model, corpus: Corpus, wanted: int, round_: int
) -> Generator[WorkingStep | PruneStep, None, Model]:
    """Drops a quarter of the pieces, or as many as leave `wanted`: those that are missed least."""
    size = len(model.pieces)
    used = yield from count_best_uses(model, corpus)
    losses = np.where(used > 0, np.inf, 0).astype(np.float32)
    lengths = np.array([len(piece) for piece in model.pieces])
    at_stake = np.flatnonzero((used > 0) & (lengths > 1))
    divided = np.zeros(size, dtype=bool)  # pieces that are better cut than whole
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
    """(n) how often each piece is used when every word is cut in its best way."""
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
    """How some pieces (K) are cut when they are not whole.

    Returns the score of the best such way for each, and the log probability of its parts once they
    are used in the place of the piece, too.
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
    """The sum, added up with 64 bits and rounded once."""
    return np.float32(used.sum(dtype=np.float64))


def log_share(used: np.ndarray, total: np.float32) -> np.ndarray:
    """The logarithm of the share of counts in a total, with 32 bits."""
    log_total = np.float32(np.log(np.float64(total)))
    return (np.log(used.astype(np.float64)) - log_total).astype(np.float32)
