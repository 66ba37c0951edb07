"""Network: what is typed or chosen beside the drawing, and what is refused there."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from explorer.panes.backprop.network.draft import NetworkDraft


def type_in(field, text: str) -> None:
    """In place of what is there, to the end."""
    field.typed.selectAll()
    field.typed.insert(text)
    field.typed.editingFinished.emit()


def test_what_cannot_be_is_told_beside_its_field(mode, run_async):
    fields = mode.view.form.fields
    field = fields["learning_rate"]

    async def body() -> None:
        for text, words in (
            ("fast", "number"), ("-1", "use"), ("1e99", "use"), ("nan", "finite"), ("1,000", "1.0"),
        ):  # fmt: skip
            type_in(field, text)
            assert words in field.error.text.lower() and field.typed.text() == "0.01"
        assert mode.draft.value == NetworkDraft()
        type_in(field, "0.5")
        await mode.settled()
        assert field.error.text == "" and mode.draft.value.learning_rate == 0.5
        type_in(field, "0,03")
        assert mode.draft.value.learning_rate == 0.03
        type_in(fields["points"], "1,000")
        assert mode.draft.value.points == 1000
        type_in(field, "fast")
        type_in(field, "0.5")
        assert field.error.text == ""
        mode.view.form.more.setChecked(True)
        for name, text, told in (
            ("points", "abc", "Use a whole number, like 30; the value is still 1000."),
            ("points", "nan", "Use a whole number, like 30; the value is still 1000."),
            ("batch_size", "1e400", "Use a whole number, like 30; the value is still 32."),
            ("scale", "200", "Use 100 or less; the value is still 1."),
            ("steps", "1e8", "Use 10000000 or less; the value is still 2000."),
        ):
            type_in(fields[name], text)
            assert fields[name].error.text == told

    run_async(body())


def test_a_number_is_chosen_from_its_list_and_all_points_have_a_word(mode, run_async):
    async def body() -> None:
        batch = mode.view.form.fields["batch_size"]
        place = batch.box.findText("all")
        batch.box.setCurrentIndex(place)
        batch.box.activated.emit(place)
        assert mode.draft.value.batch_size == 0 and batch.typed.text() == "all"
        type_in(batch, "7")
        assert mode.draft.value.batch_size == 7
        type_in(batch, "ALL")
        assert mode.draft.value.batch_size == 0
        type_in(batch, "")
        assert mode.draft.value.batch_size == 0 and batch.error.text.endswith("still all.")

    run_async(body())


def test_a_zero_is_shown_as_what_it_means(mode, run_async):
    """Of a batch it is all points; of what begins at 0 it has no sign, and says the same again."""

    async def body() -> None:
        fields = mode.view.form.fields
        mode.view.form.more.setChecked(True)
        for text in ("0", "-0", "\u22120", "all", "0"):
            type_in(fields["batch_size"], text)
            assert mode.draft.value.batch_size == 0
            assert fields["batch_size"].typed.text() == "all"
        for name in ("noise", "scale"):
            for text, shown in (("-0", "0"), ("\u22120.0", "0"), ("0.0", "0.0"), ("-0", "0")):
                type_in(fields[name], text)
                value = getattr(mode.draft.value, name)
                assert value == 0 and math.copysign(1, value) == 1
                assert fields[name].typed.text() == shown
            type_in(fields[name], "abc")
            assert fields[name].error.text.endswith("; the value is still 0.")

    run_async(body())


def test_the_list_stands_where_the_value_is_that_is_shown(mode, run_async):
    async def body() -> None:
        field = mode.view.form.fields["learning_rate"]
        for before, next_one in ((0.01, 0.03), (0.02, 0.03), (1e-5, 1e-4), (0.3, 1.0)):
            mode.change_field("learning_rate", before)
            assert field.typed.text() == field.typed.tell(before)
            QTest.keyClick(field.box, Qt.Key.Key_Down)  # the field's own keys are the number's
            assert mode.draft.value.learning_rate == next_one
        mode.workspace.undo()
        QTest.keyClick(field.box, Qt.Key.Key_Down)
        assert mode.draft.value.learning_rate == 1.0

    run_async(body())


def test_what_is_typed_is_never_made_into_a_choice_that_begins_like_it(mode, run_async):
    async def body() -> None:
        mode.view.form.more.setChecked(True)
        mode.view.activateWindow()
        for name, text, wanted in (
            ("batch_size", "3", 3), ("points", "20", 20), ("noise", "0.0", 0.0),
            ("scale", "0", 0.0), ("learning_rate", "1", 1.0),
        ):  # fmt: skip
            line = mode.view.form.fields[name].box.lineEdit()
            line.setFocus()
            line.selectAll()
            QTest.keyClicks(line, text)
            assert line.text() == text
            QTest.keyClick(line, Qt.Key.Key_Return)
            await mode.settled()
            assert getattr(mode.draft.value, name) == wanted

    run_async(body())
