"""Two ways to ask whether gradients are right: by nudging, and by another engine's."""

import numpy as np
import pytest

from core.autograd import Tensor, expression, gradient_check
from core.autograd.gradient_check import MOST_RUNS, central_differences, disagreement

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


@pytest.mark.parametrize("scale", [1.0, 300.0, 1e4])
def test_an_output_that_bends_within_the_first_nudge_agrees(scale):
    """The softmax of X @ W with a large X: a nudge of W moves the scores a lot."""
    rng = np.random.default_rng(0)
    X, W = rng.normal(size=(3, 3)) * scale, rng.normal(size=(3, 3)) * 3 / scale
    leaves = [Tensor(X, name="X"), Tensor(W, name="W")]
    Y = rng.normal(size=(3, 3))

    def loss():
        return expression("sum(softmax(X @ W) * Y)", X=leaves[0], W=leaves[1], Y=Y)

    for one in gradient_check(loss, leaves):
        assert one.error < 2e-7, (one.name, one.error)


SLOPES = pytest.mark.parametrize(
    ("function", "x", "slope"),
    [
        (lambda x: x * x, -2.5e22, -5e22),
        (lambda x: np.sin(1000 * x), 0.3, 1000 * np.cos(300)),
        (lambda x: np.sin(x), 1e6, np.cos(1e6)),
        (lambda x: np.maximum(x, 0.0), 3e-6, 1.0),
        (lambda x: np.sqrt(x), 1e-6, 500.0),
        (lambda x: 1e3 + x, 1.0, 1.0),
    ],
)


@SLOPES
def test_a_step_that_fits_is_found(function, x, slope):
    found = central_differences(lambda data: float(function(data)), np.asarray(x))
    assert found.slopes == pytest.approx(slope, rel=1e-6)


@SLOPES
@pytest.mark.parametrize("above", [0.0, 1e8, 1e12])
def test_a_slope_is_off_by_no_more_than_its_error(function, x, slope, above):
    """`above` drowns it in rounding, whatever nudge is taken."""
    found = central_differences(lambda data: float(function(data) + above), np.asarray(x))
    assert abs(found.slopes - slope) <= found.errors


def test_an_error_says_what_can_be_trusted():
    def error(function, x):
        return float(central_differences(lambda data: float(function(data)), np.asarray(x)).errors)

    assert error(lambda x: x * x, 3.0) < 1e-8
    assert 1.0 < error(lambda x: x + 1e12, 1.0) < 1e4
    assert error(np.sqrt, 0.0) == np.inf, "there is no number below 0"


def test_a_slope_that_never_settles_costs_the_most_runs():
    """What a check may cost is planned by it."""
    runs = []

    def output(data):
        runs.append(float(data))
        return float(np.sin(1e14 * data))

    central_differences(output, np.asarray(0.0))
    assert len(runs) == MOST_RUNS


def test_the_check_of_32_bit_numbers_is_in_64():
    x = Tensor(np.float32(0.3), name="x")
    (one,) = gradient_check(lambda: x * x * x, [x])
    assert one.numeric.dtype == np.float64 and one.error < 1e-6
