"""What a mode of a pane is: one of several faces that share a player. A mode is data until built.

A pane that has modes is a `ModedPane` (moded.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from explorer.panes.base import Context, Face, is_there
from explorer.state.actions import Action
from explorer.state.player import Player
from explorer.state.tracks import Track


@dataclass(frozen=True)
class Desk:
    """What all modes of a pane share: its name, its context, its one player."""

    pane: str
    context: Context
    player: Player


class Mode(Face, QObject):
    """One of a pane's faces. Exactly one is shown at a time; the pane asks that one.

    Only the shown mode's tracks are bound to the player, and only it hears of the player: through
    `on_position`, `on_step`, `on_playing`, `on_live` and `on_more`, so that a mode connects to no
    signal of the player itself. Its actions are enabled only while `active`.
    """

    id = ""
    title = ""
    teaches = ""

    inspection = Signal(object)  # Inspection
    headlineChanged = Signal(str)
    statusRequested = Signal(str)  # a short message for the status bar
    trackChanged = Signal(bool)  # other tracks; True keeps the cursor where it is
    modeRequested = Signal(str, object)  # the id of another mode, and a wish for its `take`

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"{desk.pane}.{self.id}")
        self.desk = desk
        self.context = desk.context
        self.engine = desk.context.engine
        self.workspace = desk.context.workspace
        self.player = desk.player
        self.active = False  # the pane sets it: this mode is the one that is shown
        self._headline = self.teaches
        self._tracks: list[Track] = []

    # what the pane asks

    def widget(self) -> QWidget:
        """The mode's whole picture: the same widget at every call."""
        if not hasattr(self, "view"):
            raise TypeError(f"the mode {self.id} has no widget: it must build one")
        return self.view

    def input_strip(self) -> QWidget | None:
        """Its inputs, where it has some."""
        return getattr(self, "inputs", None)

    @property
    def file_stem(self) -> str:
        return self.desk.pane

    def actions(self) -> list[Action]:
        """Those of `commands.py` in the mode's folder, where there is one."""
        found = self._beside("commands")
        return list(found.commands(self)) if found is not None else []

    def views(self) -> dict[str, Callable[[], Any]]:
        """Those of `demo.py` in the mode's folder; without one, as it is when it is opened."""
        found = self._beside("demo")
        return dict(found.views(self)) if found is not None else {"first": lambda: None}

    def _beside(self, name: str) -> Any:
        """A module of the mode's folder; None where there is none."""
        module = f"{type(self).__module__.rpartition('.')[0]}.{name}"
        return import_module(module) if is_there(module) else None

    def take(self, wish: dict[str, Any]) -> None:
        """Another mode has sent a person here: what is to be shown."""

    def inspect(self) -> None:
        """Tells the inspector anew what is seen."""

    async def settled(self) -> None:
        """As a pane's; also flushes what the inspector is about to show."""
        await super().settled()
        self.inspect()

    # what the player does while this mode is shown

    def on_position(self, position: float) -> None:
        """The cursor has moved; the fraction is the progress of a transition."""

    def on_step(self, step: int) -> None:
        """Another step is the one people are told about."""
        self.inspect()

    def on_playing(self, playing: bool) -> None:
        """Playing has begun or ended."""

    def on_live(self, live: bool) -> None:
        """The cursor has come to the live edge, or left it."""

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

    @property
    def step_shown(self) -> Any:
        """What the player shows of this mode's tracks; None while it shows nothing of them."""
        track, at = self.player.track, self.player.step
        is_there = self.active and bool(self._tracks) and track is not None and at < track.length
        return track.item(at) if is_there and track is not None else None

    def action(
        self,
        name: str,
        title: str,
        run: Callable[[], object],
        key: str = "",
        help: str = "",
        can: Callable[[], bool] = lambda: True,
    ) -> Action:
        """One that is enabled while this mode is shown and it `can` be done."""
        id = f"{self.desk.pane}.{self.id}.{name}"
        return Action(id, title, run, key, lambda: self.active and can(), help=help)

    def grown(self) -> None:
        """The tracks have more steps, or other titles."""
        if self.active:
            self.player.refresh()


@dataclass(frozen=True)
class ModeSpec:
    """`module` has the class of that title: "Generate" is a GenerateMode."""

    id: str
    title: str
    module: str

    def create(self, desk: Any, parent: QObject) -> Mode:
        return getattr(import_module(self.module), f"{self.title}Mode")(desk, parent)


def those_there(specs: Sequence[ModeSpec]) -> tuple[ModeSpec, ...]:
    """The modes whose module is there; others are not shown."""
    return tuple(spec for spec in specs if is_there(spec.module))
