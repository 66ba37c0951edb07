"""A pane with modes, which share one player; the window's calls go to the current mode.

The first mode is built with the pane; the others are built one per turn of Qt's event loop, or on
demand, so that the window is never blocked for long.
"""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from PySide6.QtCore import QEvent, QObject, QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from explorer import theme
from explorer.engine import errors, tasks
from explorer.panes.base import Context, Pane
from explorer.panes.modes import Desk, Mode, ModeSpec
from explorer.panes.readings import Reading
from explorer.state.actions import Action
from explorer.state.player import speed_of
from explorer.turns import next_turn
from explorer.widgets.pages import Pages
from explorer.widgets.toggle import SegmentedControl
from explorer.widgets.wrap_row import WrapRow

APART = 16  # px between the names of the modes and the inputs
ROWS_APART = 8


class ModesStrip(QWidget):
    """The strip above the picture: the choice of modes, then the inputs of the current one. If
    these are a `WrapRow`, they wrap into further rows; other inputs move below the names if there
    is no room beside them.

    `modeChosen(id)` reports another mode; `heightChanged` reports a change of `extra_height`.
    """

    modeChosen = Signal(str)
    heightChanged = Signal()

    def __init__(self, pane: str, specs: Sequence[ModeSpec], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"{pane}.view.inputs")
        self.choice = SegmentedControl(
            [(spec.id, spec.title) for spec in specs], "Mode", parent=self
        )
        self.choice.setObjectName(f"{pane}.view.modes")
        self.choice.setVisible(len(specs) > 1)
        self.choice.chosen.connect(self.modeChosen)
        self._told: dict[str, str] = {}
        self.pages: dict[str, QWidget] = {}
        self.page: QWidget | None = None
        self._tall = 0  # px of all rows; 0 until they are known
        theme.changed.connect(self._fit)

    @property
    def extra_height(self) -> int:
        """px that the strip needs beyond one row."""
        return max(0, self._tall - theme.current().px("primary"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return super().event(event)

    def _fit(self) -> None:
        """Lays out the strip; the names of the modes keep their place in every mode."""
        now = theme.current()
        first, wide = now.px("primary"), 0
        top = max(0, (self.height() - self.extra_height - first) // 2)
        if not self.choice.isHidden():
            control, wide = now.px("control"), min(self.choice.sizeHint().width(), self.width())
            self.choice.setGeometry(0, top + (first - control) // 2, wide, control)
        tall = first if self.page is None else self._place(self.page, wide, top)
        if tall != self._tall:
            self._tall = tall
            self.heightChanged.emit()

    def _place(self, page: QWidget, wide: int, top: int) -> int:
        """Places the inputs beside the names of the modes, or below; returns the px of all rows."""
        first, inputs = theme.current().px("primary"), page.layout()
        if isinstance(inputs, WrapRow):
            apart = APART - inputs.spacing()
            inputs.set_lead(QSize(wide + apart if wide else 0, first))
            tall = inputs.height_in(self.width())
            page.setGeometry(0, top, self.width(), tall)
            return tall
        left = wide + APART if wide else 0
        if page.sizeHint().width() <= self.width() - left:
            page.setGeometry(left, top, self.width() - left, first)
            return first
        page.setGeometry(0, top + first + ROWS_APART, self.width(), first)
        return 2 * first + ROWS_APART

    def add(self, mode: Mode) -> None:
        """Adds the inputs of a mode that was built."""
        page = mode.input_strip() or QWidget()
        page.setParent(self)
        page.hide()
        page.stackUnder(self.choice)
        self.pages[mode.id] = page
        self._told[mode.id] = f"{mode.title}: {mode.teaches}"
        order = [name for name, _ in self.choice.segments if name in self._told]
        self.choice.setToolTip("\n".join(self._told[name] for name in order))

    def drop(self, name: str) -> None:
        """Removes a mode that could not be built."""
        self.choice.remove(name)
        self.choice.setVisible(len(self.choice.segments) > 1)

    def show_mode(self, name: str) -> None:
        self.choice.set_current(name)
        before, self.page = self.page, self.pages[name]
        if before is not None and before is not self.page:
            before.hide()
        self._fit()
        self.page.show()


class ModedPane(Pane):
    """Saves each mode's cursor and speed, and restores them when the mode is shown again.

    A subclass defines what its modes share in `make_desk`.
    """

    def __init__(
        self,
        context: Context,
        name: str,
        specs: Sequence[ModeSpec],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(context, name, parent)
        self.desk = self.make_desk()
        self._specs = {spec.id: spec for spec in specs}
        self._waiting = list(self._specs)  # modes to build
        self._built: dict[str, Any] = {}
        self._joined = False
        self._places: dict[str, float] = {}
        self._speeds: dict[str, float] = {}
        self._seen = False
        self.stack = Pages()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.stack)
        self.inputs = ModesStrip(name, specs)
        while self._waiting and not self._built:
            self._build(self._waiting[0])
        if not self._built:
            raise ValueError(f"no mode of the {name} pane could be built; see the cards above")
        self.inputs.modeChosen.connect(self.show_mode)
        self.inputs.heightChanged.connect(self.inputHeightChanged)
        self.mode: Any = next(iter(self._built.values()))
        self._connect_player()
        self._begin(self.mode)
        self._build_later()

    @property
    def is_stale(self) -> bool:
        return bool(self.mode.is_stale)

    def make_desk(self) -> Desk:
        """Returns what all modes share; called once, before any of them is built."""
        return Desk(self.objectName(), self.context, self.player)

    def connect_mode(self, mode: Any) -> None:
        """Called when a mode was built, for the subclass to connect its signals."""

    def shared(self) -> Sequence[QObject]:
        """Returns other owners of coroutines that `settled` waits for."""
        return ()

    @property
    def modes(self) -> dict[str, Any]:
        """All modes by id; builds those that are missing."""
        while self._waiting:
            self._build(self._waiting[0])
        return self._those_built()

    def _those_built(self) -> dict[str, Any]:
        """Returns the modes built so far, in the order of the strip."""
        return {name: self._built[name] for name in self._specs if name in self._built}

    def _mode(self, name: str) -> Any:
        """Returns a mode, built if necessary, or None if there is none."""
        if name in self._waiting:
            self._build(name)
        return self._built.get(name)

    def _build_later(self) -> None:
        if self._waiting:
            next_turn(self, self._build_next)

    def _build_next(self) -> None:
        if self._waiting:
            self._build(self._waiting[0])
        self._build_later()

    def _build(self, name: str) -> None:
        """Builds a mode; if that fails, reports the error and leaves the others alone."""
        self._waiting.remove(name)
        spec = self._specs[name]
        try:
            mode = spec.create(self.desk, self)
            self.stack.addWidget(mode.widget())
        except Exception as error:
            errors.report(error, f"the mode {spec.title}")
            self._specs.pop(name)
            if self._specs:
                self.inputs.drop(name)
            return
        self._built[name] = mode
        self.inputs.add(mode)
        mode.inspection.connect(lambda what: self._from(mode, self.show_inspection, what))
        mode.freshnessChanged.connect(
            lambda: self._from(mode, self.show_inspection, self._inspected)
        )
        mode.headlineChanged.connect(lambda text: self._from(mode, self.set_headline, text))
        mode.statusRequested.connect(lambda text: self._from(mode, self.statusRequested.emit, text))
        mode.trackChanged.connect(lambda keep: self._from(mode, self._bind, keep))
        mode.modeRequested.connect(self.request_mode)
        self.connect_mode(mode)
        if self._joined:
            self._keep(mode)
            self.added.emit(self._actions(mode), mode.pictures())

    def _from(self, mode: Mode, then: Callable[[Any], None], what: Any) -> None:
        """Passes on a mode's signal only while the mode is shown."""
        if mode.active:
            then(what)

    def _connect_player(self) -> None:
        player = self.player
        player.positionChanged.connect(lambda position: self.mode.on_position(position))
        player.stepChanged.connect(lambda step: self.mode.on_step(step))
        player.playingChanged.connect(lambda playing: self.mode.on_playing(playing))
        player.liveChanged.connect(lambda live: self.mode.on_live(live))
        player.moreRequested.connect(lambda: self.mode.on_more())

    # modes

    def show_mode(self, name: str) -> None:
        """Shows a mode; the player takes its tracks at the position where they were left."""
        wanted = self._mode(name) if isinstance(name, str) else None
        if wanted is None:
            self.inputs.choice.set_current(self.mode.id)
            return
        if wanted is self.mode:
            return
        before = self.mode
        self._leave(before)
        self.modeChanged.emit()
        theme.style_hidden()
        self._begin(wanted)
        if self._seen:
            wanted.shown()
        self.show_inspection(None)
        wanted.inspect()

    def _leave(self, mode: Mode) -> None:
        self._pause()
        self._speeds[mode.id] = self.player.speed
        while self.player.leave():
            pass
        self._places[mode.id] = math.inf if self.player.at_live_edge else self.player.position
        mode.left()
        mode.active = False

    def _begin(self, mode: Mode) -> None:
        self.mode = mode
        mode.active = True
        self.stack.setCurrentWidget(mode.widget())
        self.inputs.show_mode(mode.id)
        self.player.set_speed(self._speeds.get(mode.id, 1.0))
        self.player.set_tracks(mode.tracks)
        place = self._places.get(mode.id)
        if place is not None:
            self.player.seek(place)
        self.set_headline(mode.headline)

    def _pause(self) -> None:
        """Pauses playback at a watchable speed, also at the live edge. A job at full speed
        continues.
        """
        player = self.player
        unpaced = math.isinf(player.speed) or any(track.is_job for track in player.tracks)
        if not (player.at_live_edge and unpaced):
            player.pause()

    def _keep(self, mode: Mode) -> None:
        """Connects a mode's state and speed to the workspace, which restores and saves them."""

        def bring(kept: Any) -> None:
            self._speeds[mode.id] = speed_of(kept)
            if mode is self.mode:
                self.player.set_speed(self._speeds[mode.id])

        def speed() -> float:
            return self.player.speed if mode is self.mode else self._speeds.get(mode.id, 1.0)

        name = f"{self.objectName()}.{mode.id}"
        self._keep_scene(name, mode)
        self.workspace.live(f"{name}.speed", speed, bring, self)

    def _bind(self, keep: bool) -> None:
        self.player.set_tracks(self.mode.tracks, keep_position=keep)

    def request_mode(self, name: str, wish: Any) -> None:
        """Shows another mode and passes a wish to its `take`."""
        mode = self._mode(name)
        if mode is not None:
            self.show_mode(name)
            mode.take(dict(wish or {}))

    # called by the window

    def input_strip(self) -> QWidget:
        return self.inputs

    @property
    def extra_input_height(self) -> int:
        return self.inputs.extra_height

    def join_workspace(self) -> None:
        """Connects the state of each mode to the workspace, then the choice of the mode."""
        name = self.objectName()
        self._joined = True
        for mode in self._built.values():
            self._keep(mode)
        self.workspace.live(f"{name}.mode", lambda: self.mode.id, self.show_mode, self)

    def actions(self) -> list[Action]:
        """Returns the actions of the modes built so far."""
        return [action for mode in self._those_built().values() for action in self._actions(mode)]

    def _actions(self, mode: Mode) -> list[Action]:
        return [*mode.actions(), *([self._mode_action(mode)] if len(self._specs) > 1 else [])]

    def _mode_action(self, mode: Mode) -> Action:
        return Action(
            f"{self.objectName()}.mode.{mode.id}",
            f"{self.objectName().capitalize()}: {mode.title}",
            lambda: self.show_mode(mode.id),
            checked=lambda: mode.active,
            help=mode.teaches,
        )

    def pictures(self) -> dict[str, QWidget]:
        return {
            name: picture
            for mode in self._those_built().values()
            for name, picture in mode.pictures().items()
        }

    def quantities(self) -> Iterator[Reading]:
        yield from self.mode.quantities()

    @property
    def file_stem(self) -> str:
        return self.mode.file_stem

    def views(self) -> dict[str, Callable[[], Any]]:
        found: dict[str, Callable[[], Any]] = {}
        for mode in self.modes.values():
            for name, bring in mode.views().items():
                found[f"{mode.id}-{name}"] = self._view(mode, bring)
        return found

    def _view(self, mode: Mode, bring: Callable[[], Any]) -> Callable[[], Any]:
        async def shown() -> None:
            self.show_mode(mode.id)
            await self.settled()
            result = bring()
            if inspect.isawaitable(result):
                await result

        return shown

    @contextmanager
    def filming(self, picture: QWidget) -> Iterator[QWidget]:
        with self.mode.filming(picture) as shown:
            yield shown

    async def settled(self) -> None:
        for name in tuple(self._waiting):
            await asyncio.sleep(0)
            self._mode(name)
        for _ in range(100):  # one may start what another waits for
            for one in self.shared():
                await tasks.wait_for(one)
            await tasks.wait_for(self)
            await self.mode.settled()
            await asyncio.sleep(0)
            if not any(tasks.running(owner) for owner in (self, *self.shared(), self.mode)):
                return

    def shown(self) -> None:
        self._seen = True
        self.mode.shown()
        self.mode.inspect()

    def left(self) -> None:
        self._pause()
        self._seen = False
        self.mode.left()

    def cancel(self) -> bool:
        return self.mode.cancel() or super().cancel()
