"""Expression: the curve of an input, its dot and its tangent."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from explorer.panes.backprop.expression import curve_picture
from explorer.panes.backprop.expression.compute import compute
from explorer.panes.backprop.expression.whatif import heights_of, what_if
from tests.explorer.panes.backprop.expression.conftest import value
from tests.explorer.waiting import until


def test_an_input_is_dragged_along_its_curve(pane, mode):
    mode.lab.set_text("x ** 2")
    curve = mode.view.what_if.curve
    curve.resize(220, 100)
    QTest.mousePress(curve, Qt.MouseButton.LeftButton, pos=QPoint(110, 50))
    low, high = curve.displayed()["x"][[0, -1]]
    assert float(value(mode, "x")) == pytest.approx((low + high) / 2, abs=0.05 * (high - low))
    QTest.mouseMove(curve, QPoint(150, 50))
    QTest.mouseRelease(curve, Qt.MouseButton.LeftButton, pos=QPoint(150, 50))
    assert curve.displayed()["x"][0] == low


def test_where_a_slope_has_no_end_nothing_is_predicted(pane, mode):
    mode.lab.set_text("w ** 0.5")
    mode.lab.move_leaf("w", 0, 0.0)
    card = mode.view.what_if
    assert card.predicted.text() == "predicted: nothing, the slope is \u221e here"
    assert card.true.text() == "true change: +0.316"
    mode.lab.set_text("log(w)")
    assert card.predicted.text() == "predicted: nothing, v1 is \u2212\u221e here"
    mode.lab.set_text("3 * w")
    mode.lab.move_leaf("w", 0, -1234567.0)
    assert card.value.text() == "\u22121.23457e6"


def drawn(what):
    """Between which heights."""
    return heights_of(what.curve, what.value, what.result)


def test_a_curve_that_grows_too_fast_is_drawn_where_its_dot_is(pane, mode):
    mode.lab.set_text("z = exp(exp(exp(u * 5)))")
    mode.lab.move_leaf("u", 0, -0.4)
    what = mode.trying.what
    low, high = drawn(what)
    assert what.result < high < 20 and 0 < low < what.result
    for text in ("u ** 2", "1 / u", "relu(u)"):
        mode.lab.set_text(text)
        what = mode.trying.what
        low, high = drawn(what)
        even = what.ys[what.curve.even]
        assert high - low > 0.5 * np.ptp(np.quantile(even[np.isfinite(even)], [0.02, 0.98]))


def test_the_shape_of_a_curve_is_found_once_for_a_size(qtbot, monkeypatch):
    found = []
    shapes = curve_picture._shapes
    monkeypatch.setattr(curve_picture, "_shapes", lambda *what: found.append(what) or shapes(*what))
    picture = curve_picture.CurvePicture()
    qtbot.addWidget(picture)
    picture.resize(220, 104)
    computed = compute("sin(60 * w) * b", {"w": 0.3, "b": 1.0})
    known = what_if(computed, "w", 0, 0.1)
    picture.set_what_if(known)
    picture.grab()
    moved = compute(computed.text, {"w": 0.31, "b": 1.0}, computed)
    picture.set_what_if(what_if(moved, "w", 0, 0.1, known))
    picture.grab()
    assert len(found) == 1
    picture.resize(240, 104)
    picture.grab()
    assert len(found) == 2
    other = compute(computed.text, {"w": 0.31, "b": 0.5}, computed)
    picture.set_what_if(what_if(other, "w", 0, 0.1, known))
    picture.grab()
    assert len(found) == 3


async def test_the_dot_of_a_large_formula_goes_along_its_curve_while_it_is_dragged(pane, mode):
    mode.lab.set_text(" + ".join(f"tanh(w{n} * x{n})" for n in range(40)))
    await pane.settled()
    mode.trying.try_leaf("w0", 0)
    await until(lambda: mode.trying.what is not None and mode.trying.what.name == "w0")
    await pane.settled()
    card, curve = mode.view.what_if, mode.trying.what.ys
    for turn in range(1, 4):
        mode.lab.move_leaf("w0", 0, 0.1 * turn)
        mode.trying._show_moved()
        what = mode.trying.what
        assert what.value == 0.1 * turn and what.result == mode.computed.result
        assert what.gradient == float(mode.computed.gradient(mode.computed.leaves["w0"]))
        assert what.ys is curve and card.true.text() == "true change: \u2026"
    mode.lab.end_merge()
    await until(lambda: not mode.trying.what.pending)
    assert card.true.text() != "true change: \u2026"
    assert mode.trying.what.ys is curve, "it is of the same function"
    found = mode.trying.what
    mode.lab.move_leaf("w1", 0, 0.5)
    assert mode.trying._moving.isActive()
    mode.trying._show_moved()
    assert mode.trying.what is found, "its curve is another then"
    mode.lab.end_merge()
    await until(lambda: mode.trying.what is not found)


def test_the_curve_of_a_tensors_number_has_its_name_and_ends_where_it_ends(pane, mode):
    mode.lab.show_example("matrices")
    mode.trying.try_leaf("W", 3)
    curve = mode.view.what_if.curve
    assert next(iter(curve.displayed())) == "W[1, 1]" == mode.view.what_if.leaf.text()
    mode.lab.show_example("neuron")
    what = mode.trying.what
    assert what is not None and what.called == mode.trying.leaf
    assert curve._most(what, 1.12) == what.ys.max() <= 1.0, "tanh goes no higher"


@pytest.mark.parametrize("text", ["exp(exp(w))", "1 / w ** 2", "sin(1000 * w)", "sin(1 / w)"])
def test_nothing_of_the_curve_lies_on_its_title(pane, mode, monkeypatch, text):
    mode.lab.set_text(text)
    mode.lab.move_leaf("w", 0, {"e": 8.0, "1": 0.001, "s": 0.3}[text[0]])
    curve = mode.view.what_if.curve
    monkeypatch.setattr(curve, "_titles", lambda *_: ("",))
    curve.resize(220, 100)
    band = curve.grab().toImage().copy(0, 0, 220, curve_picture.TITLE)
    colors = {band.pixel(x, y) for x in range(band.width()) for y in range(band.height())}
    assert len(colors) == 1


async def test_a_title_without_room_is_a_shorter_one(pane, mode, monkeypatch):
    mode.lab.set_text("sin(1 / w)")
    mode.lab.move_leaf("w", 0, 0.01)
    await pane.settled()
    curve, written = mode.view.what_if.curve, []
    monkeypatch.setattr(curve_picture, "put_text", lambda _, __, text, *more: written.append(text))
    for width in (320, 220, 160, 120):
        curve.resize(width, 100)
        written.clear()
        curve.grab()
        title = next(text for text in written if "swings" in text)
        assert ("\u2026" not in title and title.endswith("in places")) or width < 160
