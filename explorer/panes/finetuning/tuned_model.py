"""The fine-tuned model that the modes look at: the bundled one, until there is another."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from core.fields import field
from core.files import read_json
from core.finetuning.settings import FINETUNING, METHODS
from core.training.records import MANIFEST, checkpoints_of
from explorer.engine.latest import Latest
from explorer.panes.base import Context
from explorer.runs.folders import run_folders
from explorer.runs.sources import FolderSource, model_name
from explorer.state.draft import Draft

BUNDLED = "questions"  # core.load's name of the bundled model with its adapter


@dataclass(frozen=True)
class TunedDraft:
    """address: "questions", the folder of an adapter or of a fine-tuning run's checkpoint."""

    address: str = field(BUNDLED, shortest=1)


@dataclass(frozen=True)
class Tuned:
    """A fine-tuned model that is here: its address, its name, and the method that tuned it."""

    address: str
    name: str
    method: str = METHODS[0]


def tuned_models(runs: Path, opened: Sequence[str]) -> list[Tuned]:
    """The bundled one, the newest checkpoint of each run in a folder, and those of the folders that
    were opened; those with an A and a B come first.
    """
    found = [Tuned(BUNDLED, BUNDLED)]
    for folder in run_folders(runs):
        with suppress(ValueError, OSError, KeyError, TypeError):
            config = read_json(folder / MANIFEST)["config"]
            if config["task"] == FINETUNING and (kept := checkpoints_of(folder)):
                newest = str(kept[max(kept)])
                found.append(Tuned(newest, model_name(newest), config["settings"]["method"]))
    for address in opened:
        if (method := method_of(address)) is not None:
            found.append(Tuned(address, model_name(address), method))
    known: dict[str, Tuned] = {}
    for one in found:
        known.setdefault(one.address, one)
    return sorted(known.values(), key=lambda one: one.method != METHODS[0])


def method_of(address: str) -> str | None:
    """What a folder's model was tuned by; None: it was not."""
    folder = Path(address)
    with suppress(ValueError, OSError, KeyError, TypeError):
        if (folder / "config.json").is_file():
            return str(read_json(folder / "config.json")["finetuning"]["method"])
        if (folder / "adapter_config.json").is_file():
            return METHODS[0]
    return None


class TunedModel(QObject):
    """Opens a fine-tuned model, and holds it for all modes.

    `opened(source)` when another one can be asked; `failed(message)` when it cannot be opened: then
    the one before stays. `listed(models)` after `look`: those that are here.
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
        """Opens what the draft names, unless it is open."""
        address = self.draft.value.address
        if self.source is None or self.source.address != address:
            self._opens.ask(lambda: self._open(address), f"opening {model_name(address)}")

    def look(self) -> None:
        """Which fine-tuned models are here now."""
        context, opened = self._context, [self.draft.value.address, *self._context.settings.recent]
        listing = partial(context.engine.io, tuned_models, context.runs.folder(), opened)
        self._lists.ask(listing, "looking for fine-tuned models", is_told=False)

    def choose(self, address: str, text: str = "") -> None:
        """Another fine-tuned model: an undoable change. A folder is listed from now on."""
        context, is_known = self._context, method_of(address) is not None
        if is_known and context.runs.folder() not in Path(address).parents:
            context.settings.remember(address)
        name = model_name(address)
        self.draft.change({"address": address}, text or f"Look at the fine-tuned model {name}")

    async def _open(self, address: str) -> Any:
        source = FolderSource(self._context.engine, address)
        try:
            await source.open()
        except BaseException:
            source.close()
            raise
        return source

    def _on_opened(self, source: FolderSource) -> None:
        before, self.source = self.source, source
        self.opened.emit(source)
        if before is not None:
            before.close()
