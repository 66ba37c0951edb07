"""The content of Inside's picture: an adapted matrix, its values and its gradients. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from core.tokenization.telling import quoted_piece
from explorer.panes.finetuning.inside import text
from explorer.panes.finetuning.matrix_names import place_of
from explorer.widgets.diagrams.scenes import AdapterScene, Content, drawn_rows

if TYPE_CHECKING:
    from core.finetuning.examination import Examination
    from core.trace import Step

# For each kind of step: the place of its result, the result's name there, and its arrows.
MADE: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "frozen": ("h", "W x", ()),
    "bias": ("h", "W x + b", ()),
    "reduce": ("a", "a = A x", ()),
    "expand": ("change", "B a", ("a",)),
    "scale": ("change", "s B a", ()),
    "dora": ("change", "\u0394h", ()),
    "change": ("change", "\u0394W x", ()),
    "bias_change": ("change", "\u0394b", ()),
    "add": ("sum", "h + \u0394h", ("h", "change")),
    "product": ("delta", "B A", ()),
    "delta": ("delta", "\u0394W = s B A", ()),
    "dora_delta": ("delta", "\u0394W", ()),
    "grad_output": ("sum", "\u2202L/\u2202h\u2032", ()),
    "grad_added": ("change", "\u2202L/\u2202(s B a)", ("change",)),
    "grad_expanded": ("change", "\u2202L/\u2202(B a)", ("change",)),
    "grad_B": ("B", "\u2202L/\u2202B", ()),
    "grad_reduced": ("a", "\u2202L/\u2202a", ("a",)),
    "grad_A": ("A", "\u2202L/\u2202A", ()),
    "grad_W": ("delta", "\u2202L/\u2202W", ()),
    "grad_b": ("change", "\u2202L/\u2202b", ()),
}
NOTHING: tuple[str, str, tuple[str, ...]] = ("", "", ())


def kind_of(step: Step) -> str:
    return step.name.rpartition(".")[2]


def at_token(values: np.ndarray, position: int) -> np.ndarray:
    """Returns the values at one token: from (T, out), or from (out,), the same for every token."""
    return np.atleast_2d(values)[position if values.ndim > 1 else 0]


def contents_of(found: Examination) -> list[Mapping[str, Content]]:
    """Returns the content of each place after each step, with all that is drawn of it; for the
    engine's thread, because the matrices may be large.
    """
    steps, at = {kind_of(step): step for step in found.trace}, found.trace.about["position"]
    weight = steps["frozen"].value("weight")
    own = "grad_W" in steps
    now = {
        "x": Content("x", steps["frozen"].value("x")[at][None]),
        "W": Content("W, before" if own else "W, frozen", weight),
    }
    if "reduce" in steps:
        now["A"] = Content("A", steps["reduce"].value("A"))
        now["B"] = Content("B", steps["expand"].value("B"))
    contents = []
    for kind, step in steps.items():
        place, name, _ = MADE.get(kind, NOTHING)
        if place:
            values = step.value(next(iter(step.values)))
            if place in ("h", "change", "sum"):
                values = at_token(values, at)[:, None]
            name = name.partition(" = s")[0] if own else name  # \u0394W, without B and A
            now = now | {place: Content(name, values[at][None] if place == "a" else values)}
        contents.append(now)
    for one in (one for now in contents for one in now.values()):
        _ = one.thumb, one.limit
    return contents


@dataclass(frozen=True, eq=False)
class Scene:
    """`contents`: after each step; `piece` returns the bytes of a token."""

    found: Examination
    contents: Sequence[Mapping[str, Content]]
    piece: Callable[[int], bytes]

    @cached_property
    def steps(self) -> list[Step]:
        return list(self.found.trace)

    @property
    def position(self) -> int:
        """The position of the selected token."""
        return int(self.found.trace.about["position"])

    @cached_property
    def ids(self) -> list[int]:
        return [int(one) for one in self.found.trace.about["ids"]]

    @property
    def token(self) -> str:
        """The selected token."""
        return quoted_piece(self.piece(self.ids[self.position]))

    @property
    def needed(self) -> int:
        """The number of directions that make up 99 % of the change."""
        return self.found.spectrum.directions_for()

    @cached_property
    def matrix_step(self) -> int:
        """The index of the step after which the whole change is visible as a matrix."""
        kinds = [kind_of(one) for one in self.steps]
        return max(at for at, kind in enumerate(kinds) if kind.endswith(("delta", "add")))

    @cached_property
    def largest(self) -> int:
        """The index of the output that the adapter changes most at the selected token."""
        add = next(step for step in self.steps if kind_of(step) == "add")
        return int(np.abs(at_token(add.value("change"), self.position)).argmax())

    def at(self, position: float, output: int, direction: int) -> AdapterScene:
        """Returns the picture at a position; `direction`: the one that is drawn alone, or -1."""
        last = len(self.steps) - 1
        index = min(int(position), last)
        after, way = min(index + 1, last), position - index
        coming, _, flows = MADE.get(kind_of(self.steps[after]), NOTHING) if way else NOTHING
        grows = kind_of(self.steps[after]) == "product" and way > 0
        return AdapterScene(
            size=(*self.contents[0]["W"].values.shape, int(self.found.trace.about["rank"])),
            now=self.contents[index],
            after=self.contents[after],
            made=MADE.get(kind_of(self.steps[index]), NOTHING)[0],
            coming=coming,
            way=way,
            grown=self.grown(way) if grows else None,
            flows=flows,
            back="grad" in self.steps[index].name,
            output=output,
            alone=self.part(direction) if direction >= 0 else None,
            places=frozenset().union(*self.contents),
        )

    def grown(self, way: float) -> np.ndarray:
        """Returns the part of B A, as drawn, from the first directions of A and B; `way` 0 to 1."""
        A, B = (self.contents[0][name].values for name in "AB")
        count = max(1, round(way * len(A)))
        return drawn_rows(B[:, :count]) @ drawn_rows(A[:count].T).T

    def part(self, direction: int) -> Content:
        """Returns the part of the change along one direction, as drawn."""
        found, one = self.found.spectrum, slice(direction, direction + 1)
        left, right = drawn_rows(found.left[:, one]), drawn_rows(found.right[:, one])
        return Content(text.ALONE.format(direction + 1), left * found.values[one] @ right.T)

    def cell_of(self, step: Step, output: int) -> tuple[int, ...] | None:
        """Returns the index of the number whose arithmetic is shown; None: the largest one."""
        made = step.value(next(iter(step.values)))
        match MADE.get(kind_of(step), NOTHING)[0]:
            case "h" | "change" | "sum":
                return (self.position, output)[-made.ndim :]
            case "a":
                return (self.position, int(np.abs(made[self.position]).argmax()))
            case "B" | "delta":
                return (output, int(np.abs(made[output]).argmax()))
        return None

    @cached_property
    def grid(self) -> tuple[list[str], list[str], np.ndarray, np.ndarray]:
        """Layers, matrices, (R, C) strengths of the changes, NaN for none, and (R, C) names."""
        places = [place_of(one.name) for one in self.found.strengths]
        rows, columns = (list(dict.fromkeys(axis)) for axis in zip(*places, strict=True))
        values = np.full((len(rows), len(columns)), np.nan)
        names = np.full(values.shape, "", object)
        for (row, column), one in zip(places, self.found.strengths, strict=True):
            values[rows.index(row), columns.index(column)] = one.ratio
            names[rows.index(row), columns.index(column)] = one.name
        return rows, columns, values, names
