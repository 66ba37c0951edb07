"""The curve of what if: it is sampled where it bends, breaks where it leaps, and says where it
swings too fast.
"""

from __future__ import annotations

import numpy as np
import pytest

from explorer.panes.backprop.expression.compute import compute
from explorer.panes.backprop.expression.sampling import EVEN
from explorer.panes.backprop.expression.whatif import (
    MOST_SAMPLES,
    heights_of,
    limits,
    try_steps,
    what_if,
)
from tests.explorer.waiting import until


def curve_of(text, **values):
    """As it is in the end."""
    computed = compute(text, values)
    found = what_if(computed, "w", 0, 0.1)
    if not found.curve.is_fine:
        found = next(one for one in try_steps(computed, "w", 0, 0.1, found) if one is not None)
    return found


def furthest_off(found, function):
    """Of the drawn line from the function, as a share of the height, between samples."""
    curve = found.curve
    xs = np.linspace(curve.xs[0], curve.xs[-1], 20_011)
    ((first, last, _),) = curve.runs
    ys = np.interp(xs, curve.xs[first : last + 1], curve.ys[first : last + 1])
    low, high = limits(xs[::50], function(xs)[::50], found.value, found.result)
    return np.max(abs(ys - function(xs))) / (high - low)


def furthest_off_as_seen(found, function):
    """Of the drawn line from the function, as a share of the picture's height."""
    xs = np.linspace(found.xs[0], found.xs[-1], 20_011)
    low, high = heights_of(found.curve, found.value, found.result)
    drawn, true = (ys.clip(low, high) for ys in (np.interp(xs, found.xs, found.ys), function(xs)))
    return np.max(abs(drawn - true)) / (high - low)


@pytest.mark.parametrize("rate", [1, 10, 50, 94.24777960769379, 150])
def test_a_wave_has_its_true_shape(rate):
    found = curve_of("sin(k * w)", k=rate, w=0.3)
    assert found.curve.swinging == 0 and found.curve.is_fine
    assert furthest_off(found, lambda xs: np.sin(rate * xs)) < 0.03


@pytest.mark.parametrize("rate", [500, 942.4777960769379, 1000, 3000, 123456])
@pytest.mark.parametrize("text", ["sin(k * w)", "sum(sin(k * [w, 2]))"])
def test_a_wave_that_is_too_short_to_be_drawn_is_told(rate, text):
    curve = curve_of(text.replace("[w, 2]", "w * [1, 1]"), k=rate, w=0.3).curve
    assert curve.swinging > 0.95
    first, last, swings = curve.runs[0]
    low, high = curve.covered(first, last)
    assert swings and low.min() < -0.95 * curve.ys.max() and np.median(high - low) > 1.5


@pytest.mark.parametrize(
    "text", ["sin(k * w) ** 0.5", "relu(sin(k * w))", "tanh(gelu(sin(k * w) ** 0.99))"]
)
def test_so_is_one_with_holes_or_flat_parts(text):
    curve = curve_of(text, k=1000, w=0.3).curve
    assert curve.swinging > 0.8
    first, last, swings = max(curve.runs, key=lambda run: run[1] - run[0])
    low, high = curve.covered(first, last)
    assert swings and last - first > 0.8 * curve.xs.size, "its holes are part of it"
    assert np.isfinite(low).all() and np.median(high - low) > 0.3 * np.nanmax(curve.ys)


@pytest.mark.parametrize("text", ["exp(w)", "gelu(exp(w))", "1 / w ** 300", "w ** w ** w"])
def test_the_largest_numbers_are_sampled_without_a_complaint(text):
    """A warning of NumPy fails a test."""
    assert curve_of(text, w=1000.0).xs.size < MOST_SAMPLES


def test_a_wave_that_gets_shorter_is_drawn_as_far_as_it_can_be():
    curve = curve_of("sin(1 / w)", w=0.2).curve
    assert 0.02 < curve.swinging < 0.2
    swinging = [run for run in curve.runs if run[2]]
    assert len(swinging) == 1
    assert curve.xs[swinging[0][0]] < 0 < curve.xs[swinging[0][1]]


