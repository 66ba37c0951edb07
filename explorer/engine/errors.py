"""Collects exceptions that nothing else handles; repeats of one share a card with a count.

The same: of one type, raised at one place, with one text. Where the text of one place differs again
and again (a step number stands in it), the newest card counts them all and shows the latest.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import faulthandler
import logging
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from PySide6.QtCore import QObject, Qt, QtMsgType, Signal, qInstallMessageHandler

import core
import explorer

_log = logging.getLogger(__name__)

_HOMES = tuple(Path(package.__file__).parent for package in (core, explorer))
MOST_KEPT = 50
MOST_TEXTS = 5  # texts of one type and place that get a card each
MODEL = "model"  # the subject of an error, until the user opens another one
TEXT = "text"
INPUT = "input"  # the subject of an answer to an input, until another pane or mode is shown
HARMLESS = ("This plugin does not support",)  # Qt's messages that do not help the user


@dataclass
class Problem:
    """One error, identified by its type, place and text, with the number of its occurrences.

    varies  True: `count` and `text` are also those of later errors of its type and place
    about   the subject ("model"); a later success with it makes the error obsolete
    """

    key: tuple[str, str, str]
    title: str
    text: str
    where: str
    details: str
    count: int = 1
    about: str = ""
    varies: bool = False


class _Reports(QObject):
    """Carries reports from any thread to the GUI thread."""

    arrived = Signal(object, str, str)
    changed = Signal(object)  # Problem, new or with a higher count
    retired = Signal(object)  # Problem that is obsolete

    def __init__(self) -> None:
        super().__init__()
        self.problems: dict[tuple[str, str, str], Problem] = {}
        self._telling = False
        self.arrived.connect(self._on_arrived, Qt.ConnectionType.AutoConnection)

    def _on_arrived(self, error: BaseException, where: str, about: str) -> None:
        if self._telling:  # showing an error has raised one; showing that may raise again
            _log.error("while an error was shown: %s", details_of(error))
            return
        text = text_of(error)
        key = (type(error).__name__, place(error) or where, text)
        problem = self.problems.get(key)
        alike = [found for found in self.problems.values() if found.key[:2] == key[:2]]
        if problem is None and len(alike) >= MOST_TEXTS:
            problem = alike[-1]
            if not problem.varies:
                problem.varies = True
                _log.warning("%s: %s (its next texts are not logged)", where, text)
            problem.text, problem.details = text, details_of(error)
        if problem is None:
            details = details_of(error)
            if is_told(error):
                _log.warning("%s: %s", where, text)
            else:
                _log.error("%s: %s", where, details)
            problem = Problem(key, title_of(error), text, where, details, about=about)
            while len(self.problems) >= MOST_KEPT:
                self.problems.pop(next(iter(self.problems)))
            self.problems[key] = problem
        else:
            problem.count += 1
        self._telling = True
        try:
            self.changed.emit(problem)
        finally:
            self._telling = False


_reports: _Reports | None = None


def reports() -> _Reports:
    """Returns the one list of problems; its `changed` signal updates the window's cards."""
    global _reports
    if _reports is None:
        _reports = _Reports()
    return _reports


def report(error: BaseException, where: str = "", about: str = "") -> None:
    """Shows `error` once. Can be called on any thread; never raises."""
    with contextlib.suppress(RuntimeError):  # Qt is already closed
        reports().arrived.emit(error, where, about)


def retire(about: str) -> None:
    """Removes the errors of a subject after a success with it."""
    for problem in [found for found in reports().problems.values() if found.about == about]:
        forget(problem)
        reports().retired.emit(problem)


def forget(problem: Problem) -> None:
    """Removes a problem whose card was closed; the same error becomes a new one."""
    reports().problems.pop(problem.key, None)


def details_of(error: BaseException) -> str:
    """Returns the error with its traceback."""
    return "".join(traceback.format_exception(error))


def place(error: BaseException) -> str:
    """Returns file:line where the error was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def is_told(error: BaseException) -> bool:
    """True if the text alone explains the error and the remedy: an error of the disk, or a
    ValueError that core or the app raises itself. Any other error needs its traceback.
    """
    if isinstance(error, OSError):
        return True
    if not isinstance(error, ValueError):
        return False
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return True  # created to be reported, never raised
    ours = any(Path(frames[-1].filename).is_relative_to(home) for home in _HOMES)
    return ours and (frames[-1].line or "").startswith("raise ")


def subject_of(error: BaseException) -> str:
    """Returns the subject of an error that nothing has handled: what is told answers an input."""
    return INPUT if is_told(error) else ""


def title_of(error: BaseException) -> str:
    """Returns a title for the user: core's ValueError already contains the remedy."""
    if isinstance(error, ValueError):
        return "That did not work"
    if isinstance(error, OSError):
        if isinstance(error, ConnectionError):
            return "The connection failed"
        full = error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
        return "The disk is full" if full else "A file could not be used"
    if isinstance(error, MemoryError):
        return "There is not enough memory"
    return "Something went wrong inside the app"


def text_of(error: BaseException) -> str:
    """Returns the error's text; for a file, without the system's error number."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error) or type(error).__name__


class Hooks:
    """All hooks for unhandled exceptions, installed at the start and restored at the end."""

    def __init__(self) -> None:
        self._before: tuple[Any, ...] | None = None
        self._handler: Callable[..., None] | None = None

    def install(self) -> None:
        reports()
        self._before = (sys.excepthook, threading.excepthook, sys.unraisablehook)
        sys.excepthook = self._on_exception
        threading.excepthook = self._on_thread_exception
        sys.unraisablehook = self._on_unraisable
        self._handler = qInstallMessageHandler(self._on_qt_message)

    def remove(self) -> None:
        if self._before is not None:
            sys.excepthook, threading.excepthook, sys.unraisablehook = self._before
            qInstallMessageHandler(self._handler)
            self._before = None

    def install_on_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.set_exception_handler(self._on_loop_problem)

    def _on_exception(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        report(error.with_traceback(trace), "the window", subject_of(error))

    def _on_thread_exception(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            report(args.exc_value, f"thread {args.thread.name if args.thread else ''}")

    def _on_unraisable(self, args: Any) -> None:
        if isinstance(args.exc_value, BaseException):
            report(args.exc_value, args.err_msg or "clean-up")

    def _on_loop_problem(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, BaseException):
            report(error, context.get("message", "background work"))
        else:
            _log.warning("%s", context.get("message"))

    def _on_qt_message(self, kind: QtMsgType, context: Any, message: str) -> None:
        if message.startswith(HARMLESS):
            return
        level = {
            QtMsgType.QtDebugMsg: logging.DEBUG,
            QtMsgType.QtInfoMsg: logging.INFO,
            QtMsgType.QtWarningMsg: logging.WARNING,
        }.get(kind, logging.ERROR)
        logging.getLogger("qt").log(level, "%s", message)


class CrashLog:
    """The file to which `faulthandler` writes if the process dies; the next start offers it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "crash.log"
        self._file: TextIO | None = None

    def open(self) -> str:
        """Starts a new log; returns the last session's ("" if it ended well)."""
        left = ""
        with contextlib.suppress(OSError):
            left = self.path.read_text("utf-8", errors="replace").strip()
            if left:
                self.path.replace(self.path.with_suffix(".previous.log"))
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("w", encoding="utf-8")
            faulthandler.enable(self._file)
        return left

    def close(self) -> None:
        """Deletes the log, because the session ended well."""
        if self._file is not None:
            faulthandler.disable()
            self._file.close()
            self._file = None
            with contextlib.suppress(OSError):
                self.path.unlink()
