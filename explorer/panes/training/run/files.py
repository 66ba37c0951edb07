"""Files of a run: which texts may be learned, CSV and PNG out."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

from core.files import replacing
from explorer.engine import errors
from explorer.panes.modes import Mode
from explorer.runs.run_data import RunData
from explorer.widgets import dialogs

TEXTS = "Texts (*.txt *.md *.csv *.json *.py *.html);;All files (*)"


async def save(mode: Mode, path: Path, write: Callable[[Path], None]) -> None:
    """Writes in the engine's pool; an error becomes a card, and an older file stays whole."""
    try:
        await mode.engine.io(write, path)
    except OSError as error:
        errors.report(error, "exporting the run")
    else:
        mode.statusRequested.emit(f"Saved {path}")


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


def ask(mode: Mode, name: str, write: Callable[[Path], None]) -> None:
    """Asks where to save, then does."""

    def chosen(path: str) -> None:
        mode.spawn(save(mode, Path(path), write))

    dialogs.ask_target(mode.widget(), "Export", name, chosen)
