"""What Compare says in its headline."""

from __future__ import annotations

from collections.abc import Sequence

from core.numbers import format_number
from core.tokenization.telling import count, listed, verb, visible
from explorer.panes.tokenizers.compare.model import Split

IDLE = "Type a text: every tokenizer cuts it as you type"

FEW = 4  # lost characters that are named
SLIGHT = 1.1  # times as many tokens: below it their number says more

Named = Sequence[tuple[str, Split]]


def headline(known: Named) -> str:
    """One sentence about the splits that are there. Which tokens are the fewest is asked only among
    those that give the text back: leaving out letters is no thrift."""
    known = [(name, split) for name, split in known if split.count]
    if not known:
        return IDLE
    if len(known) == 1:
        name, split = known[0]
        lost = ", but they do not give all of it back" if split.lossless is False else ""
        return f"{name} makes {count(split.count, 'token')} of this text{lost}"
    fair = [one for one in known if one[1].lossless is not False]
    if not fair:
        return "None of these gives the whole text back, so their counts cannot be compared"
    least = min(split.count for _, split in fair)
    most = max(split.count for _, split in fair)
    best = [name for name, split in fair if split.count == least]
    lossy = [(name, split) for name, split in known if split.lossless is False]
    fewer = [name for name, split in lossy if split.count < least]
    if len(fair) == 1 and lossy:
        said = f"Only {best[0]} loses nothing: {count(least, 'token')}"
    elif len(best) == len(known):
        return f"All of them need {count(least, 'token')}"
    else:
        need = verb(len(best), "needs", "need")
        where = "Without loss, " if fewer else ""
        said = f"{where}{listed(best)} {need} the fewest tokens: {least:,}"
    if len(fewer) > 1:
        return f"{said}; {len(fewer)} others make fewer, but lose part of the text"
    if fewer:
        return f"{said}; {fewer[0]} makes fewer, but loses part of the text"
    if least < most:
        worst = [name for name, split in fair if split.count == most]
        need = verb(len(worst), "needs", "need")
        much = f"{format_number(most / least, 2)} times as many"
        return f"{said}; {listed(worst)} {need} {much if most >= SLIGHT * least else f'{most:,}'}"
    return said


def lost(characters: Sequence[str]) -> str:
    """Which characters a text loses, the first few of them: "loses ↵ é …"."""
    first = " ".join(
        visible(one) if one.isprintable() or one in "\n\t\r" else f"U+{ord(one):04X}"
        for one in characters[:FEW]
    )
    return f"loses {first}{' …' if len(characters) > FEW else ''}" if first else ""
