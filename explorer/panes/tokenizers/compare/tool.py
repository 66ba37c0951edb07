"""What a further view of Compare is: it asks vocabularies instead of a text."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from core.trace import Step
from explorer.engine.engine import Engine
from explorer.engine.latest import Latest
from explorer.panes.base import Inspection
from explorer.panes.tokenizers.catalogue import Opened
from explorer.panes.tokenizers.shown_tokenizers import Missing

Shown = Sequence[tuple[str, Opened | None]]  # name, and the tokenizer where it is open


class Tool(QObject):
    """`changed` when it says something else; `pieceChosen(opened, token)` when a person has chosen
    a piece of a vocabulary; `tokenizerAsked(what, place)` when the tokenizer in a place is to be
    tried again ("retry"), taken from the comparison ("remove"), or replaced by a file ("file")."""

    changed = Signal()
    tokenizerAsked = Signal(str, int)
    pieceChosen = Signal(object, int)

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self.engine = engine
        self.shown: Shown = ()
        self.missing: dict[int, Missing] = {}  # by place
        self.active = False
        self._latest = Latest(engine, parent, foreground=True)
        self._latest.progressed.connect(self.on_progress)
        self._latest.came.connect(self.on_done)
        self._latest.failed.connect(self.on_failed)

    def widget(self) -> QWidget:
        raise TypeError("a tool has a widget: it must build one")

    def set_shown(self, shown: Shown) -> None:
        """Other tokenizers, or one of them is open now."""
        before = [(name, id(opened)) for name, opened in self.shown]
        self.shown = list(shown)
        if self.active and before != [(name, id(opened)) for name, opened in shown]:
            self.look()

    def set_missing(self, missing: dict[int, Missing]) -> None:
        """Which of the shown ones are not there, by their places, and why."""
        if missing != self.missing:
            self.missing = missing
            if self.active:
                self.on_missing()

    def on_missing(self) -> None:
        """Shows what is missing."""

    def begin(self) -> None:
        """It has come into sight."""
        self.active = True
        self.look()

    def end(self) -> None:
        self.active = False

    def look(self) -> None:
        """Asks for what is to be shown now."""

    def headline(self) -> str:
        return ""

    def steps(self) -> list[Step]:
        """What is played."""
        return []

    def inspection(self, place: int) -> Inspection | None:
        """What the inspector shows of one of `steps`."""
        return None

    def state(self) -> dict[str, Any]:
        """What a session remembers."""
        return {}

    def restore(self, state: Any) -> None:
        """Takes back what `state` gave."""

    # for subclasses

    @property
    def opened(self) -> list[Opened]:
        return [opened for _, opened in self.shown if opened is not None]

    def run(self, make: Callable[[], Generator[Any, Any, Any]], name: str) -> None:
        """Runs a job of core in place of the one before; `on_progress`, `on_done`, `on_failed`."""
        self._latest.ask(make, name)

    def stop(self) -> None:
        self._latest.stop()

    def on_progress(self, items: list[Any]) -> None:
        """What a job has yielded since the last time."""

    def on_done(self, result: Any) -> None:
        """What a job has returned."""

    def on_failed(self, message: str) -> None:
        """Why it could not."""
