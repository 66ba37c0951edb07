"""What the engine runs: it looks at the text, trains all lanes in lock step and records every step,
and cuts another sample. No Qt.

The engine's thread appends, the window's reads what is there: both only ever touch whole items of
lists.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from core.data.excerpt import Excerpt
from core.jobs import Pace
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

WAIT = 0.2  # seconds between two looks whether the next step is wanted
SHORTEST_REST = 0.004  # seconds; the engine does not sleep for less
RIVALS = 4  # how many of the pairs that lost are recorded
SHOWN = 1500  # letters of the beginning that are shown
NOTHING = Split((), ())

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Beat:
    """What a job yields to the engine: for how many seconds it may sleep."""

    idle: float = 0.0


def with_beats(
    steps: Generator[Item, None, Result], take: Callable[[Item], None] | None = None
) -> Generator[Beat, None, Result]:
    """Runs a job of core; `take` gets what it yields."""
    while True:
        try:
            item = next(steps)
        except StopIteration as end:
            return end.value
        if take is not None:
            take(item)
        yield Beat()


# what the text allows ----------------------------------------------------------------------------


@dataclass
class Survey:
    """What is known of a text before anything is trained on it.

    size      bytes that are read; `whole`: nothing was left out
    words     words and different ones, as the first lane counts them
    limits    the sizes that the text allows, by lane without its size
    errors    why a lane cannot learn from the text, with the remedy
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
    """Reads the text, then finds what it allows of each lane. Raises what reading raises."""
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
    """Up to four lanes in lock step, and how each cuts the sample after every step.

    wanted      the pieces that were asked for of each lane; a text may yield fewer
    text_size   bytes of the text; `text_read`: that is all of them
    moments     the common steps so far
    limit       the number of common steps after which it waits; None: no limit
    speed       how many times the usual pace; infinite: as fast as it goes
    hurry       as fast as it goes, whatever the speed
    preparing   what a lane was last busy with
    tokenizers  once it is done: one a lane, None for one that failed
    ended       it is done or could not go on, and the window has heard of it
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

    # what was recorded

    def __len__(self) -> int:
        return len(self.moments)

    @property
    def lanes(self) -> range:
        return range(len(self.names))

    @property
    def expected(self) -> int:
        """The index of the last common step, by all that is known now."""
        if self.ended:
            return len(self.moments) - 1
        return max(self.moments[-1].expected, len(self.moments) - 1) if self.moments else 0

    def state(self, lane: int, index: int) -> LaneState:
        return self.moments[index].lanes[lane]

    def states(self, lane: int) -> list[LaneState]:
        """A lane's states after each of its own steps: entry n - 1 is that of step n."""
        return self._states[lane]

    def split(self, lane: int, index: int) -> Split:
        """How a lane cuts the sample at a moment."""
        number = self.moments[index].lanes[lane].number
        splits = self._splits[lane]
        return splits[min(number, len(splits)) - 1] if splits and number else NOTHING

    def bytes_per_token(self, lane: int, index: int) -> float:
        """How many bytes of the text a token stands for; NaN where that is not known yet."""
        tokens = self.moments[index].lanes[lane].tokens
        return self.text_size / tokens if tokens else math.nan

    def lost(self, lane: int) -> float:
        """The share of the text that a lane's tokenizer loses; NaN until it is done."""
        return self.moments[-1].lanes[lane].lost if self.moments else math.nan

    # the jobs

    def run(
        self,
        reading: Generator[int, None, Excerpt],
        vocab_size: int,
        limits: Sequence[Limits | None],
    ) -> Generator[Beat, None, None]:
        """Reads the text, then trains. limits: what the text allows of each lane; what is not known
        is found first, for training ends where the text yields no more.
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
        """Finds what the text allows of a lane; None where it cannot be used: training says why."""

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
        """Cuts another sample after every step so far; the steps to come follow it."""
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
