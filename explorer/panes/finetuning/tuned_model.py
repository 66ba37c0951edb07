"""The fine-tuned model that the modes share: the bundled one by default."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from core.fields import field
from explorer.engine.latest import Latest
from explorer.panes.base import Context
from explorer.runs.sources import FolderSource, model_name
from explorer.runs.tuned_models import BUNDLED, method_of, tuned_models
from explorer.state.draft import Draft


@dataclass(frozen=True)
class TunedDraft:
    """address: "questions", the folder of an adapter or of a fine-tuning run's checkpoint."""

    address: str = field(BUNDLED, shortest=1)


class TunedModel(QObject):
    """Opens a fine-tuned model for all modes.

    Emits `opened(source)` when a model is ready, `failed(message)` when it cannot be opened, and
    keeps the previous one then. Emits `listed(models)` after `look`, with the models found.
    """

    opened = Signal(object)
    failed = Signal(str)
    listed = Signal(object)  # list[Tuned]

    def __init__(self, context: Context, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self.source: FolderSource | None = None
        self.draft = Draft(context.workspace, "finetuning.model", TunedDraft, self)
        self._opens = Latest(context.engine, self)
        self._opens.came.connect(self._on_opened)
        self._opens.failed.connect(self.failed)
        self._lists = Latest(context.engine, self)
        self._lists.came.connect(self.listed)
        self.draft.changed.connect(lambda _: self.open())

    def open(self) -> None:
        """Opens the draft's model, unless it is open."""
        address = self.draft.value.address
        if self.source is None or self.source.address != address:
            source = FolderSource(self._context.engine, address)
            self._opens.ask(source.opened, f"opening {source.name}")

    def look(self) -> None:
        """Finds the fine-tuned models on this machine."""
        context, opened = self._context, [self.draft.value.address, *self._context.settings.recent]
        listing = partial(context.engine.io, tuned_models, context.runs.folder(), opened)
        self._lists.ask(listing, "looking for fine-tuned models", is_told=False)

    def choose(self, address: str) -> None:
        """Chooses another fine-tuned model, undoably. Its folder is listed from now on."""
        context, is_known = self._context, method_of(address) is not None
        if is_known and context.runs.folder() not in Path(address).parents:
            context.settings.remember(address)
        self.draft.change({"address": address}, f"Look at the model {model_name(address)}")

    def _on_opened(self, source: FolderSource) -> None:
        before, self.source = self.source, source
        self.opened.emit(source)
        if before is not None:
            before.close()
