"""Non-blocking dialogs for files and names, which call back, and files by drag and drop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QFileDialog, QInputDialog, QLineEdit, QWidget


def ask_folder(
    parent: QWidget, title: str, then: Callable[[str], object], start: str = ""
) -> QFileDialog:
    """Opens a folder dialog at `start`; `then` receives the folder."""
    dialog = QFileDialog(parent, title, start)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    return _open(dialog, then)


def ask_file(
    parent: QWidget, title: str, then: Callable[[str], object], names: str = ""
) -> QFileDialog:
    """Opens a file dialog; `names` is Qt's filter of file names."""
    dialog = QFileDialog(parent, title, "", names)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    return _open(dialog, then)


def ask_target(
    parent: QWidget, title: str, name: str, then: Callable[[str], object]
) -> QFileDialog:
    """Opens a dialog for the file to save to; the extension of `name` is the default."""
    dialog = QFileDialog(parent, title, name)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.selectFile(name)
    dialog.setDefaultSuffix(Path(name).suffix.lstrip("."))
    return _open(dialog, then)


def ask_line(
    parent: QWidget,
    title: str,
    label: str,
    button: str,
    then: Callable[[str], object],
    example: str,
) -> QInputDialog:
    """Opens a dialog for a line of text, with an example in the empty field; `then` receives the
    text when the button is pressed.
    """
    dialog = QInputDialog(parent)
    dialog.setWindowTitle(title)
    dialog.setLabelText(label)
    dialog.setOkButtonText(button)
    dialog.textValueSelected.connect(then)
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
    field = dialog.findChild(QLineEdit)
    assert field is not None
    field.setPlaceholderText(example)
    return dialog


def _open(dialog: QFileDialog, then: Callable[[str], object]) -> QFileDialog:
    dialog.fileSelected.connect(then)
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
    return dialog


def answer_drop(event: QDropEvent, takes: bool) -> None:
    """Answers that the files are copied, or that nothing was done with them. The action that was
    proposed may be a move, after which the other program deletes them.
    """
    copies = takes and bool(event.possibleActions() & Qt.DropAction.CopyAction)
    event.setDropAction(Qt.DropAction.CopyAction if copies else Qt.DropAction.IgnoreAction)
    event.setAccepted(takes)


def dragged_files(event: QDropEvent) -> list[str]:
    """Returns the dragged files without folders; the window recognizes their kinds."""
    paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
    return [path for path in paths if Path(path).is_file()]
