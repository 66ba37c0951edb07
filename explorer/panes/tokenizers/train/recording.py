"""A training as it is recorded: its steps, live, and how the sample is cut after each.

The engine's thread appends, the GUI's reads what is there: both only ever touch whole items of
lists. Knows no Qt.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.data.excerpt import Excerpt
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
from core.tokenization.vocabulary_limits import Limits, vocabulary_limits_steps
from explorer.panes.tokenizers.train import pace

SLICE = 0.012  # seconds of work between two yields
WAIT = 0.2  # seconds between two looks whether the next step is wanted
RIVALS = 4  # how many pairs that were next are told
NOTHING = Split((), ())


@dataclass(frozen=True, slots=True)
class Beat:
    """What the job yields: for the engine, how long it may sleep."""

    idle: float = 0.0


@dataclass
class Text:
    """What was read."""

    size: int = 0
    whole: bool = True
    read: bool = False


class Recording:
    """Up to four lanes in lock step.

    wanted      the pieces that were asked for of each lane; a text may yield fewer
    moments     the common steps so far
    limit       the number of common steps after which it waits; None: no limit
    speed       how many times the usual pace; infinite: as fast as it goes
    hurry       as fast as it goes, whatever the speed
    preparing   what a lane was last busy with
    over        it is done, and the GUI has heard of it
    failed      it could not go on, and the GUI has heard of it
    tokenizers  once it is done: one a lane, None for one that failed
    """

    def __init__(
        self, plans: Sequence[LanePlan], names: Sequence[str], sample: str, wanted: Sequence[int]
    ) -> None:
        self.plans, self.names = tuple(plans), tuple(names)
        self.sample = sample
        self.text = Text()
        self.moments: list[CommonStep] = []
        self.limit: int | None = None
        self.speed = 1.0
        self.hurry = False
        self.preparing: Preparing | None = None
        self.tokenizers: list[Any] | None = None
        self.over = self.failed = False  # the GUI's thread has heard of the end
        self.wanted = wanted
        self._states: list[list[LaneState]] = [[] for _ in plans]
        self._splits: list[list[Split]] = [[] for _ in plans]
        self._growing = [growing(plan, sample) for plan in plans]
        self._resplitting = 0

    # what was recorded

    def __len__(self) -> int:
        return len(self.moments)

    @property
    def expected(self) -> int:
        """The index of the last common step, as far as is known now."""
        if self.over:
            return len(self.moments) - 1
        return max(self.moments[-1].expected, len(self.moments) - 1) if self.moments else 0

    def state(self, lane: int, index: int) -> LaneState:
        return self.moments[index].lanes[lane]

    def states(self, lane: int) -> list[LaneState]:
        """What a lane came to after each step of its own: entry n - 1 is that of step n."""
        return self._states[lane]

    def split(self, lane: int, index: int) -> Split:
        """How the sample is cut at a moment."""
        number = self.moments[index].lanes[lane].number
        splits = self._splits[lane]
        return splits[min(number, len(splits)) - 1] if splits and number else NOTHING

    def bytes_per_token(self, lane: int, index: int) -> float:
        """Of the text that is learned from; NaN where it is not known yet."""
        tokens = self.moments[index].lanes[lane].tokens
        return self.text.size / tokens if tokens else math.nan

    def lost(self, lane: int) -> float:
        """The share of the text that a lane's tokenizer loses; NaN until it is done."""
        return self.moments[-1].lanes[lane].lost if self.moments else math.nan

    # the job

    def run(
        self,
        reading: Generator[int, None, Excerpt],
        vocab_size: int,
        limits: Sequence[Limits | None] = (),
    ) -> Generator[Beat, None, None]:
        """Reads the text, then trains; the engine drives it. limits: of each lane, where they are
        known; the others are found first, for training ends where the text ends.
        """
        while True:
            try:
                self.text.size = next(reading)
            except StopIteration as end:
                excerpt = end.value
                break
            yield Beat()
        self.text = Text(excerpt.size, excerpt.whole, True)
        plans = yield from self._plans_within(excerpt.texts, limits)
        steps = lockstep_steps(plans, excerpt.texts, vocab_size, rivals=RIVALS)
        looked = time.perf_counter()
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
            if rest >= 0.004:
                yield Beat(rest)
            elif time.perf_counter() - looked > SLICE:
                yield Beat()
                looked = time.perf_counter()

    def _plans_within(
        self, texts: Sequence[str], limits: Sequence[Limits | None]
    ) -> Generator[Beat, None, list[LanePlan]]:
        """The plans, each with at most as many pieces as the text yields."""
        found = list(self.plans)
        for lane, (plan, wanted) in enumerate(zip(self.plans, self.wanted, strict=True)):
            known = limits[lane] if limits else None
            if known is None:
                known = yield from self._limits(lane, texts)
            if known is not None and known.largest is not None and known.largest < wanted:
                found[lane] = replace(plan, vocab_size=known.largest)
        return found

    def _limits(self, lane: int, texts: Sequence[str]) -> Generator[Beat, None, Limits | None]:
        """None where the text cannot be used: training says why."""
        steps = vocabulary_limits_steps(self.plans[lane], texts, self.wanted[lane])
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                return end.value
            except ValueError:
                return None
            if isinstance(step, CountingStep | WorkingStep):
                self.preparing = Preparing(lane, step)
            yield Beat()

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

    # another sample

    def resplit(self, sample: str) -> Generator[Beat, None, None]:
        """Cuts another sample after every step there is; those to come follow."""
        self._resplitting += 1
        try:
            fresh = [growing(plan, sample) for plan in self.plans]
            splits: list[list[Split]] = []
            for lane, states in enumerate(self._states):
                recorded = [state.step for state in states if state.step is not None]
                again = resplit_steps(fresh[lane], recorded)
                while True:
                    try:
                        next(again)
                    except StopIteration as end:
                        splits.append(end.value)
                        break
                    yield Beat()
                yield Beat()
            self.sample, self._splits, self._growing = sample, splits, fresh
        finally:
            self._resplitting -= 1
