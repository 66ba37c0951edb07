"""The tokenizers pane: four modes with a shared catalogue of tokenizers; accepts files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from explorer.panes.base import Context, Pane
from explorer.panes.moded import ModedPane
from explorer.panes.tokenizers import modes
from explorer.panes.tokenizers.catalogue import Catalogue
from explorer.panes.tokenizers.dropped_files import look_at_files
from explorer.panes.tokenizers.modes import Desk, ModeSpec
from explorer.widgets import dialogs


def create(context: Context) -> Pane:
    return TokenizersPane(context)


class TokenizersPane(ModedPane):
    """The pane, which accepts dropped files."""

    def __init__(
        self,
        context: Context,
        parent: QWidget | None = None,
        specs: tuple[ModeSpec, ...] | None = None,
    ) -> None:
        super().__init__(context, "tokenizers", modes.built() if specs is None else specs, parent)
        self.setAcceptDrops(True)
        self.workspace.tokenizerGiven.connect(lambda path: self.take_files([path]))

    def make_desk(self) -> Desk:
        self.catalogue = Catalogue(self.context, self)
        return Desk(self.objectName(), self.context, self.player, self.catalogue)

    def connect_mode(self, mode: Any) -> None:
        mode.filesDropped.connect(self.take_files)

    def shared(self) -> Sequence[QObject]:
        return (self.catalogue,)

    def shown(self) -> None:
        self.catalogue.look()
        super().shown()

    # files

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        takes = event.mimeData().hasUrls() and bool(dialogs.dragged_files(event))
        dialogs.answer_drop(event, takes)
        if takes:
            self.statusRequested.emit(
                "Drop a tokenizer to open it, or a text to split it into tokens"
            )

    def dropEvent(self, event: QDropEvent) -> None:
        """Handles dropped files; leaves folders to the window, which opens models and runs."""
        self.statusRequested.emit("")
        paths = dialogs.dragged_files(event)
        takes = bool(paths) and len(paths) == len(event.mimeData().urls())
        dialogs.answer_drop(event, takes)
        if takes:
            self.take_files(paths)

    def take_files(self, paths: Sequence[str]) -> None:
        """Passes tokenizers and the last text to the visible mode, or else to Compare."""
        self.spawn(self._take_files(list(paths)))

    async def _take_files(self, paths: list[str]) -> None:
        found = await self.engine.io(look_at_files, paths)
        for error in found.errors:
            self.statusRequested.emit(error)
        if found.tokenizers and not self.mode.take_tokenizers(found.tokenizers):
            self.request_mode("compare", {"files": found.tokenizers})
        if found.texts:
            path, text = found.texts[-1]
            note = found.notes.get(path, "")
            if not self.mode.take_text(path, text, note):
                self.request_mode("compare", {"text": text, "note": note})
