"""What the user has set up at one path of the workspace, as a frozen dataclass.

    draft = Draft(workspace, "backprop.optimizers", OptimizersDraft, mode)
    draft.changed.connect(show)                             # by hand, undo or a session
    draft.change({"steps": 120}, "Steps 120", "steps")      # Undo: Steps 120
    draft.end_merge()                                       # the drag is over

The workspace holds it as JSON. Whatever a session brings to the path is read field by
field: what does not fit becomes the default (`core.fields.lenient`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QObject, Signal

from core.fields import lenient, to_json
from core.numbers import format_general
from explorer.state.json_values import written
from explorer.state.workspace import Workspace

T = TypeVar("T")
LONGEST_SHOWN = 24  # characters of a value in the name of a change


class Draft(QObject, Generic[T]):
    """`changed(value)` after every change, undo and redo included.

    kind   the frozen dataclass; every field has a default
    first  what it begins with where the workspace holds nothing yet
    """

    changed = Signal(object)

    def __init__(
        self,
        workspace: Workspace,
        path: str,
        kind: type[T],
        parent: QObject,
        first: T | None = None,
    ) -> None:
        super().__init__(parent)
        self.path = path
        self._workspace, self._kind = workspace, kind
        self._json: Any = None  # of which `_value` is
        self._value: T | None = None
        workspace.hold(path, self._read, _json(kind() if first is None else first))
        workspace.changed.connect(self._on_changed)

    @property
    def value(self) -> T:
        stored = self._workspace.value(self.path)
        if self._value is None or stored is not self._json:
            self._json, self._value = stored, lenient(self._kind, stored)
        return self._value

    def change(self, value: T | Mapping[str, Any], text: str, merging: str = "") -> None:
        """An undoable change: another value, or some fields of this one. Those with the same
        `merging`, one after the other, are one change.

        Raises what the dataclass raises for fields that it refuses.
        """
        self._workspace.change(self.path, self._written(value), text, merging=merging)

    def begin(self, value: T | Mapping[str, Any]) -> None:
        """What it begins with, or what follows by itself: no change to undo."""
        self._workspace.begin(self.path, self._written(value))

    def end_merge(self) -> None:
        """The drag or the typing is over."""
        self._workspace.end_merge()

    def _written(self, value: T | Mapping[str, Any]) -> Any:
        one: Any = self.value
        return _json(replace(one, **value) if isinstance(value, Mapping) else value)

    def _read(self, value: Any) -> Any:
        """What the workspace holds for what comes to the path."""
        return _json(lenient(self._kind, value))

    def _on_changed(self, path: str, _: Any) -> None:
        if path == self.path:
            self.changed.emit(self.value)


def named(label: str, value: Any, what: str = "") -> str:
    """How the menu names a change: "Learning rate 0.01"; of what is long, its label alone, or
    `what`, where the label does not go with "Change".
    """
    shown = format_general(value, 4) if isinstance(value, float) else str(value)
    is_short = 0 < len(shown) <= LONGEST_SHOWN
    return f"{label} {shown}" if is_short else f"Change {what or label.lower()}"


def _json(value: Any) -> Any:
    return written(to_json(value))
