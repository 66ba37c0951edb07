"""Every sentence of Map. Knows no Qt."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from core.numbers import (
    TIMES,
    format_bytes,
    format_count,
    format_fixed,
    format_number,
    format_percent,
)
from core.transformer.config import ModelConfig
from core.transformer.presets import NOTES

if TYPE_CHECKING:
    from core.inference.forward_outline import Part
    from explorer.panes.transformer.map.compute import Found

NO_TEXT = "Type a text: it runs through the model"
WHOLE = "Model"
SHOWN, SHOWN_HELP = "Model drawn", "The open model with its numbers, or a paper's, which has none"
OPENED = "The open model"
COMPARE, COMPARE_HELP = "Side by side", "All presets of the papers in one table"
HEAD, HEAD_HELP = "Head", "The attention head whose numbers are drawn"
INSIDE = "Click, or press Enter, to look inside; Esc goes out again"
HANGING = {"attention": "attention adds", "mlp": "MLP adds"}
DOTS = "how much the last token reads from each (all heads)"
STREAM = "the residual stream"
NEXT = "next token"
TURNED = "one pair, turned"
ENCODER, DECODER = "encoder: reads the source", "decoder: writes the target"
CROSSES = "every block of the decoder reads what the encoder made"
NODES = {
    "token": "look up", "position": "+ position", "product": "x W\u1d40", "bias": "+ bias",
    "project": "q, k, v", "weights": "softmax", "output": "read values", "join": "W_O",
    "c_fc": "widen", "swiglu": "gate \u00d7 up", "relu": "ReLU", "gelu": "GELU",
    "c_proj": "narrow", "norm.mean": "mean", "norm.center": "center", "norm.square": "mean square",
    "norm.variance": "variance", "norm.norm": "divide", "norm.scale": "scale",
    "norm.shift": "shift", "gelu.inner": "bend", "gelu.hidden": "GELU", "silu": "SiLU",
    "ln_1": "norm", "ln_2": "norm", "ln_cross": "norm", "attention": "Attention", "mlp": "MLP",
    "cross": "Cross-attention",
}  # fmt: skip
COMPONENTS = {
    "tokens": "token embedding", "positions": "positions", "attention": "attention", "mlp": "MLP",
    "norms": "norms", "head": "output head",
}  # fmt: skip
MEMORY = {"weights": "weights", "cache": "KV cache", "activations": "kept for the backward pass"}
COLUMNS = ("parameters", "layers", "heads", "width", "context")


def node(kind: str) -> str:
    return NODES.get(kind, kind)


def shape(letters: str, *sizes: int) -> str:
    """("TC", 12, 192): T × C = 12 × 192."""
    numbers = f" {TIMES} ".join(f"{size:,}" for size in sizes)
    return f"{f' {TIMES} '.join(letters)} = {numbers}"


def crumb(part: Part) -> str:
    """A step in the way from the model to where one is."""
    if part.name == "forward.block" and part.layer is not None:
        return f"Block {part.layer + 1}"
    return node(part.name.partition(".")[2])


def tip(found: Found, index: int) -> str:
    """A step under the pointer."""
    part, about = found.parts[index], found.about
    lines = [part.title]
    if part.name == "forward.block" and "writes" in about:
        read, thought = (format_fixed(float(one)) for one in about["writes"][part.layer])
        lines.append(f"Attention adds a vector of length {read}, the MLP one of {thought}")
    return "\n".join([*lines, *([INSIDE] if index in found.children else [])])


def cell(name: str, row: int, column: int, value: float) -> str:
    """A number under the pointer."""
    told = "" if math.isnan(value) else f" = {format_number(value)}"
    return f"{name}[{row}, {column}]{told}"


def folded(count: int) -> str:
    return f"{count} more"


def blocks(found: Found, part: Part) -> str:
    """Below the blocks of a stack; a banded one sees some of the tokens alone."""
    config, tokens = found.config_of(part), part.shapes["x"][0]
    banded = sum(config.window_of(layer) is not None for layer in range(config.n_layer))
    told = f"{banded} of {config.n_layer} blocks banded" if banded else f"{config.n_layer} blocks"
    return f"{told}, stream {shape('TC', tokens, config.n_embd)}"


def inside(found: Found, part: Part, kind: str) -> tuple[str, str]:
    """What attention or MLP of a block consists of, and how many parameters it has."""
    config = found.config_of(part)
    H, G, window = config.n_head, config.kv_heads, config.window_of(part.layer or 0)
    C, F = config.n_embd, config.inner_width
    if kind == "mlp":
        told = f"{C:,} \u2192 {F:,} \u2192 {C:,}"
    else:
        told = f"{H} heads of {config.head_width}" + (f", {G} of k, v" if G != H else "")
        told += f", {window} tokens" if window is not None and kind == "attention" else ""
    name = "attention" if kind == "cross" else kind
    layers, stacks = config.n_layer, (1 if isinstance(found.config, ModelConfig) else 2)
    parts = layers * (stacks if kind == "mlp" else 2 * stacks - 1)  # the decoder has two attentions
    count = next(one.parameters for one in found.costs if one.name == name) // parts
    return told, f"{format_count(count)} parameters"


def costs(found: Found) -> tuple[str, str, str]:
    """Above the bars of parameters, arithmetic and memory."""
    names = ("parameters", "flops", "weights", "cache")
    sums = {name: sum(getattr(one, name) for one in found.costs) for name in names}
    weights, cache = format_bytes(sums["weights"]), format_bytes(sums["cache"])
    return (
        f"{format_count(sums['parameters'])} parameters",
        f"{format_count(sums['flops'])} FLOPs for {found.tokens:,} tokens",
        f"{weights} weights, {cache} KV cache",
    )


def cost_tip(words: str, number: int, total: int, unit: str) -> str:
    written = f"{format_count(number)} {unit}" if unit else format_bytes(number)
    return f"{words}: {written}, {format_percent(number / (total or 1))}"


def note(name: str) -> str:
    return f"* {name}: {NOTES[name]}"


def headline(found: Found, part: Part, likeliest: str, share: float, shown: str) -> str:
    """One sentence: what is seen. `likeliest`: the next token, quoted; `shown`: a preset's name."""
    if part.name in ("forward.next", "forward.softmax") and likeliest:
        return f"{found.config_of(part).n_layer} blocks later: {likeliest}, {format_percent(share)}"
    if shown and part.parent is None:
        return f"{shown}, drawn without weights: shapes and costs alone"
    return part.title


def compared(count: int) -> str:
    return f"{count} models of the papers, all built from the same parts"


def change(name: str, value: object) -> str:
    """Of an undoable change."""
    if name == "compared":
        return "Presets side by side" if value else "One model"
    return f"Draw {value or OPENED.lower()}"
