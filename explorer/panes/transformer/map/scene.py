"""Builds the scene of a forward pass's step. Plain numbers; does not import Qt."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from core.equation import Cell, symbols_of
from core.inference.outline_parts import Part, axes_of
from core.marked_line import marked_line
from core.transformer.config import EncoderDecoderConfig, ModelConfig
from explorer.panes.transformer.map import text
from explorer.panes.transformer.map.compute import Found, Level
from explorer.widgets.diagrams.scenes import (
    STRIPE,
    BlockScene,
    Lookup,
    Node,
    Scene,
    SpineScene,
    StepsScene,
    flat,
)
from explorer.widgets.pooling import Matrix, stripes_of


class Choice(NamedTuple):
    """A chosen cell of a step's result, and what its row and column are (`axes_of`)."""

    cell: Cell
    axes: tuple[str, str]


def _has_cells(found: Found, part: Part) -> bool:
    """Returns whether a step is drawn with the cells of its result: not in the model or a block."""
    return part.parent is not None and found.parts[part.parent].kind != "block"


def scene_at(found: Found, at: int, chosen: Choice | None) -> Scene:
    """Returns the model, a block, or the steps inside a part with the chosen cell."""
    part, level = found.parts[at], found.level_of(at)
    if _has_cells(found, part):
        return _steps(found, at, level, cell_of(found, at, chosen))
    if part.parent is not None:
        return _block(found, part, level)
    if isinstance(found.config, EncoderDecoderConfig):
        source = _spine(found, found.config.encoder, "encoder")
        return _spine(found, found.config.decoder, source=source)
    return _spine(
        found, found.config, tokens=found.tokens, ids=found.ids, chosen=found.row,
        stripes=found.stripes,
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


def cell_of(found: Found, at: int, chosen: Choice | None) -> Cell:
    """Returns the cell of a step's result that is shown.

    The chosen row and column are kept where they mean the same as in the step where they were
    chosen; otherwise, and where the picture has no cells to choose, it is the last token's row, and
    that row's largest number.
    """
    level, part = found.level_of(at), found.parts[at]
    rows, columns = flat(part.shapes[part.made])
    matrices = {} if level is None else level.matrices[at]
    numbers = matrices[part.made].values if part.made in matrices else None
    row, column = min(found.row, rows - 1), -1
    if chosen is not None and _has_cells(found, part):
        named = axes_of(found.parts, at)
        row = chosen.cell[0] if named[0] == chosen.axes[0] and chosen.cell[0] < rows else row
        column = chosen.cell[1] if named[1] == chosen.axes[1] else -1
    if 0 <= column < columns or numbers is None:
        return row, max(column, 0) if column < columns else 0
    sizes = np.nan_to_num(numbers[row], posinf=0.0, neginf=0.0)
    if part.kind == "rotate":  # the number that changes most, instead of the largest
        sizes = sizes - matrices["first"].values[row]
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
        lookup=_lookup(found) if part.kind == "token" and matrices else None,
    )


def _lookup(found: Found) -> Lookup:
    config = found.config_of(found.parts[0])
    size = config.vocab_size, config.n_embd
    return Lookup(found.ids, size, found.about["embedding"])


def _pair(matrices: dict[str, Matrix], row: int, at: int) -> np.ndarray:
    """Returns (2, 2) the two numbers of a pair, before and after the rotation."""
    names = ("first", "second", "cos", "sin")
    a, b, c, s = (float(matrices[name].values[row, at]) for name in names)
    return np.array([[a, b], [a * c - b * s, b * c + a * s]])
