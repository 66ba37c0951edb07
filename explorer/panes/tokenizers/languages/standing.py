"""The order of the rows while results come: it stands still under the mouse. No Qt."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from explorer.panes.tokenizers.languages.model import Line

SORT_EVERY = 1.0  # seconds


class StandingOrder:
    """`is_new` says whether the last rows were put in order, or stand as those before them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._question: Any = None
        self._places: dict[str, int] = {}
        self._sorted_at = 0.0
        self.is_new = True

    def arrange(
        self, lines: Sequence[Line], question: Any, *, coming: bool, held: bool
    ) -> list[Line]:
        """Sorted lines as they are to be shown.

        question  what a person has chosen: for another one they are in order at once
        coming    more results are: they are put in order once a second
        held      somebody points at a row: they stay where they are
        """
        now = self._clock()
        rested = now - self._sorted_at >= SORT_EVERY
        self.is_new = question != self._question or not coming or (rested and not held)
        if self.is_new:
            self._question, self._sorted_at = question, now
            self._places = {line.language.code: place for place, line in enumerate(lines)}
            return list(lines)
        last = len(self._places)
        return sorted(lines, key=lambda line: self._places.get(line.language.code, last))
