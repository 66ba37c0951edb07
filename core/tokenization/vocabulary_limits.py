"""The smallest and the largest vocabulary that can be trained on a text.

The smallest contains the alphabet and the special tokens; the largest is the one at which no two
neighbors can be joined any more, or every piece that Unigram uses. Both are found by running the
training itself, as far as necessary.
"""

from collections.abc import Generator, Iterable
from dataclasses import asdict, dataclass

from core.jobs import Pace
from core.tokenization.lockstep import LanePlan
from core.tokenization.sentencepiece.normalizer import SentencePieceNormalizer
from core.tokenization.sentencepiece.pieces import meta_pieces
from core.tokenization.sentencepiece.text import CHARACTER_COVERAGE, prepare
from core.tokenization.steps import (
    AlphabetStep,
    FinishStep,
    MergeStep,
    PruneStep,
    TrainingStep,
)
from core.tokenization.training import train_tokenizer_steps
from core.tokenization.unigram.training import train

MOST = 100_000  # pieces; larger limits are not searched for
LONG_TEXT = 4_000_000  # characters; on a longer text, Unigram's search takes too long


@dataclass(frozen=True, slots=True)
class Limits:
    """smallest  number of pieces that the vocabulary needs
    largest   number of pieces that the text yields; None if unknown or not below `most`
    """

    smallest: int
    largest: int | None = None


def vocabulary_limits_steps(
    plan: LanePlan, texts: str | Iterable[str], most: int | None = None
) -> Generator[TrainingStep | Limits, None, Limits]:
    """Yields progress, and Limits without the largest as soon as the smallest is known.

    most  where to stop searching for a larger limit; None: MOST

    Returns the Limits. Raises the ValueErrors of training: for an empty text, an unknown kind, or
    an option of another kind.
    """
    texts = [texts] if isinstance(texts, str) else list(texts)
    most = MOST if most is None else most
    if plan.kind == "unigram":
        return (yield from _unigram(plan, texts, most))
    steps = train_tokenizer_steps(plan.kind, texts, most, **asdict(plan.options))
    found: Limits | None = None
    size = 0
    pace = Pace()
    while True:
        try:
            step = next(steps)
        except StopIteration:
            break
        except ValueError:
            if found is None or not size:
                raise
            break  # SentencePiece refuses a vocabulary that the text cannot fill
        if isinstance(step, AlphabetStep):
            found = Limits(step.vocab_size)
            size = step.vocab_size
            yield found
        elif isinstance(step, MergeStep):
            size = step.vocab_size
        if not isinstance(step, MergeStep) or pace.is_due():
            yield step
            pace.go_on()
    assert found is not None  # training begins with an alphabet, or raises
    return Limits(found.smallest, size if size < most else None)


def _unigram(
    plan: LanePlan, texts: list[str], most: int
) -> Generator[TrainingStep | Limits, None, Limits]:
    """Finds the limits of Unigram; the largest is its number of pieces before any pruning."""
    options = plan.options
    meta = meta_pieces(options.special_tokens or (), (), bool(options.byte_fallback))
    text = yield from prepare(
        texts,
        SentencePieceNormalizer(options.normalizer or "nmt_nfkc"),
        meta,
        options.character_coverage or CHARACTER_COVERAGE,
    )
    smallest = len(meta) + len(text.characters)
    yield Limits(smallest)
    if most < smallest or sum(map(len, text.lines)) > LONG_TEXT:
        return Limits(smallest)
    size = most
    for step in train(text, most, len(meta)):
        if isinstance(step, PruneStep):  # more pieces than `most`
            break
        if isinstance(step, FinishStep):
            size = len(meta) + step.vocab_size
        yield step
    return Limits(smallest, size if size < most else None)
