"""Expression: what is tried out below the graph: values, nudges, steps downhill, checks."""

from __future__ import annotations

import asyncio

import pytest

from explorer import theme
from explorer.panes.backprop.expression import trial
from explorer.panes.backprop.expression.gradient_check import DIFFERS, ROUNDED
from explorer.panes.backprop.expression.value_field import ValueField
from tests.explorer.panes.backprop.expression.conftest import value
from tests.explorer.waiting import until


def type_in(field, text: str) -> None:
    """In place of what is there, to the end."""
    field.selectAll()
    field.insert(text)
    field.editingFinished.emit()


def test_a_value_is_typed_also_of_another_shape(pane, mode):
    mode.set_text("sum(w * x)")
    mode.edit_leaf("w", 0)
    card = mode.view.what_if
    type_in(card.value, "\u22120,25")
    assert value(mode, "w") == -0.25
    type_in(card.value, "[1, 2, 3]")
    assert value(mode, "w").tolist() == [1.0, 2.0, 3.0]
    assert card.value.text() == "1"  # the number of it that is chosen
    for text, why in (("[1, [2]]", "A value is a number"), ("[x]", "A value"), ("cat", "This is")):
        type_in(card.value, text)
        assert card.error.text.startswith(why) and card.error.text.endswith(
            "; the value is still 1."
        )
        assert value(mode, "w").tolist() == [1.0, 2.0, 3.0] and card.value.text() == "1"


def test_a_nudge_tells_prediction_and_truth(pane, mode):
    mode.set_text("x ** 2")
    mode.move_leaf("x", 0, 3.0)
    card = mode.view.what_if
    type_in(card.nudge, "0.2")
    type_in(card.nudge, "1e7")
    assert card.error.text == "Use 1e6 or less; the value is still 0.2."
    type_in(card.nudge, "0.1")
    assert card.error.text == ""
    assert card.predicted.text() == "predicted: 6 \u00d7 0.100 = +0.600"
    assert card.true.text() == "actual: +0.610 (off by 0.0100)"
    mode.set_text("3 * x")
    assert card.true.text() == "actual: +0.300, as predicted", "rounding is no error"
    mode.set_text("x ** 2")
    assert "numeric gradient: 6" in card.numeric.text() and "agrees" in card.numeric.text()
    assert set(card.curve.displayed()) == {"x", "v1", "tangent"}
    type_in(card.nudge, "cat")
    assert "write it like 0.03" in card.error.text
    type_in(card.nudge, "1,000")
    assert "write 1000 or 1.0" in card.error.text


def test_steps_go_downhill_and_can_be_reset_and_undone(pane, mode):
    mode.show_example("error")
    first = mode.computed.result
    mode.view.learn.step.click()
    assert mode.view.learn.losses.accessibleDescription().endswith(" in 1 step")
    mode.view.learn.ten.click()
    losses = mode.view.learn.losses.displayed()["loss"]
    assert len(losses) == 12 and losses[0] == first and losses[-1] < 1e-4 * first
    assert mode.computed.result == losses[-1] and value(mode, "x") == 1.5
    pane.workspace.undo()
    assert len(mode.draft.value.losses) == 11
    pane.workspace.redo()
    assert len(mode.draft.value.losses) == 12
    mode.view.learn.reset.click()
    assert mode.computed.result == first and mode.draft.value.losses == ()
    assert not mode.view.learn.reset.isEnabled()


async def test_a_rate_that_is_too_large_is_told(pane, mode):
    mode.show_example("error")
    type_in(mode.view.learn.rate, "10")
    mode.step_downhill(3)
    assert "diverging" in mode.view.learn.words.text()
    for _ in range(12):
        mode.step_downhill(10)
        await asyncio.sleep(0)
    assert "not finite" in mode.view.learn.words.text()
    assert not mode.view.learn.step.isEnabled()
    mode.reset_steps()
    assert mode.view.learn.step.isEnabled()
    type_in(mode.view.learn.rate, "-1")
    assert mode.draft.value.rate == 10.0


def test_who_takes_steps_is_chosen(pane, mode):
    mode.show_example("error")
    mode.try_leaf("w", 0)
    mode.view.learn.learns.click()
    assert mode.draft.value.learning(mode.computed) == ["b"]
    mode.try_leaf("b", 0)
    mode.view.learn.learns.click()
    assert not mode.view.learn.step.isEnabled() and "fixed" in mode.view.learn.step.toolTip()


def test_every_gradient_is_checked(pane, mode):
    mode.inputs.check.click()
    assert mode.checks() and "numeric gradient" in mode.view.graph.displayed()
    assert len(mode.trial.numeric) == 10
    mode.workspace.undo()
    assert not mode.checks() and not mode.inputs.check.isChecked()


