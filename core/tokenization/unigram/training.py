"""Trains a Unigram vocabulary from scratch: starts with far too many pieces, then drops some.

Each round first estimates how likely the pieces are, by expectation-maximization: with the current
scores, count how often each piece is used, over all ways to cut every word, weighted by their
probabilities (E); then score the pieces by these counts (M). Then the loss of probability without
each piece is computed, and a quarter of the pieces are dropped. That is repeated until the
vocabulary is small enough.

The order of all sums and their 32 bits are those of SentencePiece 0.2.1 on one thread, whose pieces
and scores this trainer reproduces.

Source: Kudo 2018, "Subword Regularization", section 3.2.
"""

from collections.abc import Generator, Iterable, Sequence
from itertools import count

import numpy as np

from core.tokenization.sentencepiece.normalizer import SentencePieceNormalizer
from core.tokenization.sentencepiece.pieces import Piece, meta_pieces
from core.tokenization.sentencepiece.text import (
    CHARACTER_COVERAGE,
    TrainingText,
    check_size,
    prepare,
)
from core.tokenization.steps import (
    CountingStep,
    FinishStep,
    SeedStep,
    UnigramStep,
    WorkingStep,
)
from core.tokenization.unigram.em import Model, build_corpus, expect, log_shares, maximize
from core.tokenization.unigram.pruning import prune
from core.tokenization.unigram.seeds import MOST_SEEDS, seed_pieces

SUB_ITERATIONS = 2  # E and M steps between two prunings
SPARE = 1.1  # pruning stops at this multiple of the wanted size
STEP_DOWN = np.float32(0.0001)  # between the scores of required characters that were dropped


UnigramSteps = CountingStep | WorkingStep | UnigramStep


def unigram_steps(
    texts: Iterable[str],
    vocab_size: int,
    special_tokens: Sequence[str] = (),
    *,
    normalizer: SentencePieceNormalizer | None = None,
    user_defined: Sequence[str] = (),
    byte_fallback: bool = False,
    character_coverage: float = CHARACTER_COVERAGE,
    most_seeds: int = MOST_SEEDS,
) -> Generator[UnigramSteps, None, list[Piece]]:
    """Trains on the texts, step by step; the generator returns the pieces by id.

    First come "<unk>", "<s>", "</s>" and the other pieces that need no training, which appear in no
    step, then the pieces of the last step.

    normalizer          None: nmt_nfkc with all rules for spaces
    user_defined        pieces that are never cut
    byte_fallback       256 more pieces, so that no character is unknown
    character_coverage  share of the text whose characters the vocabulary must spell
    most_seeds          the most pieces to start with, not counting characters

    Raises ValueError for a text without words, and for a vocab_size that cannot hold the characters
    or that the text cannot fill, stating the limit.
    """
    meta = meta_pieces(special_tokens, user_defined, byte_fallback)
    normalizer = (normalizer or SentencePieceNormalizer()).protecting(user_defined)
    text = yield from prepare(texts, normalizer, meta, character_coverage)
    check_size(vocab_size, meta, text)
    pieces = yield from train(text, vocab_size, len(meta), most_seeds)
    largest = len(meta) + len(pieces)
    if largest < vocab_size:
        raise ValueError(
            f"vocab_size {vocab_size:,} is too large: the text holds no more than {largest:,} "
            f"pieces that are used; choose at most {largest:,}, or a longer text"
        )
    return meta + pieces


def train(
    text: TrainingText, vocab_size: int, n_meta: int, most_seeds: int = MOST_SEEDS
) -> Generator[UnigramStep | WorkingStep, None, list[Piece]]:
    """Trains on words; returns the pieces by descending score, equals in the order of their bytes.

    Returns vocab_size - n_meta pieces, or fewer if the text does not hold as many.
    """
    wanted = int(vocab_size * SPARE)
    pieces, weights = yield from seed_pieces(text.lines, most=most_seeds)
    model = Model(pieces, log_shares(weights).scores.astype(np.float32))
    yield SeedStep(model.pieces, model.scores, weights)
    corpus = yield from build_corpus(text.words, model.pieces)
    for round_ in count():
        for iteration in range(SUB_ITERATIONS):
            expected = yield from expect(model, corpus, round_, iteration)
            model = yield from maximize(model, expected, corpus, round_, iteration)
        if len(model.pieces) <= wanted:
            break
        model = yield from prune(model, corpus, wanted, round_)
    required = [character for character, _ in text.characters]
    step = finish(model, required, vocab_size - n_meta)
    yield step
    return [Piece(piece, float(score)) for piece, score in zip(step.pieces, step.scores)]


def finish(model: Model, required: Sequence[str], room: int) -> FinishStep:
    """Returns the last vocabulary: all required characters, and the best pieces, up to `room`.

    Required characters that were dropped in training get the lowest scores, each a little higher
    than the one before.
    """
    score_of = dict(zip(model.pieces, model.scores))
    lost = [character for character in required if character not in score_of]
    above = np.add.accumulate(np.full(len(lost), STEP_DOWN)) - STEP_DOWN
    found = score_of | dict(zip(lost, model.scores.min() + above))
    by_score = sorted(found, key=lambda piece: (-found[piece], piece))
    needed = set(required)
    others = [piece for piece in by_score if piece not in needed][: room - len(needed)]
    final = needed.union(others)
    pieces = [piece for piece in by_score if piece in final]
    scores = np.array([found[piece] for piece in pieces])  # step: finish
    removed = [(piece, float(found[piece])) for piece in by_score if piece not in final]
    return FinishStep(pieces, scores, removed[::-1])
