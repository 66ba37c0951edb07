"""The texts of Map. Does not import Qt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from core.inference.outline_parts import axes_of
from core.numbers import (
    format_bytes,
    format_count,
    format_fixed,
    format_flops,
    format_general,
    format_share,
    format_significant,
)
from core.tokenization.telling import count, quoted
from core.transformer.config import ModelConfig
from core.transformer.parameters import parameters
from explorer.panes.transformer.map.draft import NAMES
from explorer.widgets.diagrams.scenes import name_of

if TYPE_CHECKING:
    from core.equation import Cell
    from core.inference.outline_parts import Part
    from explorer.panes.transformer.map.compute import Found

NO_TEXT = "Type some text to run it through the model"
WHOLE = "Model"
SPACE = "\u2423"  # the visible sign for a space
SHOWN = "Model shown"
SHOWN_HELP = "Show the loaded model with its numbers, or only the shapes of a published model"
OPENED = "The loaded model"
COMPARE, COMPARE_HELP = "Side by side", "Compare models from published papers in one table"
COMPARED = f"{len(NAMES)} models from published papers, all built from the same parts"
BUTTONS = {
    "compare": ("Compare models, or go back to a single one", COMPARE_HELP),
    "open": ("Show the loaded model", SHOWN_HELP),
}
HEAD, HEAD_HELP = "Head", "The attention head whose numbers are shown"
INSIDE = "Click or press Enter to look inside; press Esc to go back"
COMPONENTS = {
    "token_embedding": "token embedding", "position_embedding": "positions",
    "attention": "attention", "mlp": "MLP", "norms": "norms", "output_head": "output head",
    "weights": "weights", "cache": "KV cache", "activations": "activations kept for training",
}  # fmt: skip
MEMORY = ("weights", "cache", "activations")
FORMATS = {"flops": format_flops, "memory": format_bytes}
HIDDEN_TOO = "Counts every attention score, also those that the mask hides"
NO_CONTEXT = "no limit"  # sinusoidal positions never end
COLUMNS = ("parameters (log scale)", "layers", "heads", "width", "context")


def crumb(part: Part) -> str:
    """Returns a step's name in the path of buttons."""
    return name_of(part.kind) if part.kind != "block" else part.label.capitalize()


def tip(found: Found, index: int) -> str:
    """Returns the tooltip of a step."""
    part, about = found.parts[index], found.about
    lines = [part.title]
    if part.kind == "block" and "writes" in about:
        attention, mlp = (format_fixed(float(one)) for one in about["writes"][part.layer])
        lines.append(
            f"Attention adds a vector with norm (length) {attention}, and the MLP one with {mlp}"
        )
    return "\n".join([*lines, *([INSIDE] if found.trace.children(index) else [])])


def inside(config: ModelConfig, part: Part, kind: str) -> tuple[str, str]:
    """Returns the size of a block's attention or MLP, and its number of parameters."""
    H, G, window = config.n_head, config.kv_heads, config.window_of(part.layer or 0)
    C, F = config.n_embd, config.inner_width
    if kind == "mlp":
        told = f"{C:,} \u2192 {F:,} \u2192 {C:,}"
    else:
        told = f"{H} heads of {config.head_width}" + (f", {G} for k and v" if G != H else "")
        told += f", window {window}" if window is not None and kind == "attention" else ""
    counted = parameters(config)  # cross-attention is as large as attention
    total = counted.mlp if kind == "mlp" else counted.attention
    return told, f"{format_count(total // config.n_layer)} parameters"


def cost(unit: str, numbers: Mapping[str, int], length: int) -> str:
    """Returns the title of a bar: the sum of parameters or FLOPs, or two parts of the memory."""
    if unit == "memory":
        weights, cache = format_bytes(numbers["weights"]), format_bytes(numbers["cache"])
        return f"{weights} of weights, {cache} of KV cache"
    told = amount(unit, sum(numbers.values()))
    return f"{told} for {length:,} tokens" if unit == "flops" else told


