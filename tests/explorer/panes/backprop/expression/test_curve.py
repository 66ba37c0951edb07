"""Expression: the curve of an input, its dot and its tangent."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from core.jobs import to_the_end
from core.numbers import format_number
from explorer.panes.backprop.expression import curve_picture
from explorer.panes.backprop.expression.compute import compute
from explorer.panes.backprop.expression.curve import SAMPLES
from explorer.panes.backprop.expression.what_if import try_steps, what_if
from tests.explorer.panes.backprop.expression.conftest import value
from tests.explorer.waiting import until


def curve_of(text, **values):
    """Of the input w."""
    what = what_if(compute(text, values), "w", 0, 0.1)
    return to_the_end(try_steps(what)).curve


def runs_of(curve, result=0.0):
    return curve.runs(*curve.heights(result))


@pytest.mark.parametrize("rate", [1, 10, 50])
@pytest.mark.parametrize("text", ["sin(k * w)", "sum(sin(k * w * [1, 1])) / 2"])
def test_a_wave_has_its_true_shape(rate, text):
    curve = curve_of(text, k=rate, w=0.3)
    assert curve.xs.size == SAMPLES
    xs = np.linspace(curve.xs[0], curve.xs[-1], 5_000)
    assert np.max(abs(np.interp(xs, curve.xs, curve.ys) - np.sin(rate * xs))) < 0.1


@pytest.mark.parametrize(
    ("text", "poles"),
    [
        ("1 / w", 1),
        ("1 / (w - 0.5) + sum([1, 2])", 1),
        ("sin(w) / cos(w)", 1),
        ("tanh(1000 * w)", 0),
        ("relu(w) + abs(w - 0.517)", 0),
        ("w ** 3 * 1e5", 0),
    ],
)
def test_the_line_breaks_at_a_pole_and_nowhere_else(text, poles):
    computed = compute(text, {"w": 0.7})
    assert len(runs_of(curve_of(text, w=0.7), computed.result)) == poles + 1


def test_a_logarithm_is_drawn_to_where_it_ends():
    curve = curve_of("log(w)", w=0.5)
    (run,) = runs_of(curve, np.log(0.5))
    assert 0 < curve.xs[run.start] < 0.02 and run.stop == curve.xs.size


@pytest.mark.parametrize("text", ["exp(w)", "gelu(exp(w))", "1 / w ** 300", "w ** w ** w"])
def test_the_largest_numbers_are_sampled_without_a_complaint(text):
    """A warning of NumPy fails a test."""
    assert curve_of(text, w=1000.0).xs.size == SAMPLES


@pytest.mark.parametrize(
    "text",
    ["w * 1.7e308", "w * 0 + 1e20", "w * 1e308 - 1e308", "1 / w", "exp(800 * w)", "log(w) * 1e300"],
)
def test_numbers_without_end_are_drawn_without_a_complaint(pane, mode, text):
    """A warning of Qt or NumPy fails a test."""
    mode.set_text(text)
    for at in (0.5, 0.0, 1e300, -1.0):
        mode.move_leaf("w", 0, at)
        mode.view.what_if.curve.grab()
    mode.draft.end_merge()


def test_an_input_is_dragged_along_its_curve(pane, mode):
    mode.set_text("x ** 2")
    curve = mode.view.what_if.curve
    curve.resize(220, 100)
    QTest.mousePress(curve, Qt.MouseButton.LeftButton, pos=QPoint(110, 50))
    low, high = curve.displayed()["x"][[0, -1]]
    assert float(value(mode, "x")) == pytest.approx((low + high) / 2, abs=0.05 * (high - low))
    QTest.mouseMove(curve, QPoint(150, 50))
    QTest.mouseRelease(curve, Qt.MouseButton.LeftButton, pos=QPoint(150, 50))
    assert curve.displayed()["x"][0] == low


def test_where_a_slope_has_no_end_nothing_is_predicted(pane, mode):
    mode.set_text("w ** 0.5")
    mode.move_leaf("w", 0, 0.0)
    card = mode.view.what_if
    assert card.predicted.text() == "no prediction, since the slope is \u221e"
    assert card.true.text() == "actual: +0.316"
    mode.set_text("log(w)")
    assert card.predicted.text() == "no prediction, since v1 is \u2212\u221e"
    mode.set_text("3 * w")
    mode.move_leaf("w", 0, -1234567.0)
    assert card.value.text() == "\u22121.23457e6"


async def test_the_dot_of_a_large_formula_goes_along_its_curve_while_it_is_dragged(pane, mode):
    mode.set_text(" + ".join(f"tanh(w{n} * x{n})" for n in range(40)))
    await pane.settled()
    mode.try_leaf("w0")
    await pane.settled()
    curve = mode.trial.what.curve
    for turn in range(1, 4):
        mode.move_leaf("w0", 0, 0.1 * turn)
        what = mode.trial.what
        assert what.value == 0.1 * turn and what.result == mode.computed.result
        assert what.gradient == float(mode.computed.gradient(mode.computed.leaves["w0"]))
        assert what.curve is curve and np.isfinite(what.true)
    mode.draft.end_merge()
    await until(lambda: mode.trial.what.curve is not curve)
    np.testing.assert_array_equal(mode.trial.what.curve.ys, curve.ys, "it is of the same function")
    mode.try_leaf("w1")
    assert mode.trial.what.curve is None, "of another input nothing is known yet"


async def test_the_curve_of_a_tensors_number_has_its_name_and_ends_where_it_ends(pane, mode):
    mode.show_example("matrices")
    mode.try_leaf("W", 3)
    await pane.settled()
    curve = mode.view.what_if.curve
    assert next(iter(curve.displayed())) == "W[1, 1]" == mode.view.what_if.leaf.text()
    mode.show_example("neuron")
    what = mode.trial.what
    assert what is not None and what.called == mode.trial.leaf
    assert curve.title.endswith(format_number(what.curve.ys.max()))


@pytest.mark.parametrize("text", ["exp(exp(w))", "1 / w ** 2", "sin(1000 * w)", "sin(1 / w)"])
def test_nothing_of_the_curve_lies_on_its_title(pane, mode, monkeypatch, text):
    mode.set_text(text)
    mode.move_leaf("w", 0, {"e": 8.0, "1": 0.001, "s": 0.3}[text[0]])
    curve = mode.view.what_if.curve
    monkeypatch.setattr(type(curve), "title", "")
    curve.resize(220, 100)
    band = curve.grab().toImage().copy(0, 0, 220, curve_picture.TITLE)
    colors = {band.pixel(x, y) for x in range(band.width()) for y in range(band.height())}
    assert len(colors) == 1
