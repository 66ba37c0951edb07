"""Up to four tokenizers trained in lock step on one text, so that they can be watched side by side.

An algorithm that merges makes many small steps: each common step is one merge of every such
algorithm. Unigram makes few large ones; its next one comes when its share of them is due, so that
it ends when the last of the others does. How many lie ahead is estimated anew after each. After
every common step each lane tells what it did last and how its vocabulary so far cuts a sample
sentence.
"""

import math
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace

from core.jobs import Pace
from core.tokenization.analysis.measures import lost_bytes
from core.tokenization.byte_level import clean_text
from core.tokenization.growing import (
    Growing,
    GrowingBPE,
    GrowingSentencePieceBPE,
    GrowingUnigram,
    GrowingWordPiece,
    Split,
)
from core.tokenization.sentencepiece.pieces import meta_pieces
from core.tokenization.steps import (
    AlphabetStep,
    CountingStep,
    ExpectStep,
    FinishStep,
    MaximizeStep,
    MergeStep,
    TrainingStep,
    WorkingStep,
)
from core.tokenization.tokenizer import Tokenizer
from core.tokenization.training import train_tokenizer_steps
from core.tokenization.unigram.pruning import SHRINK
from core.tokenization.unigram.training import SPARE, SUB_ITERATIONS
from core.tokenization.wordpiece.training import cut_at_spaces

MOST_LANES = 4
PART = 4096  # characters that are encoded at once
LOOKED_AT = 200_000  # characters of the text in which what is lost is looked for
EM_STEPS = 2 * SUB_ITERATIONS  # of a round of Unigram, before it prunes or finishes


@dataclass(frozen=True, slots=True)
class Options:
    """What train_tokenizer_steps may be told about one kind; None is its usual value."""

    special_tokens: tuple[str, ...] | None = None
    tie: str | None = None
    pattern: str | None = None
    score: str | None = None
    byte_fallback: bool | None = None
    character_coverage: float | None = None
    normalizer: str | None = None


@dataclass(frozen=True, slots=True)
class LanePlan:
    """One tokenizer to train: its kind ("bpe", "wordpiece", "sentencepiece-bpe", "unigram"), and
    its own vocab_size where it is not to have the common one.
    """

    kind: str
    options: Options = field(default_factory=Options)
    vocab_size: int | None = None


@dataclass(frozen=True, slots=True)
class LaneState:
    """Where one lane stands after a common step.

    step        the last training step that said something about the vocabulary
    number      how many such steps it has made
    vocab_size  pieces now
    tokens      of the training text with them; what was last known, 0 before that. Once it is
                done, those that the finished tokenizer encodes the text to
    lost        once it is done: the share of the text's bytes, white space aside, that the ids do
                not give back, because they are unknown or were changed; NaN before that
    split       of the sample
    objective   Unigram: -log likelihood in nats per word, as last computed; NaN elsewhere
    ahead       how many more such steps it will make; an estimate, renewed after each
    done        it makes no more steps
    error       why it gave up, with the remedy; "" where it did not
    """

    step: TrainingStep | None = None
    number: int = 0
    vocab_size: int = 0
    tokens: float = 0.0
    lost: float = math.nan
    split: Split = field(default_factory=lambda: Split((), ()))
    objective: float = math.nan
    ahead: int = 0
    done: bool = False
    error: str = ""

    @property
    def progress(self) -> float:
        """The share of its steps that it has made, 0 with its first vocabulary, 1 at the end."""
        return 1.0 if self.done else max(0, self.number - 1) / max(1, self.number - 1 + self.ahead)


@dataclass(frozen=True, slots=True)
class CommonStep:
    """What all lanes have come to.

    index     0 is the first vocabulary of each
    expected  the index of the last common step, as it is estimated now
    """

    index: int
    lanes: tuple[LaneState, ...]
    expected: int = 0


@dataclass(frozen=True, slots=True)
class Preparing:
    """A sign of life before or inside a common step: what a lane is busy with."""

    lane: int
    step: CountingStep | WorkingStep


