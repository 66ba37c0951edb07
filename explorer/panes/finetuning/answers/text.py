"""The texts of Try. Does not import Qt."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from core.numbers import format_number
from core.tokenization.telling import quoted, shortened
from explorer.panes.finetuning.matrix_names import matrix_name

if TYPE_CHECKING:
    from core.finetuning.verdicts import Verdict

NO_TEXT = "Type a text for both models to continue"
READS, CHANGE_TEXT = "The text that both models continue", "Change the text to try"
NAME, BASE, TUNED = "Base and tuned model", "The base", "The tuned model"
ADAPTER, ADAPTER_HELP = "Adapter", "Blend, save or export the adapter"
MENU = {  # by action
    "blend": "Blend with a second adapter",
    "alone": "Remove the second adapter",
    "save": "Save for peft at strength 1\u2026",
    "export": "Export for transformers at this strength\u2026",
    "heads": "Show heads in Attention",
}
SAVED = "Saved {}"
BARS = "Likeliest next tokens at this strength (outlines show the base)"
CURVES = "Every token that is the likeliest at some strength"
STRENGTH, PROBABILITY = "strength", "probability"
ALL_OR_NOTHING = "Strength (a soft prompt works fully or not at all)"
BUTTONS = {  # title and help, by action
    "another": ("Another example", "Show the next example that was held out of training"),
    "identity": (
        "Step-0 identity",
        "Set B to 0, as it was before training, and compare all logits with those of the base",
    ),
    "merge": (
        "Merge equality",
        "Merge the adapter into the matrices and compare all logits with those from before",
    ),
}
CHANGES = {"identity": "With B = 0, the adapter changes", "merge": "Merging changes"}
SPECIAL = {
    ("strength", 0.0): "0: the base",
    ("strength", 1.0): "1: as trained",
    ("temperature", 0.0): "0: always the likeliest",
}


def _deed(verb: str, words: str, most: int) -> str:
    """Returns what a model does: it writes this text, shortened, or ends it."""
    told = shortened(words.strip().replace("\n", "\u21b5"), most)
    return f"{verb} {quoted(told)}" if told else "ends the text"


def wrote(name: str, words: str | None) -> str:
    """Returns the title of a text; `words` is None before it is written."""
    return name if words is None else f"{name} {_deed('writes', words, 60)}"


def base(count: int, most: int) -> str:
    """Returns the name of the base, with the number of tokens read if a text is too long."""
    return BASE if count <= most else f"{BASE} (reading the last {most:,} of {count:,} tokens)"


def tuned(name: str, other: str) -> str:
    """Returns the name of the tuned model."""
    return f"{TUNED} ({name} and {other})" if other else f"{TUNED} ({name})"


def headline(strength: float, base: str, tuned: str) -> str:
    """Returns one sentence about the first words that differ."""
    told, pair = f"At strength {strength:g}, the tuned model", [tuned.split(), base.split()]
    same = sum(accumulate(map(str.__eq__, *pair), min))
    if pair[0] == pair[1]:
        return f"{told} {_deed('writes', tuned, 40)}, and so does its base"
    rest = (one[same:] for one in pair)
    here, there = (" ".join(["\u2026"] * bool(same and one) + one) for one in rest)
    return f"{told} {_deed('writes', here, 20)}, while its base {_deed('writes', there, 20)}"


def inspected(strength: float, matrix: str, kind: str) -> str:
    """Returns a note on the line in which the strength is used; `kind` is its step's."""
    moved = {"tuned.change": "W\u2032 \u2212 W", "tuned.bias_change": "b\u2032 \u2212 b"}.get(kind)
    told = f"s is the strength, {strength:g}, times alpha / rank (with rsLoRA, alpha / \u221arank)."
    if moved:
        told = f"{moved} is {strength:g} times what was learned."
    most = f"The matrix that changes most is {matrix_name(matrix)}"
    if kind == "tuned.bias_change":
        most = f"The bias that changes most is that of {matrix_name(matrix)}"
    return f"{told} {most}."


def verdict(name: str, found: Verdict) -> str:
    """Returns the result of a check."""
    if found.difference == 0:
        changed, told = "nothing", f"all {found.compared:,} logits are the same, bit for bit"
    else:
        most = format_number(found.difference, 2)
        changed = "nothing beyond rounding" if found.holds else "more than rounding can explain"
        limit = format_number(found.tolerance, 2)
        rounding = f"rounding alone may account for {limit}"
        told = f"the {found.compared:,} logits differ by up to {most} ({rounding})"
    return f"{CHANGES[name]} {changed}: {told}"
