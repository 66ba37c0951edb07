"""The text to learn from, and files that are dropped on a form."""

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QVBoxLayout

from explorer.widgets.fields import TextField
from explorer.widgets.form import CorpusField, TakesFiles, scrolling


def heard(field):
    said = []
    field.changed.connect(said.append)
    field.fileRequested.connect(lambda: said.append("asks"))
    return said


def test_a_file_is_chosen_only_once_there_is_one(qtbot):
    field = CorpusField()
    qtbot.addWidget(field)
    field.set_value("stories")
    said = heard(field)
    QTest.keyClick(field.control, Qt.Key.Key_Right)
    assert said == ["asks"] and field.control.current == "stories" and field.value == "stories"
    field.set_value("/texts/mine.txt")
    assert field.control.current == "file" and said == ["asks"]
    assert not field.line.isHidden() and field.file.text() == "mine.txt"
    field.findChild(QPushButton).click()
    QTest.keyClick(field.control, Qt.Key.Key_Left)
    assert said == ["asks", "asks", "stories"]
    field.set_value("")
    assert "drop a text" in field.file.text()
    field.set_value("stories")
    assert field.line.isHidden()


def test_files_are_taken_and_folders_are_left_to_the_window(qtbot, tmp_path):
    form, dropped = TakesFiles(), []
    qtbot.addWidget(form)
    form.fileDropped.connect(dropped.append)
    file = tmp_path / "mine.txt"
    file.write_text("a cat")
    for path, taken in ((tmp_path, False), (file, True)):
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        about = (Qt.DropAction.MoveAction, data, Qt.MouseButton.LeftButton)
        plain = Qt.KeyboardModifier.NoModifier
        enter = QDragEnterEvent(QPoint(1, 1), *about, plain)
        form.dragEnterEvent(enter)
        answer = Qt.DropAction.IgnoreAction  # after a move the other program would delete the file
        assert (enter.isAccepted(), enter.dropAction()) == (taken, answer)
        drop = QDropEvent(QPointF(1, 1), *about, plain)
        form.dropEvent(drop)
        assert (drop.isAccepted(), drop.dropAction()) == (taken, answer)
    assert dropped == [str(file)]


@pytest.mark.parametrize("width", (120, 176, 300))
def test_a_field_shows_all_of_what_is_wrong(qtbot, width):
    field = TextField("rate", "Learning rate")
    column = QVBoxLayout()
    column.addWidget(field)
    column.addStretch(1)
    area = scrolling(column)
    qtbot.addWidget(area)
    area.resize(width, 400)
    area.show()
    field.set_error("This is no number; write it like 0.03 or 3e-2; the value is still 0.01.")
    QApplication.processEvents()
    (label,) = [one for one in field.error.findChildren(QLabel) if one.text()]
    assert label.height() >= label.heightForWidth(label.width())
    area.resize(width - 30, 400)
    QApplication.processEvents()
    assert label.height() >= label.heightForWidth(label.width())
