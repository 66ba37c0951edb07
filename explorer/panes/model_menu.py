"""The menu of the models that a pane can show: the bundled one, a checkpoint's, that of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMenu, QWidget

from explorer.engine import errors, tasks
from explorer.panes.base import Context
from explorer.runs.run_source import RunSource
from explorer.runs.sources import BundledSource, FolderSource, models_among
from explorer.widgets.dialogs import ask_folder

MOST_RECENT = 5  # folders that were opened lately


class ModelMenu(QObject):
    """Fills a menu, and opens what is chosen there as the workspace's model, for `owner`.

    `of_run` is what the model of a run is called. `named(name, address)`: so the button of the menu
    may say which model it is; call `refresh` once that is connected.
    """

    named = Signal(str, str)

    def __init__(self, context: Context, menu: QMenu, of_run: str, owner: QObject) -> None:
        super().__init__(owner)
        self._context, self._menu, self._of_run = context, menu, of_run
        menu.setToolTipsVisible(True)
        menu.aboutToShow.connect(self.refresh)
        context.workspace.modelChanged.connect(self._on_model)
        context.workspace.runChanged.connect(self.refresh)

    def refresh(self, *_: object) -> None:
        """What can be opened now."""
        run = self._context.workspace.run
        menu = self._menu
        menu.clear()
        menu.addAction("The bundled model", self.open_bundled)
        live = menu.addAction(f"{self._of_run} of {Path(run).name if run else 'a run'}")
        live.triggered.connect(self.open_live)
        live.setEnabled(run is not None)
        if run is None:
            live.setToolTip("Start or open a run in the training pane first")
        menu.addSeparator()
        menu.addAction("Open a checkpoint folder\u2026", self.open_folder)
        for path in models_among(self._context.settings.recent)[:MOST_RECENT]:
            recent = menu.addAction(Path(path).name, lambda path=path: self.open_folder(path))
            recent.setToolTip(path)
        self._tell_name()

    def _on_model(self, source: Any) -> None:
        if isinstance(source, RunSource):
            source.renamed.connect(self._tell_name)
        self.refresh()

    def _tell_name(self) -> None:
        source = self._context.workspace.model_source
        name = source.name if source is not None else "opening\u2026"
        self.named.emit(name, getattr(source, "address", ""))

    def open_bundled(self) -> None:
        self._open(BundledSource(self._context.engine))

    def open_folder(self, path: str = "") -> None:
        """A checkpoint's folder; it asks for one where none is given."""
        if path:
            self._open(FolderSource(self._context.engine, path))
        else:
            window = self._menu.parentWidget()
            assert isinstance(window, QWidget)
            ask_folder(window.window(), "Open a checkpoint's folder", self.open_folder)

    def open_live(self) -> None:
        run = self._context.workspace.run
        if run is not None:
            self._open(self._context.runs.source(run))

    def _open(self, source: Any) -> None:
        tasks.spawn(self._opened(source), self.parent())

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
