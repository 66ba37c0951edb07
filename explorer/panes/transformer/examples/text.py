"""Every sentence of Examples. Knows no Qt."""

from __future__ import annotations

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


def row(shot: Shot) -> str:
    """Above its bar."""
    verdict = "right" if shot.is_right else "wrong"
    said = f"{verdict}: {quoted(shortened(shot.said))}"
    return f"{name(shot.count)}: {format_share(shot.probability)}, {said}"


def tip(shot: Shot) -> str:
    """Of its row."""
    share = format_significant(shot.probability)
    return f"{quoted(shot.answer)} after {name(shot.count)}: probability {share}\n{CLICK}"


def headline(shot: Shot, shots: Sequence[Shot]) -> str:
    """One sentence: what is seen of one of them."""
    if max(one.probability for one in shots) < HOPELESS:
        return f"No examples make {quoted(shot.answer)} likely: try a real model, in the menu above"
    told = f"{quoted(shot.answer)} has {format_share(shot.probability)}"
    if not shot.count:
        return f"With no example before the question, {told}"
    none = format_share(shots[0].probability)
    return f"After {name(shot.count)}, {told}; with none it had {none}"
