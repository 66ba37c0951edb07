"""Every sentence of Inside. Knows no Qt."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from core.numbers import format_fixed, format_number, format_percent, format_share

EXAMPLE = (
    "Once upon a time, there was a shy boy named Dario. He lived near a forest. One day Dario met "
    "a witch. The witch told him a secret.\nWho is it about? Dario"
)
NO_TEXT = "Type a text of two tokens or more for the model to read"
# What a method does instead of LoRA's A and B.
INSTEAD = {
    "full": "Here all of the model\u2019s own numbers learned",
    "last-layers": "Here the numbers of the last layers learned themselves",
    "head": "Here only the head, which makes the logits, learned",
    "bitfit": "Here only the biases learned",
    "bottleneck": "Here small layers were put between the model\u2019s own, which stayed frozen",
    "prompt": "Here a few vectors in front of the text learned, and the model stayed frozen",
}
NO_ADAPTER = "{}: no matrix has an A and a B. Choose a model that was tuned with LoRA."
SPECTRUM, STRENGTH = "Directions of the change", "Strength of the change"
HEADS = "Attention that the adapter moves, by head"
MATRIX_HELP, READS = "Whose adapter is shown", "What the model reads, and learns from in this step"
CHANGE_TEXT = "Change the text inside"
TITLES = {
    "strength": "strength: |\u0394W| \u00f7 |W|",
    "heads": "attention moved, by head",
    "shared": "directions shared with the other",
}
STRONG = "{column} of {row}: |\u0394W| \u00f7 |W| = {value}\nClick to look inside"
HEAD = "{row}, head {column}: {value} of its attention goes elsewhere\nClick to open in Attention"
BOTH = (
    "What its first {row} and the other\u2019s first {column} directions read overlaps by {value}"
)
ALONE, MOST = "direction {}", "99 %"
BY_CHANCE = "by chance {}"
SAME_A = "Both began with the same random A (seed {}), and so with all of it shared"
MODEL_HELP = "Which fine-tuned model is shown; those with an A and a B come first"
SHARED, ACTING = "Directions that both adapters read", "Text colored by what the adapter adds"
COMPARE, COMPARED = "Compare\u2026", "Compared with {}"
COMPARE_HELP = "Lays a second adapter beside this one: which directions do both read?"
STOP_HELP = "Compared with {}: click to stop"
OPENED = "Layer {}, head {} of {}"


def place_of(name: str) -> tuple[str, str]:
    """Layer and matrix of a name: "h.0.attn.c_attn" is ("layer 0", "attn.c_attn")."""
    found = re.fullmatch(r"(?:(\w+)\.)?h\.(\d+)\.(.+)", name)
    if not found:
        return "model", name
    stack = f"{found[1]} " if found[1] else ""
    return f"{stack}layer {found[2]}", found[3]


def matrix_name(name: str) -> str:
    """In a sentence: "attn.c_attn of layer 0"."""
    layer, matrix = place_of(name)
    return matrix if layer == "model" else f"{matrix} of {layer}"


def no_adapter(method: str) -> str:
    """Why there is nothing to look into; `method`: what the model was tuned by, "" of another."""
    return NO_ADAPTER.format(INSTEAD.get(method, "This model was not fine-tuned by an adapter"))


def looked_at(name: str) -> str:
    """Of an undoable change."""
    return f"Look into {matrix_name(name)}"


def compared(name: str) -> str:
    """Of an undoable change."""
    return f"Compare with {name}" if name else "Stop comparing adapters"


def acts(most: float) -> str:
    """Above the text."""
    return f"Stronger color: the adapter adds more at this token, up to {format_share(most)} of W x"


def headline(
    kind: str, about: Any, name: str, used: tuple[int, int], changed: float, token: str
) -> str:
    """One sentence about a step; `used`: directions that hold 99 % of the change, of how many."""
    r, few, many = about["rank"], about["parameters"], about["frozen"]
    match kind:
        case "frozen" | "bias":
            return f"{matrix_name(name)} reads {token} as it always did: its {many:,} numbers stay"
        case "reduce":
            return f"Beside it A leaves only {numbers(r)} of {token}"
        case "expand":
            return f"B makes a whole output of {'these ' * (r > 1)}{numbers(r)}"
        case "scale" | "gain" | "dora":
            return f"Scaled, it is what the adapter adds at {token}: {format_share(changed)} of W x"
        case "add":
            return f"Both together go on: the adapter\u2019s part is {format_share(changed)} of W x"
        case "product":
            terms = "one product" if r == 1 else f"a sum of {r} products"
            return f"Every number of B A is {terms}: its rank is {r} at most"
        case "delta" | "dora_delta":
            share = format_share(few / many)
            told, (needed, count) = f"{few:,} numbers, {share} of {many:,},", used
            if not needed:
                return f"{told} can change the whole matrix; B is still 0, so they do not yet"
            uses = "one direction" if needed == 1 else f"{needed} directions"
            return f"{told} change the whole matrix: it uses {uses} of {count}"
        case "grad_output":
            return (
                f"Backward: how the loss, {format_fixed(about['loss'])}, changes with each output"
            )
        case "grad_B":
            return "B learns: each output\u2019s gradient times the numbers that A left"
        case "grad_A":
            return "A learns, through B: W gets no gradient at all, and stays frozen"
    return "The gradient goes back the same narrow way"


def numbers(count: int) -> str:
    return "one number" if count == 1 else f"{count} numbers"


def spectrum(needed: int, count: int, effective: float) -> str:
    """Above the bars."""
    if not needed:
        return "Nothing has been learned here yet"
    hold = "direction holds" if needed == 1 else "directions hold"
    return (
        f"{needed} {hold} 99 % of \u0394W, of {count}; effective rank {format_fixed(effective, 1)}"
    )


def growth(steps: Sequence[int], step: int | None) -> str:
    """Below the lines."""
    shown = "" if step is None else f", shown: {step:,}"
    return f"steps {steps[0]:,} to {steps[-1]:,}{shown}" if steps else ""


def direction(at: int, value: float, share: float, captured: float) -> str:
    """A bar."""
    held = f"singular value {format_number(value)}, {format_percent(share)} of \u0394W"
    near = f"what it reads lies to {format_percent(captured)} in W\u2019s strongest directions"
    return f"Direction {at + 1}: {held}\n{near}\nClick to see how it is found"


def acting(share: float) -> str:
    """Of a token."""
    return f"the adapter adds {format_share(share)} of W x"
