"""Training on the engine's thread: one learner, its setup changed between two steps, its keyframes.

The window reads `keyframes` and `curves` meanwhile: they are only ever replaced or made longer.
No Qt here.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.optimization.learner import Learned, Learner
from core.optimization.learner_state import restore, state_of
from explorer.panes.backprop.network.curves import Curves, places_of
from explorer.panes.backprop.network.draft import NetworkDraft, make_data
from explorer.panes.backprop.network.keyframe import Keyframe, Update, record, record_steps
from explorer.panes.backprop.network.sample import Sample, take_sample

PACE = 60.0  # steps a second at 1x
SLICE = 0.002  # seconds of work between two yields, at which the window goes first
LOOK = 1 / 20  # seconds between two keyframes while it learns
ENOUGH = 32  # points of a batch whose loss tells something: of fewer it is chance
MOST_KEYFRAMES = 400  # then half of them are forgotten


@dataclass(frozen=True, slots=True)
class Pause:
    """What the job yields: how long it may sleep, and whether the training may change meanwhile."""

    idle: float = 0.0
    safe: bool = True


class Training:
    """One learner and its keyframes; every method is called between two of its steps."""

    def __init__(self, draft: NetworkDraft, saved: Mapping[str, Any] | None = None) -> None:
        self.speed = 1.0
        self.reset(draft, saved)

    # called by the engine

    def reset(self, draft: NetworkDraft, saved: Mapping[str, Any] | None = None) -> Keyframe:
        """A new network at step 0, or one in the state that a session kept, where that fits."""
        self.draft, self.data = draft, make_data(draft)
        data = self.data
        self.learner = Learner.start(
            draft.config, data.train, data.test, draft.settings, draft.seed
        )
        if saved is not None:
            restore(self.learner, saved)
        self.since = self.learner.step
        self.diverged = ""
        self.curves, self.peak = Curves(), 0.0
        self._update: Update | None = None
        keyframe = record(self.learner, draft, None)
        self.curves.take(keyframe)
        self.keyframes: list[Keyframe] = [keyframe]  # never empty: the other thread looks
        return keyframe

    def state(self) -> dict[str, Any]:
        """For JSON: network, optimizer and generator, before a step that diverged."""
        keyframe = self.keyframes[-1]
        lost = keyframe.update if keyframe.diverged else None
        return (keyframe.learner_state if lost is None else lost.start).to_json()

    def change(self, draft: NetworkDraft) -> Keyframe:
        """Applies another setup from the next step on and keeps the weights. `since` is the step of
        the latest change, `peak` the largest loss of a batch from then on.
        """
        before, self.draft = self.draft, draft
        learner = self.learner
        self.since, self.peak = learner.step, 0.0
        outputs = self.data.classes
        if draft.about_data != before.about_data:
            self.data = make_data(draft)
            learner.train, learner.test = self.data.train, self.data.test
        if draft.settings != before.settings:
            learner.change(draft.settings)
        if draft.config != before.config or self.data.classes != outputs:
            learner.resize(draft.config)
            self._update = None
        return self.record()

    def one_step(self) -> Keyframe:
        self.learn()
        return self.record()

    def several(self, count: int) -> Keyframe:
        for _ in range(count):
            self.one_step()
        return self.keyframes[-1]

    def record(self) -> Keyframe:
        """Records a keyframe now."""
        return self.keep(record(self.learner, self.draft, self._update, self.diverged))

    def keep(self, keyframe: Keyframe) -> Keyframe:
        """Adds a keyframe, in place of one of the same step; of too many, half are forgotten."""
        kept = self.keyframes
        if kept and kept[-1].step == keyframe.step:
            kept = kept[:-1]
        elif len(kept) >= MOST_KEYFRAMES:
            steps = [one.step for one in kept]
            kept = [kept[place] for place in places_of(steps, MOST_KEYFRAMES // 2)]
        self.keyframes = [*kept, keyframe]
        self.curves = self.curves.thinned()
        self.curves.take(keyframe)
        return keyframe

    def run(self) -> Iterator[Pause]:
        """Trains until it diverges; the engine drives it."""
        looked = 0.0
        while not self.diverged:
            begun = now = time.perf_counter()
            while now - begun < SLICE:
                self.learn()
                now = time.perf_counter()
                if self.diverged or not math.isinf(self.speed):
                    break
            if now - looked >= LOOK or self.diverged:
                parts = record_steps(self.learner, self.draft, self._update, self.diverged)
                for keyframe in parts:
                    if keyframe is None:
                        yield Pause(safe=False)
                    else:
                        self.keep(keyframe)
                looked = now
            pause = 0.0 if math.isinf(self.speed) else 1 / (PACE * self.speed)
            yield Pause(max(0.0, pause - (time.perf_counter() - begun)))

    def learn(self) -> Learned | None:
        """One step without a keyframe; None where it has diverged or there is nothing to learn."""
        if self.diverged or not len(self.learner.train):
            return None
        learner, start = self.learner, state_of(self.learner)
        with np.errstate(all="ignore"):  # an overflow is reported as divergence
            learned = learner.learn()
        assert learner.batch is not None and learner.said is not None
        parameters = learner.network.parameters.items()
        self._update = Update(
            self.draft,
            start,
            learned.learning_rate,
            {name: tensor.grad for name, tensor in parameters if tensor.grad is not None},
            dict(learner.slopes),
            learner.settings.penalty,
            learner.settings.strength,
            learner.loss_name,
            learner.said,
            learner.batch.targets,
        )
        self.diverged = learned.diverged
        if len(learner.batch) >= ENOUGH and math.isfinite(learned.loss):
            self.peak = max(self.peak, learned.loss)
        return learned

    def sample(self, number: int, x: float, y: float, target: float) -> Sample:
        return take_sample(self.learner, number, x, y, target)
