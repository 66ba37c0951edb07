"""`trainer_state.json` of Hugging Face's Trainer: its logs, in `log_history`."""

from __future__ import annotations

import re
from pathlib import Path

from core.fields import as_object
from core.files import GET_AGAIN, read_json
from core.training.foreign.series import Collector, Log, is_number, is_step

NAME = "trainer_state.json"
CHECKPOINT = re.compile(r"checkpoint-(\d{1,12})")
MOST_VALUES = 3_000_000


def newest_state(folder: Path) -> Path | None:
    """Returns the state file of a Trainer's output folder, or of its newest checkpoint."""
    if (folder / NAME).is_file():
        return folder / NAME
    found = [
        (int(name[1]), path / NAME)
        for path in folder.iterdir()
        if (name := CHECKPOINT.fullmatch(path.name)) and (path / NAME).is_file()
    ]
    return max(found)[1] if found else None


class TrainerLog:
    """A trainer_state.json, or the newest of a folder. Entries without a step count as damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def files(self) -> list[Path]:
        newest = newest_state(self.path) if self.path.is_dir() else self.path
        return [newest or self.path / NAME]

    def read(self) -> Log:
        """Raises ValueError, with a remedy, for a file that was not written by a Trainer."""
        (file,) = self.files()
        state = read_json(file, max_values=MOST_VALUES)
        history = as_object(state, "trainer state").get("log_history")
        if not isinstance(history, list):
            raise ValueError(
                f"{file} holds no log_history, which a Trainer's state does: {GET_AGAIN}"
            )
        collector, damaged = Collector(self.path), 0
        for entry in history:
            if not isinstance(entry, dict) or not is_step(entry.get("step")):
                damaged += 1
                continue
            for name, value in entry.items():
                if name != "step" and is_number(value):
                    collector.add(name, int(entry["step"]), float(value))
        planned = state.get("max_steps")
        return Log(collector.series(), damaged, int(planned) if is_step(planned) else 0)
