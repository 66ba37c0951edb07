"""The scores of the heads over a run's steps: one line per head, and a sentence on the best."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.numbers import format_share
from core.training.head_birth import FORMED
from explorer.runs.run_data import SCORED
from explorer.widgets.plots.data import Series
from explorer.widgets.plots.marks import Mark

if TYPE_CHECKING:
    from explorer.runs.run_data import RunData

SCORES = {name: name.replace("_", " ").capitalize() for name in SCORED}
SEEN = {
    "induction": "the token that followed the current one last time",
    "previous_token": "the token just before the current one",
    "duplicate": "the last earlier copy of the current token",
    "first_token": "the first token",
}
NAMED = 4  # number of heads with a name and a color
COLORS = 2  # first series color: the two before it belong to the losses
TEST = "measured on random tokens, repeated once"
UNITS = "share of attention"


def score_title(score: str) -> str:
    """Returns the title of a score; "" for none."""
    return f"{SCORES[score].lower()} score" if score else ""


def axis(score: str) -> str:
    """Returns the title of the y axis."""
    return f"{score_title(score)} ({UNITS})"


def head_name(layer: int, head: int) -> str:
    return f"L{layer} H{head}"


def head_of(name: str) -> tuple[int, int]:
    """Returns layer and head from a `head_name`."""
    layer, head = name.split()
    return int(layer[1:]), int(head[1:])


def head_series(steps: np.ndarray, scores: np.ndarray) -> list[Series]:
    """Returns one line per head from scores (S, L, H) at steps (S,); the last best is on top."""
    if not len(steps):
        return []
    heads, flat = scores.shape[2], scores.reshape(len(steps), -1)
    order = np.argsort(flat[-1], kind="stable")
    named = sorted(order[-NAMED:].tolist())  # colors stay while the same heads lead
    lines = []
    for index in order.tolist():
        name, strong = head_name(*divmod(index, heads)), index in named
        color: int | str = COLORS + named.index(index) if strong else "muted"
        line = flat[:, index].astype(np.float64)
        lines.append(Series(name, steps, line, color, named=strong, faint=not strong))
    return lines


def birth_marks(data: RunData) -> list[Mark]:
    """Returns the mark of the head that began to copy."""
    born = data.birth
    if born is None:
        return []
    return [Mark(born.step, f"{head_name(born.layer, born.head)} copies", rule=True)]


def scores_at(data: RunData, score: str, step: float) -> np.ndarray | None:
    """Returns the last scores of all heads (L, H) up to a step; None before the first."""
    if score not in data.head_scores:
        return None
    steps, scores = data.head_scores[score]
    at = int(np.searchsorted(steps, step, side="right")) - 1
    return scores[at] if at >= 0 else None


def sentence(score: str, scores: np.ndarray, step: int) -> str:
    """Returns a sentence on the head with the highest of the scores (L, H) at a past step."""
    layer, head = divmod(int(scores.argmax()), scores.shape[1])
    most, who = format_share(float(scores[layer, head])), f"head {head} of layer {layer}"
    if scores[layer, head] < FORMED:
        none = f"no head yet attends much to {SEEN[score]}"
        return f"Step {step:,}: {none}; {who} comes closest, with {most}."
    return f"Step {step:,}: {who} spends {most} of its attention on {SEEN[score]}."
