"""Where the cursor is in a forward pass, and what is drawn there. Plain numbers, no Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.equation import Cell, terms_of
from core.marked_line import marked_line
from core.transformer.config import EncoderDecoderConfig, ModelConfig
from explorer.panes.transformer.map import text
from explorer.panes.transformer.map.compute import Found, Level
from explorer.widgets.diagrams.scenes import (
    STRIPE,
    BlockScene,
    Node,
    PairScene,
    SpineScene,
    StackScene,
    StepsScene,
    flat,
)
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


def model_scene(
    found: Found, tokens: tuple[str, ...], likely: tuple[str, ...]
) -> SpineScene | PairScene:
    """`tokens`: what they say; `likely`: the likeliest next ones, likeliest first."""
    if isinstance(found.config, EncoderDecoderConfig):
        pair = _stack(found, found.config.encoder, "encoder"), _stack(found, found.config.decoder)
        return PairScene(*pair)
    about = found.about
    chances = [float(about["probabilities"][token]) for token in about.get("likeliest", ())]
    return SpineScene(
        _stack(found, found.config), found.config.vocab_size, tokens, found.row,
        about.get("reads"), about.get("writes"), found.stripes,
        tuple(zip(likely, chances, strict=True)),
    )  # fmt: skip


def _stack(found: Found, config: ModelConfig, stack: str = "decoder") -> StackScene:
    steps = [at for at in found.children[None] if found.parts[at].stack == stack]
    return StackScene(
        tuple((at, kind_of(found.parts[at])) for at in steps),
        size=flat(found.parts[steps[0]].shapes["x"]),
        windows=tuple(map(config.window_of, range(config.n_layer))),
        crosses=any(found.parts[at].name == "forward.cross" for at in found.children[steps[1]]),
    )


def block_scene(found: Found, place: Place, level: Level | None) -> BlockScene:
    parts = tuple((at, kind_of(found.parts[at])) for at in place.level)
    stripes: dict[str, np.ndarray] = {}
    for at, kind in parts if level is not None else ():
        rows = {name: one.values[found.row, None] for name, one in level.matrices[at].items()}  # type: ignore[union-attr]
        made = {name: stripes_of(row, STRIPE)[:, 0] for name, row in rows.items()}
        stripes |= {"in": made["x"]} if "x" in made and "in" not in stripes else {}
        stripes[kind] = list(made.values())[-1]
    part = found.parts[place.at]
    config = found.config_of(part)
    return BlockScene(
        parts,
        config.norm_placement == "pre",
        size=flat(next(iter(part.shapes.values()))),
        lines={kind: text.inside(found, part, kind) for kind in ("attention", "cross", "mlp")},
        heads=config.n_head,
        widening=config.inner_width / config.n_embd,
        stripes=stripes,
        patterns=None if level is None else level.patterns,
        hidden=None if level is None else level.hidden,
    )


def steps_scene(
    found: Found, place: Place, level: Level | None, cell: Cell, line: str,
    tokens: tuple[str, ...], likely: tuple[str, ...],
) -> StepsScene:  # fmt: skip
    """`cell`: of what the step makes, the one whose numbers are told."""
    nodes = []
    for at in place.level:
        part, made = found.parts[at], made_by(found.parts[at])
        matrix = level.matrices[at][made] if level is not None else None
        opens = at in found.children
        nodes.append(Node(at, kind_of(part), made, part.shapes[made], matrix, opens))
    part, kind = found.parts[place.at], kind_of(found.parts[place.at])
    matrices = level.matrices[place.at] if level is not None else {}
    shapes = {name: flat(shape) for name, shape in part.shapes.items()}
    is_head = kind == "product" and part.layer is None  # the rows of the likeliest tokens
    is_square = shapes[made_by(part)] == (len(tokens), len(tokens))
    return StepsScene(
        tuple(nodes),
        place.at,
        terms_of(marked_line(part.code), list(part.shapes), cell),
        shapes,
        matrices,
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
