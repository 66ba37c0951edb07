"""Dialogs and files of the training pane: a text to learn, a run to open, CSV and PNG out."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from core.files import write_atomically
from explorer import errors
from explorer.panes.training.follow import RunData

TEXTS = "Texts (*.txt *.md *.csv *.json *.py *.html);;All files (*)"


def ask(parent: QWidget, title: str, chosen: Callable[[str], None]) -> QFileDialog:
    """Asks for a file, without stopping anything."""
    dialog = QFileDialog(parent, title)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilter(TEXTS)
    return _open(dialog, chosen)


def ask_folder(parent: QWidget, start: str, chosen: Callable[[str], None]) -> QFileDialog:
    dialog = QFileDialog(parent, "Open a run folder", start)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    return _open(dialog, chosen)


def ask_target(parent: QWidget, name: str, save: Callable[[Path], None]) -> QFileDialog:
    """Asks where to save; an error becomes a card, and an older file stays whole."""
    dialog = QFileDialog(parent, "Export", name)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(Path(name).suffix.lstrip("."))

    def chosen(path: str) -> None:
        try:
            save(Path(path))
        except OSError as error:
            errors.report(error, "exporting the run")

    return _open(dialog, chosen)


def _open(dialog: QFileDialog, chosen: Callable[[str], None]) -> QFileDialog:
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(chosen)
    dialog.open()
    return dialog


def save_csv(data: RunData, path: Path) -> None:
    """One line a step with every recorded number; validation loss where it was measured."""
    measured = {int(row["step"]): float(row["validation"]) for row in data.evaluations}
    names = [name for name in (data.steps.dtype.names or ()) if name != "attempt"]
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([*names, "validation_loss"])
    for row in data.steps:
        values = [row[name].item() for name in names]
        writer.writerow([*values, measured.get(int(row["step"]), "")])
    write_atomically(path, out.getvalue().encode("utf-8"))


def save_png(picture: QWidget, path: Path) -> None:
    """The run as it is on the screen, at twice its size."""
    from explorer.export import png

    write_atomically(path, png(picture))
