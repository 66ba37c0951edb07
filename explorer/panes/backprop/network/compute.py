"""Training on the engine's thread: the learner, changes of its setup between steps, its keyframes.

The GUI thread reads `keyframes` and `curves` meanwhile: they are only replaced or extended.
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

PACE = 60.0  # steps per second at speed 1
SLICE = 0.002  # seconds of work between two yields, at which the GUI goes first
LOOK = 1 / 20  # seconds between two keyframes during training
ENOUGH = 32  # points in a batch for its loss to be meaningful; with fewer it is chance
MOST_KEYFRAMES = 400  # beyond this, half of them are dropped


@dataclass(frozen=True, slots=True)
class Pause:
    """A yield of the job: idle time in seconds, and if the training may be changed meanwhile."""

    idle: float = 0.0
    safe: bool = True


class Training:
    """The learner and its keyframes; every method is called between two optimizer steps."""

    def __init__(self, draft: NetworkDraft, saved: Mapping[str, Any] | None = None) -> None:
        self.speed = 1.0
        self.reset(draft, saved)

    # called by the engine

    def reset(self, draft: NetworkDraft, saved: Mapping[str, Any] | None = None) -> Keyframe:
        """Makes a new network at step 0, or in the `saved` state if that fits the draft."""
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
        self.keyframes: list[Keyframe] = [keyframe]  # never empty, as the GUI thread reads it
        return keyframe

    def state(self) -> dict[str, Any]:
        """Returns network, optimizer and generator for JSON, from before a step that diverged."""
        keyframe = self.keyframes[-1]
        lost = keyframe.update if keyframe.diverged else None
        return (keyframe.learner_state if lost is None else lost.start).to_json()

    def change(self, draft: NetworkDraft) -> Keyframe:
        """Applies a new setup from the next step on and keeps the weights. `since` is the step of
        the latest change, `peak` the largest batch loss since then.
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
        """Adds a keyframe or replaces that of the same step; if there are too many, drops half."""
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
        """Trains until it diverges; a generator that the engine drives."""
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
        """Takes one step without a keyframe; returns None if it has diverged or has no points."""
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
