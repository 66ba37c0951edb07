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


def headline(shot: Shot, shots: Sequence[Shot]) -> str:
    """Returns one sentence about a result."""
    if max(one.probability for one in shots) < HOPELESS:
        unlikely = f"{quoted(shot.answer)} stays unlikely with this model"
        return f"{unlikely}; choose a larger one in the menu above"
    told = f"the probability of {quoted(shot.answer)} is {format_share(shot.probability)}"
    if not shot.count:
        return f"Without any examples, {told}"
    return f"After {name(shot)}, {told}; without any, {format_share(shots[0].probability)}"