async def test_gradients_are_compared_with_those_of_the_same_numbers(pane, mode):
    """A formula whose check is too much for one frame: while an input is dragged there is none."""
    mode.set_text(" + ".join(f"tanh(w{n} * x{n}) ** 2" for n in range(8)))
    mode.toggle_check()
    mode.try_leaf("w0", 0)
    await until(lambda: mode.trial.numeric and "agrees" in mode.view.what_if.numeric.text())
    checked = mode.trial.numeric
    mode.set_nudge(0.5)
    assert mode.trial.numeric is checked, "the same numbers: it stays"
    for turn in range(4):
        mode.move_leaf("w0", 0, 0.1 * turn)
        assert "differs" not in mode.view.what_if.numeric.text()
        assert "numeric gradient" not in mode.view.graph.displayed()
        assert not mode.trial.numeric
    mode.draft.end_merge()
    await until(lambda: "agrees" in mode.view.what_if.numeric.text())
    assert mode.trial.numeric and "numeric gradient" in mode.view.graph.displayed()


@pytest.mark.parametrize(
    ("text", "name", "at", "says"),
    [
        ("w ** 0.5", "w", 0.0, "cannot be compared"),
        ("sin(1000 * w)", "w", 0.3, "agrees"),
        ("sin(1e14 * w)", "w", 0.0, DIFFERS[0]),
        ("relu(w) + 1", "w", 3e-6, "agrees"),
        ("w ** 2", "w", -2.5e22, "agrees"),
        ("relu(w) + 1", "w", 0.0, DIFFERS[0]),
        ("abs(w) * k", "w", 0.0, "agrees"),
        ("w + 1e12", "w", 1.0, ROUNDED[0]),
        ("1 + w * 1e-13", "w", 1.0, ROUNDED[0]),
        ("w ** 2 * k", "w", 0.0, "agrees"),
        ("tanh(w) * 1e6", "w", 0.3, "agrees"),
        ("x0 * k + w", "w", 0.3, "agrees"),
    ],
)
def test_why_a_gradient_by_nudging_differs_is_told(pane, mode, text, name, at, says):
    mode.set_text(text)
    mode.try_leaf(name, 0)
    mode.move_leaf(name, 0, at)
    card = mode.view.what_if
    assert card.numeric.text().endswith(f" ({says})") and card.numeric.toolTip()


async def test_what_the_rounding_of_many_terms_leaves_is_no_error(pane, mode):
    mode.set_text(" + ".join(["w"] * 150))
    await until(lambda: mode.trial.what is not None and mode.trial.what.gradient == 150)
    assert mode.view.what_if.true.text().endswith(", as predicted")


def test_what_rounding_leaves_is_no_error(pane, mode):
    mode.set_text("x * 3 + b")
    mode.move_leaf("x", 0, 0.1)
    assert mode.view.what_if.true.text().endswith(", as predicted")
    mode.set_text("x ** 2")
    assert "off by" in mode.view.what_if.true.text()


def test_a_long_number_is_read_from_its_beginning(pane, mode):
    mode.set_text("w * 2")
    mode.move_leaf("w", 0, -2.54216e22)
    field = mode.view.what_if.value
    assert field.text().startswith("\u22122.54216e") and field.cursorPosition() == 0


def test_a_gradient_without_end_is_told_and_no_step_is_taken(pane, mode):
    mode.set_text("w = 0\nsqrt(w)")
    assert mode.computed.result == 0.0
    assert not mode.view.learn.step.isEnabled()
    assert "gradient of w is not finite" in mode.view.learn.words.text()
    mode.step_downhill()
    assert mode.draft.value.losses == ()
    mode.move_leaf("w", 0, 4.0)
    mode.step_downhill()
    assert mode.computed.text == "w = 3.975\nsqrt(w)"


def test_the_menu_of_inputs_has_those_of_the_formula_when_it_opens(pane, mode):
    card = mode.view.what_if
    for text in ("a * b + c", "a * d"):
        mode.set_text(text)
        for _ in range(2):
            card.leaf.menu().aboutToShow.emit()
            found = [action.text() for action in card.leaf.menu().actions()]
            assert found == list(mode.computed.leaves)
    card.leaf.menu().actions()[1].trigger()
    assert mode.trial.leaf == "d"


async def test_what_cannot_be_tried_is_said_in_the_card(pane, mode, monkeypatch):
    def failing(*_):
        yield
        raise ValueError("use fewer numbers")

    monkeypatch.setattr(trial, "try_steps", failing)
    mode.set_text(" + ".join(f"tanh(w{n})" for n in range(20)))
    await until(lambda: mode.view.what_if.error.text == "Use fewer numbers")
    assert mode.view.what_if.curve.displayed() == {}


