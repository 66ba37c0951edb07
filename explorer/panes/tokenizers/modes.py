"""The modes of the tokenizers pane and their shared objects."""

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
    """The objects shared by all modes, including the catalogue of tokenizers."""

    catalogue: Catalogue


class Mode(modes.Mode):
    """A mode of the pane, which may accept dropped files."""

    takes: tuple[str, ...] = ()  # keys of `take` for dropped files

    filesDropped = Signal(list)  # paths, dropped on a widget that accepts files itself

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(desk, parent)
        self.catalogue = desk.catalogue

    def take_tokenizers(self, paths: Sequence[str]) -> bool:
        """Handles dropped tokenizer files; returns False if this mode does not accept them."""
        if "files" in self.takes:
            self.take({"files": list(paths)})
        elif "tokenizer" in self.takes:
            self.take({"tokenizer": self.catalogue.add_file(paths[-1])})
        else:
            return False
        return True

    def take_text(self, path: str, text: str, note: str = "") -> bool:
        """Handles a dropped text; returns False if this mode has no text. `note` is on decoding."""
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
    """Returns the modes whose module exists."""
    return those_there(MODES)
