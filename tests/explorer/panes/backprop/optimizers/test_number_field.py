"""Fields for numbers: what is typed is taken after a pause, and what is refused leaves no trace."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from explorer.panes.backprop.optimizers.experiment import Experiment, keys_of
from explorer.panes.backprop.optimizers.number_field import NumberField, turned, turned_share


@pytest.fixture
def field(qapp):
    """Shows 0.1; `told` is what it has told."""
    window = QWidget()
    column = QVBoxLayout(window)
    field, other = NumberField("Rate"), QLineEdit()
    field.set_limits(0, 1e12)
    field.other = other
    for widget in (field, other):
        column.addWidget(widget)
    field.set_value(0.1)
    field.told = []
    field.changed.connect(lambda value: field.told.append(value))
    field.refused.connect(lambda why: field.told.append(why))
    window.show()
    field.setFocus()
    yield field
    window.deleteLater()


def type_in(field, text: str, pause: bool = True) -> None:
    """Key by key, in place of what is there."""
    field.selectAll()
    for letter in text:
        QTest.keyClicks(field, letter)
        if pause:
            field._pause.timeout.emit()


@pytest.mark.parametrize("pause", (False, True))
@pytest.mark.parametrize("text", ("1e999", "1e99", "12x", "-3", "", "1e"))
def test_what_is_refused_leaves_the_number_that_was_there_before_the_typing(field, text, pause):
    type_in(field, text or "5", pause)
    if not text:
        QTest.keyClick(field, Qt.Key.Key_Backspace)
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert field.value == 0.1 and field.text() == "0.1"
    assert field.told[-1].endswith("; 0.1 stays")
    numbers = [one for one in field.told if isinstance(one, float)]
    assert not numbers or numbers[-1] == 0.1


def test_while_it_is_typed_a_refused_text_stays_with_the_remedy(field):
    type_in(field, "1e999")
    assert field.text() == "1e999" and field.value == 0.1
    assert field.told[-1] == "use a finite number, like 0.03; 0.1 stays"
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == "0.1" and field.value == 0.1
    assert field.told[-1] == ""  # nothing is refused any more
    type_in(field, "x")
    assert field.told[-1].endswith("stays")
    type_in(field, "0.1")
    assert field.told.count("") == 2


@pytest.mark.parametrize("key", ("Escape", "0.5"))
def test_what_is_given_up_is_no_longer_told_to_be_wrong(mode, change, key):
    change(Experiment(racers=("sgd", "adam"), steps=20))
    fields = (mode.view.lanes.rows["adam"].rate, mode.view.common.steps)
    for field, error in zip(
        fields, (mode.view.settings.error, mode.view.common.error), strict=True
    ):
        before = field.text()
        type_in(field, "1e999")
        assert f"{before} stays" in error.text
        if key == "Escape":
            QTest.keyClick(field, Qt.Key.Key_Escape)
        else:
            type_in(field, before)
        assert error.text == ""


@pytest.mark.parametrize(
    ("value", "text"), [(1e-8, "1e-8"), (2.5e-12, "2.5e-12"), (1e12, "1e12"), (0.0001, "0.0001")]
)
def test_a_number_stands_there_as_a_person_types_it(field, value, text):
    field.set_value(value)
    assert field.text() == text


def test_what_may_become_a_number_is_not_refused_on_the_way(field):
    type_in(field, "1e-3")
    assert field.told == [1.0, 0.001]
    field.other.setFocus()
    assert field.told == [1.0, 0.001] and field.text() == "1e-3"


def test_without_a_pause_only_the_whole_number_is_told(field):
    type_in(field, "0.025", pause=False)
    assert field.told == []
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert field.told == [0.025]
    type_in(field, "0.5", pause=False)
    QTest.keyClick(field, Qt.Key.Key_Up)  # turned from what is typed
    assert field.told == [0.025, 0.5, 1.0]


def test_what_is_set_from_outside_ends_the_typing(field):
    type_in(field, "3")
    field.set_value(3.0)
    assert field.text() == "3"
    field.set_value(0.2)
    assert field.text() == "0.2"
    type_in(field, "x")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert field.value == 0.2


def test_a_refused_rate_changes_nothing_in_the_race(mode, change, run_async):
    change(Experiment(racers=("sgd", "adam"), steps=20))
    row = mode.view.lanes.rows["adam"]
    mode.choose("sgd")
    before = mode.experiment

    async def body():
        type_in(row.rate, "1e999")
        await mode.settled()
        assert mode.experiment == before and not mode.view.settings.usual.isEnabled()
        assert row.rate.text() == "1e999" and "0.5 stays" in mode.view.settings.error.text
        row.rate.editingFinished.emit()
        await mode.settled()

    before_rate = row.rate.value
    run_async(body())
    assert row.rate.text() == "0.5" and "0.5 stays" in mode.view.settings.error.text
    assert mode.recording.lane("adam").settings.learning_rate == before_rate
    type_in(row.rate, "0.5")
    assert mode.view.settings.error.text == ""


@pytest.mark.parametrize("key", ("beta1", "weight_decay", "learning_rate"))
def test_what_is_being_typed_is_set_on_the_one_it_was_typed_for(mode, change, run_async, key):
    """Another racer is clicked before the pause is over."""
    change(Experiment(racers=("sgd", "adam", "adamw"), steps=20))
    mode.choose("adam")
    fields = {**mode.view.settings.fields, "learning_rate": mode.view.lanes.rows["adam"].rate}
    mode.view.window().activateWindow()

    async def body():
        fields[key].setFocus()
        type_in(fields[key], "0.25", pause=False)
        QTest.mouseClick(mode.view.lanes.rows["sgd"], Qt.MouseButton.LeftButton)
        await mode.settled()
        assert mode.experiment.settings == {"adam": {key: 0.25}}
        assert mode.chosen == "sgd" and set(mode.view.settings.fields) == set(keys_of("sgd")[1:])
        fields[key]._pause.timeout.emit() if key == "learning_rate" else None
        await mode.settled()
        assert mode.chosen == "sgd"
        for name in ("adam", "adamw", "sgd"):
            mode.choose(name)
        assert mode.recording.lane("adam") is not None

    run_async(body())


def test_no_optimizer_is_given_a_setting_that_it_does_not_have():
    with pytest.raises(ValueError, match="SGD has no beta1: use one of learning_rate"):
        Experiment().with_setting("sgd", "beta1", 0.5)


def test_steps_and_warm_up_out_of_range_are_refused_with_the_remedy(mode, change):
    change(Experiment(racers=("adam",), steps=20))
    common = mode.view.common
    for typed, field, remedy in (
        ("5000", common.steps, "Use 2000 or less; 20 stays."),
        ("0", common.steps, "Use 1 or more; 20 stays."),
        ("2.5", common.steps, "Use a whole number; 20 stays."),
        ("21", common.warmup, "Use 20 or less; 0 stays."),
    ):
        type_in(field, typed, pause=False)
        QTest.keyClick(field, Qt.Key.Key_Return)
        assert common.error.text == remedy
        assert (mode.experiment.steps, mode.experiment.warmup_steps) == (20, 0)
        assert common.steps.text() == "20" and common.warmup.text() == "0"


@pytest.mark.parametrize(
    ("value", "up", "down"),
    [(0.1, 0.2, 0.05), (0.3, 0.5, 0.2), (1.0, 2.0, 0.5), (5e-9, 1e-8, 2e-9)],
)
def test_a_field_is_turned_through_round_numbers(value, up, down):
    assert turned(value, True) == pytest.approx(up) and turned(value, False) == pytest.approx(down)


@pytest.mark.parametrize(
    ("value", "up", "down"),
    [(0.9, 0.95, 0.8), (0.99, 0.995, 0.98), (0.0, 0.5, 0.0), (0.5, 0.8, 0.0)],
)
def test_a_share_is_turned_by_what_is_left_of_1(value, up, down):
    assert turned_share(value, True) == pytest.approx(up)
    assert turned_share(value, False) == pytest.approx(down)
