"""What a test must not leave behind, and how long the GUI may stand still.

Nothing here imports Qt until a test has done so, so that tests of core stay cheap.
"""

import contextlib
import functools
import gc
import pathlib
import sys
import threading
import time
import traceback
import weakref
from collections.abc import Callable, Iterator
from typing import Any

STALL_LIMIT = 0.250  # seconds for which the event loop may do nothing else
_TICK_MS = 20

_SESSION_THREADS = ("gui-stall-watch", "tqdm", "pytest_timeout")
_SESSION_PROCESSES = ("resource_tracker", "forkserver")
_SHARED_WIDGETS = ("QTipLabel",)  # Qt keeps one tool tip window for the whole application


# -- threads and processes --------------------------------------------------------------------


def threads() -> set[threading.Thread]:
    """Python's threads that somebody must end. A thread that Qt started is not among them."""
    return {
        thread
        for thread in threading.enumerate()
        if not isinstance(thread, threading._DummyThread)
        and not thread.name.startswith(_SESSION_THREADS)
    }


def children() -> dict[int, str]:
    """Running child processes by id, with their command lines (Linux; elsewhere empty)."""
    found: dict[int, str] = {}
    for listing in pathlib.Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for pid in listing.read_text().split():
                command = _command(pid)
                if command and not any(name in command for name in _SESSION_PROCESSES):
                    found[int(pid)] = command
    return found


def _command(pid: str) -> str:
    """The command line of a running process, empty when it has ended (also as a zombie).

    A process that is just being started has no command line for a moment: its short name, then.
    """
    try:
        raw = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        name, _, rest = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")
    except OSError:
        return ""
    if rest.split()[0] in "ZX":
        return ""
    return raw.replace(b"\0", b" ").decode(errors="replace").strip() or name.partition("(")[2]


# -- garbage ----------------------------------------------------------------------------------

MANY_OBJECTS = 30_000  # above this a full collection takes longer than many a test
_collected = True


def collect() -> None:
    """Everything that a test has let go of dies now; what is set aside is not looked at."""
    global _collected
    _collected = True
    gc.collect()


def collect_everything() -> None:
    """Also what died after it was set aside."""
    global _collected
    _collected = True
    gc.unfreeze()
    gc.collect()


def set_aside() -> None:
    """Sets aside what is alive between two tests: modules, mostly, of which torch brings many.

    Without it each `collect` looks at all of them for a third of a second. Only between tests: a
    window that is set aside while it lives would outlive its test.
    """
    global _collected
    if _collected and len(gc.get_objects()) > MANY_OBJECTS:
        collect_everything()
        gc.freeze()
    _collected = False


# -- Qt objects -------------------------------------------------------------------------------

_started: "weakref.WeakSet[Any]" = weakref.WeakSet()


def watch_timers() -> None:
    """From now on remembers every QTimer and animation that Python starts."""
    from PySide6 import QtCore

    for kind in (QtCore.QTimer, QtCore.QAbstractAnimation):
        if not hasattr(kind.start, "watched"):
            kind.start = _remembering(kind.start)


