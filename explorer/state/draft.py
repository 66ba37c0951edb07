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
    """Emits `changed(value)` after every change, also by undo and redo.

    kind   the frozen dataclass; every field has a default
    first  the initial value if the workspace has none
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
        self._json: Any = None  # the source of `_value`
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
        """Makes an undoable change: another value, or some fields of the current one. Successive
        changes with the same `merging` become one.

        Raises what the dataclass raises for invalid fields.
        """
        self._workspace.change(self.path, self._written(value), text, merging=merging)

    def begin(self, value: T | Mapping[str, Any]) -> None:
        """Sets the value without an entry in the undo history."""
        self._workspace.begin(self.path, self._written(value))

    def end_merge(self) -> None:
        """Ends a drag or typing: the next change is an undo step of its own."""
        self._workspace.end_merge()

    def _written(self, value: T | Mapping[str, Any]) -> Any:
        one: Any = self.value
        return _json(replace(one, **value) if isinstance(value, Mapping) else value)

    def _read(self, value: Any) -> Any:
        """Converts the JSON given for the path to the JSON that the workspace stores."""
        return _json(lenient(self._kind, value))

    def _on_changed(self, path: str, _: Any) -> None:
        if path == self.path:
            self.changed.emit(self.value)


def named(label: str, value: Any, what: str = "") -> str:
    """Returns the name of a change: "Learning rate 0.01"; for a long value, "Change" and the label,
    or `what` if the label does not fit after "Change".
    """
    shown = format_general(value, 4) if isinstance(value, float) else str(value)
    is_short = 0 < len(shown) <= LONGEST_SHOWN
    return f"{label} {shown}" if is_short else f"Change {what or label.lower()}"


def _json(value: Any) -> Any:
    return written(to_json(value))
