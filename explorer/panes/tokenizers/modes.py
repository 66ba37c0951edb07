"""What a mode of the tokenizers pane is, and which there are. A mode is data until it is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from explorer.panes.base import Context, Face, is_there
from explorer.player import Player
from explorer.tracks import Track

if TYPE_CHECKING:
    from explorer.panes.tokenizers.catalogue import Catalogue


@dataclass(frozen=True)
class Desk:
    """What all modes share: the context of the pane, its tokenizers, its one player."""

    context: Context
    catalogue: Catalogue
    player: Player


class Mode(Face, QObject):
    """One of the pane's four faces. Exactly one is shown at a time; the pane asks that one.

    Only the shown mode's tracks are bound to the player, and only it hears of the player: through
    `on_position`, `on_step`, `on_playing` and `on_more`, so that a mode connects to no signal of
    the player itself. Its actions are enabled only while `active`.
    """

    id = ""
    title = ""
    teaches = ""
    takes: tuple[str, ...] = ()  # wishes for `take` that a dropped file becomes

    inspection = Signal(object)  # Inspection
    headlineChanged = Signal(str)
    statusRequested = Signal(str)  # a short message for the status bar
    trackChanged = Signal(bool)  # other tracks; True keeps the cursor where it is
    modeRequested = Signal(str, object)  # the id of another mode, and a wish for its `take`
    filesDropped = Signal(list)  # paths, on a part of the picture that takes files itself

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"tokenizers.{self.id}")
        self.desk = desk
        self.context = desk.context
        self.engine = desk.context.engine
        self.workspace = desk.context.workspace
        self.catalogue = desk.catalogue
        self.player = desk.player
        self.active = False  # the pane sets it: this mode is the one that is shown
        self._headline = self.teaches
        self._tracks: list[Track] = []

    # what the pane asks

    def widget(self) -> QWidget:
        """The mode's whole picture: the same widget at every call."""
        raise TypeError(f"the mode {self.id} has no widget: it must build one")

    def take(self, wish: dict[str, Any]) -> None:
        """Another mode has sent a person here: what is to be shown."""

    def take_tokenizers(self, paths: Sequence[str]) -> bool:
        """Files of tokenizers were dropped; False where this mode has no place for them."""
        if "files" in self.takes:
            self.take({"files": list(paths)})
        elif "tokenizer" in self.takes:
            self.take({"tokenizer": self.catalogue.add_file(paths[-1])})
        else:
            return False
        return True

    def take_text(self, path: str, text: str) -> bool:
        """A text was dropped; False where this mode has no text."""
        if "text" in self.takes:
            self.take({"text": text})
        elif "corpus" in self.takes:
            self.take({"corpus": path})
        else:
            return False
        return True

    def inspect(self) -> None:
        """Tells the inspector anew what is seen."""

    # what the player does while this mode is shown

    def on_position(self, position: float) -> None:
        """The cursor has moved; the fraction is the progress of a transition."""

    def on_step(self, step: int) -> None:
        """Another step is the one people are told about."""
        self.inspect()

    def on_playing(self, playing: bool) -> None:
        """Playing has begun or ended."""

    def on_more(self) -> None:
        """The cursor stands at the end of a track that may grow."""

    # for subclasses

    @property
    def tracks(self) -> list[Track]:
        return self._tracks

    def set_tracks(self, tracks: Sequence[Track], *, keep_position: bool = False) -> None:
        """Another thing to play; the player takes it at once, or when this mode is shown."""
        self._tracks = list(tracks)
        self.trackChanged.emit(keep_position)

    def grown(self) -> None:
        """The tracks have more steps, or other titles."""
        if self.active:
            self.player.refresh()


@dataclass(frozen=True)
class ModeSpec:
    """`module` is where `create(desk, parent)` is found."""

    id: str
    title: str
    module: str

    def create(self, desk: Desk, parent: QObject) -> Mode:
        return import_module(self.module).create(desk, parent)


MODES: tuple[ModeSpec, ...] = (
    ModeSpec("compare", "Compare", "explorer.panes.tokenizers.compare.mode"),
    ModeSpec("train", "Train", "explorer.panes.tokenizers.train.mode"),
    ModeSpec("inside", "Inside", "explorer.panes.tokenizers.inside.mode"),
    ModeSpec("languages", "Languages", "explorer.panes.tokenizers.languages.mode"),
)


def built() -> tuple[ModeSpec, ...]:
    """The modes whose module is there; others are not shown."""
    return tuple(spec for spec in MODES if is_there(spec.module))
