"""What is open, what the user has set up and what they are looking at: JSON values by path.

    prompt, run, model, selection      shared by all panes
    training.options                   what is set up: mostly a `Draft` (draft.py)
    pane, backprop.mode                which pane is shown, and which mode of a pane
    backprop.network.scene             what a session keeps of a mode (or of a pane without modes)
    backprop.network.speed             how fast it plays

`state()` is all of them; `restore(state)`, or `change(path, value, text)` for one of them, brings
the program there. Sessions and undo are built on these alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from core.fields import check, check_names, field, lenient, to_json
from core.memory import LargeModelError
from core.transformer.config import EncoderDecoderConfig
from explorer.engine import errors
from explorer.state.json_values import checked, is_same, without_endless_numbers, written

DEFAULT_PROMPT = "Once upon a time, Mira found a red kite. One day, Mira"
LARGEST_CHOICE = 1_000_000_000  # the largest number of steps of a run
LONGEST_HISTORY = 200  # changes in the undo history
ABSENT = object()  # the value of a path before its first change
SHARED = ("run", "model", "selection", "pane")  # paths of the view, and endings of others
LOOKING = (".mode", ".scene", ".speed")
OF_RUNS = "training."  # settings under this path belong to the visible run, or to a new one


@dataclass(frozen=True)
class Selection:
    """One choice for all panes; `None` if nothing is chosen yet."""

    layer: int | None = field(None, least=0, most=LARGEST_CHOICE)
    head: int | None = field(None, least=0, most=LARGEST_CHOICE)
    token: int | None = field(None, least=0, most=LARGEST_CHOICE, help="position of the query")
    step: int | None = field(None, least=0, most=LARGEST_CHOICE, help="step of the run")

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Change:
    """One undoable change of the settings."""

    path: str
    old: Any
    new: Any
    text: str  # "Learning rate 0.01"
    place: Mapping[str, Any]  # the view at the time of the change: path -> value


@dataclass(frozen=True)
class Live:
    """A path whose value is always changing, such as a cursor's position."""

    read: Callable[[], Any]
    bring: Callable[[Any], None]


