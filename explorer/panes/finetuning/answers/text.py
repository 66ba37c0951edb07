"""Every sentence of Try. Knows no Qt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.numbers import format_number
from core.tokenization.telling import quoted, shortened, visible

if TYPE_CHECKING:
    from core.finetuning.verdicts import Verdict

NO_TEXT = "Type a text for both models to go on with"
READS, CHANGE_TEXT = "What both models go on with", "Change the text to try"
NAME, BASE, TUNED = "Base and tuned model", "The base", "The tuned model"
ADAPTER, ADAPTER_HELP = "Adapter", "Which adapter is tried, and what becomes of it"
MENU = {  # by what it does
    "bundled": "The bundled adapter",
    "open": "Open an adapter\u2026",
    "blend": "Blend with a second one\u2026",
    "alone": "Without the second one",
    "save": "Save for peft\u2026",
    "export": "Export merged, for transformers\u2026",
    "heads": "Heads in Attention",
}
FOLDER = "Choose the folder of an adapter, or of a fine-tuning's checkpoint"
SAVED, OPENED = "Saved {}", "Layer {}, head {}: attention that the adapter moved most"
BARS = "Comes next: bars at this strength, outlines of the base"
CURVES = "The same token at every strength"
STRENGTH, PROBABILITY = "strength", "probability"
BUTTONS = {  # by what they do: title and help
    "another": (
        "Another example",
        "The next example that was held out of what the model learned from",
    ),
    "identity": (
        "Step-0 identity",
        "Sets B to 0, as it began, and compares all logits with those of the base",
    ),
    "merge": (
        "Merge equality",
        "Adds the adapter to the matrices, and compares all logits with those before",
    ),
}
SPECIAL = {
    ("strength", 0.0): "0: the base",
    ("strength", 1.0): "1: as it learned",
    ("temperature", 0.0): "0: always the likeliest",
}


def said(words: str) -> str:
    """What a model wrote, in a sentence."""
    return quoted(shortened(words.strip().replace("\n", "\u21b5")))


def wrote(name: str, words: str) -> str:
    """Above a text."""
    return f"{name} goes on: {said(words)}" if words.strip() else name


def tuned(name: str, other: str) -> str:
    """Which model is tried."""
    return f"{TUNED}, {name} and {Path(other).name}," if other else f"{TUNED}, {name},"


def headline(strength: float, base: str, tuned: str) -> str:
    """One sentence: what is seen."""
    told = f"At strength {strength:g} the model goes on with {said(tuned)}"
    if tuned == base:
        return f"{told}, and so does its base"
    return f"{told}, its base with {said(base)}"


def inspected(strength: float, matrix: str) -> str:
    """Of the line where the strength comes in."""
    return f"s is the strength, {strength:g}, times alpha / r; here in {matrix}, which changes most"


def verdict(name: str, found: Verdict) -> str:
    """Of a check."""
    if found.difference == 0:
        told = f"all {found.compared:,} logits are the same, bit for bit"
    else:
        most = format_number(found.difference, 2)
        told = f"of {found.compared:,} logits the largest difference is {most}"
        told += f" (at most {format_number(found.tolerance, 2)})"
    return f"{BUTTONS[name][0]} {'holds' if found.holds else 'does not hold'}: {told}"


def curve(piece: bytes) -> str:
    """The name of a token's curve."""
    return quoted(visible(piece.decode("utf-8", "replace")))
