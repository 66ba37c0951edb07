"""The texts of Inside."""

from __future__ import annotations

from core.tokenization.telling import count
from explorer.panes.tokenizers.encoding.compute import EncodingStep, ExplainedText

IDLE = "Type a word or a sentence to see every step from text to tokens"
DRAW = "Draw another way to cut the text"
CERTAIN = "With a dropout of 0 nothing is left to chance: move the slider first"


def headline(name: str, inside: ExplainedText | None, shown: EncodingStep | None) -> str:
    """Returns the headline for the tokenizer `name`."""
    if inside is None or not inside.text:
        return IDLE
    if shown is None:
        return f"{name} turns this text into {count(len(inside.ids), 'token')}"
    return shown.step.title