def amount(unit: str, number: float) -> str:
    """Returns a number of parameters, FLOPs or bytes with its unit."""
    return FORMATS[unit](number) if unit in FORMATS else f"{format_count(number)} parameters"


def _quoted(words: str) -> str:
    """Quotes a token without the visible spaces around it, unless it is only spaces."""
    return quoted(words.strip(SPACE) or words)


def headline(found: Found, part: Part, row: int = -1) -> str:
    """Returns one sentence about a step; `row` is that of the token that its picture marks."""
    if part.kind in ("token", "position") and found.tokens:
        return _start(found, part, range(found.length)[row])
    if part.kind in ("next", "softmax") and found.likely:
        words, share = found.likely[0]
        likeliest = _quoted(words)
        blocks = count(found.config_of(part).n_layer, "block")
        return f"After {blocks}, the likeliest next token is {likeliest}: {format_share(share)}"
    if found.shown and part.parent is None:
        return f"Shapes and costs of {found.shown}, which is shown without weights"
    return part.title


def _start(found: Found, part: Part, row: int) -> str:
    """Returns how a token becomes a vector, or where its position enters."""
    token, config = _quoted(found.tokens[row]), found.config_of(part)
    if part.kind == "token":
        identity, rows = found.ids[row], f"{config.vocab_size:,}"
        return f"{token} has the id {identity}: it picks row {identity} of {rows} in the embedding"
    learned = config.positions == "learned"
    what = "learned vector" if learned else "vector of sines and cosines"
    return f"{token} is at position {row}, so the {what} of position {row} is added"


def row_words(found: Found, at: int, cell: Cell) -> str | None:
    """Returns the name of a row of a step's result; None if it is not that of a token."""
    row, _ = _named(found, at, cell)
    return f"row {cell[0]}: {row}" if row else None


def cell_words(found: Found, at: int, cell: Cell) -> str:
    """Returns the index of a cell of a step's result, and the tokens of its row and column."""
    part = found.parts[at]
    is_vector = len(part.shapes[part.made]) == 1
    index = f"{part.made}[{cell[1]}]" if is_vector else f"{part.made}[{cell[0]}, {cell[1]}]"
    row, column = _named(found, at, cell)
    named = [f"row {row}"] * bool(row) + [f"column {column}"] * bool(column)
    return f"{index}: {column if is_vector and column else ', '.join(named)}" if named else index


def _named(found: Found, at: int, cell: Cell) -> tuple[str, str]:
    """Returns the tokens of a cell's row and column, or "" where they are not tokens."""
    rows, columns = axes_of(found.parts, at)
    likely = {token: words for token, (words, _) in enumerate(found.likely)}
    if columns == "vocabulary" and likely:
        likely = dict(zip(found.about["likeliest"].tolist(), likely.values(), strict=True))
    tokens = dict(enumerate(found.tokens))
    named = {"key": tokens, "likeliest token": likely, "vocabulary": likely}
    row = tokens.get(cell[0], "") if rows.endswith("token") else ""
    return row, named.get(columns, {}).get(cell[1], "")


def sizes(values: Mapping[str, np.ndarray], row: int) -> list[str]:
    """Returns lines for a step without arithmetic: size and norm of a token's vectors, and single
    numbers. Ids and masks are skipped, since they are not vectors.
    """
    lines = []
    for name, array in values.items():
        if name in ("ids", "visible"):
            continue
        vector = array[min(row, len(array) - 1)]
        if vector.size == 1:
            lines.append(f"{name} = {format_general(float(vector[0]))}")
        else:
            at, norm = int(vector.argmax()), format_significant(float(np.linalg.norm(vector)))
            largest = f"the largest is {format_significant(float(vector[at]))}, at index {at}"
            lines.append(f"{name}: {vector.size:,} numbers with norm (length) {norm}; {largest}")
    return lines
