"""Which tokens not all tokenizers cut alike: at once for a short text, else on the engine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QObject, Signal

from explorer.engine.engine import Engine
from explorer.engine.latest import Latest
from explorer.panes.tokenizers.compare.model import Split, differing

AT_ONCE = 5_000  # tokens in all: a millisecond

Masks = list[np.ndarray | None]


class Differences(QObject):
    """`came(masks)`: for each split that was given the tokens that differ, None for all of them."""

    came = Signal(object)

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self._latest = Latest(engine, parent)
        self._latest.came.connect(self.came)  # until then the columns keep all their colors

    def ask(self, splits: Sequence[Split | None]) -> None:
        """None stands for a column without tokens. Differing texts are not compared."""
        self._latest.stop()
        known = [split for split in splits if split is not None and not split.error]
        same = len({id(split.tokens.data) for split in known}) == 1 or (
            len({split.tokens.data for split in known}) == 1
        )
        if len(known) < 2 or not same:
            self.came.emit([None] * len(splits))
        elif sum(split.count for split in known) <= AT_ONCE:
            self.came.emit(_masks(splits, known))
        else:
            self._latest.call(_masks, list(splits), known, name="comparing tokens")

    def stop(self) -> None:
        self._latest.stop()


def _masks(splits: Sequence[Split | None], known: Sequence[Split]) -> Masks:
    """The masks of the known splits, in the places of all that were given."""
    found = {id(split): mask for split, mask in zip(known, differing(known), strict=True)}
    return [found.get(id(split)) for split in splits]