def test_a_nudge_below_0_has_parentheses(pane, mode):
    mode.set_nudge(-0.1)
    assert "\u00d7 (\u22120.100) = " in mode.view.what_if.predicted.text()


def test_a_rate_that_cannot_be_is_told_where_the_steps_are(pane, mode):
    card = mode.view.learn
    said = card.words.text()
    type_in(card.rate, "abc")
    assert card.words.text().endswith("3e-2; the value is still 0.1.") and card.rate.text() == "0.1"
    type_in(card.rate, "0,25")
    assert mode.draft.value.rate == 0.25 and card.words.text() == said


def test_a_value_that_does_not_fit_is_refused_in_the_card(pane, mode):
    before = mode.draft.value
    mode.try_leaf("x1", 0)
    type_in(mode.view.what_if.value, "[1, 2]")
    assert mode.draft.value == before and "cannot be read" not in pane.headline
    error = mode.view.what_if.error.text
    assert "does not fit x1: " in error and "sum( ) or mean( )" in error, error


def test_what_does_not_fit_or_has_no_end_leaves_the_value_that_was_there(pane, mode):
    mode.set_text("W = [[1, 2], [3, 4]]\nx = [[1], [2]]\nsum(W @ x)")
    mode.try_leaf("W", 0)
    before, card = mode.draft.value, mode.view.what_if
    for _ in range(2):
        type_in(card.value, "[[1, 2, 3]]")
        assert card.error.text.startswith("This shape does not fit W: "), card.error.text
        assert card.error.text.endswith("; the value is still 1.") and card.value.text() == "1"
        assert card.value.accessibleDescription() == card.error.text
        type_in(card.value, "1")
        assert card.error.text == ""
    for text in ("[1e400, 2]", "[[1, 2], [3, -1e999]]"):
        type_in(card.value, text)
        assert card.error.text == "Use finite numbers, like 0.03; the value is still 1."
        assert card.value.text() == "1"
    assert mode.draft.value == before
    type_in(card.value, "[[5, 6], [7, 8]]")
    assert card.error.text == "" and value(mode, "W").tolist() == [[5.0, 6.0], [7.0, 8.0]]


def test_inputs_of_data_alone_take_steps(pane, mode):
    mode.set_text("x + x * y")
    assert mode.view.learn.step.isEnabled()
    assert mode.draft.value.learning(mode.computed) == ["x", "y"]
    mode.set_text("x + x * y * w")
    assert mode.draft.value.learning(mode.computed) == ["w"]


@pytest.mark.parametrize("text", ["exp(exp(w))", "1 / (w - w)"])
def test_why_no_step_is_taken_where_the_output_is_not_finite_stands_in_the_card(pane, mode, text):
    mode.set_text(text)
    mode.move_leaf("w", 0, 8.0)
    card, name = mode.view.learn, mode.computed.graph.nodes[mode.computed.output].label
    assert not card.step.isEnabled()
    assert card.words.text() == card.step.toolTip()
    assert card.words.text().startswith(f"{name} is not finite")
    mode.move_leaf("w", 0, 1.0)
    assert "finite" not in card.words.text() or not card.step.isEnabled()


def test_what_is_selected_in_a_field_that_cannot_be_typed_in_is_faint(qtbot, qapp):
    theme.apply(qapp, "light", 1.0)
    field = ValueField("Value", width=92)
    qtbot.addWidget(field)
    field.set_value(0.825)
    ink = theme.current().color("accent").rgb()
    for can in (True, False):
        field.setEnabled(can)
        field.selectAll()
        image = field.grab(field.rect().adjusted(4, 4, -4, -4)).toImage()
        every = ((x, y) for x in range(image.width()) for y in range(image.height()))
        assert any(image.pixel(x, y) == ink for x, y in every) == can


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("1e-400", "would be 0; write 0"),
        ("\u22121,5e\u2212400", "would be 0; write 0"),
        ("nan", "Use a finite number"),
        ("[nan]", "A value is a number"),
        ("[[1e400, 1]]", "Use finite numbers"),
    ],
)
def test_a_value_too_small_or_without_end_is_refused(pane, mode, text, remedy):
    mode.set_text("sum(w * x)")
    mode.move_leaf("w", 0, 5.0)
    mode.edit_leaf("w", 0)
    card = mode.view.what_if
    type_in(card.value, text)
    assert remedy in card.error.text and card.error.text.endswith("; the value is still 5.")
    assert value(mode, "w") == 5 and card.value.text() == "5"
    for zero in ("0e-400", "0.0"):
        type_in(card.value, zero)
        assert value(mode, "w") == 0 and not card.error.text
