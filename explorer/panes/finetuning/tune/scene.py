"""What runs have measured, as curves. No Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.finetuning.settings import METHODS, settings_of

if TYPE_CHECKING:
    from explorer.runs.run_data import RunData

Points = tuple[np.ndarray, np.ndarray]  # steps and values, (n,) each
NOTHING: Points = (np.empty(0), np.empty(0))


def end_of(points: Points) -> float:
    """The last value; NaN where there is none."""
    return float(points[1][-1]) if len(points[1]) else float("nan")


@dataclass(frozen=True, eq=False)
class Curves:
    """Of a run, by step.

    new, old  losses on held-out data of the new skill, and of what the base could do before
    exact     share of held-out answers that are right to the last token
    untuned   loss on what the base could do, of the base without a soft prompt
    steps     that the run will have
    data, base_data
              what is learned, and what the base could do before: the name of a file, or of ours
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

    @property
    def forgotten(self) -> float:
        """How much the loss on what the base could do has grown; NaN where nobody measured."""
        before = (*self.untuned[1], *self.old[1])
        return end_of(self.old) - before[0] if before else float("nan")

    def until(self, step: float) -> Curves:
        """As they were at a step."""
        told = {"new": self.new, "old": self.old, "exact": self.exact}
        return replace(self, **{one: (x[x <= step], y[x <= step]) for one, (x, y) in told.items()})


def curves_of(data: RunData, measures: Mapping[str, np.ndarray]) -> Curves:
    """measures: by name (n, 2) steps and values."""
    told, settings = data.evaluations, settings_of(data.config)
    new = told["step"].astype(float), told["validation"].astype(float)
    others = (
        (one[:, 0], one[:, 1]) if one is not None and len(one) else NOTHING
        for one in map(measures.get, ("base", "exact", "untuned"))
    )
    names = Path(settings.data).name, Path(settings.base_data).name
    return Curves(data.name, settings.method, data.config.steps, new, *others, *names)


def all_curves(runs: Mapping[str, tuple[RunData, Any]]) -> dict[str, Curves]:
    """Of runs by folder, in the order of the methods."""
    found = {folder: curves_of(data, measures or {}) for folder, (data, measures) in runs.items()}
    return dict(sorted(found.items(), key=lambda one: METHODS.index(one[1].method)))


def recorded_curves(record: Mapping[str, Sequence[float]], name: str) -> Curves:
    """Of the run that made the bundled adapter, from its record."""
    steps, new, old, exact = (
        np.asarray(record[one], float) for one in ("step", "validation", "base", "exact")
    )
    return Curves(name, "lora", int(steps[-1]), (steps, new), (steps, old), (steps, exact))
