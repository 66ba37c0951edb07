"""Files by dialog, which calls back with the path instead of blocking, and by drag and drop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QFileDialog, QWidget


def ask_folder(
    parent: QWidget, title: str, then: Callable[[str], object], start: str = ""
) -> QFileDialog:
    """A folder dialog that does not block and begins at `start`; `then` gets the folder."""
    dialog = QFileDialog(parent, title, start)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    return _open(dialog, then)


def ask_file(
    parent: QWidget, title: str, then: Callable[[str], object], names: str = ""
) -> QFileDialog:
    """`names`: Qt's filter of the names that are offered."""
    dialog = QFileDialog(parent, title, "", names)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    return _open(dialog, then)


def ask_target(
    parent: QWidget, title: str, name: str, then: Callable[[str], object]
) -> QFileDialog:
    """Where to save; the name's ending is kept."""
    dialog = QFileDialog(parent, title, name)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.selectFile(name)
    dialog.setDefaultSuffix(Path(name).suffix.lstrip("."))
    return _open(dialog, then)


def _open(dialog: QFileDialog, then: Callable[[str], object]) -> QFileDialog:
    dialog.fileSelected.connect(then)
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
    return dialog


def dragged_files(event: QDropEvent) -> list[str]:
    """The files that are dragged, without the folders: which kind one is, the window knows."""
    paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
    return [path for path in paths if Path(path).is_file()]
