"""What Search, Overlap and Glitches are: views of the vocabularies, in place of the text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal

from core.trace import Step
from explorer.engine.engine import Engine
from explorer.engine.latest import Latest
from explorer.panes.base import Inspection
from explorer.panes.tokenizers.catalogue import Opened
from explorer.panes.tokenizers.shown_tokenizers import Missing

Shown = Sequence[tuple[str, Opened | None]]  # a name, and the tokenizer where it is open


class Submode(QObject):
    """A subclass builds its `view` and asks the engine through `runs`.

    `changed`: its headline, steps or inspection are new; `pieceChosen(opened, token)`: a piece of a
    vocabulary; `tokenizerAsked(what, place)`: "retry", "remove", or open a "file" in its place.
    """

    changed = Signal()
    tokenizerAsked = Signal(str, int)
    pieceChosen = Signal(object, int)
    view: Any

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self.shown: Shown = ()
        self.missing: Mapping[int, Missing] = {}  # by place
        self.active = False
        self.runs = Latest(engine, parent, foreground=True)

    @property
    def opened(self) -> list[Opened]:
        return [opened for _, opened in self.shown if opened is not None]

    def set_active(self, active: bool) -> None:
        """Takes whether this submode is the one that is shown."""
        before, self.active = self.active, active
        if active and not before:
            self.ask()

    def set_shown(self, shown: Shown) -> None:
        """Takes other tokenizers, or one that has been opened."""
        before = [(name, id(opened)) for name, opened in self.shown]
        self.shown = list(shown)
        if self.active and before != [(name, id(opened)) for name, opened in shown]:
            self.ask()

    def set_missing(self, missing: Mapping[int, Missing]) -> None:
        """Takes which tokenizers are not open, by their places, and why."""
        if missing != self.missing:
            self.missing = missing
            if self.active:
                self.show_missing()

    # for subclasses

    def ask(self) -> None:
        """Computes anew what is shown."""

    def show_missing(self) -> None:
        """Shows which tokenizers are missing."""

    def headline(self) -> str:
        return ""

    def steps(self) -> list[Step]:
        """What the player plays."""
        return []

    def inspection(self, place: int) -> Inspection | None:
        """Of one of `steps`."""
        return None
