"""Redraws the batch of a past step on demand, on the engine's thread. Does not import torch."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from explorer.engine.engine import Engine
from explorer.engine.latest import Latest
from explorer.widgets.token_strip import chip

if TYPE_CHECKING:
    from core.training.rereading import ReadBatch, RunBatches

MOST = 64  # sequences in the tables; a step may read thousands
NONE = "\N{EN DASH}"  # stands for a target without a loss


@dataclass(frozen=True, eq=False)
class Batch:
    """ids, targets, pieces and target pieces, each (B, T); `why`: the error if they are missing."""

    table: Mapping[str, np.ndarray]
    first: str = ""  # the text of the first sequence
    repeated: int = 0  # number of sequences of random ids that repeat
    why: str = ""


class BatchReader(QObject):
    """Reads batches: `batch(folder, step)` is None until it has been read and `read` emitted."""

    read = Signal()

    def __init__(self, engine: Engine, owner: QObject) -> None:
        super().__init__(owner)
        self._opened: tuple[Path, RunBatches] | None = None
        self._asked: tuple[Path, int] | None = None
        self._batch: Batch | None = None  # the batch of `_asked`
        self._reading = Latest(engine, owner)
        self._reading.came.connect(self._on_read)
        self._reading.failed.connect(lambda why: self._on_read(Batch({}, why=why)))

    def batch(self, folder: Path, step: int) -> Batch | None:
        if self._asked != (folder, step):
            self._asked, self._batch = (folder, step), None
            self._reading.ask(lambda: self._steps(folder, step), f"the batch of step {step}")
        return self._batch

    def _steps(self, folder: Path, step: int) -> Generator[Any, None, Batch]:
        """Runs on the engine's thread. Keeps a run's text open to read more of its steps."""
        if self._opened is None or self._opened[0] != folder:
            self._opened = folder, (yield from open_batches(folder))
        return _read(self._opened[1], step)

    def _on_read(self, batch: Batch) -> None:
        self._batch = batch
        self.read.emit()


def open_batches(folder: Path) -> Generator[Any, None, RunBatches]:
    from core.training.rereading import RunBatches

    batches = RunBatches(folder)
    yield from batches.open_steps()
    return batches


def _read(source: RunBatches, step: int) -> Batch:
    found = source.read(step)
    ids, targets = found.ids[:MOST], found.targets[:MOST]
    text = b"".join(found.pieces[int(id)] for id in ids[0]).decode("utf-8", "replace")
    return Batch(
        table={
            "ids": ids,
            "targets": targets,
            "pieces": _pieces(found, ids),
            "target pieces": _pieces(found, targets),
        },
        first=" ".join(text.split()),
        repeated=int((found.targets < 0).any(axis=1).sum()),
    )


def _pieces(found: ReadBatch, ids: np.ndarray) -> np.ndarray:
    known, places = np.unique(ids, return_inverse=True)
    texts = [chip(int(id), found.pieces[int(id)]).text if id >= 0 else NONE for id in known]
    return np.array(texts)[places].reshape(ids.shape)
