"""The texts of Examples. Does not import Qt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.data.few_shot_tasks import FORMS
from core.numbers import format_share, format_significant
from core.tokenization.telling import count, quoted

if TYPE_CHECKING:
    from core.inference.few_shot import Shot

TASK, OWN, LINES = "Task", "your own", "One example per line; the last line is the question"
FORM = "Written as"
FORM_NAMES = {
    f"{form.asked('question')}answer".replace("\n", " "): name for name, form in FORMS.items()
}
HOPELESS = 0.01  # a probability
LARGER = "{} (for a larger model)"  # a task
COPIED = "the model copies it from above"
REAL_HELP = "Opens a small model that was trained on text of the web, and asks it the same"
READS = "What the model reads; the right answer is framed"
CHANGE, CLICK = "Change examples", "click to see the text"
BARS = "The right answer's probability"
COLUMNS = ("probability", "the model answers")


def name(shot: Shot) -> str:
    return count(shot.count, "example")


def cells(shot: Shot) -> tuple[str, str]:
    """Returns the cells of a result's row."""
    verdict = "right" if shot.is_right else "wrong"
    return format_significant(shot.probability), f"{verdict}: {quoted(shot.said)}"


def is_hopeless(shots: Sequence[Shot]) -> bool:
    """Returns True if no number of examples makes the answer likely."""
    return max(one.probability for one in shots) < HOPELESS


def headline(shot: Shot, shots: Sequence[Shot], model: str, is_above: bool) -> str:
    """Returns one sentence about a result; `is_above`: its examples contain the question."""
    if is_hopeless(shots):
        unlikely = f"{quoted(shot.answer)} stays unlikely: {model} cannot do this task"
        return f"{unlikely}. A larger model, trained on more kinds of text, may"
    told = f"the probability of {quoted(shot.answer)} is {format_share(shot.probability)}"
    if not shot.count:
        return f"Without any examples, {told}"
    if is_above and shot.is_right:
        return f"After {name(shot)}, {told}: {COPIED}"
    return f"After {name(shot)}, {told}; without any, {format_share(shots[0].probability)}"
