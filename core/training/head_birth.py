"""The birth of an induction head, found in a run's records. Loads no torch.

Letters in shapes: S scored steps, L layers, H heads.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FORMED = 0.3  # share of its attention from which on a head clearly copies


@dataclass(frozen=True, slots=True)
class HeadBirth:
    """A head that began to copy, and what the run measured while it did.

    layer, head     counted from 0
    step            the first scored step at which its induction score is half its highest
    rise            the scored steps around it: the last at which the score was less than a tenth of
                    the way to its highest, and as far after the birth, or the last one
    scores          its score at both
    losses          the loss on repeats at both, in nats per token; None: not recorded
    now             its last score, which is below FORMED if the head was lost again
    """

    layer: int
    head: int
    step: int
    rise: tuple[int, int]
    scores: tuple[float, float]
    losses: tuple[float, float] | None
    now: float

    @property
    def lost(self) -> bool:
        return self.now < FORMED


def best_head(scores: np.ndarray) -> tuple[int, int]:
    """Returns layer and head of the highest of the scores (L, H)."""
    layer, head = np.unravel_index(int(scores.argmax()), scores.shape)
    return int(layer), int(head)


def head_birth(
    steps: np.ndarray,
    induction: np.ndarray,
    repeats: tuple[np.ndarray, np.ndarray] | None = None,
) -> HeadBirth | None:
    """Returns the birth of the head that copies best at the last scored step, or, if that copies
    no more, of the one that has copied best before. None if no score ever reached FORMED, or the
    run began with such a head.

    steps      (S,) int, ascending
    induction  (S, L, H), as of `RunReader.head_scores`
    repeats    steps and the loss on repeats at them, as of `RunReader.losses_on_repeats`
    """
    if not len(steps):
        return None
    highest = induction[-1] if induction[-1].max() >= FORMED else induction.max(axis=0)
    layer, head = best_head(highest)
    score = induction[:, layer, head].astype(np.float64)
    first, peak = float(score[0]), float(score.max())
    if peak < FORMED or first >= FORMED:
        return None
    at = int(np.argmax(score >= peak / 2))
    before = np.flatnonzero(score[:at] <= first + 0.1 * (peak - first))
    start = int(before[-1]) if len(before) else 0
    until = 2 * steps[at] - steps[start]  # later, a score that creeps up would hide the birth
    end = int(np.searchsorted(steps, until, side="right")) - 1
    rise = int(steps[start]), int(steps[end])
    return HeadBirth(
        layer=layer,
        head=head,
        step=int(steps[at]),
        rise=rise,
        scores=(float(score[start]), float(score[end])),
        losses=_losses_at(rise, repeats),
        now=float(score[-1]),
    )


def _losses_at(
    rise: tuple[int, int], repeats: tuple[np.ndarray, np.ndarray] | None
) -> tuple[float, float] | None:
    """Returns the loss on repeats at both steps; None unless both were measured."""
    known = {} if repeats is None else dict(zip(*(part.tolist() for part in repeats), strict=True))
    if not set(rise) <= known.keys():
        return None
    return float(known[rise[0]]), float(known[rise[1]])
