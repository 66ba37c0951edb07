"""What Compare says in its headline."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.panes.tokenizers.compare.editor import MOST as LONGEST_TEXT
from explorer.panes.tokenizers.compare.model import Split
from explorer.theme_numbers import format_number

IDLE = "Type a text: every tokenizer cuts it as you type"

Named = Sequence[tuple[str, Split]]


def headline(known: Named) -> str:
    """One sentence about the splits that are there."""
    known = [(name, split) for name, split in known if split.count]
    if not known:
        return IDLE
    if len(known) == 1:
        name, split = known[0]
        return f"{name} makes {tokens(split.count)} of this text"
    least = min(known, key=lambda one: one[1].count)
    most = max(known, key=lambda one: one[1].count)
    if least[1].count == most[1].count:
        return f"All make {tokens(most[1].count)} of this text"
    times = format_number(most[1].count / least[1].count, 2)
    lost = ", though it loses some of it" if least[1].unknown else ""
    return (
        f"The same text is {tokens(least[1].count)} for {least[0]}{lost}, "
        f"and {times} times as many for {most[0]}"
    )


def tokens(count: int) -> str:
    return f"{count:,} token{'s' if count != 1 else ''}"


def too_long(size: int) -> str:
    """What is said of a text that was cut."""
    return f"That would be {size:,} characters; the first {LONGEST_TEXT:,} were taken"
