"""Draws every view of every pane into files: light and dark, each size. Nothing here sleeps.

A view is a state that a pane offers by `views()`; a picture is taken once the pane has settled.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize

from explorer import theme

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from explorer.panes.base import Pane
    from explorer.shell.session import Session
    from explorer.shell.window import MainWindow

SIZES = ((1280, 720), (1440, 900), (1920, 1080))
THEMES = ("light", "dark")
PATIENCE = 120.0  # seconds for one view to settle


async def run(
    app: QApplication,
    folder: Path,
    sizes: Sequence[tuple[int, int]] | None = None,
    panes: Sequence[str] | None = None,
) -> int:
    """Writes PANE-VIEW-THEME-WIDTHxHEIGHT.png files into `folder`; returns the exit code."""
    from explorer.shell.session import Session

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="llm-explorer-") as scratch:
        session = Session(folder=Path(scratch), runs_folder=Path(scratch) / "runs")
        session.settings.callouts_seen = True
        session.settings.motion = "off"
        theme.apply(app, THEMES[0], 1.0, "off")
        window = session.open()
        window.show()
        try:
            await session.begin()
            names = [spec.id for spec in session.specs if panes is None or spec.id in panes]
            for name in names:
                await _draw_pane(app, session, window, name, folder, sizes or SIZES)
        except (OSError, ValueError, TimeoutError) as error:
            print(f"snapshot: {error or type(error).__name__}", file=sys.stderr)
            return 1
        finally:
            await session.close()
    return 0


async def _draw_pane(
    app: QApplication,
    session: Session,
    window: MainWindow,
    name: str,
    folder: Path,
    sizes: Sequence[tuple[int, int]],
) -> None:
    pane = window.show_pane(name)
    if pane is None:
        raise ValueError(f"the pane {name} could not be built")
    await _settle(pane)
    views: dict[str, Any] = dict(pane.views()) or {"first": lambda: None}
    for view, bring in views.items():
        shown = bring()
        if inspect.isawaitable(shown):
            await shown
        await session.follower.look()  # the strip below tells the same as the pane
        for width, height in sizes:
            window.resize(QSize(width, height))
            for look in THEMES:
                theme.apply(app, look, 1.0, "off")
                await _settle(pane)
                path = folder / f"{name}-{view}-{look}-{width}x{height}.png"
                if not window.grab().save(str(path)):
                    raise OSError(f"{path} could not be written; choose another folder")
                print(path)


async def _settle(pane: Pane) -> None:
    """Qt's pending layout and paint, then whatever the pane has asked for, then paint again."""
    async with asyncio.timeout(PATIENCE):
        await asyncio.sleep(0)
        await pane.settled()
        await asyncio.sleep(0)
