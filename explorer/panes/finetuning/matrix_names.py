"""The names of a model's matrices. Does not import Qt."""

from __future__ import annotations

import re


def place_of(name: str) -> tuple[str, str]:
    """Returns layer and matrix of a name: "h.0.attn.c_attn" is ("layer 0", "attn.c_attn")."""
    found = re.fullmatch(r"(?:(\w+)\.)?h\.(\d+)\.(.+)", name)
    if not found:
        return "model", name
    stack = f"{found[1]} " if found[1] else ""
    return f"{stack}layer {found[2]}", found[3]


def matrix_name(name: str) -> str:
    """Returns a name for a sentence: "attn.c_attn of layer 0"."""
    layer, matrix = place_of(name)
    return matrix if layer == "model" else f"{matrix} of {layer}"
