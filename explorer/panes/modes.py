"""A mode of a pane: one of several pictures that share a player. A mode is data until it is built.

A pane with modes is a `ModedPane` (moded.py).
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
    """The things that all modes of a pane share: its name, its context, its one player."""

    pane: str
    context: Context
    player: Player


class Mode(Face, QObject):
    """One of a pane's modes. Exactly one is shown at a time, and the pane calls only that one.

    Only the shown mode's tracks are bound to the player, and only it is called on the player's
    changes: through `on_position`, `on_step`, `on_playing`, `on_live` and `on_more`, so that a mode
    connects to no signal of the player itself. Its actions are enabled only while `active`.
    """

    id = ""
    title = ""
    teaches = ""

    inspection = Signal(object)  # Inspection
    headlineChanged = Signal(str)
    statusRequested = Signal(str)  # short message for the status bar
    trackChanged = Signal(bool)  # new tracks; True keeps the cursor's position
    freshnessChanged = Signal()  # `is_stale` or what is waited for
    modeRequested = Signal(str, object)  # id of another mode, wish for its `take`

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"{desk.pane}.{self.id}")
        self.desk = desk
        self.context = desk.context
        self.engine = desk.context.engine
        self.workspace = desk.context.workspace
        self.player = desk.player
        self.active = False  # True while this mode is shown; the pane sets it
        self._headline = self.teaches
        self._tracks: list[Track] = []

    # called by the pane

    def widget(self) -> QWidget:
        """Returns the mode's whole picture, always the same widget."""
        if not hasattr(self, "view"):
            raise TypeError(f"the mode {self.id} has no widget: it must build one")
        return self.view

    def input_strip(self) -> QWidget | None:
        """Returns the mode's inputs, if it has any."""
        return getattr(self, "inputs", None)

    @property
    def file_stem(self) -> str:
        return self.desk.pane

    def actions(self) -> list[Action]:
        """Returns the actions of `commands.py` in the mode's folder, if there is one."""
        found = self._beside("commands")
        return list(found.commands(self)) if found is not None else []

    def views(self) -> dict[str, Callable[[], Any]]:
        """Returns the views of `demo.py` in the mode's folder; without one, its initial state."""
        found = self._beside("demo")
        return dict(found.views(self)) if found is not None else {"first": lambda: None}

    def take(self, wish: dict[str, Any]) -> None:
        """Shows what another mode asks for when it sends the user here."""

    def inspect(self) -> None:
        """Updates the inspector."""

    async def settled(self) -> None:
        """Waits as a pane does; also flushes a pending update of the inspector."""
        await super().settled()
        self.inspect()

    # called by the player while this mode is shown

    def on_position(self, position: float) -> None:
        """Called when the cursor moves; the fraction is the progress of a transition."""

    def on_step(self, step: int) -> None:
        """Called when the texts should describe another step."""
        self.inspect()

    def on_playing(self, playing: bool) -> None:
        """Called when playing starts or stops."""

    def on_live(self, live: bool) -> None:
        """Called when the cursor reaches or leaves the live edge."""

    def on_more(self) -> None:
        """Called when the cursor is at the end of a track that may grow."""

    # for subclasses

    @property
    def tracks(self) -> list[Track]:
        return self._tracks

    def set_tracks(self, tracks: Sequence[Track], *, keep_position: bool = False) -> None:
        """Sets the tracks; the player takes them at once, or when this mode is shown."""
        self._tracks = list(tracks)
        self.trackChanged.emit(keep_position)

    @property
    def step_shown(self) -> Any:
        """The item of this mode's tracks at the player's cursor, or None."""
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
        """Returns an action that is enabled while this mode is shown and `can` returns True."""
        id = f"{self.desk.pane}.{self.id}.{name}"
        return Action(id, title, run, key, lambda: self.active and can(), help=help)

    def _on_freshness(self) -> None:
        super()._on_freshness()
        self._mark_tracks([*self._tracks, *(self.player.tracks if self.active else ())])
        self.grown()
        self.freshnessChanged.emit()

    def grown(self) -> None:
        """Reports that the tracks have more steps, or other titles."""
        if self.active:
            self.player.refresh()


@dataclass(frozen=True)
class ModeSpec:
    """A mode's name and module; the title "Generate" stands for its class GenerateMode."""

    id: str
    title: str
    module: str

    def create(self, desk: Any, parent: QObject) -> Mode:
        return getattr(import_module(self.module), f"{self.title}Mode")(desk, parent)


def those_there(specs: Sequence[ModeSpec]) -> tuple[ModeSpec, ...]:
    """Returns the modes whose module exists; others are not shown."""
    return tuple(spec for spec in specs if is_there(spec.module))
