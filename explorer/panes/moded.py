"""A pane with modes: one player for all of them; what the window asks goes to the one shown."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from explorer import theme
from explorer.engine import errors, tasks
from explorer.panes.base import Context, Pane
from explorer.panes.modes import Desk, Mode, ModeSpec
from explorer.state.actions import Action
from explorer.widgets.toggle import SegmentedControl

INPUTS = 352  # px that a mode's inputs have before the names of the modes come closer together
LEAST = 150  # px that they have before these are cut
APART = 16


class ModesHeader(QWidget):
    """The strip above the picture: which mode, then that mode's own inputs.

    `modeChosen(id)` when another mode is chosen.
    """

    modeChosen = Signal(str)

    def __init__(self, pane: str, modes: Sequence[Mode], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"{pane}.view.inputs")
        self.choice = SegmentedControl([(mode.id, mode.title) for mode in modes], "Mode")
        self.choice.setObjectName(f"{pane}.view.modes")
        self.choice.setToolTip("\n".join(f"{mode.title}: {mode.teaches}" for mode in modes))
        self.choice.setVisible(len(modes) > 1)
        self.choice.chosen.connect(self.modeChosen)
        self._stack = QStackedWidget()
        self._pages: dict[str, QWidget] = {}
        for mode in modes:
            page = mode.header() or QWidget()
            self._pages[mode.id] = page
            self._stack.addWidget(page)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(APART)
        row.addWidget(self.choice)
        row.addWidget(self._stack, 1)
        self._stack.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        theme.changed.connect(self._fit)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """The same for all modes, so that their names stay where they are."""
        least, most = self.choice.minimumSizeHint().width(), self.choice.sizeHint().width()
        now, room = theme.current(), self.width() - APART
        wide = max(least, min(most, room - now.px(INPUTS)))
        self.choice.setFixedWidth(max(1, min(wide, max(room - now.px(LEAST), least // 2))))

    def show_mode(self, name: str) -> None:
        self.choice.set_current(name)
        self._stack.setCurrentWidget(self._pages[name])


class ModedPane(Pane):
    """Keeps where each mode's cursor was, so that coming back to a mode finds it as it was left.

    A subclass says what its modes share by `make_desk`, and adds what is its own.
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
        self.modes: dict[str, Any] = {}
        self._places: dict[str, float] = {}
        self._kept: dict[str, Any] = {}  # states of modes that are not built
        self._seen = False
        self.stack = QStackedWidget()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.stack)
        for spec in specs:
            self._build(spec)
        if not self.modes:
            raise ValueError(f"no mode of the {name} pane could be built; see the cards above")
        self.inputs = ModesHeader(name, list(self.modes.values()))
        self.inputs.modeChosen.connect(self.show_mode)
        self.mode: Any = next(iter(self.modes.values()))
        self._connect_player()
        self._begin(self.mode)

    def make_desk(self) -> Desk:
        """What all modes share; called once, before any of them is built."""
        return Desk(self.objectName(), self.context, self.player)

    def connect_mode(self, mode: Any) -> None:
        """A mode has been built: what the subclass wants to hear of it."""

    def shared(self) -> Sequence[QObject]:
        """What else runs coroutines of its own that `settled` waits for."""
        return ()

    def _build(self, spec: ModeSpec) -> None:
        """A mode that cannot be built shows its error and leaves the others alone."""
        try:
            mode = spec.create(self.desk, self)
            self.stack.addWidget(mode.widget())
        except Exception as error:
            errors.report(error, f"the mode {spec.title}")
            return
        self.modes[spec.id] = mode
        mode.inspection.connect(lambda what: self._from(mode, self.inspection.emit, what))
        mode.headlineChanged.connect(lambda text: self._from(mode, self.set_headline, text))
        mode.statusRequested.connect(self.statusRequested)
        mode.trackChanged.connect(lambda keep: self._from(mode, self._bind, keep))
        mode.modeRequested.connect(self.request_mode)
        self.connect_mode(mode)

    def _from(self, mode: Mode, then: Callable[[Any], None], what: Any) -> None:
        """What a mode tells counts while it is shown."""
        if mode.active:
            then(what)

    def _connect_player(self) -> None:
        player = self.player
        player.positionChanged.connect(lambda position: self.mode.on_position(position))
        player.stepChanged.connect(lambda step: self.mode.on_step(step))
        player.playingChanged.connect(lambda playing: self.mode.on_playing(playing))
        player.moreRequested.connect(lambda: self.mode.on_more())

    # modes

    def show_mode(self, name: str) -> None:
        """Another mode; its tracks go to the player, at the place where they were left."""
        wanted = self.modes.get(name)
        if wanted is None or wanted is self.mode:
            return
        before = self.mode
        self._leave(before)
        self._begin(wanted)
        if self._seen:
            wanted.shown()
        self.inspection.emit(None)
        wanted.inspect()

    def _leave(self, mode: Mode) -> None:
        if not self.player.at_live_edge:
            self.player.pause()
        while self.player.leave():
            pass
        self._places[mode.id] = self.player.position
        mode.left()
        mode.active = False

    def _begin(self, mode: Mode) -> None:
        self.mode = mode
        mode.active = True
        self.stack.setCurrentWidget(mode.widget())
        self.inputs.show_mode(mode.id)
        self.player.set_tracks(mode.tracks)
        place = self._places.get(mode.id)
        if place is not None and not self.player.at_live_edge:
            self.player.seek(place)
        self.set_headline(mode.headline)

    def _bind(self, keep: bool) -> None:
        self.player.set_tracks(self.mode.tracks, keep_position=keep)

    def request_mode(self, name: str, wish: Any) -> None:
        """Shows another mode and gives it a wish for its `take`."""
        if name in self.modes:
            self.show_mode(name)
            self.modes[name].take(dict(wish or {}))

    # what the window asks

    def header(self) -> QWidget:
        return self.inputs

    def state(self) -> dict[str, Any]:
        states = {name: mode.state() for name, mode in self.modes.items()}
        return {"version": 1, "mode": self.mode.id, "modes": {**self._kept, **states}}

    def restore(self, state: dict[str, Any]) -> None:
        saved = state.get("modes")
        for name, values in (saved if isinstance(saved, dict) else {}).items():
            if name in self.modes and isinstance(values, dict):
                self.modes[name].restore(values)
            else:
                self._kept[name] = values
        if isinstance(state.get("mode"), str):
            self.show_mode(state["mode"])

    def actions(self) -> list[Action]:
        found = [action for mode in self.modes.values() for action in mode.actions()]
        if len(self.modes) > 1:
            found += [self._mode_action(mode) for mode in self.modes.values()]
        return found

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
            for mode in self.modes.values()
            for name, picture in mode.pictures().items()
        }

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
        super().left()
        self._seen = False
        self.mode.left()

    def cancel(self) -> bool:
        return self.mode.cancel() or super().cancel()