class Workspace(QObject):
    """The shared state. `change` sets settings, which undo restores, and the view (`is_looking`),
    which undo does not.
    """

    promptChanged = Signal(str)
    modelChanged = Signal(object)  # the ModelSource, or None
    runChanged = Signal(object)  # the run's folder as a string, or None
    selectionChanged = Signal(object)  # Selection
    changed = Signal(str, object)  # path and value of any change, undo and redo included
    historyChanged = Signal()
    textOpened = Signal(str)  # a text file that the user opened or dropped: a corpus
    runOpened = Signal(str)  # a run folder that the user opened or dropped
    # A model's address, a LargeModelError, and a function to download and open it in a dtype (None:
    # it is already on disk).
    modelIsLarge = Signal(str, object, object)
    modelRequested = Signal(str)  # the address of a model to open
    tokenizerGiven = Signal(str)  # a tokenizer's file that the user opened or dropped, to view
    tokenizerOpened = Signal(str, str)  # its file, for a model to be trained; its text, or ""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._selection = Selection()
        self._values: dict[str, Any] = {
            "prompt": DEFAULT_PROMPT,
            "run": None,
            "selection": to_json(self._selection),
        }
        self._readers: dict[str, Callable[[Any], Any]] = {
            "prompt": lambda value: value if isinstance(value, str) else self.prompt,
            "run": lambda value: value if isinstance(value, str) else None,
            "selection": lambda value: to_json(lenient(Selection, value)),
        }
        self._live = {"model": Live(lambda: self._address, self._request_model)}
        self._source: Any = None
        self._asked = 0  # number of models requested
        self._shown = 0  # number of the one that is shown
        self._done: list[Change] = []
        self._undone: list[Change] = []
        self._merging: tuple[str, str] | None = None  # the path, and its drag or typing
        self._moving = False

    # open objects

    @property
    def prompt(self) -> str:
        return self._values["prompt"]

    @property
    def run(self) -> str | None:
        """The folder of the visible run."""
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
        """Opens a run; that changes no settings, so it cannot be undone."""
        self.begin("run", folder)

    async def open_model(self, source: Any) -> bool:
        """Opens a source and shows it. Returns False, without showing it, if a source requested
        later is shown already, or if the model is large and the user must agree first.

        A source that cannot be opened replaces nothing. Raises what its `open` raises, and
        ValueError for an encoder-decoder.
        """
        self._asked += 1
        turn = self._asked
        try:
            await source.open()
            check_continues(source)
        except LargeModelError as error:
            source.close()
            self.modelIsLarge.emit(source.address, error, None)
            return False
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
        """Replaces the model. Closes the previous one, which frees its weights."""
        before = self._source
        if source is not before:
            self._source = source
            self.modelChanged.emit(source)
            if before is not None:
                before.close()

    @property
    def _address(self) -> str | None:
        return getattr(self._source, "address", None)

    def _request_model(self, address: Any) -> None:
        if isinstance(address, str) and address != self._address:
            self.modelRequested.emit(address)

    def train_with(self, tokenizer: str, corpus: str = "") -> None:
        """Shows the pane that trains models, and sends it a tokenizer's file and the text on which
        the tokenizer was trained.
        """
        self.set_run(None)
        self.begin("pane", "training")
        self.tokenizerOpened.emit(tokenizer, corpus)

    def select(self, **choice: int | None) -> None:
        """Changes the named fields with one signal: `select(layer=0, head=3)`."""
        check_names(Selection, choice, "selection")
        self.begin("selection", to_json(replace(self._selection, **choice)))

    # changes

    def value(self, path: str, default: Any = None) -> Any:
        """Returns the JSON at a path, not to be changed in place."""
        if path in self._live:
            return checked(written(self._live[path].read()), path)
        return self._values.get(path, default)

    def change(self, path: str, value: Any, text: str, *, merging: str = "") -> None:
        """Sets `path` and records old and new value; for the view, nothing is recorded. Successive
        changes with the same `merging` are one undo step: a drag.

        Raises ValueError for a value that is not JSON.
        """
        if is_looking(path):
            self.begin(path, value)
            return
        value, old = self._taken(path, value), self._values.get(path, ABSENT)
        if is_same(old, value):
            return
        if merging and self._merging == (path, merging) and self._done:
            old = self._done.pop().old
        self._merging = (path, merging) if merging else None
        if is_same(old, value):  # a drag that ends at its start is no change
            self._merging = None
        else:
            self._done.append(Change(path, old, value, text, self._place_of(path)))
            del self._done[:-LONGEST_HISTORY]
        self._undone.clear()
        self._set(path, value)

    def begin(self, path: str, value: Any) -> None:
        """Sets a value without an entry in the undo history.

        Raises ValueError for a value that is not JSON.
        """
        value = self._taken(path, value)
        if path in self._live:
            self._bring(path, value)
        elif path not in self._values or not is_same(self._values[path], value):
            self._set(path, value)

    def hold(self, path: str, reader: Callable[[Any], Any], first: Any) -> None:
        """Defines a path: its value is the one already stored, or else `first`. `reader` converts
        any JSON given for the path to a valid value.
        """
        self._readers[path] = reader
        if path in self._values:
            self._values[path] = self._taken(path, self._values[path])
        else:
            self.begin(path, first)

    def live(
        self, path: str, read: Callable[[], Any], bring: Callable[[Any], None], owner: QObject
    ) -> None:
        """Makes a path live until `owner` is destroyed: `read` returns its value, and `bring` is
        called with new values, and at once with one that is already stored.
        """
        one = Live(read, bring)
        self._live[path] = one
        owner.destroyed.connect(lambda: self._live.get(path) is one and self._live.pop(path))
        if path in self._values:
            self._bring(path, self._values.pop(path))

    def _taken(self, path: str, value: Any) -> Any:
        value = checked(value, path)
        if is_looking(path):
            value = without_endless_numbers(value)
        return self._readers[path](value) if path in self._readers else value

    def _bring(self, path: str, value: Any) -> None:
        """Reports a value that fails, of an old session for example, and continues."""
        try:
            self._live[path].bring(value)
        except Exception as error:
            errors.report(error, f"going back to {path}")
        self.changed.emit(path, value)

    def drop_history(self, path: str) -> None:
        """Removes a path's changes from undo and redo, because their object is gone."""
        for changes in (self._done, self._undone):
            changes[:] = [change for change in changes if change.path != path]
        self._merging = None
        self.historyChanged.emit()

    def end_merge(self) -> None:
        """Ends a drag: the next change is an undo step of its own."""
        self._merging = None

    @property
    def undo_text(self) -> str:
        return self._done[-1].text if self._done else ""

    @property
    def redo_text(self) -> str:
        return self._undone[-1].text if self._undone else ""

    @property
    def is_moving(self) -> bool:
        """True while undo or redo changes a value."""
        return self._moving

    def undo(self) -> None:
        """Undoes the last change and shows the place where it was made."""
        self._move(self._done, self._undone, lambda change: change.old)

    def redo(self) -> None:
        """Redoes the last undone change and shows the place where it was made."""
        self._move(self._undone, self._done, lambda change: change.new)

    def _place_of(self, path: str) -> dict[str, Any]:
        paths = ["pane", f"{self.value('pane')}.mode"]
        place = {name: self.value(name) for name in paths if name in self._live}
        return {**place, "run": self.run} if path.startswith(OF_RUNS) else place

    def _go_to(self, place: Mapping[str, Any]) -> None:
        for path, value in place.items():
            if self.value(path) != value:
                self.begin(path, value)

    def _move(
        self, source: list[Change], target: list[Change], pick: Callable[[Change], Any]
    ) -> None:
        if source:
            self._merging = None
            change = source.pop()
            target.append(change)
            self._go_to(change.place)
            value = pick(change)
            if value is ABSENT and change.path in self._readers:
                value = None  # the path is defined by now: it has its initial value
            if value is ABSENT:
                del self._values[change.path]
                self.changed.emit(change.path, None)
                self.historyChanged.emit()
            else:
                self._moving = True
                try:
                    self._set(change.path, self._taken(change.path, value))
                finally:
                    self._moving = False

    def _set(self, path: str, value: Any) -> None:
        self._values[path] = value
        if path == "prompt":
            self.promptChanged.emit(value)
        elif path == "run":
            self.runChanged.emit(value)
        elif path == "selection":
            self._selection = lenient(Selection, value)
            self.selectionChanged.emit(self._selection)
        self.changed.emit(path, value)
        if not is_looking(path):
            self.historyChanged.emit()

    # sessions

    def state(self) -> dict[str, Any]:
        """Returns every path with its value."""
        found = dict(self._values)
        for path in self._live:
            try:
                found[path] = self.value(path)
            except Exception as error:  # the other values are saved
                errors.report(error, f"keeping {path}")
        return dict(sorted(found.items()))

    def restore(self, state: dict[str, Any]) -> None:
        """Restores a `state`; other paths stay. Not undoable.

        Settings come first, then the view, the pane last.
        """
        for path in sorted(state, key=_place):
            try:
                self.begin(path, written(state[path]))
            except Exception as error:  # the other values are restored
                errors.report(error, f"going back to {path}")


def is_looking(path: str) -> bool:
    """True if a path is part of the view, not of the settings."""
    return path in SHARED or path.endswith(LOOKING)


def _place(path: str) -> tuple[bool, bool, bool]:
    return path == "pane", path.endswith(".mode"), is_looking(path)


def check_continues(source: Any) -> None:
    """Raises ValueError for an encoder-decoder: panes need a model that continues the prompt."""
    if isinstance(getattr(source, "config", None), EncoderDecoderConfig):
        raise ValueError(
            f"{source.name} is an encoder-decoder, which writes a target for a source: the mode "
            "Translate of the Transformer pane shows the one that comes with the program; choose a "
            "model that continues a text"
        )
