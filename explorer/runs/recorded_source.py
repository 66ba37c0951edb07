"""The heads that a run recorded at a step; for everything else, the nearest checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.engine.jobs import Superseded
from explorer.runs.sources import Captured, FolderSource

if TYPE_CHECKING:
    from explorer.engine.engine import Engine

MOST_BYTES = 1 << 28  # largest recording


class RecordedSource(FolderSource):
    """A checkpoint's model, but with the attention that the run recorded for its text.

    step  of the recording in the file `probe`
    kept  step of the checkpoint in `folder`
    """

    def __init__(self, engine: Engine, probe: Path, step: int, folder: Path, kept: int) -> None:
        super().__init__(engine, folder)
        self.step, self.kept = step, kept
        self.name = f"step {kept:,}, heads of {step:,}"
        self.version = kept
        self._probe = probe
        self._recorded: dict[str, np.ndarray] = {}

    async def open(self) -> None:
        await super().open()
        self._recorded = await self._engine.io(_read, self._probe)

    async def look(
        self, ids: Sequence[int], sites: Sequence[str] | None = None, key: object = None
    ) -> Captured | Superseded:
        found = await super().look(ids, sites, key)
        if isinstance(found, Superseded) or found.activations.attention is None:
            return found
        if list(ids) != self._recorded["ids"].tolist():
            return found
        attention = self._recorded["attention"].astype(np.float32) / np.float32(255)
        recorded = replace(found.activations, attention=attention)
        return Captured(recorded, self.step, self.kept)


def _read(path: Path) -> dict[str, Any]:
    """Raises ValueError, with the remedy, if the file is deleted."""
    from core.tensor_files import read_tensors

    try:
        return read_tensors(path, ["ids", "attention"], max_bytes=MOST_BYTES)
    except FileNotFoundError:
        raise ValueError(
            f"the heads of {path.stem} are no longer there: a run keeps fewer of them as it grows; "
            "choose another step"
        ) from None
