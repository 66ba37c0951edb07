"""Files of the training pane: which texts may be learned, CSV and PNG out."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

from core.files import replacing
from explorer.engine import errors
from explorer.panes.base import Pane
from explorer.panes.training.run_data import RunData
from explorer.widgets import dialogs

TEXTS = "Texts (*.txt *.md *.csv *.json *.py *.html);;All files (*)"


async def save(pane: Pane, path: Path, write: Callable[[Path], None]) -> None:
    """Writes in the engine's pool; an error becomes a card, and an older file stays whole."""
    try:
        await pane.engine.io(write, path)
    except OSError as error:
        errors.report(error, "exporting the run")
    else:
        pane.statusRequested.emit(f"Saved {path}")


def save_csv(data: RunData, path: Path) -> None:
    """One line a step with every recorded number; validation loss where it was measured."""
    measured = {int(row["step"]): float(row["validation"]) for row in data.evaluations}
    names = [name for name in (data.steps.dtype.names or ()) if name != "attempt"]
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*names, "validation_loss"])
        for row in data.steps:
            values = [row[name].item() for name in names]
            writer.writerow([*values, measured.get(int(row["step"]), "")])


def ask(pane: Pane, name: str, write: Callable[[Path], None]) -> None:
    """Asks where to save, then does."""

    def chosen(path: str) -> None:
        pane.spawn(save(pane, Path(path), write))

    dialogs.ask_target(pane, "Export", name, chosen)
