"""Every sentence of Map. Knows no Qt."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.numbers import format_bytes, format_count, format_fixed, format_number, format_percent
from core.transformer.presets import NOTES, PRESETS

if TYPE_CHECKING:
    from core.training.estimates.components import Component
    from core.transformer.config import ModelConfig
    from explorer.panes.transformer.map.compute import Found

NO_TEXT = "Type a text: it runs through the model"
TIMES = " \u00d7 "
WHOLE = "Model"
SHOWN, SHOWN_HELP = "Model drawn", "The open model with its numbers, or a paper's, which has none"
OPENED = "the open model"
COMPARE, COMPARE_HELP = "Side by side", "All presets of the papers in one table"
HEAD, HEAD_HELP = "Head", "The attention head whose numbers are drawn"
IN_THE_WAY = "Click, or press Enter, to look inside; Esc goes out again"
HANGING = ("attention adds", "MLP adds")
DOTS = "a dot: how much the last token reads from another, the mean over all heads"
STREAM = "the residual stream"
NEXT = "next token"
TURNED = "one pair, turned"
NODES = {
    "token": "look up", "position": "+ position", "product": "x W\u1d40", "bias": "+ bias",
    "project": "q, k, v", "weights": "softmax", "output": "read values", "join": "W_O",
    "c_fc": "widen", "gate": "gate", "swiglu": "gate \u00d7 up", "relu": "ReLU", "gelu": "GELU",
    "c_proj": "narrow", "norm.mean": "mean", "norm.center": "center", "norm.square": "mean square",
    "norm.variance": "variance", "norm.norm": "divide", "norm.scale": "scale",
    "norm.shift": "shift", "gelu.inner": "bend", "gelu.hidden": "GELU", "silu": "SiLU",
    "ln_1": "norm", "ln_2": "norm", "attention": "Attention", "mlp": "MLP", "add_read": "+",
    "add_thought": "+", "embed": "embed", "unembed": "unembed", "norm": "norm",
    "softmax": "softmax", "next": "next",
}  # fmt: skip
COMPONENTS = {
    "tokens": "token embedding", "positions": "positions", "attention": "attention",
    "mlp": "MLP", "norms": "norms", "head": "output head",
}  # fmt: skip
MEMORY = {"weights": "weights", "cache": "KV cache", "activations": "kept for backward"}
COLUMNS = ("", "parameters", "layers", "heads", "width", "context")


def node(kind: str) -> str:
    return NODES.get(kind, kind)


def shape(*sizes: tuple[str, int]) -> str:
    """("T", 12), ("C", 192): T × C = 12 × 192."""
    letters, numbers = zip(*sizes, strict=True)
    return f"{TIMES.join(letters)} = {dimensions(numbers)}"


def dimensions(numbers: tuple[int, ...]) -> str:
    return TIMES.join(f"{one:,}" for one in numbers)


def crumb(found: Found, index: int) -> str:
    """A step in the way from the model to where one is."""
    part = found.parts[index]
    kind = part.name.partition(".")[2]
    if kind == "block" and part.layer is not None:
        return f"Block {part.layer + 1}"
    return node(kind)


def model_tip(found: Found, index: int) -> str:
    """A step of the whole model."""
    part, about = found.parts[index], found.about
    lines = [part.title]
    if part.layer is not None and "writes" in about:
        read, thought = (format_fixed(float(one)) for one in about["writes"][part.layer])
        lines.append(f"Attention adds a vector of length {read}, the MLP one of {thought}")
    if index in found.children:
        lines.append(IN_THE_WAY)
    return "\n".join(lines)


def opens(title: str, inside: bool) -> str:
    return f"{title}\n{IN_THE_WAY}" if inside else title


def cell(name: str, row: int, column: int, value: float) -> str:
    """A number under the pointer."""
    told = "" if math.isnan(value) else f" = {format_number(value)}"
    return f"{name}[{row}, {column}]{told}"


def folded(count: int) -> str:
    return f"{count} more"


def blocks(count: int, windows: tuple[int | None, ...], stream: str) -> str:
    """Below the blocks; a banded one sees some of the tokens alone."""
    banded = sum(one is not None for one in windows)
    told = f"{banded} of {count} blocks banded" if banded else f"{count} blocks"
    return f"{told}, stream {stream}"


def block_words(found: Found, layer: int) -> dict[str, tuple[str, str]]:
    """What attention and MLP of a block consist of: what is in them, and how many parameters."""
    config = found.config
    counts = {one.name: one.parameters // config.n_layer for one in found.costs}
    H, G, window = config.n_head, config.kv_heads, config.window_of(layer)
    shared = f", {G} for keys and values" if G != H else ""
    banded = f", {window} tokens back" if window is not None else ""
    C, F = config.n_embd, config.inner_width
    words = {
        "attention": f"{H} heads of {config.head_width}{shared}{banded}",
        "mlp": f"{C:,} \u2192 {F:,} \u2192 {C:,}",
    }
    return {
        name: (told, f"{format_count(counts[name])} parameters") for name, told in words.items()
    }


def headline(found: Found, kind: str, title: str, likeliest: str, share: float) -> str:
    """One sentence: what is seen. `likeliest`: the next token, where it is known."""
    if not likeliest:
        return title
    if kind in ("next", "softmax"):
        return f"{found.config.n_layer} blocks later: {likeliest}, {format_percent(share)}"
    return title


def costs(parts: tuple[Component, ...], tokens: int) -> tuple[tuple[str, dict[str, int]], ...]:
    """(words, numbers by name) of each bar: parameters, arithmetic, memory."""
    sums = {
        name: sum(getattr(one, name) for one in parts) for name in ("parameters", "flops", *MEMORY)
    }
    by = {name: {one.name: getattr(one, name) for one in parts} for name in ("parameters", "flops")}
    weights, cache, _ = (format_bytes(sums[name]) for name in MEMORY)
    return (
        (f"{format_count(sums['parameters'])} parameters", by["parameters"]),
        (f"{format_count(sums['flops'])} FLOPs for {tokens:,} tokens", by["flops"]),
        (f"{weights} weights, {cache} KV cache in fp32", {name: sums[name] for name in MEMORY}),
    )


def cost_tip(bar: int, name: str, number: int, total: int) -> str:
    of = MEMORY.get(name) or COMPONENTS[name]
    written = format_bytes(number) if bar == 2 else f"{format_count(number)}"
    unit = ("", "FLOPs", "")[bar]
    return f"{of}: {written} {unit}".rstrip() + f", {format_percent(number / (total or 1))}"


def preset_row(name: str, config: ModelConfig, count: int) -> tuple[str, ...]:
    return (
        name, format_count(count), f"{config.n_layer}", f"{config.n_head}",
        f"{config.n_embd:,}", f"{config.block_size:,}",
    )  # fmt: skip


def note(name: str) -> str:
    return f"* {name}: {NOTES[name]}"


def preset_tip(name: str) -> str:
    note = NOTES.get(name)
    return f"Click to draw {name}" + (f"\n{note[0].upper()}{note[1:]}" if note else "")


def preset_headline(shown: str) -> str:
    if not shown:
        return f"{len(PRESETS)} models of the GPT papers, all built from the same parts"
    return f"{shown}, drawn without weights: shapes and costs alone"


def change(name: str, value: Mapping[str, object] | object) -> str:
    if name == "compared":
        return "Presets side by side" if value else "One model"
    return f"Draw {value or OPENED}"
