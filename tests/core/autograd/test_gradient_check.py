"""Two ways to ask whether gradients are right: by nudging, and by another engine's."""

import numpy as np
import pytest

from core.autograd import Tensor, gradient_check
from core.autograd.gradient_check import disagreement

ONES = np.ones((2, 3))


@pytest.mark.parametrize(
    ("ours", "theirs", "wanted"),
    [
        ({"w": ONES}, {"w": ONES}, 0.0),
        ({"w": ONES * 3}, {"w": ONES * 2}, 0.5),
        ({"w": ONES * 3}, {"w": ONES * 0}, 3.0),
        ({"w": None, "v": ONES}, {"w": None, "v": ONES}, 0.0),
        ({"w": None, "v": ONES}, {"w": ONES, "v": ONES}, np.inf),
        ({"w": ONES}, {"w": None}, np.inf),
        ({}, {"w": ONES}, np.inf),
        ({"w": ONES[0]}, {"w": ONES}, np.inf),
        ({"w": ONES * np.nan, "v": ONES * 9}, {"w": ONES, "v": ONES}, np.nan),
        ({"w": ONES, "v": ONES}, {"w": ONES * np.nan, "v": ONES}, np.nan),
        ({"w": ONES * np.inf}, {"w": ONES * np.inf}, np.nan),
        ({"tied": ONES * 7, "w": ONES}, {"w": ONES}, 0.0),
    ],
)
def test_what_cannot_be_compared_never_agrees(ours, theirs, wanted):
    assert disagreement(ours, theirs) == pytest.approx(wanted, nan_ok=True)


def test_a_gradient_that_is_no_number_is_an_error_that_is_none():
    x = Tensor(0.0, name="x")
    with np.errstate(all="ignore"):
        checked = gradient_check(lambda: (x / x) * 1.0, [x])
    assert np.isnan(checked[0].error)
