"""Where the cursor is in a forward pass, and what is drawn there. Plain numbers, no Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from core.equation import Cell, symbols_of
from core.marked_line import marked_line
from core.transformer.config import EncoderDecoderConfig, ModelConfig
from explorer.panes.transformer.map import text
from explorer.panes.transformer.map.compute import Found, Level
from explorer.widgets.diagrams.scenes import (
    STRIPE,
    BlockScene,
    Node,
    SpineScene,
    StepsScene,
    flat,
)
from explorer.widgets.pooling import Matrix, stripes_of

if TYPE_CHECKING:
    from core.inference.forward_outline import Part


class Place(NamedTuple):
    """Where the cursor is: the step that one is inside of (None: the whole model), the steps there,
    and the one in words, as indices into the trace.
    """

    parent: int | None
    level: tuple[int, ...]
    at: int


def way_to(found: Found, index: int | None) -> list[int]:
    """A step and those that it is inside of, the outermost first."""
    way: list[int] = []
    while index is not None:
        way.insert(0, index)
        index = found.parts[index].parent
    return way


def model_scene(found: Found) -> SpineScene:
    if isinstance(found.config, EncoderDecoderConfig):
        source = _spine(found, found.config.encoder, "encoder")
        return _spine(found, found.config.decoder, source=source)
    reads, writes = (found.about.get(name) for name in ("reads", "writes"))
    return _spine(
        found, found.config, tokens=found.tokens, chosen=found.row, reads=reads, writes=writes,
        stripes=found.stripes, likely=found.likely,
    )  # fmt: skip


def _spine(found: Found, config: ModelConfig, stack: str = "decoder", **more: Any) -> SpineScene:
    parts = [(at, part) for at, part in enumerate(found.parts)
             if part.parent is None and part.stack == stack]  # fmt: skip
    return SpineScene(
        tuple((at, part.kind) for at, part in parts),
        flat(parts[0][1].shapes["x"]),
        tuple(map(config.window_of, range(config.n_layer))),
        config.vocab_size,
        **more,
    )


def block_scene(found: Found, place: Place, level: Level | None) -> BlockScene:
    parts = tuple((at, found.parts[at].kind) for at in place.level)
    stripes: dict[str, np.ndarray] = {}
    for at, kind in parts if level is not None else ():
        values = {name: one.values for name, one in level.matrices[at].items()}
        made = {name: stripes_of(one[found.row, None], STRIPE) for name, one in values.items()}
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


def cell_of(found: Found, place: Place, level: Level | None, chosen: Cell | None) -> Cell:
    """The chosen cell of what the step makes; where none is, the chosen token's largest number."""
    made = level.matrices[place.at].get(made_by(found.parts[place.at])) if level else None
    if made is None:
        return chosen or (found.row, 0)
    rows, columns = made.values.shape
    row = min(chosen[0] if chosen else found.row, rows - 1)
    numbers = np.nan_to_num(made.values[row], posinf=0.0, neginf=0.0)
    if level and found.parts[place.at].kind == "rotate":  # what turns most, rather than the largest
        numbers = numbers - level.matrices[place.at]["first"].values[row]
    return row, min(chosen[1], columns - 1) if chosen else int(np.abs(numbers).argmax())


def steps_scene(found: Found, place: Place, level: Level | None, cell: Cell) -> StepsScene:
    """`cell`: the chosen one of what the step makes."""
    nodes = []
    for at in place.level:
        part, made = found.parts[at], made_by(found.parts[at])
        matrix = level.matrices[at][made] if level is not None else None
        opens = bool(found.trace.children(at))
        nodes.append(Node(at, part.kind, made, part.shapes[made], matrix, opens))
    part, kind = found.parts[place.at], found.parts[place.at].kind
    matrices = level.matrices[place.at] if level is not None else {}
    shapes = {name: flat(shape) for name, shape in part.shapes.items()}
    is_head = kind == "product" and part.layer is None  # the rows of the likeliest tokens
    tokens, likely = found.tokens, tuple(words for words, _ in found.likely)
    is_square = shapes[made_by(part)] == (len(tokens), len(tokens))
    return StepsScene(
        tuple(nodes),
        place.at,
        symbols_of(marked_line(part.code), list(part.shapes), cell),
        shapes,
        matrices,
        rows=() if is_head else tokens,
        columns=likely if is_head else tokens if is_square else (),
        pair=_pair(matrices, *cell) if kind == "rotate" and matrices else None,
    )


def _pair(matrices: dict[str, Matrix], row: int, at: int) -> np.ndarray:
    """The two numbers of a pair, before and after they turn."""
    names = ("first", "second", "cos", "sin")
    a, b, c, s = (float(matrices[name].values[row, at]) for name in names)
    return np.array([[a, b], [a * c - b * s, b * c + a * s]])


def made_by(part: Part) -> str:
    """What a step's line makes; of several values the first."""
    line = marked_line(part.code)
    return line.made or next(name for name in part.shapes if name not in line.reads)
