"""The field for a text of any length: exact, and fast in one long line."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QGuiApplication, QInputMethodEvent, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from explorer.widgets.soft_breaks import LONGEST, PARAGRAPH, SOFT, cuts, plain, softened
from explorer.widgets.text_input import TextInput

MOST = 2_000_000  # characters
LINE = ("the cat sat on the mat, " * 500)[:10_000]


@pytest.fixture
def editor(qapp):
    field = TextInput(MOST)
    field.resize(600, 90)
    field.show()
    yield field
    field.hide()
    field.deleteLater()


def place(editor, at):
    cursor = editor.textCursor()
    cursor.setPosition(at)
    editor.setTextCursor(cursor)


def compose(editor, text):
    """As an input method writes."""
    event = QInputMethodEvent()
    event.setCommitString(text)
    QApplication.sendEvent(editor, event)


def blocks(editor):
    document = editor.document()
    return [document.findBlockByNumber(one).text() for one in range(document.blockCount())]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=20), st.integers(0, 900)), max_size=6))
def test_leaving_out_soft_breaks_gives_the_text_back(parts):
    text = "".join(part * times for part, times in parts).replace("\r", "").replace(PARAGRAPH, "")
    assert plain(softened(text).replace("\n", PARAGRAPH)) == text
    assert SOFT in text or all(len(line) <= LONGEST + 3 for line in softened(text).split("\n"))


def test_a_cut_is_behind_a_space_and_never_before_a_mark():
    assert all(LINE[at - 1] == " " for at in cuts(LINE))
    marks = "e\u0301" * 5000
    assert cuts(marks) and all(marks[at] == "e" for at in cuts(marks))
    assert softened(SOFT + LINE) == SOFT + LINE  # a text's own signs: nothing is cut


def test_a_long_line_is_several_paragraphs_that_the_text_does_not_know(editor):
    editor.set_text(LINE + "\nend")
    assert editor.text == LINE + "\nend" and len(blocks(editor)) > 3
    assert max(map(len, blocks(editor))) <= LONGEST + len(SOFT)
    told = []
    editor.textEdited.connect(told.append)
    place(editor, 10)
    QTest.keyClicks(editor, "xy")
    assert told[-1] == LINE[:10] + "xy" + LINE[10:] + "\nend"


def test_the_cursor_steps_over_a_soft_break_as_if_it_were_not_there(editor):
    editor.set_text(LINE)
    border = len(blocks(editor)[0]) - len(SOFT)
    place(editor, border - 1)
    QTest.keyClick(editor, Qt.Key.Key_Right)
    assert editor.textCursor().position() == border + len(SOFT) + 1
    QTest.keyClick(editor, Qt.Key.Key_Left)
    assert editor.textCursor().position() == border - 1
    QTest.keyClick(editor, Qt.Key.Key_Right)
    QTest.keyClicks(editor, "!")
    assert editor.text == LINE[:border] + "!" + LINE[border:]
    QTest.keyClick(editor, Qt.Key.Key_Backspace)
    QTest.keyClick(editor, Qt.Key.Key_Backspace)
    assert editor.text == LINE[: border - 1] + LINE[border:]


def test_rubbing_out_over_a_soft_break_takes_letters_not_breaks(editor):
    editor.set_text(LINE)
    border = len(blocks(editor)[0]) - len(SOFT)
    place(editor, border - 1)
    QTest.keyClick(editor, Qt.Key.Key_Delete)
    assert editor.text == LINE[: border - 1] + LINE[border:]
    editor.undo()
    assert editor.text == LINE


def test_copied_text_and_undone_edits_are_exact(editor):
    editor.set_text("a")
    data = QMimeData()
    data.setText(LINE)
    editor.insertFromMimeData(data)
    assert editor.text == LINE + "a" and len(blocks(editor)) > 3
    editor.undo()
    assert editor.text == "a"
    editor.redo()
    assert editor.text == LINE + "a"
    editor.selectAll()
    editor.copy()
    assert QGuiApplication.clipboard().text() == LINE + "a"
    editor.textCursor().removeSelectedText()
    assert editor.text == ""


def test_a_line_that_grows_long_is_cut_and_can_be_undone(editor):
    begin = LINE[: LONGEST - 2]
    editor.set_text(begin)
    editor.moveCursor(QTextCursor.MoveOperation.End)
    QTest.keyClicks(editor, "12345")
    assert editor.text == begin + "12345" and len(blocks(editor)) == 2
    editor.undo()
    assert editor.text.startswith(begin[:100]) and SOFT not in editor.text


def test_a_text_that_holds_the_sign_of_a_soft_break_keeps_it(editor):
    editor.set_text(LINE)
    place(editor, 0)
    data = QMimeData()
    data.setText(f"{SOFT}\n{SOFT}")
    editor.insertFromMimeData(data)
    assert editor.text == f"{SOFT}\n{SOFT}{LINE}"
    editor.set_text(LINE)
    assert editor.text == LINE and len(blocks(editor)) > 3


def test_a_selection_over_soft_breaks_is_replaced(editor):
    editor.set_text(LINE)
    cursor = editor.textCursor()
    cursor.setPosition(5)
    cursor.setPosition(len(editor.document().toRawText()) - 5, QTextCursor.MoveMode.KeepAnchor)
    editor.setTextCursor(cursor)
    QTest.keyClicks(editor, "-")
    assert editor.text == LINE[:5] + "-" + LINE[-5:] and len(blocks(editor)) == 1


def test_two_pastes_have_no_more_room_than_one(editor):
    told = []
    editor.cut.connect(told.append)
    mime = QMimeData()
    mime.setText("a line\n" * 200_000)
    editor.insertFromMimeData(mime)
    assert len(editor.text) == 1_400_000 and told == []
    editor.insertFromMimeData(mime)
    assert len(editor.text) == MOST and told == [2_800_000]
    editor.selectAll()
    editor.insertFromMimeData(mime)
    assert len(editor.text) == 1_400_000 and len(told) == 1


def test_there_is_no_room_for_more_than_the_longest_text(editor):
    told, cut = [], []
    editor.longest = 6
    editor.textEdited.connect(told.append)
    editor.cut.connect(cut.append)
    editor.set_text("abcde")
    place(editor, 2)
    QTest.keyClicks(editor, "xy")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    compose(editor, "\u6771\u4eac")
    assert editor.text == "abxcde" and told == ["abxcde"] and cut == [7, 7, 8]
    assert editor.textCursor().position() == 3
    editor.undo()
    assert editor.text == "abcde"
    compose(editor, "\u6771\u4eac")
    assert editor.text == "ab\u6771cde" and cut == [7, 7, 8, 7]
    editor.selectAll()
    QTest.keyClicks(editor, "z")
    assert editor.text == "z"


def test_a_selection_over_soft_breaks_makes_no_more_room_than_its_letters(editor):
    editor.longest = len(LINE)
    editor.set_text(LINE)
    assert SOFT in editor.document().toRawText()
    editor.selectAll()
    data = QMimeData()
    data.setText("x" * len(LINE) + "yyyy")
    editor.insertFromMimeData(data)
    assert editor.text == "x" * len(LINE)


def test_a_text_to_read_only_takes_no_key(editor):
    editor.set_text(LINE)
    editor.setReadOnly(True)
    second = len(blocks(editor)[0]) + 1
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Backspace, Qt.Key.Key_X):
        place(editor, second)
        QTest.keyClick(editor, key)
    assert editor.text == LINE
