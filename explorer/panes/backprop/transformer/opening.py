"""Another model for the mode: the bundled one, a checkpoint's folder, the model of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from explorer import errors, tasks
from explorer.dialogs import ask_folder
from explorer.sources import BundledSource, FolderSource, models_among

if TYPE_CHECKING:
    from explorer.panes.backprop.transformer.mode import TransformerMode


class Opening(QObject):
    """Connects the header's menu with the workspace's model."""

    def __init__(self, mode: TransformerMode) -> None:
        super().__init__(mode)
        self._mode = mode
        header, workspace = mode.inputs, mode.workspace
        header.bundledRequested.connect(self.open_bundled)
        header.folderRequested.connect(self.open_folder)
        header.liveRequested.connect(self.open_live)
        header.source.menuOpening.connect(self.refresh)
        workspace.modelChanged.connect(self.refresh)
        workspace.runChanged.connect(self.refresh)
        self.refresh()

    def refresh(self, *_: object) -> None:
        """What the menu offers now."""
        workspace, settings = self._mode.workspace, self._mode.context.settings
        source = workspace.model_source
        name = source.name if source is not None else "opening\u2026"
        address = getattr(source, "address", "")
        self._mode.inputs.set_sources(name, address, workspace.run, models_among(settings.recent))

    def open(self, source: Any) -> None:
        tasks.spawn(self._opened(source), self._mode)

    async def _opened(self, source: Any) -> None:
        try:
            shown = await self._mode.workspace.open_model(source)
        except (ValueError, OSError) as error:
            errors.report(error, f"opening {source.name}", errors.MODEL)
            return
        if shown:
            errors.retire(errors.MODEL)
            if type(source) is FolderSource:
                self._mode.context.settings.remember(str(Path(source.address).resolve()))

    def open_bundled(self) -> None:
        self.open(BundledSource(self._mode.engine))

    def open_folder(self, path: str = "") -> None:
        if path:
            self.open(FolderSource(self._mode.engine, path))
        else:
            ask_folder(self._mode.view.window(), "Open a checkpoint's folder", self.open_folder)

    def open_live(self) -> None:
        run = self._mode.workspace.run
        if run is not None:
            self.open(self._mode.context.runs.source(run))
