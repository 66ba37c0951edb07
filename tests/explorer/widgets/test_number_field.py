"""Fields for numbers: what is typed is taken after a pause, and what is refused leaves no trace."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from explorer.widgets.number_field import NumberField, turned, turned_share
from tests.explorer.waiting import timer_of


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
            timer_of(field).timeout.emit()


@pytest.mark.parametrize("pause", (False, True))
@pytest.mark.parametrize("text", ("1e999", "1e99", "12x", "-3", "", "1e"))
def test_what_is_refused_leaves_the_number_that_was_there_before_the_typing(field, text, pause):
    type_in(field, text or "5", pause)
    if not text:
        QTest.keyClick(field, Qt.Key.Key_Backspace)
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert field.value == 0.1 and field.text() == "0.1"
    assert field.told[-1].endswith("still 0.1.")
    numbers = [one for one in field.told if isinstance(one, float)]
    assert not numbers or numbers[-1] == 0.1


def test_while_it_is_typed_a_refused_text_stays_with_the_remedy(field):
    type_in(field, "1e999")
    assert field.text() == "1e999" and field.value == 0.1
    assert "finite" in field.told[-1] and "still 0.1." in field.told[-1]
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == "0.1" and field.value == 0.1
    assert field.told[-1] == ""  # nothing is refused any more
    type_in(field, "x")
    assert field.told[-1].endswith("still 0.1.")
    type_in(field, "0.1")
    assert field.told.count("") == 2


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e-8, "1e\u22128"), (-2.5, "\u22122.5"), (1e12, "1e12"), (0.0001, "0.0001")],
)
def test_a_number_stands_there_as_a_person_types_it(field, value, text):
    field.set_value(value)
    assert field.text() == text


def test_what_was_refused_is_no_longer_said_once_a_number_is_typed_again(field):
    type_in(field, "x", pause=False)
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert field.accessibleDescription() == field.told[-1] != ""
    type_in(field, "0.1", pause=False)  # the number that stayed
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert field.told[-1] == "" == field.accessibleDescription()


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


def test_what_was_typed_stays_as_it_was_typed_while_it_says_the_number(field):
    type_in(field, "0,123456789", pause=False)
    field.other.setFocus()
    field.set_value(0.123456789)
    assert field.text() == "0,123456789" and field.told == [0.123456789]
    field.set_value(0.123456780)
    assert field.text() == "0.123457"
    field.setFocus()
    field.other.setFocus()
    assert field.told == [0.123456789]  # who only looks in changes nothing


@pytest.fixture
def other_field(qapp):
    """A field of the kind that a test asks for."""
    made = []

    def make(**kind):
        made.append(NumberField("Number", whole=True, **kind))
        made[-1].told = []
        made[-1].changed.connect(made[-1].told.append)
        made[-1].refused.connect(made[-1].told.append)
        return made[-1]

    yield make
    for one in made:
        one.deleteLater()


def test_a_field_can_wait_until_it_is_left_and_says_before_what_it_would_refuse(other_field):
    field = other_field(at_once=False)
    field.set_limits(2, 5_000_000)
    field.set_value(2_000_000)
    type_in(field, "200")
    assert field.told == []
    field.editingFinished.emit()
    assert field.told == [200] and field.value == 200
    type_in(field, "3x")
    assert field.told[1:] == ["Use a whole number, like 30; the value is still 200."]
    field.editingFinished.emit()
    type_in(field, "1e9")
    field.editingFinished.emit()
    assert (
        field.text() == "200" and field.told[-1] == "Use 5000000 or less; the value is still 200."
    )


def test_a_word_can_stand_for_a_number(other_field):
    field = other_field(word=("all", 0))
    field.set_limits(0, 100)
    field.set_value(0)
    assert field.text() == "all"
    for text, value in (("32", 32), ("All", 0), ("0", 0)):
        type_in(field, text, pause=False)
        field.editingFinished.emit()
        assert field.value == value
    assert field.told == [32, 0]


def test_undo_is_the_fields_while_one_types_and_the_programs_after(field):
    """After Enter the field went back alone: it showed another number than the program had."""
    key, undone = QKeySequence(QKeySequence.StandardKey.Undo), []
    action = QAction(field.window(), shortcut=key)
    action.triggered.connect(lambda: undone.append(field.value))
    field.window().addAction(action)
    field.window().activateWindow()
    type_in(field, "7")
    QTest.keySequence(field, key)
    timer_of(field).timeout.emit()
    assert not undone and field.value == float(field.text()) == 0.1
    type_in(field, "7")
    QTest.keyClick(field, Qt.Key.Key_Return)
    QTest.keySequence(field, key)
    assert undone == [7.0] and field.text() == "7"
    action.setEnabled(False)
    QTest.keySequence(field, key)
    assert field.value == float(field.text()) == 7.0
