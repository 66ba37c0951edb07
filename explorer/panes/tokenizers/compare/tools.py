"""The further views of Compare: which there are, and which one is shown in place of the text."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Signal

from explorer.panes.tokenizers.compare.glitching import Glitching
from explorer.panes.tokenizers.compare.overlapping import Overlapping
from explorer.panes.tokenizers.compare.tool import Shown, Tool
from explorer.panes.tokenizers.compare.view import CompareView
from explorer.panes.tokenizers.compare.vocabulary import Vocabulary
from explorer.panes.tokenizers.modes import Desk
from explorer.panes.tokenizers.shown_tokenizers import Missing


class Tools(QObject):
    """`changed` when the shown one says something else; `pieceChosen(opened, token)`;
    `tokenizerAsked(what, place)` as a tool's."""

    changed = Signal()
    pieceChosen = Signal(object, int)
    tokenizerAsked = Signal(str, int)

    def __init__(self, desk: Desk, view: CompareView, parent: QObject) -> None:
        super().__init__(parent)
        self._engine = desk.context.engine
        self._view = view
        workspace = desk.context.workspace
        self.by_name: dict[str, Tool] = {
            "vocabulary": Vocabulary(self._engine, parent),
            "overlap": Overlapping(self._engine, parent),
            "glitches": Glitching(
                self._engine, desk.catalogue, lambda: workspace.model_source, parent
            ),
        }
        self.current: Tool | None = None  # None: the text
        for tool in self.by_name.values():
            view.add_page(tool.widget())
            tool.changed.connect(lambda tool=tool: self._tell(tool))
            tool.pieceChosen.connect(self.pieceChosen)
            tool.tokenizerAsked.connect(self.tokenizerAsked)
        workspace.modelChanged.connect(lambda _: self.current and self.current.look())

    def show(self, name: str) -> None:
        """The view of this name; "text" is none of these."""
        self.current = self.by_name.get(name)
        self._view.show_page(self.current.widget() if self.current is not None else None)
        for tool in self.by_name.values():
            if tool is not self.current:
                tool.end()
            elif not tool.active:
                tool.begin()

    def set_shown(self, shown: Shown) -> None:
        for tool in self.by_name.values():
            tool.set_shown(shown)

    def set_missing(self, missing: dict[int, Missing]) -> None:
        for tool in self.by_name.values():
            tool.set_missing(missing)

    def state(self) -> dict[str, Any]:
        return {name: tool.state() for name, tool in self.by_name.items()}

    def restore(self, state: Any) -> None:
        if isinstance(state, dict):
            for name, tool in self.by_name.items():
                tool.restore(state.get(name))

    def _tell(self, tool: Tool) -> None:
        if tool is self.current:
            self.changed.emit()