class _Lane:
    """A trainer with its sample; what it yields is taken in until its vocabulary has changed."""

    def __init__(
        self, plan: LanePlan, texts: Sequence[str], vocab_size: int, sample: str, rivals: int
    ) -> None:
        vocab_size = vocab_size if plan.vocab_size is None else plan.vocab_size
        self._steps = train_tokenizer_steps(
            plan.kind, texts, vocab_size, **asdict(plan.options), rivals=rivals
        )
        self._plan, self._wanted, self._texts = plan, vocab_size, texts
        self._growing = growing(plan, sample)
        self.state = LaneState()
        self.merges = plan.kind != "unigram"
        self.tokenizer: Tokenizer | None = None

    def advance(self, lane: int) -> Generator[Preparing, None, None]:
        """One step of its own; none when it is done."""
        while not self.state.done:
            try:
                step = next(self._steps)
            except StopIteration as end:
                self.tokenizer = end.value
                yield from self._measure(lane, end.value)
                self._tell(done=True)
            except ValueError as error:
                self._tell(done=True, error=str(error))
            else:
                if isinstance(step, CountingStep | WorkingStep):
                    yield Preparing(lane, step)
                    continue
                self._take(step)
                if not self._is_last(step):
                    return

    def _take(self, step: TrainingStep) -> None:
        assert not isinstance(step, CountingStep | WorkingStep)
        self._growing.take(step)
        before = self.state
        self.state = LaneState(
            step=step,
            number=before.number + 1,
            vocab_size=step.vocab_size + self._untrained(),
            tokens=step.tokens
            if isinstance(step, AlphabetStep | MergeStep | ExpectStep)
            else before.tokens,
            split=self._growing.split,
            objective=step.objective if isinstance(step, ExpectStep) else before.objective,
            ahead=self._ahead(step),
        )

    def _measure(self, lane: int, tokenizer: Tokenizer) -> Generator[Preparing, None, None]:
        """How many tokens the text really is and how much of it they lose, where the last step need
        not have counted them so:
        WordPiece looks for the longest pieces and not for its merges, SentencePiece's byte pieces
        were not there in training, and Unigram has hoped for a number with pieces it did not keep.
        """
        if self._plan.kind == "bpe":
            self.state = replace(self.state, lost=0.0)
            return
        tokens, looked_at, lost, size, pace = 0, 0, 0, 0, Pace()
        for text in self._texts:
            for part in cut_at_spaces(clean_text(text), PART):
                if looked_at < LOOKED_AT:
                    encoding = tokenizer.encode(part, specials=False)
                    tokens += len(encoding)
                    looked_at += len(part)
                    lost += lost_bytes(tokenizer, encoding)
                    size += len(b"".join(part.encode().split()))
                else:
                    tokens += len(tokenizer.encode_ids(part, specials=False))
                if pace.is_due():
                    yield Preparing(lane, WorkingStep("measure", tokens))
                    pace.go_on()
        self.state = replace(self.state, tokens=tokens, lost=lost / size if size else 0.0)

    def _untrained(self) -> int:
        """How many of the pieces Unigram's steps do not count: they need no training."""
        options = self._plan.options
        if self.merges:
            return 0
        return len(meta_pieces(options.special_tokens or (), (), bool(options.byte_fallback)))

    def _is_last(self, step: TrainingStep) -> bool:
        """Whether the trainer has only its result left to tell."""
        grown = self.merges and self.state.vocab_size >= self._wanted
        return grown or isinstance(step, FinishStep)

    def _ahead(self, step: TrainingStep) -> int:
        """How many steps follow this one. A merge adds one piece; of Unigram the rounds are counted
        that would prune what is left, as if no more rare pieces went.
        """
        assert not isinstance(step, CountingStep | WorkingStep)
        if self.merges:
            return max(0, self._wanted - step.vocab_size)
        if isinstance(step, FinishStep):
            return 0
        made = 0
        if isinstance(step, ExpectStep | MaximizeStep):
            made = 2 * step.iteration + (1 if isinstance(step, ExpectStep) else 2)
        steps, size, enough = EM_STEPS - made, step.vocab_size, int(self._wanted * SPARE)
        while size > enough:
            size = max(enough, int(SHRINK * size))
            steps += 1 + EM_STEPS
        return steps + 1

    def _tell(self, done: bool, error: str = "") -> None:
        self.state = replace(self.state, ahead=0, done=done, error=error)

    def close(self) -> None:
        self._steps.close()


