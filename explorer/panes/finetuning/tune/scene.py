"""The measurements of runs, as curves. Does not import Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.finetuning.settings import METHODS, STORIES, settings_of
from core.finetuning.skill import Points, step_at, value_at

if TYPE_CHECKING:
    from explorer.runs.run_data import RunData

NOTHING: Points = (np.empty(0), np.empty(0))


def end_of(points: Points) -> float:
    """Returns the last value; NaN if there is none."""
    return float(points[1][-1]) if len(points[1]) else float("nan")


@dataclass(frozen=True, eq=False)
class Curves:
    """The measurements of a run, by step.

    new, old         losses on held-out data of the new skill, and of the base's skill
    exact            share of held-out answers that are right to the last token
    untuned          loss on the base's skill, of the base without a soft prompt
    steps            the run's planned number
    data, base_data  the new skill, and the base's: the name of a file, or of bundled data
    base             the model that is tuned
    """

    name: str
    method: str
    steps: int
    new: Points
    old: Points = NOTHING
    exact: Points = NOTHING
    untuned: Points = NOTHING
    data: str = "questions"
    base_data: str = "stories"
    base: str = STORIES

    @property
    def skill(self) -> Points:
        """A measure of the new skill that is larger when better: right answers, or else the
        negative loss.
        """
        return self.exact if len(self.exact[1]) else (self.new[0], -self.new[1])

    @property
    def forgotten(self) -> float:
        """The growth of the loss on the base's skill; NaN if it was not measured."""
        return end_of(self.old) - self._before

    @property
    def _before(self) -> float:
        """The loss on the base's skill before the first step."""
        return next(iter((*self.untuned[1], *self.old[1])), float("nan"))

    def forgotten_at(self, skill: float) -> float:
        """Returns `forgotten` at the first step with this skill; NaN also without such a step."""
        return value_at(self.old, step_at(self.skill, skill)) - self._before

    def until(self, step: float) -> Curves:
        """Returns the curves up to a step."""
        told = {"new": self.new, "old": self.old, "exact": self.exact}
        return replace(self, **{one: (x[x <= step], y[x <= step]) for one, (x, y) in told.items()})


def curves_of(data: RunData, measures: Mapping[str, np.ndarray]) -> Curves:
    """Returns the curves of a run; `measures`: by name (n, 2) steps and values."""
    found, settings = data.evaluations, settings_of(data.config)
    new = found["step"].astype(float), found["validation"].astype(float)
    others = (
        (one[:, 0], one[:, 1]) if one is not None and len(one) else NOTHING
        for one in map(measures.get, ("base", "exact", "untuned"))
    )
    names = Path(settings.data).name, Path(settings.base_data).name
    told = Curves(data.name, settings.method, data.config.steps, new, *others, *names)
    return replace(told, base=settings.base)


def all_curves(runs: Mapping[str, tuple[RunData, Any]]) -> dict[str, Curves]:
    """Returns the curves of runs by folder, in the order of the methods."""
    found = {folder: curves_of(data, measures or {}) for folder, (data, measures) in runs.items()}
    return dict(sorted(found.items(), key=lambda one: METHODS.index(one[1].method)))


def recorded_curves(record: Mapping[str, Sequence[float]], name: str) -> Curves:
    """Returns the curves of the bundled adapter's run, from its record."""
    steps, new, old, exact = (
        np.asarray(record[one], float) for one in ("step", "validation", "base", "exact")
    )
    return Curves(name, "lora", int(steps[-1]), (steps, new), (steps, old), (steps, exact))
