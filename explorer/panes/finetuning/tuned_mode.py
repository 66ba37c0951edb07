"""A mode that shows the pane's fine-tuned model."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QMenu, QWidget

from core import finetuning
from explorer.engine import errors
from explorer.panes.attention_link import show_head
from explorer.panes.prompt_mode import SourceMode
from explorer.runs.sources import FolderSource
from explorer.runs.tuned_models import Tuned, adapters_beside
from explorer.widgets.boxes import name_parts, wrap
from explorer.widgets.dialogs import ask_folder
from explorer.widgets.drop_down import DropDown
from explorer.widgets.prompt_line import PromptLine

MODEL_HELP = "Choose a fine-tuned model; those tuned with LoRA come first"
OPEN, FOLDER = "Open a folder\u2026", "The folder of a fine-tuned model or of an adapter"


class TunedInputs(QWidget):
    """The choice of a fine-tuned model and one of its matrices, and the text that it reads."""

    def __init__(
        self, name: str, reads: str, button: QWidget, matrix: DropDown | None = None
    ) -> None:
        super().__init__()
        self.model, self.matrix = DropDown("Fine-tuned model", MODEL_HELP), matrix
        self.line = PromptLine()
        self.line.setAccessibleName(reads)
        self.line.setToolTip(reads)
        name_parts(self, name, "model", "line", *(["matrix"] if matrix else []))
        wrap(self.model, *([matrix] if matrix else []), self.line, button, of=self)


class TunedMode(SourceMode):
    """Opens the model when it is first shown; for another model, it resets and reads again. If that
    one cannot be opened, the previous one stays.
    """

    second_title: str  # of the menu of second adapters

    def take_second(self, folder: str) -> None:
        """Takes the chosen second adapter."""

    def ask_second(self, beside: QWidget) -> None:
        """Opens the menu of second adapters below a button."""
        self.second_menu.popup(beside.mapToGlobal(QPoint(0, beside.height())))

    def _on_listed(self, models: list[Tuned]) -> None:
        address = self.desk.tuned.draft.value.address  # type: ignore[attr-defined]
        items = [(one.name, one.address) for one in models]
        self.inputs.model.fill([*items, (OPEN, "")], address)
        self.second_menu.clear()
        for one in adapters_beside(models, address):
            self.second_menu.addAction(one.name, partial(self.take_second, one.address))
        ask = partial(ask_folder, self.view.window(), FOLDER, self.take_second)
        self.second_menu.addAction(OPEN, ask)

    def _on_picked(self, address: str) -> None:
        tuned = self.desk.tuned  # type: ignore[attr-defined]
        if address:
            tuned.choose(address)
        else:
            tuned.look()  # nothing changes until the user chooses one
            ask_folder(self.view.window(), FOLDER, tuned.choose)

    async def show_head(self, read: str, *head: int) -> None:
        """Shows a head of the tuned model in Attention; by default the one that changed most."""
        source = FolderSource(self.engine, self.source.address)
        if await show_head(self.workspace, source, read, *head):
            which = "Layer {}, head {}".format(*head) if head else "Heads"
            self.statusRequested.emit(f"{which} of {source.name}")

    async def warn_of_base(self, adapter: str) -> None:
        """Warns if the adapter in this folder was trained on another base; it is still used."""
        if not adapter:
            return  # the second one was taken away, perhaps while no model is open
        asked = finetuning.base_warning, self.source.address, adapter
        if warning := await self.engine.io(*asked):
            self.statusRequested.emit(warning)

    def begin(self) -> None:
        super().begin()
        self.second_menu, tuned = QMenu(self.second_title, self.view), self.desk.tuned  # type: ignore[attr-defined]
        self.inputs.model.picked.connect(self._on_picked)
        tuned.listed.connect(self._on_listed)
        tuned.opened.connect(self._on_model)
        tuned.failed.connect(self._on_not_opened)
        self.view.body.show_loading()

    def shown(self) -> None:
        self.desk.tuned.look()  # type: ignore[attr-defined]
        self.take_model(self.desk.tuned.source)  # type: ignore[attr-defined]
        super().shown()

    def read(self) -> None:
        if self.active and self.source is None:
            self.desk.tuned.open()  # type: ignore[attr-defined]
        super().read()

    def _on_model(self, source: Any) -> None:
        self.take_model(source)
        self.desk.tuned.look()  # type: ignore[attr-defined]
        self.read()

    def _on_not_opened(self, message: str) -> None:
        if self.source is None:
            self._on_failed(message)
        elif self.active:
            errors.report(ValueError(message), "opening a fine-tuned model", errors.MODEL)
