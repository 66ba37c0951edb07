"""Start and end of the app: one application, one event loop, one way to close."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import qasync
from PySide6.QtCore import QEvent, QObject, QSocketNotifier, Signal
from PySide6.QtWidgets import QApplication

from core.resources import data_folder
from explorer import theme
from explorer.engine import errors, tasks
from explorer.shell.instance import Instance
from explorer.short_turns import take_short_turns
from explorer.state import settings

if TYPE_CHECKING:
    from explorer.shell.session import Session

CLOSING_LIMIT = 10.0  # seconds
HANDED_OVER = "LLM Explorer is open already: see its window (--new-window opens another one)"


class ExplorerApp(QApplication):
    """The application. Requests to close emit one `closing` signal, once."""

    closing = Signal()

    def __init__(self, arguments: list[str]) -> None:
        super().__init__(arguments)
        self.setApplicationName("llm-explorer")
        self.setApplicationDisplayName("LLM Explorer")
        self.setQuitOnLastWindowClosed(False)
        self.is_closing = False
        take_short_turns()

    def request_close(self) -> None:
        if not self.is_closing:
            self.is_closing = True
            self.closing.emit()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Quit:
            self.request_close()
            event.ignore()
            return True
        return super().event(event)


class SignalWatch(QObject):
    """Turns SIGINT and SIGTERM into a close request, even while Qt's loop sleeps."""

    def __init__(self, app: ExplorerApp) -> None:
        super().__init__(app)
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_signal)
        self._app = app
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: None)

    def _on_signal(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._reader.recv(64)
        self._app.request_close()

    def close(self) -> None:
        """Restores the default signal handlers."""
        signal.set_wakeup_fd(-1)
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, signal.SIG_DFL)
        self._notifier.setEnabled(False)
        self._reader.close()
        self._writer.close()


def run(options: argparse.Namespace) -> int:
    """Opens the app, draws the snapshots or runs the self-test; returns the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    gc.disable()  # the engine collects, on the GUI thread and never while Qt deletes objects
    instance = instance_for(options)
    later = instance is not None and not instance.claim() and not options.new_window
    if later and instance is not None and instance.hand_over(options.paths):
        if sys.stderr is not None:
            print(HANDED_OVER, file=sys.stderr)
        return _leave(0)
    crash = errors.CrashLog(settings.config_folder())
    left = crash.open() if instance is not None and instance.claim() else ""
    app = ExplorerApp(sys.argv[:1])
    hooks = errors.Hooks()
    hooks.install()
    watch = SignalWatch(app)
    factory = lambda: qasync.QEventLoop(app)  # noqa: E731
    with asyncio.Runner(loop_factory=factory) as runner:
        hooks.install_on_loop(runner.get_loop())
        code = runner.run(main(app, options, left, instance))
    watch.close()
    hooks.remove()
    crash.close()
    if instance is not None:
        instance.release()
    return _leave(code)


def instance_for(options: argparse.Namespace) -> Instance | None:
    """Returns the claim to the user's window, or None if no window is opened."""
    if options.snapshot is not None or options.self_test:
        return None
    return Instance(settings.config_folder(), data_folder())


def _leave(code: int) -> int:
    """Ends the process now: blocked downloads and Qt's destructors must not change the code."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
    os._exit(code)


async def main(
    app: ExplorerApp, options: argparse.Namespace, crashed: str, instance: Instance | None = None
) -> int:
    """Runs what the options request; returns the exit code."""
    if options.snapshot is not None:
        from explorer.studio import snapshot

        sizes = options.size or (snapshot.SIZES if options.all_sizes else snapshot.SIZES[:1])
        return await snapshot.run(app, options.snapshot, sizes, options.only)
    if options.self_test:
        from explorer.studio import selftest

        return await selftest.run(app)
    return await open_window(app, options, crashed, instance)


async def open_window(
    app: ExplorerApp,
    options: argparse.Namespace,
    crashed: str = "",
    instance: Instance | None = None,
) -> int:
    """Runs the window: shown first, then filled, finally closed in at most 10 seconds."""
    from explorer.shell.session import Session

    closing = asyncio.Event()
    app.closing.connect(closing.set)
    if app.is_closing:
        return 0
    first = instance is None or instance.claim()
    session = Session(app.request_close, keeps=first)
    theme.apply(app, session.settings.theme, session.settings.zoom, session.settings.motion)
    window = session.open()
    session.engine.ready.connect(gc.freeze)  # torch's objects live to the end: never scan them
    window.show()
    await session.first_paint()
    report_start("window")
    if not closing.is_set():
        if instance is not None and first:
            instance.requested.connect(session.hand_in)
            instance.listen()
        tasks.spawn(_fill(session, options.paths, crashed), window)
        await closing.wait()
    if instance is not None:
        instance.close()
    left = session.runs.going_on
    await session.close(CLOSING_LIMIT)
    if left and sys.stderr is not None:
        print(
            f"training goes on without the window: {', '.join(map(str, left))}; open LLM Explorer "
            "again to watch or stop it",
            file=sys.stderr,
        )
    return 0


async def _fill(session: Session, paths: Sequence[Path], crashed: str) -> None:
    from explorer.panes import specs

    await session.begin(paths, crashed)
    if session.window is not None and session.window.pane is not None:
        await session.window.pane.settled()
        report_start("picture")
        await specs.load_ahead(session.engine)


def report_start(what: str) -> None:
    """Logs the first paint and the first useful picture, for the start-up benchmark."""
    target = os.environ.get("LLM_EXPLORER_START_REPORT")
    if target:
        with open(target, "a", encoding="utf-8") as file:
            file.write(f"{what} {time.time():.4f} torch={'torch' in sys.modules}\n")
