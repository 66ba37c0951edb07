"""The scores of the heads over the steps of a run: a line for each, and what the strongest does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.numbers import format_share
from explorer.runs.run_data import SCORED
from explorer.widgets.plots.data import Series

if TYPE_CHECKING:
    from explorer.runs.run_data import RunData

SCORES = {name: name.replace("_", " ").capitalize() for name in SCORED}
SEEN = {
    "induction": "the token that followed the current one last time",
    "previous_token": "the token just before the current one",
    "duplicate": "the last earlier copy of the current token",
    "first_token": "the first token",
}
CLEAR = 0.3  # of a head's attention: from here on it does that
NAMED = 4  # heads that have a name and a color
COLORS = 2  # from which series color on: the first two are the losses'
TEST = "measured on random tokens, repeated once"
UNITS = "share of attention"


def score_title(score: str) -> str:
    """What a score is called; "" for none."""
    return f"{SCORES[score].lower()} score" if score else ""


def axis(score: str) -> str:
    """The title of the y axis."""
    return f"{score_title(score)} ({UNITS})"


def head_name(layer: int, head: int) -> str:
    return f"L{layer} H{head}"


def head_of(name: str) -> tuple[int, int]:
    """Layer and head of `head_name`."""
    layer, head = name.split()
    return int(layer[1:]), int(head[1:])


def head_series(steps: np.ndarray, scores: np.ndarray) -> list[Series]:
    """One line a head, from scores (S, L, H) at steps (S,): the highest at the end on top."""
    if not len(steps):
        return []
    heads, flat = scores.shape[2], scores.reshape(len(steps), -1)
    order = np.argsort(flat[-1], kind="stable")
    named = sorted(order[-NAMED:].tolist())  # a head keeps its color while the same ones lead
    lines = []
    for index in order.tolist():
        name, strong = head_name(*divmod(index, heads)), index in named
        color: int | str = COLORS + named.index(index) if strong else "muted"
        line = flat[:, index].astype(np.float64)
        lines.append(Series(name, steps, line, color, named=strong, faint=not strong))
    return lines


def scores_at(data: RunData, score: str, step: float) -> np.ndarray | None:
    """The last scores of every head (L, H) up to a step; None before the first."""
    if score not in data.head_scores:
        return None
    steps, scores = data.head_scores[score]
    at = int(np.searchsorted(steps, step, side="right")) - 1
    return scores[at] if at >= 0 else None


def sentence(score: str, scores: np.ndarray, step: int) -> str:
    """A sentence on the head with the highest score (L, H) at a past step."""
    layer, head = divmod(int(scores.argmax()), scores.shape[1])
    most, who = format_share(float(scores[layer, head])), f"head {head} of layer {layer}"
    if scores[layer, head] < CLEAR:
        none = f"no head yet attends much to {SEEN[score]}"
        return f"Step {step:,}: {none}; {who} comes closest, with {most}."
    return f"Step {step:,}: {who} spends {most} of its attention on {SEEN[score]}."
