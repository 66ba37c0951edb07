"""The menu of models that a pane can open: bundled, real, from a checkpoint, from a run."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMenu, QWidget

from core.memory import LargeModelError
from explorer.engine import errors, tasks
from explorer.panes.base import Context
from explorer.runs.hub_models import REAL, REAL_TITLE, has_real
from explorer.runs.run_source import RunSource
from explorer.runs.sources import BUNDLED, BundledSource, FolderSource, model_name, models_among
from explorer.widgets.dialogs import ask_file, ask_folder, ask_line

MOST_RECENT = 5  # recently opened folders
EXAMPLE = "openai-community/gpt2"
NAME_OF_HUB = "A model of the Hugging Face hub, as owner/name:"


class ModelMenu(QObject):
    """Fills a menu, and opens the chosen model as the workspace's, on behalf of `owner`.

    `of_run` is the name of a run's model. `named(name, address)` reports the model that the menu's
    button should show; call `refresh` after connecting it.
    """

    named = Signal(str, str)

    def __init__(self, context: Context, menu: QMenu, of_run: str, owner: QObject) -> None:
        super().__init__(owner)
        self._context, self._menu, self._of_run = context, menu, of_run
        self._hub = context.hub_models
        self._hub.progressed.connect(self._tell_name)
        self._hub.listed.connect(self.refresh)
        self._tuned: FolderSource | None = None  # the last fine-tuned model
        self._here = QMenu("Downloaded models", menu)
        self._here.setToolTipsVisible(True)
        menu.setToolTipsVisible(True)
        menu.aboutToShow.connect(self._on_opening)
        context.workspace.modelChanged.connect(self._on_model)
        context.workspace.runChanged.connect(self.refresh)

    def _on_opening(self) -> None:
        self.refresh()
        if tasks.in_loop():
            tasks.spawn(self._hub.look(), self.parent())

    def refresh(self, *_: object) -> None:
        """Fills the menu with the models that can be opened now."""
        run = self._context.workspace.run
        menu = self._menu
        menu.clear()
        menu.addAction("The bundled model", self.open_bundled)
        self._add_tuned(menu)
        live = menu.addAction(f"{self._of_run} of {Path(run).name if run else 'a run'}")
        live.triggered.connect(self.open_live)
        live.setEnabled(run is not None)
        if run is None:
            live.setToolTip("Start or open a run in the training pane first")
        self._add_real(menu)
        menu.addSeparator()
        menu.addAction("Open a model folder\u2026", self.open_folder)
        menu.addAction("Open a GGUF file\u2026", self.ask_for_file)
        for path in models_among(self._context.settings.recent)[:MOST_RECENT]:
            recent = menu.addAction(Path(path).name, lambda path=path: self.open_folder(path))
            recent.setToolTip(path)
        self._tell_name()

    def _add_tuned(self, menu: QMenu) -> None:
        """Adds the base of a fine-tuned model, or the way back."""
        source, tuned = self._context.workspace.model_source, self._tuned
        if tuned is None or tuned.base is None or source is None:
            return
        if source.address == tuned.address:
            menu.addAction(f"Before fine-tuning: {model_name(tuned.base)}", self.open_base)
        elif source.address == tuned.base:
            again = partial(self.open_folder, tuned.address)
            menu.addAction(f"After fine-tuning: {tuned.name}", again)

    def open_base(self) -> None:
        """Opens the base of the last fine-tuned model."""
        if self._tuned is None or self._tuned.base is None:
            return
        if self._tuned.base == BUNDLED:
            self.open_bundled()
        else:
            self.open_folder(self._tuned.base)

    def _add_real(self, menu: QMenu) -> None:
        """Adds real models; those not on this computer are downloaded first."""
        if self._hub.here:
            self._here.clear()
            for name in self._hub.here:
                self._here.addAction(name, partial(self.open_folder, name))
            menu.addMenu(self._here)
        if self._hub.coming:
            menu.addAction(self._hub.offer, self._hub.cancel)
            return
        offer = menu.addAction(self.real_offer, self.open_real)
        offer.setToolTip("A small real model of 135 million parameters, by Hugging Face")
        for name in self._hub.begun:
            menu.addAction(f"Get the rest of {name}", partial(self.get, name))
        menu.addAction("From the Hugging Face hub\u2026", self.ask_for_name)

    @property
    def real_offer(self) -> str:
        """The title of `open_real` for a button, with the size of a necessary download."""
        return f"Open {REAL_TITLE}" if has_real() else self._hub.offer

    def open_real(self) -> None:
        """Opens the small real model, after downloading it if necessary."""
        if has_real():
            self.open_folder(REAL)
        else:
            self.get(REAL)

    def ask_for_name(self) -> None:
        """Asks which model of the hub to download."""
        ask_line(self._window, "Get a model", NAME_OF_HUB, "Get", self.get, EXAMPLE)

    def get(self, name: str, dtype: str | None = None) -> None:
        """Downloads a model of the hub, then opens it; the menu's button shows the progress.

        dtype  the one that the user has accepted; None asks first if the model needs much memory
        """
        if name := name.strip():
            tasks.spawn(self._get(name, dtype), self.parent())

    async def _get(self, name: str, dtype: str | None) -> None:
        title = REAL_TITLE if name == REAL else name.rpartition("/")[2]
        try:
            came = await self._hub.get(name, title, large=dtype is not None)
        except LargeModelError as error:
            self._context.workspace.modelIsLarge.emit(name, error, partial(self.get, name))
        except (ValueError, OSError) as error:
            errors.report(error, f"getting {name}", errors.MODEL)
        else:
            if came:
                self.open(FolderSource(self._context.engine, name, dtype=dtype))

    def _on_model(self, source: Any) -> None:
        if isinstance(source, RunSource):
            source.renamed.connect(self._tell_name)
        if getattr(source, "base", None) is not None:
            self._tuned = source
        self.refresh()

    def _tell_name(self) -> None:
        source = self._context.workspace.model_source
        name = source.name if source is not None else "opening\u2026"
        if getattr(source, "base", None) is not None:
            name = f"{name} (fine-tuned)"
        if self._hub.coming:
            name = f"{self._hub.share} of {self._hub.coming}"
        self.named.emit(name, getattr(source, "address", ""))

    def open_bundled(self) -> None:
        self.open(BundledSource(self._context.engine))

    def open_folder(self, path: str = "") -> None:
        """Opens a model by its folder, file or name; without one, asks for a folder."""
        if path:
            self.open(FolderSource(self._context.engine, path))
        else:
            ask_folder(self._window, "Open a model's folder", self.open_folder)

    def ask_for_file(self) -> None:
        """Asks for a file of llama.cpp and its relatives."""
        ask_file(self._window, "Open a GGUF file", self.open_folder, "GGUF (*.gguf)")

    @property
    def _window(self) -> QWidget:
        button = self._menu.parentWidget()
        assert isinstance(button, QWidget)
        return button.window()

    def open_live(self) -> None:
        run = self._context.workspace.run
        if run is not None:
            self.open(self._context.runs.source(run))

    def open(self, source: Any) -> None:
        """Opens the model of a source."""
        tasks.spawn(self._opened(source), self.parent())

    async def _opened(self, source: Any) -> None:
        try:
            shown = await self._context.workspace.open_model(source)
        except (ValueError, OSError) as error:
            errors.report(error, f"opening {source.name}", errors.MODEL)
            return
        if shown:
            errors.retire(errors.MODEL)
            if type(source) is FolderSource and Path(source.address).exists():
                self._context.settings.remember(str(Path(source.address).resolve()))
