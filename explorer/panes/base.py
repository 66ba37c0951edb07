"""The base of every pane: a picture with its inputs, a player, and something to inspect."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from explorer import overrides  # noqa: F401  (before any pane is defined)
from explorer.engine import tasks
from explorer.panes import readings
from explorer.panes.freshness import CANCELED, OLD_STEPS, Freshness
from explorer.panes.readings import Reading
from explorer.runs.hub_models import HubModels
from explorer.state.player import Player, speed_of

if TYPE_CHECKING:
    from explorer.engine.engine import Engine
    from explorer.runs.live import Runs
    from explorer.state.actions import Action
    from explorer.state.settings import Settings
    from explorer.state.tracks import Track
    from explorer.state.workspace import Workspace
    from explorer.widgets.stateful import StatefulPicture


@dataclass(frozen=True)
class Context:
    """The services that a pane may use. Nothing here is global, so tests build their own."""

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
    role: str = "text"  # color name of the theme: q, k, v, attention, text


@dataclass(frozen=True)
class Inspection:
    """The contents of the inspector: formula, lines of core, and every number of one step."""

    step: Any = None  # core.trace.Step
    rows: Sequence[Row | str] = ()
    table: dict[str, np.ndarray] = field(default_factory=dict)
    cell: str | None = None  # the pinned or hovered cell that the numbers belong to
    pinned: bool = False
    title: str = ""  # name of the picture, if it does not show the step itself
    labels: Mapping[str, tuple[Sequence[str], Sequence[str]]] = field(default_factory=dict)
    stale: bool = False  # True while the picture is being updated
    plain: bool = False  # True if q, k, v and a in the formula are ordinary names


class Face:
    """The interface between the window and a pane, and between a pane and each of its modes.

    A subclass is also a QObject with the signals `inspection`, `headlineChanged` and
    `statusRequested`. Pictures, headline, inspector, transport and buttons show one answer: those
    of a face that has called `show_one_answer` are stale together.
    """

    _headline = ""
    _inspected: Inspection | None = None  # the last one, without its mark
    freshness: Freshness | None = None

    @property
    def headline(self) -> str:
        """One sentence on what the picture shows, or on what it waits for."""
        fresh = self.freshness
        return fresh.headline if fresh is not None and fresh.is_stale else self._headline

    def set_headline(self, text: str) -> None:
        """Sets the sentence; while the answer is stale, the one on what is waited for stays."""
        before, self._headline = self.headline, text
        if self.headline != before:
            self.headlineChanged.emit(self.headline)  # type: ignore[attr-defined]

    def show_one_answer(
        self,
        *bodies: StatefulPicture,
        beside: Sequence[QWidget] = (),
        stop: Callable[[], object] | None = None,
    ) -> None:
        """Declares the pictures of the answer, and what is dimmed `beside` them. They are dimmed
        after `body.show_loading(reason)`, the headline says the reason, and the inspector is stale,
        until `show_ready`, `show_empty` or `show_error`. `stop`, for Cancel, ends the work and
        drops the answer; it returns True if it has returned to earlier inputs instead.
        """
        self.freshness = Freshness(*bodies, beside=beside, parent=self)  # type: ignore[arg-type]
        self.freshness.changed.connect(self._on_freshness)
        if stop is not None:
            self.freshness.offer_cancel(stop)
            self.freshness.canceled.connect(lambda: self.set_headline(CANCELED))

    @property
    def is_current(self) -> bool:
        """False if the answer shown belongs to earlier inputs: then nothing may act on it."""
        return self.freshness is None or self.freshness.is_current

    @property
    def is_stale(self) -> bool:
        """True while an old answer is visibly waiting for its successor."""
        return self.freshness is not None and self.freshness.is_stale

    def show_inspection(self, what: Inspection | None) -> None:
        """Emits an inspection, marked if it belongs to an old answer."""
        self._inspected = what
        if what is not None and self.is_stale:
            what = replace(what, stale=True)
        self.inspection.emit(what)  # type: ignore[attr-defined]

    def _on_freshness(self) -> None:
        self.headlineChanged.emit(self.headline)  # type: ignore[attr-defined]

    def _mark_tracks(self, tracks: Sequence[Track]) -> None:
        """Lets the transport say that the steps belong to an old answer."""
        for track in tracks:
            track.caption = OLD_STEPS if self.is_stale else ""

    def input_strip(self) -> QWidget | None:
        """Returns the widget for the input strip above the picture, always the same one."""
        return None

    def state(self) -> dict[str, Any]:
        """Returns the view's state as JSON with a version. The setup is a `Draft`, which the
        workspace saves itself.
        """
        return {"version": 1}

    def restore(self, state: dict[str, Any]) -> None:
        """Restores what `state` returned; ignores what it does not know."""

    def actions(self) -> list[Action]:
        """Returns the actions for menus, palette and shortcuts."""
        return []

    def pictures(self) -> dict[str, QWidget]:
        """Returns the views by name, for snapshots, export and Show as table."""
        return {}

    def caption(self) -> str:
        """Returns the caption of exported pictures, or ""."""
        return ""

    def about(self, picture: QWidget) -> dict[str, object]:
        """Returns columns for a picture's export that say what its numbers belong to."""
        return {}

    def quantities(self) -> Iterator[Reading]:
        """Yields what is on screen now, by the names that `explorer.panes.readings` defines: the
        cursor, then what `readings.py` in the folder takes from the view. A quantity that the view
        shows in two places comes twice.
        """
        yield from readings.cursor(self.player)  # type: ignore[attr-defined]
        found = self._beside("readings")
        if found is not None:
            yield from found.readings(self)

    def readings(self) -> dict[str, Any]:
        """Returns what is on screen now as one JSON object."""
        return readings.gathered(self.quantities())

    def _beside(self, name: str) -> Any:
        """Returns a module of the folder that the class is in, or None."""
        module = f"{type(self).__module__.rpartition('.')[0]}.{name}"
        return import_module(module) if is_there(module) else None

    @property
    def file_stem(self) -> str:
        """The start of the names of exported files."""
        return self.objectName()  # type: ignore[attr-defined]

    def views(self) -> dict[str, Callable[[], Any]]:
        """Returns the states of a snapshot by name: callables that show the state and may return a
        coroutine.
        """
        return {}

    @contextmanager
    def filming(self, picture: QWidget) -> Iterator[QWidget]:
        """Yields the picture to film the steps in; afterwards restores the previous state."""
        yield picture

    async def settled(self) -> None:
        """Returns once everything requested is on the screen and no task is running."""
        await tasks.wait_for(self)

    def shown(self) -> None:
        """Called when it becomes visible."""

    def left(self) -> None:
        """Called when it is hidden: animation pauses, a job never does."""

    def cancel(self) -> bool:
        """Handles Esc: unlocks, leaves or clears; returns False if there was nothing to do."""
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
    statusRequested = Signal(str)  # short message for the status bar
    added = Signal(list, dict)  # actions and pictures of a part that was built later
    modeChanged = Signal()  # another mode is being shown
    inputHeightChanged = Signal()  # `extra_input_height` has changed

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
        """px that the inputs need beyond one row."""
        return 0

    def join_workspace(self) -> None:
        """Connects the view's state to the workspace, which restores and saves it from now on.

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
        """Called when another pane is shown: animation pauses, a job never does."""
        if not self.player.at_live_edge:
            self.player.pause()

    def cancel(self) -> bool:
        return self.player.leave()


def is_there(module: str) -> bool:
    """Returns True if the module can be imported; panes and modes without one are not shown."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
