"""The engine's jobs: surveying the text, training all lanes in lock step with a recording of every
step, and splitting a new sample. No Qt.

The engine's thread appends to lists while the GUI thread reads them; both access whole items only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from core.data.excerpt import Excerpt
from core.jobs import Pace
from core.tokenization.analysis.rates import bytes_per_token
from core.tokenization.growing import Split
from core.tokenization.lockstep import (
    CommonStep,
    LanePlan,
    LaneState,
    Preparing,
    growing,
    lockstep_steps,
    resplit_steps,
)
from core.tokenization.steps import CountingStep, WorkingStep
from core.tokenization.telling import shortened
from core.tokenization.vocabulary_limits import Limits, vocabulary_limits_steps
from explorer.panes.tokenizers.train import pace
from explorer.panes.tokenizers.train.draft import Lane

WAIT = 0.2  # seconds between checks of the limit while the training waits at it
SHORTEST_REST = 0.004  # seconds; shorter rests are skipped
RIVALS = 4  # recorded pairs that lost against the merged one
SHOWN = 1500  # characters of the text shown in the setup
NOTHING = Split((), ())

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Beat:
    """A yield of a job: the seconds for which the engine may sleep."""

    idle: float = 0.0


def with_beats(
    steps: Generator[Item, None, Result], take: Callable[[Item], None] | None = None
) -> Generator[Beat, None, Result]:
    """Runs a job of core as a job of the engine; `take` receives the items that it yields."""
    while True:
        try:
            item = next(steps)
        except StopIteration as end:
            return end.value
        if take is not None:
            take(item)
        yield Beat()


# survey of the text ------------------------------------------------------------------------------


@dataclass
class Survey:
    """The facts about a text that are known before training.

    size      bytes read; `whole` if that is all of the text
    words     the number of words as the first lane counts them; `different` of distinct ones
    limits    the vocabulary sizes that the text allows, by lane without its size
    errors    the reasons why a lane cannot learn from the text, with the remedy
    """

    size: int = 0
    whole: bool = True
    is_read: bool = False
    beginning: str = ""
    words: int = 0
    different: int = 0
    limits: dict[Lane, Limits] = field(default_factory=dict)
    errors: dict[Lane, str] = field(default_factory=dict)


def survey_steps(
    survey: Survey, reading: Generator[int, None, Excerpt], lanes: Sequence[Lane]
) -> Generator[Beat, None, None]:
    """Reads the text, then finds the possible sizes of each lane. Raises the errors of reading."""
    excerpt = yield from with_beats(reading)
    survey.size, survey.whole = excerpt.size, excerpt.whole
    survey.beginning = shortened("\n\n".join(excerpt.texts[:SHOWN]), SHOWN)
    survey.is_read = True
    yield Beat()
    for lane in dict.fromkeys(lane.unsized for lane in lanes):

        def take(item: Any, lane: Lane = lane) -> None:
            if isinstance(item, CountingStep) and lane == lanes[0].unsized:
                survey.words, survey.different = item.words, item.different_words
            elif isinstance(item, Limits):
                survey.limits[lane] = item

        steps = vocabulary_limits_steps(lane.plan, excerpt.texts)
        try:
            survey.limits[lane] = yield from with_beats(steps, take)
        except ValueError as error:
            survey.errors[lane] = str(error)
        yield Beat()


# the training ------------------------------------------------------------------------------------


class Recording:
    """Up to four lanes trained in lock step, with each lane's split of the sample after every step.

    wanted      the requested number of pieces of each lane; a text may yield fewer
    text_size   bytes read so far; `text_read` once reading is complete
    moments     the common steps so far
    limit       the number of common steps after which training waits; None for no limit
    speed       factor on the usual pace; infinite for full speed
    hurry       full speed, regardless of `speed`
    preparing   the newest work of a lane between its steps, or None
    tokenizers  after training, one per lane, None for a lane that failed
    ended       training is complete or has failed, and the GUI has been notified
    """

    def __init__(
        self, plans: Sequence[LanePlan], names: Sequence[str], sample: str, wanted: Sequence[int]
    ) -> None:
        self.plans, self.names, self.wanted = tuple(plans), tuple(names), tuple(wanted)
        self.sample = sample
        self.text_size, self.text_read = 0, False
        self.moments: list[CommonStep] = []
        self.limit: int | None = None
        self.speed = 1.0
        self.hurry = False
        self.preparing: Preparing | None = None
        self.tokenizers: list[Any] = []
        self.ended = False
        self._states: list[list[LaneState]] = [[] for _ in plans]
        self._splits: list[list[Split]] = [[] for _ in plans]
        self._growing = [growing(plan, sample) for plan in plans]
        self._resplitting = 0

    # the recorded steps

    def __len__(self) -> int:
        return len(self.moments)

    @property
    def lanes(self) -> range:
        return range(len(self.names))

    @property
    def expected(self) -> int:
        """The estimated index of the last common step."""
        if self.ended:
            return len(self.moments) - 1
        return max(self.moments[-1].expected, len(self.moments) - 1) if self.moments else 0

    def state(self, lane: int, index: int) -> LaneState:
        return self.moments[index].lanes[lane]

    def states(self, lane: int) -> list[LaneState]:
        """Returns a lane's states after each of its own steps: entry n - 1 is that of step n."""
        return self._states[lane]

    def split(self, lane: int, index: int) -> Split:
        """Returns a lane's split of the sample at a moment."""
        number = self.moments[index].lanes[lane].number
        splits = self._splits[lane]
        return splits[min(number, len(splits)) - 1] if splits and number else NOTHING

    def bytes_per_token(self, lane: int, index: int) -> float:
        """Returns the mean number of bytes per token; NaN if not known yet."""
        tokens = self.moments[index].lanes[lane].tokens
        return bytes_per_token(self.text_size, tokens) if tokens else math.nan

    def lost(self, lane: int) -> float:
        """Returns the share of the text that a lane's tokenizer loses; NaN until it is done."""
        return self.moments[-1].lanes[lane].lost if self.moments else math.nan

    # the jobs

    def run(
        self,
        reading: Generator[int, None, Excerpt],
        vocab_size: int,
        limits: Sequence[Limits | None],
    ) -> Generator[Beat, None, None]:
        """Reads the text, then trains. `limits` are the possible sizes of each lane; missing ones
        are computed first, since training ends when the text yields no more pieces.
        """
        excerpt = yield from with_beats(reading, self._set_size)
        self.text_size, self.text_read = excerpt.size, True
        plans = list(self.plans)
        for lane, known in enumerate(limits):
            known = known or (yield from self._find_limits(lane, excerpt.texts))
            if known and known.largest is not None and known.largest < self.wanted[lane]:
                plans[lane] = replace(plans[lane], vocab_size=known.largest)
        steps = lockstep_steps(plans, excerpt.texts, vocab_size, rivals=RIVALS)
        worked = Pace()
        while True:
            try:
                item = next(steps)
            except StopIteration as end:
                self.tokenizers = end.value
                return
            if isinstance(item, Preparing):
                self.preparing = item
                yield Beat()
                continue
            while self._resplitting:
                yield Beat(0.01)
            self._take(item)
            while self.limit is not None and len(self.moments) >= self.limit:
                yield Beat(WAIT)
            rest = self._rest(item)
            if rest >= SHORTEST_REST or worked.is_due():
                yield Beat(rest)
                worked.go_on()

    def _set_size(self, size: int) -> None:
        self.text_size = size

    def _find_limits(self, lane: int, texts: Sequence[str]) -> Generator[Beat, None, Limits | None]:
        """Computes a lane's possible sizes; None if the text is unusable: training reports why."""

        def take(item: Any) -> None:
            if isinstance(item, CountingStep | WorkingStep):
                self.preparing = Preparing(lane, item)

        steps = vocabulary_limits_steps(self.plans[lane], texts, self.wanted[lane])
        try:
            return (yield from with_beats(steps, take))
        except ValueError:
            return None

    def _rest(self, moment: CommonStep) -> float:
        if self.hurry or math.isinf(self.speed) or all(lane.done for lane in moment.lanes):
            return 0.0
        return pace.seconds(moment.index, self.expected) / self.speed

    def _take(self, moment: CommonStep) -> None:
        for lane, state in enumerate(moment.lanes):
            if state.number > len(self._states[lane]) and state.step is not None:
                self._growing[lane].take(state.step)
                self._splits[lane].append(self._growing[lane].split)
                self._states[lane].append(state)
        self.preparing = None
        self.moments.append(moment)

    def resplit(self, sample: str) -> Generator[Beat, None, None]:
        """Splits a new sample after every step so far; later steps use it, too."""
        self._resplitting += 1
        try:
            fresh = [growing(plan, sample) for plan in self.plans]
            splits: list[list[Split]] = []
            for lane, states in enumerate(self._states):
                recorded = [state.step for state in states if state.step is not None]
                again = resplit_steps(fresh[lane], recorded)
                splits.append((yield from with_beats(again)))
                yield Beat()
            self.sample, self._splits, self._growing = sample, splits, fresh
        finally:
            self._resplitting -= 1
