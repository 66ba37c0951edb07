"""What is typed into the race's fields: for whom it is set, and what is refused."""

from __future__ import annotations

from dataclasses import fields

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from core.optimization.optimizers import OPTIMIZERS
from explorer.panes.backprop.optimizers.draft import OptimizersDraft, hint_of, keys_of
from explorer.panes.backprop.optimizers.form import SHARES
from tests.explorer.waiting import timer_of
from tests.explorer.widgets.test_number_field import type_in


@pytest.mark.parametrize("key", ("Escape", "0.5"))
def test_what_is_given_up_is_no_longer_told_to_be_wrong(mode, change, key):
    change(OptimizersDraft(racers=("sgd", "adam"), steps=20))
    fields = (mode.view.racers.rows["adam"].rate, mode.view.common.steps)
    for field, error in zip(
        fields, (mode.view.settings.error, mode.view.common.error), strict=True
    ):
        before = field.text()
        type_in(field, "1e999")
        assert f"still {before}" in error.text
        if key == "Escape":
            QTest.keyClick(field, Qt.Key.Key_Escape)
        else:
            type_in(field, before)
        assert error.text == ""


def test_a_refused_rate_changes_nothing_in_the_race(mode, change, run_async):
    change(OptimizersDraft(racers=("sgd", "adam"), steps=20))
    row = mode.view.racers.rows["adam"]
    mode.choose("sgd")
    before = mode.draft.value

    async def body():
        type_in(row.rate, "1e999")
        await mode.settled()
        assert mode.draft.value == before and not mode.view.settings.usual.isEnabled()
        assert row.rate.text() == "1e999" and "still 0.5" in mode.view.settings.error.text
        row.rate.editingFinished.emit()
        await mode.settled()

    before_rate = row.rate.value
    run_async(body())
    assert row.rate.text() == "0.5" and "still 0.5" in mode.view.settings.error.text
    assert mode.recording.lane("adam").settings.learning_rate == before_rate
    type_in(row.rate, "0.5")
    assert mode.view.settings.error.text == ""


@pytest.mark.parametrize("key", ("beta1", "weight_decay", "learning_rate"))
def test_what_is_being_typed_is_set_on_the_one_it_was_typed_for(mode, change, run_async, key):
    """Another racer is clicked before the pause is over."""
    change(OptimizersDraft(racers=("sgd", "adam", "adamw"), steps=20))
    mode.choose("adam")
    fields = {**mode.view.settings.fields, "learning_rate": mode.view.racers.rows["adam"].rate}
    mode.view.window().activateWindow()

    async def body():
        fields[key].setFocus()
        type_in(fields[key], "0.25", pause=False)
        QTest.mouseClick(mode.view.racers.rows["sgd"], Qt.MouseButton.LeftButton)
        await mode.settled()
        assert mode.draft.value.settings == {"adam": {key: 0.25}}
        assert mode.chosen == "sgd" and set(mode.view.settings.fields) == set(keys_of("sgd")[1:])
        timer_of(fields[key]).timeout.emit() if key == "learning_rate" else None
        await mode.settled()
        assert mode.chosen == "sgd"
        for name in ("adam", "adamw", "sgd"):
            mode.choose(name)
        assert mode.recording.lane("adam") is not None

    run_async(body())


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_hint_names_a_quantity_that_the_optimizer_remembers(name):
    """Lion and Muon keep the average of the gradient alone: no velocity, no average square."""
    words = {"velocity": "velocity", "average": "average gradient", "square": "average square"}
    kept = {words.get(one.name) for one in fields(OPTIMIZERS[name].state)}
    for key in (one for one in keys_of(name) if one in SHARES):
        assert any(word in hint_of(name, key) for word in kept & set(words.values())), key


def test_no_optimizer_is_given_a_setting_that_it_does_not_have():
    with pytest.raises(ValueError, match="SGD has no beta1: use one of learning_rate"):
        OptimizersDraft().with_setting("sgd", "beta1", 0.5)


def test_steps_and_warm_up_out_of_range_are_refused_with_the_remedy(mode, change):
    change(OptimizersDraft(racers=("adam",), steps=20))
    common = mode.view.common
    for typed, field, remedy in (
        ("5000", common.steps, "Use 2000 or less; the value is still 20."),
        ("0", common.steps, "Use 1 or more; the value is still 20."),
        ("2.5", common.steps, "Use a whole number; the value is still 20."),
        ("21", common.warmup, "Use 20 or less; the value is still 0."),
    ):
        type_in(field, typed, pause=False)
        QTest.keyClick(field, Qt.Key.Key_Return)
        assert common.error.text == remedy
        assert (mode.draft.value.steps, mode.draft.value.warmup_steps) == (20, 0)
        assert common.steps.text() == "20" and common.warmup.text() == "0"
