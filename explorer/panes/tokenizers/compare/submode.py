"""The base of Search, Overlap and Glitches, which show vocabularies in place of the text."""

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

Shown = Sequence[tuple[str, Opened | None]]  # name, and the tokenizer if it is open


class Submode(QObject):
    """A submode. A subclass builds its `view` and runs jobs on the engine through `runs`.

    Emits `changed` for a new headline, new steps or a new inspection; `pieceChosen(opened, token)`;
    and `tokenizerAsked(what, place)`: "retry", "remove", or open a "file" in its place.
    """

    changed = Signal()
    tokenizerAsked = Signal(str, int)
    pieceChosen = Signal(object, int)
    view: Any

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self.shown: Shown = ()
        self.missing: Mapping[int, Missing] = {}  # by index of the tokenizer
        self.active = False
        self.runs = Latest(engine, parent, foreground=True)

    @property
    def opened(self) -> list[Opened]:
        return [opened for _, opened in self.shown if opened is not None]

    def set_active(self, active: bool) -> None:
        """Shows or hides the submode; recomputes when it becomes visible."""
        before, self.active = self.active, active
        if active and not before:
            self.ask()

    def set_shown(self, shown: Shown) -> None:
        """Sets the tokenizers, opened or not, and recomputes if they have changed."""
        before = [(name, id(opened)) for name, opened in self.shown]
        self.shown = list(shown)
        if self.active and before != [(name, id(opened)) for name, opened in shown]:
            self.ask()

    def set_missing(self, missing: Mapping[int, Missing]) -> None:
        """Sets the tokenizers that are not open, by index, with the reasons."""
        if missing != self.missing:
            self.missing = missing
            if self.active:
                self.show_missing()

    # for subclasses

    def ask(self) -> None:
        """Recomputes the content."""

    def show_missing(self) -> None:
        """Shows the missing tokenizers."""

    def headline(self) -> str:
        return ""

    def steps(self) -> list[Step]:
        """Returns the steps for the player."""
        return []

    def inspection(self, place: int) -> Inspection | None:
        """Returns the inspection of the step at index `place` of `steps`."""
        return None
