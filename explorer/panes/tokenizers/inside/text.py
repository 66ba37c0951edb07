"""What Inside says in its headline."""

from __future__ import annotations

from core.tokenization.telling import count
from explorer.panes.tokenizers.encoding.moments import Inside, Moment

IDLE = "Type a word or a sentence to see every step from text to tokens"


def headline(name: str, inside: Inside | None, moment: Moment | None) -> str:
    """One sentence: what you see now."""
    if inside is None or not inside.text:
        return IDLE
    if moment is None:
        return f"{name} makes {count(len(inside.ids), 'token')} of this text"
    return moment.step.title
