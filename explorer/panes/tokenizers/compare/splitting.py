"""Asks the engine for the splits of the text that is there now; older questions are dropped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from core.numbers import format_bytes
from explorer import theme
from explorer.engine.engine import Engine
from explorer.engine.latest import Latest
from explorer.panes.tokenizers.compare.model import Split, split_steps

LONG = 50_000  # characters from which on the status bar tells of the work


class Splitting(QObject):
    """`came(splits)` a handful at a time, always of the newest text; `slow` when they take so long
    that what is shown should be marked as old; `failed(message)`."""

    came = Signal(object)
    slow = Signal()
    failed = Signal(str)

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self._latest = Latest(engine, parent, foreground=True)
        self._cut_by: dict[str, Any] = {}  # the tokenizer of each name that was asked last
        self._timer = QTimer(self, singleShot=True)
        self._timer.setInterval(theme.MOTION["waiting"])
        self._timer.timeout.connect(self.slow)
        self._latest.progressed.connect(self._on_progress)
        self._latest.failed.connect(self.failed)
        self._latest.ended.connect(self._timer.stop)

    def ask(
        self, cutters: Mapping[str, Any], splits: Mapping[str, Split], text: str, specials: bool
    ) -> bool:
        """Wants what is missing among `splits`: tokenizers' splits of the text, by id, and for
        those of a long one whether they lose anything. What was wanted before is not any more.

        False where no split is missing: what is being checked goes on.
        """
        asked = [(one, cutter) for one, cutter in cutters.items() if one not in splits]
        if not asked:
            return False
        self._cut_by.update(asked)
        unchecked = [
            (split, cutters[one])
            for one, split in splits.items()
            if one in cutters and split.lossless is None and not split.error
        ]
        name = f"cutting {format_bytes(len(text))} of text"
        self._timer.start()
        self._latest.ask(
            lambda: split_steps(asked, text, specials, unchecked), name, is_told=len(text) > LONG
        )
        return True

    def still_true(
        self, splits: Mapping[str, Split], cutters: Mapping[str, Any]
    ) -> dict[str, Split]:
        """The splits that the tokenizers made which bear these names now."""
        return {
            one: split
            for one, split in splits.items()
            if one in cutters and cutters[one] is self._cut_by.get(one)
        }

    def stop(self) -> None:
        self._timer.stop()
        self._latest.stop()

    def _on_progress(self, batches: list[list[Split]]) -> None:
        self._timer.stop()
        self.came.emit([split for batch in batches for split in batch])
