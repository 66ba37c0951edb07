"""What Compare says in its headline."""

from __future__ import annotations

from collections.abc import Sequence

from core.numbers import format_number
from core.tokenization.telling import count
from explorer.panes.tokenizers.compare.model import Split
from explorer.panes.tokenizers.draft import LONGEST_TEXT

IDLE = "Type a text: every tokenizer cuts it as you type"

Named = Sequence[tuple[str, Split]]


def headline(known: Named) -> str:
    """One sentence about the splits that are there. Which tokens are the fewest is asked only among
    those that give the text back: leaving out letters is no thrift."""
    known = [(name, split) for name, split in known if split.count]
    if not known:
        return IDLE
    if len(known) == 1:
        name, split = known[0]
        lost = ", and loses some of it" if split.lossless is False else ""
        return f"{name} makes {count(split.count, 'token')} of this text{lost}"
    fair = [one for one in known if one[1].lossless is not False]
    lossy = [one for one in known if one[1].lossless is False]
    if not fair:
        return "None of these gives this text back whole, so that no count says what it takes"
    least = min(fair, key=lambda one: one[1].count)
    most = max(fair, key=lambda one: one[1].count)
    fewer = [name for name, split in lossy if split.count < least[1].count]
    if least[1].count < most[1].count:
        times = format_number(most[1].count / least[1].count, 2)
        if not fewer:
            return (
                f"The same text is {count(least[1].count, 'token')} for {least[0]}, "
                f"and {times} times as many for {most[0]}"
            )
        said = (
            f"{count(least[1].count, 'token')} for {least[0]}, {times} times as many for {most[0]}"
        )
    elif lossy:
        said = f"This text is {count(least[1].count, 'token')} for {least[0]}"
        if len(fair) > 1:
            said = f"This text is {count(least[1].count, 'token')} for all that give it back"
    else:
        return f"All make {count(most[1].count, 'token')} of this text"
    if len(fewer) > 1:
        return f"{said}; fewer for {len(fewer)} others, which lose some of it"
    return f"{said}; fewer for {fewer[0]}, which loses some of it" if fewer else said


def too_long(size: int) -> str:
    """What is said of a text that was cut."""
    return f"That would be {size:,} characters; the first {LONGEST_TEXT:,} were taken"
