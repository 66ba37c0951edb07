"""What happens on the engine's thread: the learner, changed between its steps, and its moments.

The engine's thread appends; the GUI's reads `moments` and `curves`, which are only ever replaced or
made longer. Knows no Qt.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.optimization.learner import Learned, Learner
from explorer.panes.backprop.network.curves import Curves
from explorer.panes.backprop.network.experiment import Data, Experiment, make_data
from explorer.panes.backprop.network.learned import recall
from explorer.panes.backprop.network.moment import Moment, Update, look, look_steps
from explorer.panes.backprop.network.sample import Sample, take_sample
from explorer.panes.backprop.network.thinning import places_of

PACE = 60.0  # steps a second at 1x
SLICE = 0.002  # seconds of work between two yields, at which the window goes first
LOOK = 1 / 20  # seconds between two moments while it learns
MOST_MOMENTS = 400  # then half of them are forgotten


@dataclass(frozen=True, slots=True)
class Beat:
    """What the job yields: how long the engine may let it sleep, and whether it may change
    something meanwhile.
    """

    idle: float = 0.0
    safe: bool = True


class Lab:
    """One learner. `change`, `reset`, `one_step` and `look` are called between its steps."""

    def __init__(self, experiment: Experiment, learned: Mapping[str, Any] | None = None) -> None:
        self.speed = 1.0
        self.reset(experiment, learned)

    # called by the engine

    def reset(self, experiment: Experiment, learned: Mapping[str, Any] | None = None) -> Moment:
        """A new network, at step 0, or with what a session kept of one where that fits."""
        self.experiment = experiment
        self.data: Data = make_data(experiment)
        self.learner = Learner.start(
            experiment.config, self.data.train, self.data.test, experiment.settings, experiment.seed
        )
        known = learned is not None and recall(self.learner, learned)
        self.diverged = ""
        self._update: Update | None = None
        moment = look(self.learner, experiment, None)
        curves = Curves.kept(learned.get("curves"), moment.step) if learned and known else Curves()
        if curves.steps[-1:] != [moment.step]:
            curves.take(moment)
        self.curves: Curves = curves
        self.moments: list[Moment] = [moment]  # never empty: the other thread looks
        return moment

    def change(self, experiment: Experiment) -> Moment:
        """Another setup from the next step on; what has been learned stays."""
        before, self.experiment = self.experiment, experiment
        learner = self.learner
        outputs = self.data.classes
        if experiment.about_data != before.about_data:
            self.data = make_data(experiment)
            learner.train, learner.test = self.data.train, self.data.test
        if experiment.settings != before.settings:
            learner.change(experiment.settings)
        if experiment.config != before.config or self.data.classes != outputs:
            learner.resize(experiment.config)
            self._update = None
        return self.look()

    def one_step(self) -> Moment:
        self._learn()
        return self.look()

    def several(self, count: int) -> Moment:
        for _ in range(count):
            self.one_step()
        return self.moments[-1]

    def look(self) -> Moment:
        """Records what there is to see now."""
        return self._keep(look(self.learner, self.experiment, self._update, self.diverged))

    def _keep(self, moment: Moment) -> Moment:
        kept = self.moments
        if kept and kept[-1].step == moment.step:
            kept = kept[:-1]
        elif len(kept) >= MOST_MOMENTS:
            steps = [one.step for one in kept]
            kept = [kept[place] for place in places_of(steps, MOST_MOMENTS // 2)]
        self.moments = [*kept, moment]
        self.curves = self.curves.thinned()
        self.curves.take(moment)
        return moment

    def run(self) -> Iterator[Beat]:
        """Learns on until it diverges; the engine drives it."""
        looked = 0.0
        while not self.diverged:
            begun = now = time.perf_counter()
            while now - begun < SLICE:
                self._learn()
                now = time.perf_counter()
                if self.diverged or not math.isinf(self.speed):
                    break
            if now - looked >= LOOK or self.diverged:
                parts = look_steps(self.learner, self.experiment, self._update, self.diverged)
                for moment in parts:
                    if moment is None:
                        yield Beat(safe=False)
                    else:
                        self._keep(moment)
                looked = now
            pause = 0.0 if math.isinf(self.speed) else 1 / (PACE * self.speed)
            yield Beat(max(0.0, pause - (time.perf_counter() - begun)))

    def _learn(self) -> Learned | None:
        learner = self.learner
        if self.diverged or not len(learner.train):
            return None
        before = {name: tensor.data for name, tensor in learner.network.parameters.items()}
        states = dict(learner.states)
        with np.errstate(all="ignore"):  # what overflows is told as divergence
            learned = learner.learn()
        self.diverged = learned.diverged
        gradients = {
            name: tensor.grad
            for name, tensor in learner.network.parameters.items()
            if tensor.grad is not None
        }
        self._update = Update(
            self.experiment.optimizer,
            learned.learning_rate,
            before,
            gradients,
            dict(learner.slopes),
            learner.settings.penalty,
            learner.settings.strength,
            states,
            learner.loss_name,
            np.zeros((0, 1)) if learner.said is None else learner.said,
            np.zeros(0) if learner.batch is None else learner.batch.targets,
        )
        return learned

    def sample(self, number: int, x: float, y: float, target: float) -> Sample:
        return take_sample(self.learner, number, x, y, target)
