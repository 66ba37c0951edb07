"""What the pictures of Tune show: matrices that are chosen, methods and what they take, curves. No
Qt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from explorer.runs.run_data import RunData

PARTS = ("q", "k", "v")
Points = tuple[np.ndarray, np.ndarray]  # steps and values, (n,) each
NOTHING: Points = (np.empty(0), np.empty(0))


@dataclass(frozen=True)
class TargetGrid:
    """The matrices of a model that LoRA may change, and those that it changes.

    kinds   names without their layer, of queries, keys and values each: "attn.c_attn.q"
    layers  how many there are
    chosen  cells (kind, layer)
    """

    kinds: tuple[str, ...]
    layers: int
    chosen: frozenset[tuple[int, int]]

    def toggled(self, cells: Sequence[tuple[int, int]]) -> tuple[str, ...]:
        """The names of the targets with these cells too, or, where all were chosen, without them;
        the same targets where none would stay.
        """
        some = frozenset(cells)
        chosen = self.chosen - some if some <= self.chosen else self.chosen | some
        return self._names(chosen or self.chosen)

    def _names(self, chosen: frozenset[tuple[int, int]]) -> tuple[str, ...]:
        """As short as they can be: one where a kind is chosen in every layer. Queries, keys and
        values of a layer together are one matrix, which shares its A.
        """
        by_end: dict[str, set[int]] = {}
        for kind, layer in sorted(chosen):
            end = self.kinds[kind]
            whole, _, part = end.rpartition(".")
            if part in PARTS:
                parts = [at for at, one in enumerate(self.kinds) if one.startswith(f"{whole}.")
                         and one.removeprefix(f"{whole}.") in PARTS]  # fmt: skip
                if all((at, layer) in chosen for at in parts):
                    end = whole
            by_end.setdefault(end, set()).add(layer)
        names: list[str] = []
        for end, layers in by_end.items():
            everywhere = len(layers) == self.layers
            names += [end] if everywhere else [f"h.{layer}.{end}" for layer in sorted(layers)]
        return tuple(names)


@dataclass(frozen=True)
class MethodRow:
    """A method and what its run takes. `error`: why it cannot be; then the numbers are 0.

    color  index of its series: the same wherever it is drawn
    """

    method: str
    color: int
    chosen: bool
    trainable: int = 0
    share: float = 0.0
    bytes_peak: int = 0
    bytes_optimizer: int = 0
    bytes_saved: int = 0
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True, eq=False)
class Curves:
    """What evaluations of a run have measured.

    new, old  losses on held-out data of the new skill, and of what the base could do before
    exact     share of held-out answers that are right to the last token
    """

    name: str
    color: int
    new: Points
    old: Points = NOTHING
    exact: Points = NOTHING
    steps: int = 0  # that the run will have

    @property
    def forgotten(self) -> float:
        """How much the loss on what the base could do has grown; NaN where nobody measured."""
        _, losses = self.old
        return float(losses[-1] - losses[0]) if len(losses) else float("nan")


@dataclass(frozen=True, eq=False)
class Asked:
    """A held-out question, its answer, and what base and tuned model say. `answer` "": there is
    none, the text goes on.
    """

    prompt: str
    answer: str
    base: str
    tuned: str
    count: int
    number: int = 0
    step: int = -1
    name: str = field(default="")


def curves_of(
    data: RunData, measures: Mapping[str, np.ndarray] | None, name: str, color: int
) -> Curves:
    """Of a run. measures: by name (n, 2) steps and values."""
    told = data.evaluations
    found = {
        one: (values[:, 0], values[:, 1]) for one, values in (measures or {}).items() if len(values)
    }
    return Curves(
        name,
        color,
        (told["step"].astype(float), told["validation"].astype(float)),
        found.get("base", NOTHING),
        found.get("exact", NOTHING),
        data.config.steps,
    )


def recorded_curves(record: Mapping[str, Sequence[float]], name: str, color: int) -> Curves:
    """Of the run that made the bundled adapter, from its record."""
    steps = np.asarray(record["step"], float)
    new, old, exact = (
        (steps, np.asarray(record[one], float)) for one in ("validation", "base", "exact")
    )
    return Curves(name, color, new, old, exact, int(steps[-1]))
