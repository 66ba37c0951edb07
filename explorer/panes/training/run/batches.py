"""The batch of a step, for the inspector: drawn again on the engine's thread when somebody looks.

Knows no torch.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from explorer.engine.engine import Engine
from explorer.engine.latest import Latest
from explorer.panes.base import Inspection, Row
from explorer.panes.training.phases import phase_inspection
from explorer.runs.run_data import RunNumbers
from explorer.widgets.token_strip import chip

if TYPE_CHECKING:
    from core.training.rereading import ReadBatch, RunBatches

BEGINNING = 42  # letters of a sequence that fit the inspector
MOST = 64  # sequences in the tables; a step may read thousands
NONE = "\N{EN DASH}"  # the place of a target that no loss is computed for


@dataclass(frozen=True, eq=False)
class Batch:
    """ids, targets, pieces and target pieces, each (B, T); `why`: what keeps them from view."""

    table: Mapping[str, np.ndarray]
    first: str = ""  # the text of the first sequence
    repeated: int = 0  # sequences of random ids that repeat
    why: str = ""


def data_inspection(numbers: RunNumbers, step: int, batch: Batch | None) -> Inspection:
    """The data phase with the batch that it has drawn; None while that is read."""
    shown = phase_inspection("data", numbers, step)
    if batch is None:
        return replace(shown, table={}, stale=True)
    if batch.why:
        return replace(shown, table={}, rows=[*shown.rows, batch.why])
    rows: list[Row | str] = [
        *shown.rows,
        Row(f"\u201c{batch.first[:BEGINNING]}\u2026\u201d", "text"),
    ]
    if batch.repeated:
        of = numbers.config.batch_size
        rows.append(f"{batch.repeated} of {of}: random tokens that repeat")
    if numbers.config.micro_batches > 1:
        rows.append(f"shown: the first of {numbers.config.micro_batches} micro-batches")
    return replace(shown, table=dict(batch.table), rows=rows)


class BatchReading(QObject):
    """`batch(folder, step)` is None while it is read; `read` says that it has come."""

    read = Signal()

    def __init__(self, engine: Engine, owner: QObject) -> None:
        super().__init__(owner)
        self._opening = Latest(engine, owner)
        self._opening.came.connect(self._on_opened)
        self._opening.failed.connect(self._on_failed)
        self._folder: Path | None = None
        self._source: RunBatches | None = None
        self._wanted = -1
        self._found: tuple[Path, int] | None = None
        self._batch: Batch | None = None
        self._reading = Latest(engine, owner)
        self._reading.came.connect(self._on_read)
        self._reading.failed.connect(self._on_unread)
        self._asked = (Path(), -1)  # what is being read

    def batch(self, folder: Path, step: int) -> Batch | None:
        if self._found == (folder, step):
            return self._batch
        self._wanted = step
        if folder != self._folder:
            self._folder, self._source = folder, None
            self._opening.ask(lambda: _opened(folder), f"the text of {folder.name}")
        if self._source is not None and not self._reading.running:
            self._asked = folder, step
            self._reading.call(_read, self._source, step, name=f"the batch of step {step}")
        return None

    def _on_opened(self, source: RunBatches) -> None:
        self._source = source
        if self._folder is not None:
            self.batch(self._folder, self._wanted)

    def _on_failed(self, message: str) -> None:
        """It is tried again for the next step that somebody looks at."""
        if self._folder is not None:
            self._found, self._batch = (self._folder, self._wanted), Batch({}, why=message)
            self._folder = None
            self.read.emit()

    def _on_unread(self, message: str) -> None:
        self._on_read(Batch({}, why=message))

    def _on_read(self, found: Batch) -> None:
        folder, _ = self._asked
        if folder == self._folder:
            self._found, self._batch = self._asked, found
        if self._asked != (self._folder, self._wanted) and self._folder is not None:
            self.batch(self._folder, self._wanted)
        else:
            self.read.emit()


def _opened(folder: Path) -> Generator[Any, None, RunBatches]:
    from core.training.rereading import RunBatches

    batches = RunBatches(folder)
    yield from batches.open_steps()
    return batches


def _read(source: RunBatches, step: int) -> Batch:
    """On the engine's thread."""
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
