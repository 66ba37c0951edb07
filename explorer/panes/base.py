"""What every pane is: a picture with its inputs, a player, and something to inspect."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from explorer import overrides  # noqa: F401  (before any pane is defined)
from explorer.engine import tasks
from explorer.runs.hub_models import HubModels
from explorer.state.player import Player, speed_of

if TYPE_CHECKING:
    from explorer.engine.engine import Engine
    from explorer.runs.live import Runs
    from explorer.state.actions import Action
    from explorer.state.settings import Settings
    from explorer.state.workspace import Workspace


@dataclass(frozen=True)
class Context:
    """What a pane may use. Nothing here is global, so tests build their own."""

    engine: Engine
    workspace: Workspace
    settings: Settings
    runs: Runs

    @cached_property
    def hub_models(self) -> HubModels:
        return HubModels(self.engine)


@dataclass(frozen=True)
class PaneSpec:
    id: str
    title: str
    icon: str
    teaches: str
    create: Callable[[Context], Pane]
    module: str = ""


@dataclass(frozen=True)
class Row:
    """A live number below the formula: `name = value`, in the color of its role."""

    text: str
    role: str = "text"  # a color name of the theme: q, k, v, attention, text


@dataclass(frozen=True)
class Inspection:
    """What the inspector shows: the formula, the lines of core, and every number of one step."""

    step: Any = None  # core.trace.Step
    rows: Sequence[Row | str] = ()
    table: dict[str, np.ndarray] = field(default_factory=dict)
    cell: str | None = None  # the cell these numbers belong to, when one is pinned or hovered
    pinned: bool = False
    title: str = ""  # what is seen, where it is not the step itself
    labels: Mapping[str, tuple[Sequence[str], Sequence[str]]] = field(default_factory=dict)
    stale: bool = False  # what it speaks of is being read again
    plain: bool = False  # the formula's letters q, k, v and a are names like any others


class Face:
    """What the window asks of a pane, and a pane with several faces of the one that is shown.

    Beside it the subclass is a QObject with the signals `inspection`, `headlineChanged` and
    `statusRequested`.
    """

    _headline = ""

    @property
    def headline(self) -> str:
        """One sentence: what you see now."""
        return self._headline

    def set_headline(self, text: str) -> None:
        if text != self._headline:
            self._headline = text
            self.headlineChanged.emit(text)  # type: ignore[attr-defined]

    def input_strip(self) -> QWidget | None:
        """The inputs, for the strip above the picture: the same widget at every call."""
        return None

    def state(self) -> dict[str, Any]:
        """What is looked at, and how: JSON, with a version. What is set up lies in the workspace by
        itself, as a `Draft`.
        """
        return {"version": 1}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave; leaves out what it does not know."""

    def actions(self) -> list[Action]:
        """What is added to menus, palette and shortcuts."""
        return []

    def pictures(self) -> dict[str, QWidget]:
        """The views by name, for snapshots, export and Show as table."""
        return {}

    def caption(self) -> str:
        """The caption of exported pictures; "" for none."""
        return ""

    def about(self, picture: QWidget) -> dict[str, object]:
        """What a picture's exported numbers are numbers of, by column; {} where that is plain."""
        return {}

    @property
    def file_stem(self) -> str:
        """How the names of its exported files begin."""
        return self.objectName()  # type: ignore[attr-defined]

    def views(self) -> dict[str, Callable[[], Any]]:
        """The states a snapshot shows, by name: each callable brings the pane there; it may return
        a coroutine.
        """
        return {}

    @contextmanager
    def filming(self, picture: QWidget) -> Iterator[QWidget]:
        """What is drawn while the steps become an animation; afterwards all is as before."""
        yield picture

    async def settled(self) -> None:
        """Returns once everything asked for is on the screen and nothing is under way."""
        await tasks.wait_for(self)

    def shown(self) -> None:
        """It has come into sight."""

    def left(self) -> None:
        """Something else is shown: animation pauses, a job never does."""

    def cancel(self) -> bool:
        """Esc: unlocks, goes out or clears; False when there was nothing to undo."""
        return False

    def spawn(self, coroutine: Any) -> Any:
        """Spawns a coroutine that is cancelled when the pane closes."""
        return tasks.spawn(coroutine, self)  # type: ignore[arg-type]


class Pane(Face, QWidget):
    """The base of all panes. Subclasses build their picture in `__init__` and emit `inspection`.

    The window binds transport and inspector to the focused pane's `player` and `inspection`, puts
    `input_strip()` into the strip above the picture, and shows `headline` as the pane's sentence.
    """

    inspection = Signal(object)  # Inspection
    headlineChanged = Signal(str)
    statusRequested = Signal(str)  # a short message for the status bar
    added = Signal(list, dict)  # actions and pictures of a part that was built after the pane
    inputHeightChanged = Signal()  # `extra_input_height` is another

    def __init__(self, context: Context, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.context = context
        self.engine = context.engine
        self.workspace = context.workspace
        self.player = Player(self)
        self.player.set_motion(context.settings.motion)

    @property
    def extra_input_height(self) -> int:
        """px that the inputs need beyond those of one row."""
        return 0

    def join_workspace(self) -> None:
        """From now on the workspace holds what is looked at; what it held before is brought back.

        The window calls it once, when the pane is built.
        """
        name, player = self.objectName(), self.player
        self._keep_scene(name, self)
        self.workspace.live(
            f"{name}.speed",
            lambda: player.speed,
            lambda kept: player.set_speed(speed_of(kept)),
            self,
        )

    def _keep_scene(self, name: str, face: Face) -> None:
        def bring(state: Any) -> None:
            if isinstance(state, dict):
                face.restore(state)

        self.workspace.live(f"{name}.scene", face.state, bring, self)

    def left(self) -> None:
        """Another pane is shown: animation pauses, a job never does."""
        if not self.player.at_live_edge:
            self.player.pause()

    def cancel(self) -> bool:
        return self.player.leave()


def is_there(module: str) -> bool:
    """Whether a module could be imported; what is not there is not shown."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