@pytest.mark.parametrize(
    ("text", "poles"),
    [
        ("1 / w", [0.0]),
        ("1 / (w - 0.5) + sum([1, 2])", [0.5]),
        ("sin(w) / cos(w)", [-np.pi / 2, np.pi / 2]),
        ("1 / sin(10 * w)", [n * np.pi / 10 for n in range(-2, 6)]),
        ("tanh(1000 * w)", []),
        ("relu(w) + abs(w - 0.517)", []),
        ("exp(-(200 * w) ** 2)", []),
        ("w ** 3 * 1e5", []),
    ],
)
def test_the_line_breaks_at_a_pole_and_nowhere_else(text, poles):
    curve = curve_of(text, w=0.7).curve
    inside = [pole for pole in poles if curve.xs[0] < pole < curve.xs[-1]]
    breaks = curve.xs[~np.isfinite(curve.ys)]
    assert len(breaks) == len(inside)
    np.testing.assert_allclose(breaks, inside, atol=1e-3)
    assert len(curve.runs) == len(inside) + 1 and curve.swinging == 0


def test_a_logarithm_is_drawn_to_where_it_ends():
    curve = curve_of("log(w)", w=0.5).curve
    (run,) = curve.runs
    assert 0 < curve.xs[run[0]] < 0.004 and run[1] == curve.xs.size - 1


def test_where_it_does_not_bend_there_are_few_samples_and_never_too_many():
    assert curve_of("w * 3 + 1", w=0.3).xs.size == EVEN
    assert curve_of("w * 3 / 3 - w + 1e6", w=0.3).xs.size == EVEN, "what rounding leaves is flat"
    for text in ("sin(1e6 * w)", "1 / sin(500 * w)", "log(sin(900 * w))"):
        assert curve_of(text, w=0.3).xs.size <= MOST_SAMPLES * 1.2


def test_along_its_own_curve_an_input_is_moved_without_finding_it_again():
    computed = compute("sin(100 * w) * b", {"w": 0.3, "b": 1.0})
    first = what_if(computed, "w", 0, 0.1)
    moved = compute(computed.text, {"w": 0.4, "b": 1.0}, computed)
    assert what_if(moved, "w", 0, 0.1, first).curve is first.curve
    other = compute(computed.text, {"w": 0.4, "b": 1.5}, computed)
    assert what_if(other, "w", 0, 0.1, first).curve is not first.curve


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ("exp(9 * w)", lambda xs: np.exp(9 * xs)),
        ("exp(w * w)", lambda xs: np.exp(xs * xs)),
        ("exp(5 * w) + sin(9 * w)", lambda xs: np.exp(5 * xs) + np.sin(9 * xs)),
    ],
)
def test_where_other_heights_are_seen_it_is_found_again(text, function):
    """Each step leads where the curve is much lower; and back, where it is much higher."""
    computed = compute(text, {"w": 5.0})
    found, curves = what_if(computed, "w", 0, 0.1), set()
    for value in (4.0, 3.0, 2.5, 3.5, 5.0):
        computed = compute(text, {"w": value}, computed)
        found = what_if(computed, "w", 0, 0.1, found)
        curves.add(found.curve)
        assert (found.xs[0], found.xs[-1]) == (0.0, 10.0)
        assert furthest_off_as_seen(found, function) < 0.03
    assert len(curves) > 2


@pytest.mark.parametrize("rate", [30.0, 100.0, 162.0, 168.0])
def test_a_wave_on_a_slope_that_can_be_drawn_does_not_swing_too_fast(rate):
    """Up, flat and up again is no turn."""
    for steep in (0.1, 0.2, 0.9, 1.0, 2.0):
        curve = curve_of("k * s * w + sin(k * w)", k=rate, s=steep, w=0.0).curve
        assert curve.swinging == 0


async def test_what_costs_more_than_a_frame_is_refined_beside_it(pane, mode):
    """Of tensors each sample is worked out by itself."""
    mode.lab.set_text("sum(sin(1000 * w * [1, 1]))")
    assert mode.trying.what.xs.size == EVEN and not mode.trying.what.curve.is_fine
    await until(lambda: mode.trying.what.curve.is_fine)
    assert mode.trying.what.curve.swinging > 0.9
    curve = mode.trying.what.curve
    mode.lab.move_leaf("w", 0, mode.trying.what.value + 0.01)
    assert mode.trying.what.curve is curve
    mode.lab.end_merge()


@pytest.mark.parametrize(
    "text",
    ["w * 1.7e308", "w * 0 + 1e20", "w * 1e308 - 1e308", "1 / w", "exp(800 * w)", "log(w) * 1e300"],
)
def test_numbers_without_end_are_drawn_without_a_complaint(pane, mode, text):
    """A warning of Qt or NumPy fails a test."""
    mode.lab.set_text(text)
    for value in (0.5, 0.0, 1e300, -1.0):
        mode.lab.move_leaf("w", 0, value)
        mode.view.what_if.curve.grab()
    mode.lab.end_merge()
