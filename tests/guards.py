"""What a test must not leave behind.

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
from collections.abc import Callable
from typing import Any

from explorer.studio.hang_detector import HangDetector

PATIENCE = 20.0  # seconds without work for what is ending to end; only a leak waits so long

_SESSION_THREADS = ("tqdm", "pytest_timeout")
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


def stack_of(thread_id: int | None) -> str:
    frame = sys._current_frames().get(thread_id or 0)
    return "".join(traceback.format_stack(frame)) if frame is not None else "(it has just ended)\n"


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

    def found(self) -> list[str]:
        """Lines that name every leak; waits for threads and processes that are about to end."""
        lines = self._found_in_qt() if self._gui else []
        waits = HangDetector(PATIENCE, PATIENCE, PATIENCE / 40)
        while (threads() - self._threads or self._new_children()) and not waits.look():
            time.sleep(0.005)
        for thread in threads() - self._threads:
            lines.append(f"thread {thread.name!r} still runs:\n{stack_of(thread.ident)}")
        left = self._new_children()
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