def _remembering(start: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(start)
    def remembering(self: Any, *arguments: Any) -> Any:
        _started.add(self)
        return start(self, *arguments)

    remembering.watched = True  # type: ignore[attr-defined]
    return remembering


def running_timers() -> list[Any]:
    import shiboken6
    from PySide6.QtCore import QAbstractAnimation, QTimer

    running = []
    for timer in list(_started):
        if not shiboken6.isValid(timer):
            continue
        if isinstance(timer, QTimer):
            active = timer.isActive()
        else:
            active = timer.state() == QAbstractAnimation.State.Running
        if active:
            running.append(timer)
    return running


def windows() -> list[Any]:
    """Top-level widgets that are still alive."""
    from PySide6.QtWidgets import QApplication

    return [
        widget
        for widget in QApplication.topLevelWidgets()
        if type(widget).__name__ not in _SHARED_WIDGETS
        and widget.metaObject().className() not in _SHARED_WIDGETS
    ]


def describe(thing: Any) -> str:
    """One line about a QObject, enough to find who made it."""
    names = []
    while thing is not None and len(names) < 6:
        kind = type(thing).__name__
        names.append(f"{kind} '{thing.objectName()}'" if thing.objectName() else kind)
        thing = thing.parent()
    return " in ".join(names)


class Leaks:
    """What was there before a test; ``found`` says what the test added and left."""

    def __init__(self, gui: bool) -> None:
        self._gui = gui
        self._threads = threads()
        self._children = children()
        if gui:
            watch_timers()
            self._windows = {id(widget) for widget in windows()}
            self._timers = {id(timer) for timer in running_timers()}

    def found(self, patience: float = 2.0) -> list[str]:
        """Lines that name every leak; waits up to ``patience`` seconds for threads to end."""
        lines = self._found_in_qt() if self._gui else []
        deadline = time.monotonic() + patience
        for thread in threads() - self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        for thread in threads() - self._threads:
            lines.append(f"thread {thread.name!r} still runs:\n{stack_of(thread.ident)}")
        while (left := self._new_children()) and time.monotonic() < deadline:
            time.sleep(0.02)
        lines += [f"child process {pid} still runs: {command}" for pid, command in left.items()]
        return lines

    def _new_children(self) -> dict[int, str]:
        return {pid: name for pid, name in children().items() if pid not in self._children}

    def _found_in_qt(self) -> list[str]:
        from PySide6.QtCore import QCoreApplication, QEvent

        def left() -> tuple[list[Any], list[Any]]:
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
            return (
                [widget for widget in windows() if id(widget) not in self._windows],
                [timer for timer in running_timers() if id(timer) not in self._timers],
            )

        if any(left()):
            collect_everything()
        new_windows, new_timers = left()
        return [f"top-level widget left: {describe(widget)}" for widget in new_windows] + [
            f"timer still runs: {describe(timer)}" for timer in new_timers
        ]


# -- stalls -----------------------------------------------------------------------------------


def stack_of(thread_id: int | None) -> str:
    frame = sys._current_frames().get(thread_id or 0)
    return "".join(traceback.format_stack(frame)) if frame is not None else "(it has just ended)\n"


def waited_for_a_core() -> float:
    """Seconds that this thread was ready to run while other threads had the cores (Linux only).

    A busy machine is no fault of ours, so this is taken off a stall; a lock, a GIL that somebody
    else holds, and work of our own stay in it.
    """
    try:
        counts = pathlib.Path(f"/proc/self/task/{threading.get_native_id()}/schedstat").read_text()
        return int(counts.split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


class StallWatch:
    """Tells when the GUI thread's event loop was not served for longer than ``STALL_LIMIT``.

    Only time *inside* an event loop counts: what a test computes by itself stalls nobody. A timer
    ticks in the loop; a thread looks for missing ticks and keeps the GUI thread's stack.
    """

    def __init__(self) -> None:
        from PySide6 import QtCore

        class Heart(QtCore.QObject):
            def timerEvent(heart, _event: QtCore.QTimerEvent) -> None:
                self._beat()

        self._gui_thread = threading.get_ident()
        self._depth = 0
        self._last_beat = 0.0
        self._waited = 0.0
        self._stack = ""
        self._active = threading.Event()
        self.stalls: list[str] = []
        self._heart = Heart()
        self._timer_id = 0
        for kind, name, static in _loops():
            original = getattr(kind, name)
            wrapper = self._inside_loop(original)
            setattr(kind, name, staticmethod(wrapper) if static else wrapper)
        threading.Thread(target=self._look, name="gui-stall-watch", daemon=True).start()

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        from PySide6.QtCore import Qt

        self.stalls = []
        self._timer_id = self._heart.startTimer(_TICK_MS, Qt.TimerType.PreciseTimer)
        self._last_beat, self._waited = time.monotonic(), waited_for_a_core()
        self._active.set()
        try:
            yield
        finally:
            self._active.clear()
            self._heart.killTimer(self._timer_id)

    def _inside_loop(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def inside(*arguments: Any) -> Any:
            if threading.get_ident() != self._gui_thread:
                return original(*arguments)
            if self._depth == 0:
                self._last_beat, self._waited = time.monotonic(), waited_for_a_core()
            self._depth += 1
            try:
                return original(*arguments)
            finally:
                self._beat()
                self._depth -= 1

        return inside

    def _beat(self) -> None:
        now, waited = time.monotonic(), waited_for_a_core()
        gap = now - self._last_beat - (waited - self._waited)
        if self._active.is_set() and self._depth and gap > STALL_LIMIT:
            stack = self._stack or "(no Python code could run meanwhile: one long call into C)\n"
            self.stalls.append(f"the event loop stood still for {gap * 1000:.0f} ms in\n{stack}")
        self._last_beat, self._waited = now, waited
        self._stack = ""

    def _look(self) -> None:
        while self._active.wait():
            time.sleep(0.05)
            late = time.monotonic() - self._last_beat
            if self._depth and late > STALL_LIMIT * 0.6 and not self._stack:
                self._stack = stack_of(self._gui_thread)


def _loops() -> list[tuple[type, str, bool]]:
    """Where Python enters Qt's event loop: (class, function, whether it is static)."""
    from PySide6 import QtCore, QtGui, QtWidgets

    return [
        (QtCore.QEventLoop, "exec", False),
        (QtCore.QEventLoop, "processEvents", False),
        (QtCore.QCoreApplication, "processEvents", True),
        (QtCore.QCoreApplication, "exec", True),
        (QtGui.QGuiApplication, "exec", True),
        (QtWidgets.QApplication, "exec", True),
    ]
