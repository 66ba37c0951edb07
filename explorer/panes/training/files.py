"""Files of the training pane: which texts may be learned, CSV and PNG out."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from core.files import write_atomically
from explorer import dialogs, errors
from explorer.panes.training.follow import RunData

TEXTS = "Texts (*.txt *.md *.csv *.json *.py *.html);;All files (*)"


def ask_target(parent: QWidget, name: str, save: Callable[[Path], None]) -> QFileDialog:
    """Asks where to save; an error becomes a card, and an older file stays whole."""

    def chosen(path: str) -> None:
        try:
            save(Path(path))
        except OSError as error:
            errors.report(error, "exporting the run")

    return dialogs.ask_target(parent, "Export", name, chosen)


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
    from explorer.encoding import write_png
    from explorer.export import SCALE, drawn

    write_png(path, drawn(picture, SCALE))
