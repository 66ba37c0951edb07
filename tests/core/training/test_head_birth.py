"""When a head began to copy, by the definition in core.training.head_birth."""

import numpy as np
import pytest

from core.training.head_birth import FORMED, best_head, head_birth

STEPS = np.arange(0, 80, 10)


def scores(*best: float) -> np.ndarray:
    """Induction scores (S, 2, 2) in which head 1 of layer 1 has these."""
    found = np.full((len(best), 2, 2), 0.05)
    found[:, 1, 1] = best
    return found


def test_the_birth_is_where_the_score_reaches_half_of_its_highest():
    told = scores(0.05, 0.06, 0.08, 0.2, 0.35, 0.5, 0.55, 0.6)
    losses = np.array([7.3, 7.3, 7.2, 6.0, 4.0, 2.5, 2.1, 2.0])
    birth = head_birth(STEPS, told, (STEPS, losses))
    assert birth is not None and not birth.lost
    assert (birth.layer, birth.head, birth.step) == (1, 1, 40)
    assert birth.rise == (20, 60), "as far after the birth as before"
    assert birth.scores == (0.08, 0.55) and birth.losses == (7.2, 2.1)
    assert birth.now == pytest.approx(0.6)
    early = head_birth(STEPS[:6], told[:6], (STEPS, losses))
    assert early is not None and early.rise[1] == 50, "the last that is known"


def test_without_recorded_losses_there_is_still_a_birth():
    birth = head_birth(STEPS[:3], scores(0.05, 0.2, 0.6))
    assert birth is not None and birth.losses is None
    some = head_birth(STEPS[:3], scores(0.05, 0.2, 0.6), (STEPS[:1], np.array([7.3])))
    assert some is not None and some.losses is None, "one of two would be no comparison"


def test_no_head_formed():
    assert head_birth(STEPS[:3], scores(0.05, 0.2, FORMED - 0.01)) is None
    assert head_birth(STEPS[:0], np.empty((0, 2, 2))) is None
    assert head_birth(STEPS[:2], scores(0.5, 0.6)) is None, "the run began with it"


def test_a_head_that_was_lost_again_is_told_as_such():
    birth = head_birth(STEPS[:5], scores(0.05, 0.3, 0.5, 0.2, 0.06))
    assert birth is not None and birth.lost and birth.step == 10
    assert birth.now == pytest.approx(0.06)


def test_the_head_that_copies_best_at_the_end_is_named():
    told = scores(0.05, 0.1, 0.2, 0.4)
    told[2, 0, 0] = 0.9  # it copied best before, and does so no more
    birth = head_birth(STEPS[:4], told)
    assert birth is not None and (birth.layer, birth.head) == (1, 1)
    assert best_head(told[2]) == (0, 0)
