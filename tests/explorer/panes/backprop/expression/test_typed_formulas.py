"""Expression: a formula is typed, also one that cannot be read or is too long."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence, QTextCursor
from PySide6.QtTest import QTest

from tests.explorer.panes.backprop.expression.conftest import value
from tests.explorer.waiting import until


def test_typing_makes_another_graph(pane, mode):
    field = mode.view.editor.field
    field.selectAll()
    QTest.keyClicks(field, "a*b + c")
    assert [node.text for node in mode.computed.graph.nodes if not node.is_leaf] == [
        "a \u00d7 b",
        "v1 + c",
    ]
    pane.workspace.undo()
    assert field.toPlainText().startswith("o = tanh") and mode.computed.text.startswith("o = tanh")
    pane.workspace.redo()
    assert field.toPlainText() == "a*b + c"


def test_a_mistake_is_marked_and_the_old_graph_stays(pane, mode):
    before = mode.computed
    mode.view.graph.setFocus()
    mode.set_text("tanh(w * cat(x))")
    editor = mode.view.editor
    assert mode.computed is before and mode.view.graph.faint
    assert editor.error.isVisible() and "no function cat" in editor.error.text
    (mark,) = editor.field.extraSelections()
    assert mark.cursor.selectedText() == "cat(x)"
    mode.set_text("wide")
    assert editor.error.text.startswith("wide alone is not"), "its name is the person's"
    mode.set_text("tanh(w * x)")
    assert not editor.error.isVisible() and not mode.view.graph.faint
    assert editor.field.extraSelections() == []


async def test_an_error_waits_while_a_person_is_typing(pane, mode):
    pane.activateWindow()
    field = mode.view.editor.field
    field.setFocus()
    await until(field.hasFocus)
    QTest.keyClicks(field, "(")
    assert not mode.view.editor.error.isVisible()
    await until(mode.view.editor.error.isVisible)
    QTest.keyClick(field, Qt.Key.Key_Backspace)
    assert not mode.view.editor.error.isVisible()


async def test_ten_megabytes_are_refused_at_once(pane, mode):
    before = mode.computed
    mode.set_text("x + " * 2_500_000)
    assert mode.computed is before and len(mode.draft.value.text) < 20_000
    await until(lambda: "too long" in mode.view.editor.error.text)


def test_signs_as_they_are_printed_can_be_typed(pane, mode):
    mode.set_text("a \u00d7 b \u2212 c \u00f7 2")
    assert mode.computed.text == "a * b - c / 2"
    mode.set_text("a\u00b2 + b\u00b3")
    assert mode.computed.text == "a**2 + b**3"


def test_nothing_is_moved_while_the_formula_cannot_be_read(pane, mode):
    by_id = {action.id.removeprefix("backprop.expression."): action for action in pane.actions()}
    text = mode.draft.value.text
    mode.set_text(text + " * (")
    before = mode.draft.value
    mode.move_leaf("w1", 0, 5.0)
    mode.view.what_if.value.changed.emit([1.0, 2.0])
    mode.step_downhill()
    assert mode.draft.value == before
    cards = mode.view.what_if, mode.view.learn
    assert not any(card.isEnabled() for card in cards) and not by_id["step"].enabled()
    said = mode.headline
    mode.player.end()
    assert mode.headline == said, "of the graph that is left nothing is told"
    mode.set_text(text)
    assert mode.headline != said
    assert all(card.isEnabled() for card in cards) and by_id["step"].enabled()
    mode.move_leaf("w1", 0, 5.0)
    assert value(mode, "w1") == 5.0


async def test_the_field_shows_what_is_worked_out(pane, mode):
    long = " + ".join(f"tanh(w{n} * x{n})" for n in range(40))
    field, before = mode.view.editor.field, mode.draft.value.text
    mode.set_text(long)
    await pane.settled()
    pane.workspace.undo()
    assert field.toPlainText() == before
    pane.workspace.redo()
    assert field.toPlainText() == long and mode.computed.text == before, "before it is worked out"
    await pane.settled()
    assert mode.computed.text == long


async def test_undo_in_the_field_is_the_programs(pane, mode):
    """The field had a history of its own: it went back to an empty formula."""
    window, keys = pane.window(), QKeySequence.StandardKey
    for key, act in ((keys.Undo, pane.workspace.undo), (keys.Redo, pane.workspace.redo)):
        action = QAction(window, shortcut=QKeySequence(key))
        action.triggered.connect(act)
        window.addAction(action)
    field, first = mode.view.editor.field, mode.draft.value.text
    window.activateWindow()
    field.setFocus()
    field.moveCursor(QTextCursor.MoveOperation.End)
    for typed in (" + a", " + c"):
        QTest.keyClicks(field, typed)
        mode.view.editor.rested.emit()
    for key, text in (
        (keys.Undo, first + " + a"), (keys.Undo, first), (keys.Redo, first + " + a"),
        (keys.Undo, first), (keys.Undo, first),
    ):  # fmt: skip
        QTest.keySequence(field, QKeySequence(key))
        assert field.toPlainText() == mode.draft.value.text == text
