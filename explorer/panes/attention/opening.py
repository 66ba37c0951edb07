"""Opens another model for the pane: the bundled one, a checkpoint folder, the model of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from explorer import errors, tasks
from explorer.dialogs import ask_folder
from explorer.panes.attention.header import AttentionHeader
from explorer.panes.base import Context, Pane
from explorer.sources import BundledSource, FolderSource, models_among


class Opening(QObject):
    """Connects the header's menu with the workspace's model."""

    def __init__(self, context: Context, header: AttentionHeader, pane: Pane) -> None:
        super().__init__(pane)
        self._context, self._header, self._pane = context, header, pane
        header.bundledRequested.connect(self._on_bundled)
        header.folderRequested.connect(self._on_folder)
        header.liveRequested.connect(self._on_live)
        context.workspace.modelChanged.connect(self.refresh)
        context.workspace.runChanged.connect(self.refresh)
        self.refresh()

    def refresh(self, *_: object) -> None:
        """What the menu offers now."""
        workspace = self._context.workspace
        source = workspace.model_source
        name = source.name if source is not None else "opening\u2026"
        address = source.address if source is not None else ""
        self._header.set_sources(
            name, address, workspace.run, models_among(self._context.settings.recent)
        )

    def open(self, source: Any) -> None:
        tasks.spawn(self._opened(source), self._pane)

    async def _opened(self, source: Any) -> None:
        try:
            shown = await self._context.workspace.open_model(source)
        except (ValueError, OSError) as error:
            errors.report(error, f"opening {source.name}", errors.MODEL)
            return
        if shown:
            errors.retire(errors.MODEL)
            if type(source) is FolderSource:
                self._context.settings.remember(str(Path(source.address).resolve()))

    def _on_bundled(self) -> None:
        self.open(BundledSource(self._context.engine))

    def _on_folder(self, path: str) -> None:
        if path:
            self.open(FolderSource(self._context.engine, path))
        else:
            window: QWidget = self._pane.window()
            ask_folder(window, "Open a checkpoint's folder", self._on_folder)  # type: ignore[arg-type]

    def _on_live(self) -> None:
        run = self._context.workspace.run
        if run is not None:
            self.open(self._context.runs.source(run))