def growing(plan: LanePlan, sample: str) -> Growing:
    """The sample, ready to take the steps of this plan's trainer."""
    options = plan.options
    normalizer, fallback = options.normalizer or "nmt_nfkc", bool(options.byte_fallback)
    makers: dict[str, Callable[[], Growing]] = {
        "bpe": lambda: GrowingBPE(sample, options.pattern or "gpt2"),
        "wordpiece": lambda: GrowingWordPiece(sample),
        "sentencepiece-bpe": lambda: GrowingSentencePieceBPE(sample, normalizer, fallback),
        "unigram": lambda: GrowingUnigram(sample, normalizer, fallback),
    }
    if plan.kind not in makers:
        raise ValueError(
            f"the training of {plan.kind!r} cannot be watched: choose one of {', '.join(makers)}"
        )
    return makers[plan.kind]()


def lockstep_steps(
    plans: Sequence[LanePlan],
    texts: str | Iterable[str],
    vocab_size: int,
    sample: str = "",
    *,
    rivals: int = 0,
) -> Generator[CommonStep | Preparing, None, list[Tokenizer | None]]:
    """Trains a tokenizer for each plan; returns them in the same order, None for one that failed.

    texts       one text or several, the same for all
    vocab_size  pieces that each is to have, special tokens included, unless its plan says otherwise
    sample      the sentence whose split is told after every step
    rivals      how many of the pairs that were next a MergeStep tells

    What a single trainer refuses (a vocabulary below its alphabet, or above what the text yields)
    ends its lane with the error in its state; the others go on. Between two common steps it yields
    signs of life.

    Raises ValueError for no plan, more than MOST_LANES, a kind that cannot be watched, and when
    every lane has failed before its first step.
    """
    if not 1 <= len(plans) <= MOST_LANES:
        raise ValueError(f"{len(plans)} tokenizers in lock step: choose 1 to {MOST_LANES}")
    texts = [texts] if isinstance(texts, str) else list(texts)
    lanes = [_Lane(plan, texts, vocab_size, sample, rivals) for plan in plans]
    try:
        for place, lane in enumerate(lanes):
            yield from lane.advance(place)
        if all(lane.state.error for lane in lanes):
            raise ValueError("; ".join(dict.fromkeys(lane.state.error for lane in lanes)))
        index = 0
        yield _common(lanes, index)
        while not all(lane.state.done for lane in lanes):
            index += 1
            for place in _due(lanes, index):
                yield from lanes[place].advance(place)
            yield _common(lanes, index)
    finally:
        for lane in lanes:
            lane.close()
    return [lane.tokenizer for lane in lanes]


def _common(lanes: Sequence[_Lane], index: int) -> CommonStep:
    states = tuple(lane.state for lane in lanes)
    merging = [lane.state.ahead for lane in lanes if lane.merges and not lane.state.done]
    ahead = max(merging or [state.ahead for state in states])
    return CommonStep(index, states, index + ahead)


def _due(lanes: Sequence[_Lane], index: int) -> list[int]:
    """Which lanes make a step of their own in this common step.

    All that merge; Unigram when the share of the common steps that this one ends is the share of
    its own steps that its next one ends, so that both end with their last.
    """
    active = [place for place, lane in enumerate(lanes) if not lane.state.done]
    merging = [lanes[place].state for place in active if lanes[place].merges]
    if not merging:
        return active
    last = index - 1 + max(state.ahead for state in merging)

    def is_due(state: LaneState) -> bool:
        steps = state.number - 1 + state.ahead
        return state.number * last <= steps * index

    return [place for place in active if lanes[place].merges or is_due(lanes[place].state)]


def resplit_steps(
    sample: Growing, steps: Sequence[TrainingStep]
) -> Generator[int, None, list[Split]]:
    """How another sample would have been cut after each step of a training that was recorded.

    sample  as `growing` made it; it has taken all steps afterwards

    Yields how many steps are done, about every 30 ms.
    """
    splits: list[Split] = []
    pace = Pace()
    for step in steps:
        sample.take(step)
        splits.append(sample.split)
        if pace.is_due():
            yield len(splits)
            pace.go_on()
    return splits
