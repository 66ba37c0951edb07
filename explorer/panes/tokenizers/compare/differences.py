"""Which tokens not all tokenizers cut alike: at once for a short text, else on the engine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QObject, Signal

from explorer.engine import tasks
from explorer.engine.engine import Engine
from explorer.engine.jobs import SUPERSEDED, EngineDied
from explorer.panes.tokenizers.compare.model import Split, differing

AT_ONCE = 5_000  # tokens in all: a millisecond

Masks = list[np.ndarray | None]


class Differences(QObject):
    """`came(masks)`: for each split that was given the tokens that differ, None for all of them."""

    came = Signal(object)

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self._engine = engine
        self._owner = parent
        self._turn = 0

    def ask(self, splits: Sequence[Split | None]) -> None:
        """None stands for a column without tokens. Differing texts are not compared."""
        self._turn += 1
        known = [split for split in splits if split is not None and not split.error]
        same = len({id(split.tokens.data) for split in known}) == 1 or (
            len({split.tokens.data for split in known}) == 1
        )
        if len(known) < 2 or not same:
            self.came.emit([None] * len(splits))
        elif sum(split.count for split in known) <= AT_ONCE:
            self.came.emit(_spread(splits, known, differing(known)))
        else:
            tasks.spawn(self._look(self._turn, list(splits), known), self._owner)

    def stop(self) -> None:
        self._turn += 1

    async def _look(self, turn: int, splits: list[Split | None], known: list[Split]) -> None:
        try:
            masks = await self._engine.call(differing, known, key=("compare", "differences"))
        except EngineDied:
            return  # the columns keep all their colors
        if masks is not SUPERSEDED and turn == self._turn:
            self.came.emit(_spread(splits, known, masks))


def _spread(
    splits: Sequence[Split | None], known: Sequence[Split], masks: Sequence[np.ndarray]
) -> Masks:
    """The masks in the places of the splits that were given."""
    found = {id(split): mask for split, mask in zip(known, masks, strict=True)}
    return [found.get(id(split)) for split in splits]
