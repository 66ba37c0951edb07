"""Every sentence of Lens. Knows no Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.numbers import format_fixed, format_number, format_share

if TYPE_CHECKING:
    from core.inference.attribution import LogitTerm
    from explorer.panes.transformer.lens.draft import Part

NO_TEXT = "Type a text: the lens shows when the model knows what comes next"
FACT = "The capital of France is"  # what a real model is asked before a person asks
LENGTH, READS, OFF = "length", "reads", "off"
SAYS, EXPLAIN = "What it says", "Click to see who told it"
HINT = "click a head or an MLP to switch it off"
ALL_ON, ALL_ON_HELP = "All on again", "The model as it is"
SUBLAYERS, PATCH = "Show sublayers, or whole layers", "Patch from another text"
OTHER = "Patch from another text with as many tokens"
SPECIAL = {("patch", ""): "nothing"}


def part_name(part: Part) -> str:
    """A head, or the MLP of a layer."""
    layer, head = part
    return f"MLP {layer}" if head is None else f"head {layer}.{head}"


def term_tip(term: LogitTerm, token: str, is_off: bool, norms: int) -> str:
    """A bar: what the part adds to the logit."""
    told = f"{term.name}: {format_fixed(term.value)} of the logit of {token}"
    if term.kind == "unexplained":
        told += "\nWhat the parts leave: rounding, or what was patched in"
    if term.kind == "unexplained" and norms > 1:
        told += (
            "\nThis model norms after every sublayer, so its logit is the sum of its parts\n"
            f"only as long as the scales of all {norms} norms stay as they are"
        )
    if math.isfinite(term.length):
        told += f"\nIt writes a vector of length {format_number(term.length)} to the stream"
    clicks = f"\nClick to switch it {'on' if is_off else 'off'}, right-click to see how"
    return told + clicks if term.part is not None else told


def who(token: str, logit: float, unexplained: float) -> str:
    """Above the bars, which add up to it."""
    left = format_fixed(unexplained)
    return f"Logit of {token}: {format_fixed(logit)}, unexplained {left}"


def table_title(first: int, last: int, count: int, is_part: bool) -> str:
    """Above the table; positions of its first and last token."""
    which = f", tokens {first + 1} to {last + 1} of {count}" if last - first + 1 < count else ""
    return f"darker: nearer to the answer{which}{', some layers' if is_part else ''}"


def cell_tip(
    row: str, read: str, said: Sequence[tuple[str, float]], answer: str, share: float, rank: int
) -> str:
    """A cell of the table."""
    words = "   ".join(f"{word} {format_share(one)}" for word, one in said)
    told = f"{answer}, the answer: {format_share(share)}, number {rank + 1:,}"
    return f"After {read}, {row}\n{words}\n{told}"


def headline(answer: str, row: str, who: str) -> str:
    """At the end: since when it knows, and who pushed it most."""
    since = f"the {row}" if row == "embedding" else row
    return f"{answer} leads from {since} on; {who} pushed it most"


def adds(name: str, value: float, token: str) -> str:
    """While the steps of a part are played."""
    return f"{name[0].upper()}{name[1:]} adds {format_fixed(value)} to the logit of {token}"


def at_place(row: str, word: str, answer: str, rank: int) -> str:
    """On the way."""
    where = "At the embedding" if row == "embedding" else f"After {row}"
    if rank == 0:
        return f"{where} the model would say {answer} already"
    return f"{where} the model would say {word}; {answer} is number {rank + 1:,}"


def changed(answer: str, before: float, after: float, off: Sequence[Part]) -> str:
    """With something off or patched."""
    what = part_name(off[0]) if len(off) == 1 else f"{len(off)} parts"
    cause = f"Without {what}" if off else "With the other text\u2019s stream"
    was, now = format_share(before), format_share(after)
    if was == now:
        return f"{cause} {answer} stays at {now}"
    return f"{cause} {answer} {'falls' if after < before else 'rises'} from {was} to {now}"


def loss(before: float, after: float, is_changed: bool) -> str:
    """Of the whole text; a single token has none."""
    if not math.isfinite(before):
        return SAYS
    told = f"{SAYS}; loss {format_fixed(before)}"
    return f"{told}, now {format_fixed(after)}" if is_changed else told


def goes_on(written: str, is_changed: bool) -> str:
    """How the text goes on."""
    return f"{'changed' if is_changed else 'goes on'}: \u201c{written.strip(' ')}\u201d"


def note(off: Sequence[Part], other: int, mine: int) -> str:
    """Beside the switches: what is off, and why nothing is patched; tokens of both texts."""
    said = [f"off: {', '.join(map(part_name, off))}"] if off else []
    if other not in (0, mine):
        said.append(f"the other text has {other} tokens: give it {mine}")
    return "; ".join(said)


def switched(part: Part, is_off: bool) -> str:
    """Of an undoable change."""
    return f"Switch {part_name(part)} {'off' if is_off else 'on'}"
