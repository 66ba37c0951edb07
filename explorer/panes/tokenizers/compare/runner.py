"""Has the engine split the text and compare the splits; only the newest question is answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from core.numbers import format_bytes
from explorer import theme
from explorer.engine.engine import Engine
from explorer.engine.latest import Latest
from explorer.panes.tokenizers.compare.compute import Split, differing, split_steps

LONG = 50_000  # characters from which on the status bar tells of the work
FEW = 5_000  # tokens in all that are compared at once: a millisecond

Masks = list[np.ndarray | None]


class SplitRunner(QObject):
    """`came(splits)`: some splits of the newest text; `slow`: they take so long that the old ones
    should be marked as stale; `failed(message)`; `compared(masks)`: for each split the tokens that
    differ, None for a split that is not compared."""

    came = Signal(object)
    slow = Signal()
    failed = Signal(str)
    compared = Signal(object)

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self._splits = Latest(engine, parent, foreground=True)
        self._timer = QTimer(self, singleShot=True, interval=theme.MOTION["waiting"])
        self._timer.timeout.connect(self.slow)
        self._splits.progressed.connect(self._on_progress)
        self._splits.failed.connect(self.failed)
        self._splits.ended.connect(self._timer.stop)
        self._differences = Latest(engine, parent)
        self._differences.came.connect(self.compared)

    def split(
        self, tokenizers: Mapping[str, Any], known: Iterable[Split], text: str, specials: bool
    ) -> bool:
        """Splits the text by the tokenizers, by id, of which no split is known, and checks known
        ones that are not checked yet. False where no split is missing: the job goes on.
        """
        splits = {split.id: split for split in known}
        asked = {one: each for one, each in tokenizers.items() if one not in splits}
        if not asked:
            return False
        unchecked = [one for one in splits.values() if one.lossless is None and not one.error]
        name = f"splitting {format_bytes(len(text))} of text"
        self._timer.start()
        self._splits.ask(
            lambda: split_steps(asked, text, specials, unchecked), name, is_told=len(text) > LONG
        )
        return True

    def stop(self) -> None:
        """Ends the job that splits the text."""
        self._timer.stop()
        self._splits.stop()

    def _on_progress(self, batches: list[list[Split]]) -> None:
        self._timer.stop()
        self.came.emit([split for batch in batches for split in batch])

    def compare(self, splits: Sequence[Split | None]) -> None:
        """Compares the splits that are there, if they are of one text."""
        self._differences.stop()
        known = [split for split in splits if split is not None and not split.error]
        if len(known) < 2 or len({split.tokens.data for split in known}) > 1:
            self.compared.emit([None] * len(splits))
        elif sum(split.count for split in known) <= FEW:
            self.compared.emit(_masks(splits, known))
        else:
            self._differences.call(_masks, list(splits), known, name="comparing tokens")


def _masks(splits: Sequence[Split | None], known: Sequence[Split]) -> Masks:
    """The masks of the known splits, at their places among all splits."""
    found = {id(split): mask for split, mask in zip(known, differing(known), strict=True)}
    return [found.get(id(split)) for split in splits]
