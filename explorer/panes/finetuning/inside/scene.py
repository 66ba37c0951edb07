"""What stands where: an adapted matrix, what goes through it, and what comes back. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from core.tokenization.telling import quoted_piece
from explorer.panes.finetuning.inside import text

if TYPE_CHECKING:
    from core.finetuning.examination import Examination
    from core.trace import Step

MOST = 256  # rows and columns of a matrix that are drawn, evenly spread
# Where what a step makes stands, and what it is called there.
MADE = {
    "frozen": ("h", "W x"),
    "bias": ("h", "W x + b"),
    "reduce": ("a", "a = A x"),
    "expand": ("change", "B a"),
    "scale": ("change", "s B a"),
    "dora": ("change", "\u0394h"),
    "add": ("sum", "h + \u0394h"),
    "product": ("delta", "B A"),
    "delta": ("delta", "\u0394W = s B A"),
    "dora_delta": ("delta", "\u0394W"),
    "grad_output": ("sum", "\u2202L/\u2202h\u2032"),
    "grad_added": ("change", "\u2202L/\u2202(s B a)"),
    "grad_expanded": ("change", "\u2202L/\u2202(B a)"),
    "grad_B": ("B", "\u2202L/\u2202B"),
    "grad_reduced": ("a", "\u2202L/\u2202a"),
    "grad_A": ("A", "\u2202L/\u2202A"),
}
ROWS = ("W", "B", "delta", "h", "change", "sum")  # places with a row for each output
DELTA = "adapter.delta"


def sampled(values: np.ndarray) -> np.ndarray:
    """(R, C) at most MOST rows and columns of it, evenly spread."""
    rows, columns = (np.linspace(0, size - 1, min(size, MOST)).round().astype(int)
                     for size in values.shape)  # fmt: skip
    return values[rows][:, columns]


@dataclass(frozen=True, eq=False)
class Content:
    """Numbers (R, C) in a place, what they are called, and so many of them as are drawn."""

    name: str
    values: np.ndarray

    @cached_property
    def thumb(self) -> np.ndarray:
        return sampled(self.values)

    @cached_property
    def limit(self) -> float:
        """Where the colors end."""
        return float(np.abs(self.values).max(initial=0.0)) or 1.0


@dataclass(frozen=True, eq=False)
class Scene:
    """`piece`: the bytes of a token."""

    found: Examination
    piece: Callable[[int], bytes]

    @property
    def size(self) -> tuple[int, int, int]:
        """out, in, r."""
        return (*self.found.weight.shape, self.rank)

    @property
    def rank(self) -> int:
        return int(self.found.trace.about["rank"])

    @property
    def position(self) -> int:
        """Of the token that is followed."""
        return int(self.found.trace.about["position"])

    @cached_property
    def steps(self) -> list[Step]:
        return list(self.found.trace)

    @cached_property
    def matrix_step(self) -> int:
        """The one after which the whole change is seen as a matrix."""
        return max(at for at, step in enumerate(self.steps) if self.kind(step).endswith("delta"))

    @staticmethod
    def kind(step: Step) -> str:
        return step.name.rpartition(".")[2]

    @cached_property
    def contents(self) -> list[Mapping[str, Content]]:
        """After each step, what stands in each place; a place where nothing has come is left
        out.
        """
        reduce = next(step for step in self.steps if self.kind(step) == "reduce")
        expand = next(step for step in self.steps if self.kind(step) == "expand")
        x = np.asarray(reduce.value("x")[self.position])
        now = {
            "x": Content("x", x[None]),
            "W": Content("W", self.found.weight),
            "A": Content("A", np.asarray(reduce.value("A"))),
            "B": Content("B", np.asarray(expand.value("B"))),
        }
        made = []
        for step in self.steps:
            if found := self._made(step):
                now = now | found
            made.append(now)
        return made

    def _made(self, step: Step) -> dict[str, Content]:
        if self.kind(step) not in MADE:
            return {}
        place, name = MADE[self.kind(step)]
        values = np.asarray(step.value(next(iter(step.values))))
        if place in ("h", "change", "sum"):
            values = values[self.position][:, None]
        elif place == "a":
            values = values[self.position][None]
        return {place: Content(name, values)}

    def made_by(self, index: int) -> str:
        """The place that a step fills; "" where it fills none."""
        kind = self.kind(self.steps[index]) if index < len(self.steps) else ""
        return MADE.get(kind, ("", ""))[0]

    def part(self, direction: int) -> np.ndarray:
        """What lies along one direction of the change, as it is drawn."""
        found = self.found.spectrum
        left, right = found.left[:, direction], found.right[:, direction]
        return sampled(left[:, None]) * found.values[direction] @ sampled(right[None])

    @cached_property
    def limit(self) -> float:
        """Where the colors of the whole change end."""
        return float(np.abs(self.found.delta).max(initial=0.0)) or 1.0

    def grown(self, index: int, way: float) -> np.ndarray:
        """So much of B A, as it is drawn, as the first directions of A and B make; `way` 0 to 1."""
        before = self.contents[index - 1]
        A, B = before["A"].values, before["B"].values
        count = max(1, round(way * len(A)))
        rows, columns = (np.linspace(0, size - 1, min(size, MOST)).round().astype(int)
                         for size in self.found.weight.shape)  # fmt: skip
        return B[rows, :count] @ A[:count, columns]

    @cached_property
    def largest(self) -> int:
        """The output that the adapter changes most, at the token that is followed."""
        change = next(step for step in reversed(self.steps) if self.made_by(
            self.steps.index(step)) == "change" and "grad" not in step.name)  # fmt: skip
        values = change.value(next(iter(change.values)))[self.position]
        return int(np.abs(values).argmax())

    def cell_of(self, step: Step, output: int) -> tuple[int, ...] | None:
        """Of what a step makes, the number whose arithmetic is shown; None: the largest one."""
        made = np.asarray(step.value(next(iter(step.values))))
        match MADE.get(self.kind(step), ("", ""))[0]:
            case "h" | "change" | "sum":
                return (self.position, output)
            case "a":
                return (self.position, int(np.abs(made[self.position]).argmax()))
            case "B" | "delta":
                return (output, int(np.abs(made[output]).argmax()))
        return None

    # the text

    @cached_property
    def ids(self) -> list[int]:
        return [int(one) for one in self.found.trace.about["ids"]]

    @cached_property
    def acts(self) -> np.ndarray:
        """(T,) how much the adapter adds at each token, beside what the matrix makes."""
        return self.found.acts

    def token(self, position: int) -> str:
        return quoted_piece(self.piece(self.ids[position]))

    @property
    def next_token(self) -> str:
        return quoted_piece(self.piece(int(self.found.trace.about["next_ids"][self.position])))

    # the adapter

    @cached_property
    def grid(self) -> tuple[list[str], list[str], np.ndarray, np.ndarray]:
        """Layers, matrices, (R, C) the strength of each, NaN where nothing is changed, and (R, C)
        the names.
        """
        places = [text.place_of(one.name) for one in self.found.strengths]
        rows, columns = (list(dict.fromkeys(axis)) for axis in zip(*places, strict=True))
        values = np.full((len(rows), len(columns)), np.nan)
        names = np.full(values.shape, "", object)
        for (row, column), one in zip(places, self.found.strengths, strict=True):
            values[rows.index(row), columns.index(column)] = one.ratio
            names[rows.index(row), columns.index(column)] = one.name
        return rows, columns, values, names

    @property
    def needed(self) -> int:
        """Directions that hold 99 % of the change."""
        return self.found.spectrum.directions_for()
