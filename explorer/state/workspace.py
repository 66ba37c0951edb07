"""What is open: model, tokenizer, prompt, run, and the selection that every pane follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

from PySide6.QtCore import QObject, Signal

DEFAULT_PROMPT = "Once upon a time, Mira found a red kite. One day, Mira"
LONGEST_HISTORY = 200  # changes kept for undo


@dataclass(frozen=True)
class Selection:
    """One choice for all panes; `None` where nothing is chosen yet."""

    layer: int | None = None
    head: int | None = None
    token: int | None = None  # position of the query
    step: int | None = None  # step of the run


@dataclass(frozen=True)
class Change:
    """One undoable change of an experiment."""

    path: str
    old: Any
    new: Any
    text: str  # "Change learning rate"


class Workspace(QObject):
    """The shared state. Changes to an experiment go through `change`, so they can be undone."""

    promptChanged = Signal(str)
    modelChanged = Signal(object)  # the ModelSource, or None
    runChanged = Signal(object)  # the run's folder as a string, or None
    selectionChanged = Signal(object)  # Selection
    changed = Signal(str, object)  # path and value of any change, undo and redo included
    historyChanged = Signal()
    textOpened = Signal(str)  # a text file that a person opened or dropped: a corpus
    runOpened = Signal(str)  # a run folder that a person opened or dropped
    paneRequested = Signal(str)  # the id of a pane that is to come into sight
    tokenizerGiven = Signal(str)  # a tokenizer's file that a person opened or dropped: to look at
    tokenizerOpened = Signal(str, str)  # its file, for a model to be trained; its text, or ""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._values: dict[str, Any] = {"prompt": DEFAULT_PROMPT, "run": None}
        self._selection = Selection()
        self._source: Any = None
        self._asked = 0  # models so far
        self._shown = 0  # which of them is shown
        self._done: list[Change] = []
        self._undone: list[Change] = []
        self._merging: str | None = None

    # what is open

    @property
    def prompt(self) -> str:
        return self._values["prompt"]

    @property
    def run(self) -> str | None:
        """The folder of the run that is being looked at."""
        return self._values["run"]

    @property
    def model_source(self) -> Any:
        """The ModelSource that panes ask, or None before it is loaded."""
        return self._source

    @property
    def tokenizer(self) -> Any:
        return getattr(self._source, "tokenizer", None)

    @property
    def selection(self) -> Selection:
        return self._selection

    def set_prompt(self, text: str) -> None:
        self.change("prompt", text, "Change prompt")

    def set_run(self, folder: str | None) -> None:
        """Opening a run is no experiment, so it is not undone."""
        if folder != self._values["run"]:
            self._values["run"] = folder
            self.runChanged.emit(folder)
            self.changed.emit("run", folder)

    async def open_model(self, source: Any) -> bool:
        """Opens a source and shows it, unless one that was asked for later is shown by then: then
        False. One that cannot be opened takes nobody's place.

        Raises what its `open` raises.
        """
        self._asked += 1
        turn = self._asked
        try:
            await source.open()
        except BaseException:
            source.close()
            raise
        if turn < self._shown:
            source.close()
            return False
        self._shown = turn
        self.set_model_source(source)
        return True

    def set_model_source(self, source: Any) -> None:
        """Another model. The one before is closed, so that its weights do not stay in memory."""
        before = self._source
        if source is not before:
            self._source = source
            self.modelChanged.emit(source)
            if before is not None:
                before.close()

    def train_with(self, tokenizer: str, corpus: str = "") -> None:
        """Shows the pane that trains models, and tells it which tokenizer's file to use, and the
        text that the tokenizer was trained on.
        """
        self.set_run(None)
        self.paneRequested.emit("training")
        self.tokenizerOpened.emit(tokenizer, corpus)

    def select(self, **choice: int | None) -> None:
        """`select(layer=0, head=3)`: changes what is named, tells every pane once."""
        unknown = set(choice) - {field.name for field in fields(Selection)}
        if unknown:
            raise ValueError(f"no such selection: {sorted(unknown)}; use layer, head, token, step")
        selection = replace(self._selection, **choice)
        if selection != self._selection:
            self._selection = selection
            self.selectionChanged.emit(selection)

    # changes

    def value(self, path: str, default: Any = None) -> Any:
        return self._values.get(path, default)

    def change(self, path: str, value: Any, text: str, *, merge: bool = False) -> None:
        """Sets `path` and records old and new value. `merge` joins a drag into one undo step."""
        old = self._values.get(path)
        if old == value and path in self._values:
            return
        same = merge and self._merging == path and bool(self._done)
        if same:
            last = self._done[-1]
            self._done[-1] = Change(path, last.old, value, text)
        else:
            self._done.append(Change(path, old, value, text))
            del self._done[:-LONGEST_HISTORY]
        self._merging = path if merge else None
        self._undone.clear()
        self._set(path, value)

    def begin(self, path: str, value: Any) -> None:
        """Sets where an experiment begins, or what follows by itself: no change to undo."""
        if path not in self._values or self._values[path] != value:
            self._set(path, value)

    def drop_history(self, path: str) -> None:
        """What these changes were about is gone: they can be neither undone nor done again."""
        for changes in (self._done, self._undone):
            changes[:] = [change for change in changes if change.path != path]
        self._merging = None
        self.historyChanged.emit()

    def end_merge(self) -> None:
        """The drag is over: the next change is an undo step of its own."""
        self._merging = None

    @property
    def undo_text(self) -> str:
        return self._done[-1].text if self._done else ""

    @property
    def redo_text(self) -> str:
        return self._undone[-1].text if self._undone else ""

    def undo(self) -> None:
        self._move(self._done, self._undone, lambda change: change.old)

    def redo(self) -> None:
        self._move(self._undone, self._done, lambda change: change.new)

    def _move(
        self, source: list[Change], target: list[Change], pick: Callable[[Change], Any]
    ) -> None:
        if source:
            self._merging = None
            change = source.pop()
            target.append(change)
            self._set(change.path, pick(change))

    def _set(self, path: str, value: Any) -> None:
        self._values[path] = value
        if path == "prompt":
            self.promptChanged.emit(value)
        self.changed.emit(path, value)
        self.historyChanged.emit()

    # sessions

    def state(self) -> dict[str, Any]:
        chosen = {f.name: getattr(self._selection, f.name) for f in fields(Selection)}
        model = getattr(self._source, "address", None)
        return {"version": 1, "prompt": self.prompt, "run": self.run, "model": model, **chosen}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes what it knows and leaves out what does not fit."""
        if isinstance(state.get("prompt"), str):
            self._values["prompt"] = state["prompt"]
            self.promptChanged.emit(state["prompt"])
        if isinstance(state.get("run"), str):
            self.set_run(state["run"])
        names = [f.name for f in fields(Selection)]
        self.select(**{n: state[n] for n in names if isinstance(state.get(n), int)})
