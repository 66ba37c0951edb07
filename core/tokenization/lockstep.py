"""Up to four tokenizers trained in lock step on one text, to compare them side by side.

An algorithm that merges makes many small steps: each common step is one merge of every such
algorithm. Unigram makes few large ones, spread evenly so that its last step coincides with the last
of the others; the number of remaining steps is estimated again after each step. After every common
step, each lane reports its latest step and how its current vocabulary splits a sample sentence.
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
LOOKED_AT = 200_000  # characters of the text in which lost bytes are counted
EM_STEPS = 2 * SUB_ITERATIONS  # per round of Unigram, before it prunes or finishes


@dataclass(frozen=True, slots=True)
class Options:
    """Options of train_tokenizer_steps for one kind; None is the default."""

    special_tokens: tuple[str, ...] | None = None
    tie: str | None = None
    pattern: str | None = None
    score: str | None = None
    byte_fallback: bool | None = None
    character_coverage: float | None = None
    normalizer: str | None = None


@dataclass(frozen=True, slots=True)
class LanePlan:
    """A tokenizer to train: its kind ("bpe", "wordpiece", "sentencepiece-bpe" or "unigram"), and
    its vocab_size if it differs from the common one.
    """

    kind: str
    options: Options = field(default_factory=Options)
    vocab_size: int | None = None


@dataclass(frozen=True, slots=True)
class LaneState:
    """The state of one lane after a common step.

    step        the latest training step that changed the vocabulary or estimated its use
    number      how many such steps the lane has made
    vocab_size  current number of pieces
    tokens      latest token count of the training text, 0 before the first. When done, the number
                of tokens that the finished tokenizer encodes the text to
    lost        when done: the share of the text's bytes, white space aside, that cannot be decoded
                from the ids because they are unknown or were changed; NaN before that
    split       of the sample
    objective   Unigram: latest -log likelihood in nats per word; NaN for other kinds
    ahead       estimated number of remaining steps, updated after each
    done        True after the last step
    error       why the training failed, with a remedy; "" if it did not
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
        """The completed share of its steps, from 0 at the first vocabulary to 1 at the end."""
        return 1.0 if self.done else max(0, self.number - 1) / max(1, self.number - 1 + self.ahead)


@dataclass(frozen=True, slots=True)
class CommonStep:
    """The states of all lanes after a common step.

    index     0 for the first vocabulary of each lane
    expected  estimated index of the last common step
    """

    index: int
    lanes: tuple[LaneState, ...]
    expected: int = 0


@dataclass(frozen=True, slots=True)
class Preparing:
    """A progress report before or during a common step: the lane, and the stage it has reached."""

    lane: int
    step: CountingStep | WorkingStep


class _Lane:
    """A trainer with its sample; each advance runs the trainer until its vocabulary changes."""

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
        """Trains until the vocabulary changes or the training ends; does nothing when done."""
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
        """Counts the tokens and lost bytes of the finished tokenizer; training may not know them.

        WordPiece encodes by longest match and not by its merges, SentencePiece's byte pieces do not
        exist in training, and Unigram's last count was an expectation that included removed pieces.
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
        """Returns the number of pieces without training, which Unigram's steps do not count."""
        options = self._plan.options
        if self.merges:
            return 0
        return len(meta_pieces(options.special_tokens or (), (), bool(options.byte_fallback)))

    def _is_last(self, step: TrainingStep) -> bool:
        """Returns True if the trainer has only its result left to return."""
        grown = self.merges and self.state.vocab_size >= self._wanted
        return grown or isinstance(step, FinishStep)

    def _ahead(self, step: TrainingStep) -> int:
        """Estimates how many steps follow this one. A merge adds one piece; for Unigram, it counts
        the pruning rounds still needed, assuming that no more rare pieces are removed.
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
    """Wraps the sample in the class that consumes the training steps of this plan."""
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
    vocab_size  pieces of each, including special tokens, unless its plan sets its own size
    sample      the sentence whose split is reported after every step
    rivals      how many runner-up pairs each MergeStep lists

    An error of a single trainer (a vocabulary below its alphabet, or above what the text yields)
    ends its lane and is recorded in its state; the others continue. Progress reports are yielded
    between common steps.

    Raises ValueError if there is no plan, for more than MOST_LANES plans or a kind that cannot be
    watched, and if every lane fails before its first step.
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
    """Returns the lanes that make a training step in this common step.

    These are all that merge, and Unigram once the completed share of the common steps reaches the
    share of its own steps that its next one completes, so that both end together.
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
    """Replays recorded training steps to find how they split another sample.

    sample  from `growing`; at the end, it has taken all steps

    Yields the number of completed steps, about every 30 ms; returns the split after each step.
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
