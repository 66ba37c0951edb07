"""Splits the text and compares the splits on the engine; a new request replaces the last one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from core.numbers import format_bytes
from explorer.engine.engine import Engine
from explorer.engine.latest import Latest
from explorer.panes.tokenizers.compare.compute import Split, differing, split_steps

LONG = 50_000  # characters; the status bar shows the job for a longer text
FEW = 5_000  # tokens in total; up to here the GUI thread compares, within a millisecond

Masks = list[np.ndarray | None]


class SplitRunner(QObject):
    """Emits `came(splits)` with some splits of the newest text; `failed(message)`;
    `compared(masks)` with a mask of the tokens that differ for each split, or None for a split that
    is not compared.
    """

    came = Signal(object)
    failed = Signal(str)
    compared = Signal(object)

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self._splits = Latest(engine, parent, foreground=True)
        self._splits.progressed.connect(self._on_progress)
        self._splits.failed.connect(self.failed)
        self._differences = Latest(engine, parent)
        self._differences.came.connect(self.compared)

    def split(
        self, tokenizers: Mapping[str, Any], known: Iterable[Split], text: str, specials: bool
    ) -> bool:
        """Splits the text with the tokenizers (by id) that have no split in `known`, and checks the
        unchecked ones. If no split is missing, returns False and leaves the running job alone.
        """
        splits = {split.id: split for split in known}
        asked = {one: each for one, each in tokenizers.items() if one not in splits}
        if not asked:
            return False
        unchecked = [one for one in splits.values() if one.lossless is None and not one.error]
        name = f"splitting {format_bytes(len(text))} of text"
        self._splits.ask(
            lambda: split_steps(asked, text, specials, unchecked), name, is_told=len(text) > LONG
        )
        return True

    def stop(self) -> None:
        """Stops the job that splits the text."""
        self._splits.stop()

    def _on_progress(self, batches: list[list[Split]]) -> None:
        self.came.emit([split for batch in batches for split in batch])

    def compare(self, splits: Sequence[Split | None]) -> None:
        """Compares the splits made so far, if they are of the same text."""
        self._differences.stop()
        known = [split for split in splits if split is not None and not split.error]
        if len(known) < 2 or len({split.tokens.data for split in known}) > 1:
            self.compared.emit([None] * len(splits))
        elif sum(split.count for split in known) <= FEW:
            self.compared.emit(_masks(splits, known))
        else:
            self._differences.call(_masks, list(splits), known, name="comparing tokens")


def _masks(splits: Sequence[Split | None], known: Sequence[Split]) -> Masks:
    """Returns a mask for each known split and None for the others, in the order of `splits`."""
    found = {id(split): mask for split, mask in zip(known, differing(known), strict=True)}
    return [found.get(id(split)) for split in splits]
