"""A sitting: the app in a real window, in a process of its own, steered by a coroutine of a test.

    python -m tests.smoke.sitting tests.smoke.test_backprop:type_a_formula FOLDER

It ends with "all seen", where the coroutine has and no error was reported.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import sys
from pathlib import Path
from typing import Any

import qasync
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from explorer import theme
from explorer.app import ExplorerApp
from explorer.engine import errors
from explorer.shell.session import Session
from tests.explorer.waiting import HANGS, until

SIZES = ((1440, 900), (1100, 680))


class Sitting:
    """What a person has before them: `window` and the `pane` that is shown."""

    def __init__(self, app: ExplorerApp, folder: Path) -> None:
        self.app = app
        self.folder = folder
        self._closing = asyncio.Event()
        self.session: Any = None
        self.window: Any = None
        self.pane: Any = None

    async def begin(self, pane: str) -> Any:
        """Opens the window, in the state in which the last one was left, and shows this pane."""
        self._closing.clear()
        self.session = Session(
            self._closing.set, folder=self.folder / "config", runs_folder=self.folder / "runs"
        )
        self.session.settings.callouts_seen = True
        theme.apply(self.app, "light", 1.0, "full")
        self.window = self.session.open()
        self.window.resize(*SIZES[0])
        self.window.show()
        await self.session.first_paint()
        await self.session.begin()
        self.window.activateWindow()
        self.pane = self.window.show_pane(pane)
        return self.pane

    async def end(self) -> None:
        """By the window's own button."""
        self.window.close()
        await until(self._closing.is_set, "the end")
        assert await self.session.close(HANGS)
        assert not errors.reports().problems, list(errors.reports().problems.values())

    def key(self, name: Qt.Key) -> None:
        """Where the focus is, as a window gets it."""
        QTest.keyClick(self.app.focusWidget() or self.app.activeWindow(), name)

    async def seen(self) -> None:
        """The pane has come to rest, and none of its pictures is broken."""
        await self.pane.settled()
        await asyncio.sleep(0.05)
        assert not self.window.grab().toImage().isNull()
        for picture in self.pane.pictures().values():
            assert getattr(picture, "broken", None) is None, picture.accessibleName()

    async def seen_in_every_look(self) -> None:
        """Large and small, light and dark; it stays small and dark."""
        for size in SIZES:
            self.window.resize(*size)
            for look in ("light", "dark"):
                theme.apply(self.app, look, 1.0, "full")
                await self.seen()
        assert (self.window.width(), self.window.height()) == SIZES[-1]


def main(what: str, folder: str) -> None:
    gc.disable()
    module, _, name = what.partition(":")
    coroutine = getattr(importlib.import_module(module), name)
    app = ExplorerApp(sys.argv[:1])
    hooks = errors.Hooks()
    hooks.install()
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
        hooks.install_on_loop(runner.get_loop())
        runner.run(coroutine(Sitting(app, Path(folder))))
    print("all seen", flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
