"""The batches that a step of a run has read, drawn again: each is a pure function of its position.

So the loop stores no batches: they can be drawn afterwards for any step, whether the run is
training, has ended, or belongs to another process.

B  sequences in a batch
T  tokens in a sequence
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.data import NO_TOKEN
from core.files import quoted
from core.training.language_modelling import LanguageModelling
from core.training.reader import RunReader
from core.training.runs import text_identity
from core.training.task import Position


@dataclass(frozen=True, eq=False)
class ReadBatch:
    """One micro-batch.

    ids      (B, T) int64: the model's input
    targets  (B, T) int64: the tokens to predict; below 0 where no loss was computed
    pieces   the bytes of every id among them
    """

    ids: np.ndarray
    targets: np.ndarray
    pieces: dict[int, bytes]


class RunBatches:
    """The training batches of a language modelling run. `cache` is that of the Task."""

    def __init__(self, folder: str | Path, cache: Path | None = None) -> None:
        self._folder = Path(folder)
        self._cache = cache
        self._task: LanguageModelling | None = None

    def open_steps(self) -> Generator[tuple[float, str], None, None]:
        """Yields (share, message) while the text is opened, which may have to be tokenized again.

        Raises ValueError, with a remedy, if the text is missing or has changed since the run began.
        """
        reader = RunReader(self._folder)
        config = reader.config
        if config.task != LanguageModelling.name:
            raise ValueError(
                f"a run of the task {quoted(config.task)} reads no text; open one of "
                "language modeling"
            )
        text = Path(config.corpus)
        if config.corpus != "stories":
            if not text.is_file():
                raise ValueError(f"{text} is gone; put it back to see what this step has read")
            if text_identity(config.corpus) != reader.manifest.get("text"):
                raise ValueError(
                    f"{text.name} is not as it was when the run began; put the old text back to "
                    "see what this step has read, or start a new run on the new one"
                )
        kept = reader.checkpoints[-1].folder if reader.checkpoints else None
        task = LanguageModelling(config, self._cache)
        yield from task.open_steps(kept)
        self._task = task

    def read(self, step: int, micro_batch: int = 0) -> ReadBatch:
        """Returns the batch of optimizer step `step` (from 1); call `open_steps` first."""
        if self._task is None:
            raise ValueError("the batches are not open; drain open_steps first")
        ids, targets = self._task.batches("train", Position(step - 1, micro_batch))
        known = np.unique(np.stack([ids.numpy(), targets.numpy()]))
        pieces = {
            int(id): self._task.tokenizer.piece_bytes(int(id)) for id in known if id != NO_TOKEN
        }
        return ReadBatch(ids.numpy(), targets.numpy(), pieces)
