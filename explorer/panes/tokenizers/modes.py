"""The modes of the tokenizers pane, and what each of them is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from explorer.panes import modes
from explorer.panes.modes import ModeSpec, those_there

if TYPE_CHECKING:
    from explorer.panes.tokenizers.catalogue import Catalogue


@dataclass(frozen=True)
class Desk(modes.Desk):
    """What all modes share, the catalogue of tokenizers among it."""

    catalogue: Catalogue


class Mode(modes.Mode):
    """A mode of the pane; it may take files that are dropped."""

    takes: tuple[str, ...] = ()  # wishes for `take` that a dropped file becomes

    filesDropped = Signal(list)  # paths, on a part of the picture that takes files itself

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(desk, parent)
        self.catalogue = desk.catalogue

    def take_tokenizers(self, paths: Sequence[str]) -> bool:
        """Files of tokenizers were dropped; False where this mode has no place for them."""
        if "files" in self.takes:
            self.take({"files": list(paths)})
        elif "tokenizer" in self.takes:
            self.take({"tokenizer": self.catalogue.add_file(paths[-1])})
        else:
            return False
        return True

    def take_text(self, path: str, text: str, note: str = "") -> bool:
        """A text was dropped; False where this mode has no text. note: how the file was read."""
        if "text" in self.takes:
            self.take({"text": text, "note": note})
        elif "corpus" in self.takes:
            self.take({"corpus": path})
        else:
            return False
        return True


MODES: tuple[ModeSpec, ...] = (
    ModeSpec("compare", "Compare", "explorer.panes.tokenizers.compare.mode"),
    ModeSpec("train", "Train", "explorer.panes.tokenizers.train.mode"),
    ModeSpec("inside", "Inside", "explorer.panes.tokenizers.inside.mode"),
    ModeSpec("languages", "Languages", "explorer.panes.tokenizers.languages.mode"),
)


def built() -> tuple[ModeSpec, ...]:
    """The modes whose module is there; others are not shown."""
    return those_there(MODES)
