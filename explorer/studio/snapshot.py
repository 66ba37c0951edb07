"""Draws every view of every pane into files, light and dark, without sleeping.

A view is a state that a pane offers by `views()`; its picture is taken once the pane has settled.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
import tempfile
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize

from explorer import theme

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from explorer.panes.base import Pane
    from explorer.shell.session import Session
    from explorer.shell.window import MainWindow

Size = tuple[int, int]

SIZES: tuple[Size, ...] = ((1280, 720), (1440, 900), (1920, 1080))
THEMES = ("light", "dark")
PATIENCE = 120.0  # seconds for one view to settle


class UnknownName(ValueError):
    """A requested name that no pane or view has."""


async def run(
    app: QApplication, folder: Path, sizes: Sequence[Size] = SIZES[:1], only: Collection[str] = ()
) -> int:
    """Writes PANE-VIEW-THEME-WIDTHxHEIGHT.png files into `folder`; returns the exit code.

    `only` are prefixes of their names: panes ("backprop"), modes ("backprop-network") or views
    ("attention-arcs"). The code is 2 if one of them is no prefix of a name, and 1 if a view could
    not be reached: the others are drawn.
    """
    from explorer.shell.session import Session

    with tempfile.TemporaryDirectory(prefix="llm-explorer-") as scratch:
        session = Session(folder=Path(scratch), runs_folder=Path(scratch) / "runs")
        session.settings.callouts_seen = True
        session.settings.motion = "off"
        try:
            panes = _chosen_panes([spec.id for spec in session.specs], only)
            _prepare(folder)
            theme.apply(app, THEMES[0], 1.0, "off")
            window = session.open()
            window.show()
            await session.begin()
            artist = Artist(app, session, window, folder, sizes)
            for name in panes:
                await artist.draw_pane(name, only)
            return 1 if artist.failed else 0
        except (OSError, ValueError, TimeoutError) as error:
            print(f"snapshot: {error or type(error).__name__}", file=sys.stderr)
            return 2 if isinstance(error, UnknownName) else 1
        finally:
            await session.close()


def _chosen_panes(panes: Sequence[str], only: Collection[str]) -> list[str]:
    unknown = [name for name in only if name.partition("-")[0] not in panes]
    if unknown:
        raise UnknownName(f"there is no pane {unknown[0]!r}; there are: {', '.join(panes)}")
    wanted = {name.partition("-")[0] for name in only} or set(panes)
    return [pane for pane in panes if pane in wanted]


def _chosen_views(pane: str, views: Iterable[str], only: Collection[str]) -> list[str]:
    names = {view: f"{pane}-{view}-" for view in views}
    chosen: set[str] = set()
    for wanted in [name for name in only if name.partition("-")[0] == pane] or [pane]:
        found = [view for view, name in names.items() if name.startswith(f"{wanted}-")]
        if not found:
            known = ", ".join(name[:-1] for name in names.values())
            raise UnknownName(f"no view begins with {wanted!r}; there are: {known}")
        chosen.update(found)
    return [view for view in names if view in chosen]


def _prepare(folder: Path) -> None:
    """Creates the folder and checks that it is writable. Raises OSError with the remedy."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OSError(f"{folder} takes no pictures ({reason}); choose another folder") from error


class Artist:
    """Brings one window from view to view and saves its pictures."""

    def __init__(
        self,
        app: QApplication,
        session: Session,
        window: MainWindow,
        folder: Path,
        sizes: Sequence[Size],
    ) -> None:
        self._app = app
        self._session = session
        self._window = window
        self._folder = folder
        self._sizes = sizes
        self._looks = THEMES
        self.failed = 0  # views that could not be reached

    async def draw_pane(self, name: str, only: Collection[str]) -> None:
        pane = self._window.show_pane(name)
        if pane is None:
            raise ValueError(f"the pane {name} could not be built")
        await _settle(pane)
        views: dict[str, Any] = dict(pane.views()) or {"first": lambda: None}
        for view in _chosen_views(name, views, only):
            try:
                shown = views[view]()
                if inspect.isawaitable(shown):
                    await shown
            except Exception as error:  # the other views are still drawn
                print(f"snapshot: {name}-{view}: {type(error).__name__}: {error}", file=sys.stderr)
                self.failed += 1
                continue
            await self._session.follower.look()  # the status bar shows the same step as the pane
            await self._draw_view(pane, f"{name}-{view}")

    async def _draw_view(self, pane: Pane, name: str) -> None:
        for width, height in self._sizes:
            self._window.resize(QSize(width, height))
            for look in self._looks:
                theme.apply(self._app, look, 1.0, "off")
                theme.style_hidden()
                await _settle(pane)
                path = self._folder / f"{name}-{look}-{width}x{height}.png"
                if not self._window.grab().save(str(path)):
                    raise OSError(f"{path} could not be written; choose another folder")
                print(path)
            # The next picture starts with this theme, because a theme change is the slowest part.
            self._looks = self._looks[::-1]


async def _settle(pane: Pane) -> None:
    """Waits for Qt's pending layout and paint, then for the pane's requests, then paints again."""
    async with asyncio.timeout(PATIENCE):
        await asyncio.sleep(0)
        await pane.settled()
        await asyncio.sleep(0)
