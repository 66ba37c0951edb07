"""What Inside says in its headline."""

from __future__ import annotations

from core.tokenization.telling import count
from explorer.panes.tokenizers.encoding.compute import EncodingStep, ExplainedText

IDLE = "Type a word or a sentence to see every step from text to tokens"


def headline(name: str, inside: ExplainedText | None, shown: EncodingStep | None) -> str:
    """One sentence: what you see now."""
    if inside is None or not inside.text:
        return IDLE
    if shown is None:
        return f"{name} makes {count(len(inside.ids), 'token')} of this text"
    return shown.step.title
