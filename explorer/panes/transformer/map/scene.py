"""Where the cursor is in a forward pass, and what is drawn there. Plain numbers, no Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.equation import Cell, Term, terms_of
from core.marked_line import marked_line
from explorer.panes.transformer.map.compute import STRIPE, Found, Level
from explorer.widgets.pooling import Matrix, stripes_of

if TYPE_CHECKING:
    from core.inference.forward_outline import Part


@dataclass(frozen=True)
class Place:
    """Where the cursor is.

    parent    the step that one is inside of; None: the whole model
    level     the steps there, as indices into the trace
    position  in the level: a whole number is a settled step
    """

    parent: int | None
    level: tuple[int, ...]
    position: float

    @property
    def at(self) -> int:
        """The step in words, as the player counts it."""
        return self.level[min(math.ceil(self.position - 1e-9), len(self.level) - 1)]


def place_of(found: Found, path: Sequence[float]) -> Place:
    """`path`: where the player's cursor stands on each level, the outermost first."""
    parent: int | None = None
    for outer in path[:-1]:
        parent = found.children[parent][round(outer)]
    return Place(parent, found.children[parent], path[-1])


def way_to(found: Found, index: int | None) -> list[int]:
    """A step and those that it is inside of, the outermost first."""
    way: list[int] = []
    while index is not None:
        way.insert(0, index)
        index = found.parts[index].parent
    return way


def kind_of(part: Part) -> str:
    """The last part of its name: "scores"."""
    return part.name.partition(".")[2]


@dataclass(frozen=True, eq=False)
class ModelScene:
    """The whole model. tokens: what they say, none without weights; likely: the likeliest next."""

    found: Found
    tokens: tuple[str, ...]
    likely: tuple[str, ...]

    @property
    def steps(self) -> list[tuple[int, str]]:
        """Index and kind of each step."""
        return [(at, kind_of(self.found.parts[at])) for at in self.found.children[None]]


@dataclass(frozen=True, eq=False)
class BlockScene:
    """One block: what stands on the stream and what hangs on it.

    parts    (index, kind) in order: "ln_1", "attention", "add_read", ...
    stripes  (STRIPE,) of the chosen token, by the kind of the step that makes it, and "in"
    """

    found: Found
    parts: tuple[tuple[int, str], ...]
    level: Level | None
    stripes: dict[str, np.ndarray]


def block_scene(found: Found, place: Place, level: Level | None) -> BlockScene:
    parts = tuple((at, kind_of(found.parts[at])) for at in place.level)
    stripes: dict[str, np.ndarray] = {}
    for at, kind in parts if level is not None else ():
        rows = {name: one.values[found.row, None] for name, one in level.matrices[at].items()}  # type: ignore[union-attr]
        made = {name: stripes_of(row, STRIPE)[:, 0] for name, row in rows.items()}
        stripes |= {"in": made["x"]} if "x" in made and "in" not in stripes else {}
        stripes[kind] = list(made.values())[-1]
    return BlockScene(found, parts, level, stripes)


@dataclass(frozen=True, eq=False)
class Node:
    """A step in the chain, and what it makes."""

    index: int
    kind: str
    made: str
    shape: tuple[int, ...]
    matrix: Matrix | None


@dataclass(frozen=True, eq=False)
class StepsScene:
    """The steps inside a step, and the one under the cursor as an equation.

    rows, columns   names of rows, and of the result's columns
    line            the equation with the numbers of the chosen cell
    pair            (2, 2) of a rotation: a pair of the chosen query, before and after it turns
    """

    found: Found
    nodes: tuple[Node, ...]
    at: int
    terms: tuple[Term, ...]
    shapes: dict[str, tuple[int, int]]
    matrices: dict[str, Matrix]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    line: str
    pair: np.ndarray | None


def steps_scene(
    found: Found, place: Place, level: Level | None, cell: Cell, line: str,
    tokens: tuple[str, ...], likely: tuple[str, ...],
) -> StepsScene:  # fmt: skip
    """`cell`: of what the step makes, the one whose numbers are told."""
    nodes = []
    for at in place.level:
        part, made = found.parts[at], made_by(found.parts[at])
        matrix = level.matrices[at][made] if level is not None else None
        nodes.append(Node(at, kind_of(part), made, part.shapes[made], matrix))
    part, kind = found.parts[place.at], kind_of(found.parts[place.at])
    matrices = level.matrices[place.at] if level is not None else {}
    shapes = {name: flat(shape) for name, shape in part.shapes.items()}
    is_head = kind == "product" and part.layer is None  # the rows of the likeliest tokens
    is_square = shapes[made_by(part)] == (len(tokens), len(tokens))
    return StepsScene(
        found,
        tuple(nodes),
        place.at,
        terms=tuple(terms_of(marked_line(part.code), list(part.shapes), cell)),
        shapes=shapes,
        matrices=matrices,
        rows=() if is_head else tokens,
        columns=likely if is_head else tokens if is_square else (),
        line=line,
        pair=_pair(matrices, cell[0]) if kind == "rotate" and matrices else None,
    )


def _pair(matrices: dict[str, Matrix], row: int) -> np.ndarray:
    at = min(1, matrices["cos"].values.shape[1] - 1)
    names = ("first", "second", "cos", "sin")
    a, b, c, s = (float(matrices[name].values[row, at]) for name in names)
    return np.array([[a, b], [a * c - b * s, b * c + a * s]])


def made_by(part: Part) -> str:
    """What a step's line makes; of several values the first."""
    line = marked_line(part.code)
    return line.made or next(name for name in part.shapes if name not in line.reads)


def flat(shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns of one head."""
    rows, columns = (1, 1, *shape)[-2:]
    return rows, columns
