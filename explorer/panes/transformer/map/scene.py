"""Where the cursor is in a forward pass, and what is drawn there. Plain numbers, no Qt."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.equation import Cell, Term, terms_of
from core.inference.forward_outline import Part
from core.marked_line import marked_line
from core.numbers import format_share
from explorer.panes.transformer.map import text
from explorer.panes.transformer.map.compute import STRIPE, Found, Level
from explorer.widgets.pooling import Matrix, stripes_of

BARS = 12  # of the next token


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
    """ "forward.scores": "scores"."""
    return part.name.partition(".")[2]


@dataclass(frozen=True, eq=False)
class ModelScene:
    """The whole model.

    steps    of each its index, its kind ("embed", "block") and what a tooltip says
    windows  how many tokens each block sees, where not all
    tokens   what they say; of a preset none
    chosen   the token that the stream carries
    reads, writes, stripes   as `Found` and its Trace have them; None without weights
    likely   (piece, share of the longest bar, words) of the tokens that may come next
    shapes   on the edges: ids, stream, logits
    """

    steps: tuple[tuple[int, str, str], ...]
    windows: tuple[int | None, ...]
    tokens: tuple[str, ...]
    chosen: int
    reads: np.ndarray | None
    writes: np.ndarray | None
    stripes: np.ndarray | None
    likely: tuple[tuple[str, float, str], ...]
    shapes: tuple[str, str, str]

    @property
    def n_layer(self) -> int:
        return len(self.windows)


def model_scene(found: Found, tokens: Sequence[str], likely: Sequence[str]) -> ModelScene:
    """`tokens`: what they say; `likely`: the likeliest next ones, likeliest first."""
    config, about, T = found.config, found.about, found.tokens
    bars = []
    for words, token in zip(likely, about.get("likeliest", ()), strict=False):
        share = float(about["probabilities"][token])
        bars.append((words, share / float(about["probabilities"].max()), format_share(share)))
    return ModelScene(
        steps=tuple(
            (index, kind_of(found.parts[index]), text.model_tip(found, index))
            for index in found.children[None]
        ),
        windows=tuple(map(config.window_of, range(config.n_layer))),
        tokens=tuple(tokens),
        chosen=about.get("position", T - 1),
        reads=about.get("reads"),
        writes=about.get("writes"),
        stripes=found.stripes,
        likely=tuple(bars[:BARS]),
        shapes=(
            text.shape(("T", T)),
            text.shape(("T", T), ("C", config.n_embd)),
            text.shape(("V", config.vocab_size)),
        ),
    )


@dataclass(frozen=True, eq=False)
class BlockScene:
    """One block: what stands on the stream and what hangs on it.

    parts    (index, kind, words) in order: "ln_1", "attention", "add_read", ...
    pre      norms stand before attention and MLP, on the branch; else after the sum
    size     of the stream: (T, C)
    inside   what the cards of attention and MLP say: two lines each
    stripes  (STRIPE,) of the chosen token, by the kind of the step that makes it, and "in"
    """

    parts: tuple[tuple[int, str, str], ...]
    pre: bool
    heads: int
    widening: float
    size: tuple[int, int]
    inside: Mapping[str, tuple[str, str]]
    stripes: Mapping[str, np.ndarray]
    patterns: np.ndarray | None
    hidden: np.ndarray | None


def block_scene(found: Found, place: Place, level: Level | None) -> BlockScene:
    config, parts = found.config, [(at, kind_of(found.parts[at])) for at in place.level]
    stripes = {}
    if level is not None:
        row = found.about["position"]
        for at, kind in parts:
            named = dict(level.matrices[at])
            if "x" in named:
                stripes.setdefault("in", _stripe(named["x"], row))
            stripes[kind] = _stripe(list(named.values())[-1], row)
    return BlockScene(
        parts=tuple((at, kind, found.parts[at].title) for at, kind in parts),
        pre=config.norm_placement == "pre",
        heads=config.n_head,
        widening=config.inner_width / config.n_embd,
        size=(found.tokens, config.n_embd),
        inside=text.block_words(found, found.parts[place.at].layer or 0),
        stripes=stripes,
        patterns=None if level is None else level.patterns,
        hidden=None if level is None else level.hidden,
    )


def _stripe(matrix: Matrix, row: int) -> np.ndarray:
    return stripes_of(matrix.values[row : row + 1], STRIPE)[:, 0]


@dataclass(frozen=True, eq=False)
class Node:
    """A step in the chain, and what it makes. `opens`: one can look inside."""

    index: int
    name: str
    shape: tuple[int, ...]
    matrix: Matrix | None
    words: str
    opens: bool
    made: str


@dataclass(frozen=True, eq=False)
class StepsScene:
    """The steps inside a step, and the one under the cursor as an equation.

    rows, columns   names of rows, and of the result's columns
    line            the equation with the numbers of the chosen cell
    pair            (2, 2) of a rotation: a pair of the chosen query, before and after it turns
    """

    nodes: tuple[Node, ...]
    at: int
    terms: tuple[Term, ...]
    shapes: Mapping[str, tuple[int, int]]
    matrices: Mapping[str, Matrix]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    line: str
    pair: np.ndarray | None


def steps_scene(
    found: Found, place: Place, level: Level | None, cell: Cell, line: str,
    tokens: Sequence[str], likely: Sequence[str],
) -> StepsScene:  # fmt: skip
    """`cell`: of what the step makes, the one whose numbers are told."""
    nodes = []
    for at in place.level:
        part = found.parts[at]
        made = marked_line(part.code).made or _first_made(part)
        matrix = level.matrices[at].get(made) if level is not None else None
        name, opens = text.node(kind_of(part)), at in found.children
        nodes.append(Node(at, name, part.shapes[made], matrix, part.title, opens, made))
    part = found.parts[place.at]
    matrices = level.matrices[place.at] if level is not None else {}
    shapes = {name: flat(shape) for name, shape in part.shapes.items()}
    of_head = kind_of(part) == "product" and part.layer is None
    is_square = shapes[nodes[place.level.index(place.at)].made] == (found.tokens,) * 2
    return StepsScene(
        nodes=tuple(nodes),
        at=place.at,
        terms=tuple(terms_of(marked_line(part.code), list(part.shapes), cell)),
        shapes=shapes,
        matrices=matrices,
        rows=() if of_head else tuple(tokens),
        columns=tuple(likely) if of_head else tuple(tokens) if is_square else (),
        line=line,
        pair=_pair(matrices, cell[0]) if kind_of(part) == "rotate" and matrices else None,
    )


def _pair(matrices: Mapping[str, Matrix], row: int) -> np.ndarray:
    at = min(1, matrices["cos"].values.shape[1] - 1)
    names = ("first", "second", "cos", "sin")
    a, b, c, s = (float(matrices[name].values[row, at]) for name in names)
    return np.array([[a, b], [a * c - b * s, b * c + a * s]])


def _first_made(part: Part) -> str:
    """Of a line that makes several values."""
    return next(name for name in part.shapes if name not in marked_line(part.code).reads)


def flat(shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns of one head."""
    rows, columns = (1, 1, *shape)[-2:]
    return rows, columns
