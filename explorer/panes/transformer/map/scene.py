"""Builds the scene of a forward pass's step. Plain numbers; does not import Qt."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.equation import Cell, symbols_of
from core.inference.outline_parts import Part
from core.marked_line import marked_line
from core.transformer.config import EncoderDecoderConfig, ModelConfig
from explorer.panes.transformer.map import text
from explorer.panes.transformer.map.compute import Found, Level
from explorer.widgets.diagrams.scenes import (
    STRIPE,
    BlockScene,
    Node,
    Scene,
    SpineScene,
    StepsScene,
    flat,
)
from explorer.widgets.pooling import Matrix, stripes_of


def scene_at(found: Found, at: int, chosen: Cell | None) -> Scene:
    """Returns the model, a block, or the steps inside a part; `chosen` is a cell of the step's
    result.
    """
    part, level = found.parts[at], found.level_of(at)
    if part.parent is not None:
        if found.parts[part.parent].kind == "block":
            return _block(found, part, level)
        return _steps(found, at, level, cell_of(found, at, chosen))
    if isinstance(found.config, EncoderDecoderConfig):
        source = _spine(found, found.config.encoder, "encoder")
        return _spine(found, found.config.decoder, source=source)
    return _spine(
        found, found.config, tokens=found.tokens, chosen=found.row, stripes=found.stripes,
        reads=found.about.get("reads"), writes=found.about.get("writes"), likely=found.likely,
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


def _block(found: Found, part: Part, level: Level | None) -> BlockScene:
    parts = [(at, found.parts[at].kind) for at in found.trace.children(part.parent)]
    stripes: dict[str, np.ndarray] = {}
    for at, kind in parts if level is not None else ():
        first, *_, last = level.matrices[at].values()
        stripes.setdefault("in", stripes_of(first.values[found.row, None], STRIPE))
        stripes[kind] = stripes_of(last.values[found.row, None], STRIPE)
    config = found.config_of(part)
    return BlockScene(
        tuple(parts),
        config.norm_placement == "pre",
        size=flat(next(iter(part.shapes.values()))),
        lines={kind: text.inside(config, part, kind) for kind in ("attention", "cross", "mlp")},
        heads=config.n_head,
        widening=config.inner_width / config.n_embd,
        stripes=stripes,
        patterns=None if level is None else level.patterns,
        hidden=None if level is None else level.hidden,
    )


def cell_of(found: Found, at: int, chosen: Cell | None) -> Cell:
    """Returns the chosen cell of a step's result; by default the chosen token's largest number."""
    level, part = found.level_of(at), found.parts[at]
    if level is None or part.made not in level.matrices[at]:
        return chosen or (found.row, 0)
    numbers = level.matrices[at][part.made].values
    if chosen is not None:
        return min(chosen[0], len(numbers) - 1), min(chosen[1], numbers.shape[1] - 1)
    row = min(found.row, len(numbers) - 1)
    sizes = np.nan_to_num(numbers[row], posinf=0.0, neginf=0.0)
    if part.kind == "rotate":  # the number that changes most, instead of the largest
        sizes = sizes - level.matrices[at]["first"].values[row]
    return row, int(np.abs(sizes).argmax())


def _steps(found: Found, at: int, level: Level | None, cell: Cell) -> StepsScene:
    """Returns the steps inside a part; `cell` is the chosen one of the step's result."""
    nodes, part = [], found.parts[at]
    for index in found.trace.children(part.parent):
        one, opens = found.parts[index], bool(found.trace.children(index))
        matrix = level.matrices[index][one.made] if level is not None else None
        nodes.append(Node(index, one.kind, one.made, one.shapes[one.made], matrix, opens))
    matrices = level.matrices[at] if level is not None else {}
    shapes = {name: flat(shape) for name, shape in part.shapes.items()}
    is_head = part.kind == "product" and part.layer is None  # the columns of the likeliest tokens
    tokens, likely = found.tokens, tuple(words for words, _ in found.likely)
    is_square = shapes[part.made] == (len(tokens), len(tokens))
    return StepsScene(
        tuple(nodes),
        at,
        symbols_of(marked_line(part.code), list(part.shapes), cell),
        shapes,
        matrices,
        rows=() if is_head else tokens,
        columns=likely if is_head else tokens if is_square else (),
        pair=_pair(matrices, *cell) if part.kind == "rotate" and matrices else None,
    )


def _pair(matrices: dict[str, Matrix], row: int, at: int) -> np.ndarray:
    """Returns (2, 2) the two numbers of a pair, before and after the rotation."""
    names = ("first", "second", "cos", "sin")
    a, b, c, s = (float(matrices[name].values[row, at]) for name in names)
    return np.array([[a, b], [a * c - b * s, b * c + a * s]])
