"""Every sentence of Examples. Knows no Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.numbers import format_share, format_significant
from core.tokenization.telling import quoted, shortened

if TYPE_CHECKING:
    from core.inference.few_shot import Shot

TASK, OWN, LINES = "Task", "your own", "Examples: the last line is asked"
FORM = "Written as"
FORMS = {
    "arrow": "question => answer",
    "colon": "question: answer",
    "dialog": "Q: \u2026 A: \u2026",
}
HOPELESS = 0.01  # a probability
READS = "What the model reads, and in the frame the right answer"
CHANGE, CLICK = "Change examples", "Click to see the text"
BARS = "The right answer's probability"


def name(count: int) -> str:
    return f"{count} example{'' if count == 1 else 's'}"


def number(shot: Shot) -> str:
    """Beside its bar."""
    verdict = "right" if shot.is_right else "wrong"
    return f"{format_share(shot.probability)}   {verdict}: {quoted(shortened(shot.said))}"


def tip(shot: Shot) -> str:
    """A row: its answer token by token."""
    shares = [format_significant(math.exp(one)) for one in shot.log_shares]
    product = " \u00d7 ".join(shares)
    equals = f" = {format_significant(shot.probability)}" if len(shares) > 1 else ""
    return f"{quoted(shot.answer)} after {name(shot.count)}: {product}{equals}\n{CLICK}"


def headline(shot: Shot, shots: Sequence[Shot]) -> str:
    """One sentence: what is seen of one of them."""
    if max(one.probability for one in shots) < HOPELESS:
        return f"No examples make {quoted(shot.answer)} likely: try a real model, in the menu above"
    told = f"{quoted(shot.answer)} has {format_share(shot.probability)}"
    if not shot.count:
        return f"With no example before the question, {told}"
    none = format_share(shots[0].probability)
    return f"After {name(shot.count)}, {told}; with none it had {none}"
