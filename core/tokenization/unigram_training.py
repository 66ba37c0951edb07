"""A Unigram vocabulary, trained from scratch: begin with far too many pieces, drop some again.

Each round first finds how likely the pieces are, by expectation-maximization: with the scores as
they are, count how often each piece is used, over all ways to cut every word, each way as often as
it is likely (E); then score the pieces by these counts (M). Then every piece is asked what the text
would lose without it, and a quarter of them go. That is repeated until the vocabulary is small
enough.

The order of all sums and their 32 bits are those of SentencePiece 0.2.1 on one thread, whose pieces
and scores this trainer reproduces.

Source: Kudo 2018, "Subword Regularization", section 3.2.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from core.tokenization.sentencepiece_text import TrainingText
from core.tokenization.steps import FinishStep, SeedStep, UnigramStep, WorkingStep
from core.tokenization.unigram_em import Model, build_corpus, expect, log_shares, maximize
from core.tokenization.unigram_pruning import prune
from core.tokenization.unigram_seeds import MOST_SEEDS, seed_pieces

SUB_ITERATIONS = 2  # E and M steps between two prunings
SPARE = 1.1  # the last rounds work on so many times the pieces that are wanted
STEP_DOWN = np.float32(0.0001)  # between required characters that training has lost


@dataclass(frozen=True, slots=True)
class TrainedUnigram:
    """What training gives: pieces and their scores, the best first, equals by their bytes."""

    pieces: list[str]
    scores: np.ndarray


def unigram_steps(
    text: TrainingText, vocab_size: int, n_meta: int = 3, most_seeds: int = MOST_SEEDS
) -> Generator[UnigramStep | WorkingStep, None, TrainedUnigram]:
    """Trains on the words, step by step; the generator returns the result.

    vocab_size  how many pieces to end with, n_meta pieces that are no part of it included. The
                result is smaller when the text does not hold as many

    Raises ValueError when the required characters alone are more.
    """
    room = vocab_size - n_meta
    if room < len(text.characters):
        raise ValueError(
            f"vocab_size {vocab_size} is too small: {n_meta} meta pieces and the "
            f"{len(text.characters)} characters that the text needs make "
            f"{n_meta + len(text.characters)}; choose at least that, or a lower character_coverage"
        )
    wanted = int(vocab_size * SPARE)
    pieces, weights = yield from seed_pieces(text.lines, most=most_seeds)
    model = Model(pieces, log_shares(weights))
    yield SeedStep(model.pieces, model.scores)
    corpus = yield from build_corpus(text.words, model.pieces)
    for round_ in count():
        for iteration in range(SUB_ITERATIONS):
            expected = yield from expect(model, corpus, round_, iteration)
            model = yield from maximize(model, expected, corpus, round_, iteration)
        if len(model.pieces) <= wanted:
            break
        model = yield from prune(model, corpus, wanted, round_)
    required = [character for character, _ in text.characters]
    final = finish(model, required, room)
    removed = [
        (piece, float(score))
        for piece, score in zip(model.pieces, model.scores)
        if piece not in final
    ]
    pieces, scores = list(final), np.array(list(final.values()), dtype=np.float32)
    yield FinishStep(pieces, scores, removed)
    return TrainedUnigram(pieces, scores)


def finish(model: Model, required: Sequence[str], room: int) -> dict[str, np.float32]:
    """The last vocabulary: the required characters, then the best pieces as far as there is room.

    Required characters that training has lost get the least score, each a little more than the one
    before.
    """
    score_of = dict(zip(model.pieces, model.scores))
    lost = [character for character in required if character not in score_of]
    least = model.scores.min()
    above = np.add.accumulate(np.full(len(lost), STEP_DOWN)) - STEP_DOWN
    final = {character: score_of.get(character, least) for character in required}
    final.update(zip(lost, least + above))
    for piece in sorted(score_of, key=lambda piece: (-score_of[piece], piece)):
        if len(final) == room:
            break
        final.setdefault(piece, score_of[piece])
    return dict(sorted(final.items(), key=lambda item: (-item[1], item[0])))
