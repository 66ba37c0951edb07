"""What the window knows about runs, in any pane: the selected one and all that train here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from explorer.engine import errors, tasks
from explorer.runs.folders import ACTIVE
from explorer.runs.requested import key_of
from explorer.runs.tail import Tail
from explorer.widgets.run_line import RunStatus

if TYPE_CHECKING:
    from core.training import RunReader
    from explorer.engine.engine import Engine
    from explorer.runs.live import Runs

EVERY = 250  # ms between two reads while runs train
SLOW = 1000  # ms while none trains: another program may resume the selected one
STATES = {"new": "preparing", "dead": "stopped"}  # other states have the same name on screen


@dataclass(frozen=True)
class Seen:
    """A run at one moment, as read from its folder."""

    status: RunStatus
    state: str  # RunReader's
    probe: int | None  # step of the newest picture of the heads while it trains, else None
    attempt: int  # the one to which the step belongs
    news: int = field(default=0, compare=False)  # how much of the run had been read


@dataclass(eq=False)
class Watch:
    """A run that is polled while it trains; `opened` by the user, or started here."""

    tail: Tail
    folder: str
    opened: bool
    take: Callable[[Watch, Seen], None]
    seen: Seen | None = None
    busy: bool = False
    failed: bool = False
    looks: int = 0  # the tail's count at the previous tick

    def __post_init__(self) -> None:
        self.tail.share(see, self._came)

    def _came(self, seen: Seen) -> None:
        self.take(self, seen)

    def let_go(self) -> None:
        self.tail.unshare(self._came)


class RunFollower(QObject):
    """Emits `changed` when any run below changes; folders are read in the I/O pool."""

    changed = Signal()

    def __init__(self, engine: Engine, runs: Runs) -> None:
        super().__init__(engine)
        self._runs = runs
        self._selected: str | None = None
        self._watched: dict[str, Watch] = {}
        self._stopped = False
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY)
        self._timer.timeout.connect(self._on_tick)
        runs.changed.connect(self._on_run_changed)
        runs.requested.changed.connect(self._on_requested)

    @property
    def polls(self) -> bool:
        """True while the timer polls."""
        return self._timer.isActive()

    def follow(self, folder: str | None) -> None:
        """Selects another run, or none. Runs that train here are followed in any case."""
        self._selected = folder
        self._choose()

    def stop(self) -> None:
        """Stops for good: runs that end with the window do not restart the timer."""
        self._stopped = True
        self._timer.stop()

    async def look(self) -> None:
        """Returns once every followed run has been read in its current state."""
        for watch in list(self._watched.values()):
            await self._read(watch)

    @property
    def selected(self) -> RunStatus | None:
        """The selected run, once it has been read."""
        watch = self._watched.get(key_of(self._selected)) if self._selected else None
        return self._status(watch) if watch is not None else None

    @property
    def training(self) -> list[RunStatus]:
        """Every run that trains here, newest first; then the selected one if trained elsewhere."""
        keys = [key_of(folder) for folder in reversed(self._runs.live)]
        watches = [self._watched[key] for key in keys if key in self._watched]
        watches += [watch for key, watch in self._watched.items() if key not in keys]
        found = (self._status(watch) for watch in watches)
        return [status for status in found if status is not None and status.active]

    @property
    def shown(self) -> RunStatus | None:
        """The run for a strip that shows one: a training one, the selected one if possible."""
        selected, training = self.selected, self.training
        if selected is not None and selected.active:
            return selected
        return training[0] if training else selected

    def seen(self, folder: str) -> Seen | None:
        """Returns a followed run as it was last read."""
        watch = self._watched.get(key_of(folder))
        return watch.seen if watch is not None else None

    def _status(self, watch: Watch) -> RunStatus | None:
        if watch.seen is None:
            return None
        status = watch.seen.status
        if watch.seen.state == "new" and not self._runs.running_here(watch.folder):
            return replace(status, state="stopped")  # the program that was to train it has ended
        return status

    # reading

    def _choose(self) -> None:
        """Follows the selected run and those that train here, and no other."""
        wanted = {key_of(folder): str(folder) for folder in self._runs.live}
        if self._selected is not None:
            wanted[key_of(self._selected)] = self._selected
        for key in self._watched.keys() - wanted.keys():
            self._watched.pop(key).let_go()
        for key in wanted.keys() - self._watched.keys():
            opened = wanted[key] == self._selected
            watch = Watch(self._runs.tail(wanted[key]), wanted[key], opened, self._take)
            self._watched[key] = watch
            self._look(watch)
        self._poll()
        self.changed.emit()

    def _poll(self) -> None:
        if not self._stopped:
            self._timer.start(EVERY)

    def _alive(self, watch: Watch) -> bool:
        trains = watch.seen is not None and watch.seen.state in ("running", "paused")
        return trains or self._runs.running_here(watch.folder)

    def _on_run_changed(self, folder: str) -> None:
        self._choose()
        watch = self._watched.get(key_of(folder))
        if watch is not None:
            self._look(watch)

    def _on_tick(self) -> None:
        for watch in self._watched.values():
            if watch.looks == watch.tail.looks:  # otherwise another reader's result was shared
                self._look(watch)
            watch.looks = watch.tail.looks
        if not self._watched:
            self._timer.stop()
            return
        alive = any(self._alive(watch) for watch in self._watched.values())
        self._timer.setInterval(EVERY if alive else SLOW)

    def _look(self, watch: Watch) -> None:
        if not watch.busy:
            watch.busy = True
            tasks.spawn(self._read(watch), self)

    async def _read(self, watch: Watch) -> None:
        try:
            await watch.tail.look(lambda *_: None)  # `_take` receives the result
        except (OSError, ValueError) as error:
            opened = watch.opened and watch.seen is None  # the pane may have released it since
            if opened or watch in self._watched.values():
                self._on_trouble(watch, error)
            return
        finally:
            watch.busy = False
        watch.looks = watch.tail.looks

    def _take(self, watch: Watch, seen: Seen) -> None:
        """Takes the result of any reader, so that all views of a run show the same step."""
        watch.failed = False
        if watch not in self._watched.values():
            return
        state = self._runs.requested.state(watch.folder, seen.state, seen.attempt, seen.news)
        seen = _as_asked(seen, state)
        if seen == watch.seen:
            return
        watch.seen = seen
        if self._alive(watch):
            self._poll()
        self.changed.emit()

    def _on_requested(self, folder: str) -> None:
        """Shows the requested state of a run before its folder confirms it."""
        watch, state = self._watched.get(key_of(folder)), self._runs.requested.of(folder)
        if watch is None or watch.seen is None:
            return
        if state is None:
            self._look(watch)
        else:
            watch.seen = _as_asked(watch.seen, state)
            self.changed.emit()

    def _on_trouble(self, watch: Watch, error: Exception) -> None:
        """Reports an error once; polling continues, because a disk may return and a sync ends."""
        if not watch.failed:
            watch.failed = True
            errors.report(error, "the run's folder")
        if watch.seen is not None and not Path(watch.folder).exists():
            watch.seen = None
            self.changed.emit()


def see(reader: RunReader, news: int) -> Seen:
    """Runs in the I/O pool, because checking whether a run is alive asks the system."""
    from core.training.alerts import alerts
    from core.training.claims import renew

    state = reader.state
    if state in ACTIVE:
        renew(reader.folder)  # independent of the visible pane
    status = RunStatus(
        reader.name,
        STATES.get(state, state),
        reader.step,
        reader.config.steps,
        reader.loss,
        str(reader.folder),
        where(reader),
        tuple(alerts(reader)),
    )
    probes = [probe.step for probe in reader.probes if not probe.id]  # answers are soon deleted
    newest = probes[-1] if probes and state in ("new", "running", "paused") else None
    return Seen(status, state, newest, len(reader.manifest["attempts"]), news)


def _as_asked(seen: Seen, state: str) -> Seen:
    """Replaces a run's state by the requested one; before its first step the run is preparing."""
    shown = seen.state if (seen.state, state) == ("new", "running") else state
    return replace(seen, status=replace(seen.status, state=STATES.get(shown, shown)))


def where(reader: RunReader) -> str:
    """Returns "cpu, fp32, 1 rank, 2 threads" for the last attempt, or "" before it is known."""
    said = next((e for e in reversed(reader.events) if e.get("event") == "model"), None)
    if said is None:
        return ""
    words = [str(said.get("device", "cpu")), reader.config.precision]
    words.append(_count(said.get("ranks", 1), "rank"))
    if isinstance(said.get("threads"), int):  # older versions did not record threads
        words.append(_count(said["threads"], "thread"))
    return ", ".join(words)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
