"""Exports pictures and numbers: PNG, SVG, CSV, a Trace as GIF, Show as table."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QDialog, QMenu, QVBoxLayout, QWidget

from core.files import write_atomically
from explorer.engine import errors
from explorer.state.player import Player
from explorer.widgets.rendering import SCALE, drawn, svg

if TYPE_CHECKING:
    from collections.abc import Callable

    from explorer.panes.base import Pane
    from explorer.shell.window import MainWindow

MARGIN = 12  # px around an exported picture, because its text reaches the edge
GIF_FRAME = 0.08  # seconds
MOST_FRAMES = 400


async def film(pane: Pane, picture: QWidget, path: Path, progress: Callable[[float], None]) -> None:
    """Writes the pane's steps from start to end as an animation, at the player's pace at 1x.

    The cursor is restored after every frame, before other code runs, so nothing else sees it move.
    Raises ValueError if there is nothing to play, or if the steps or the picture's size change
    during the export.
    """
    from explorer.widgets import encoding

    player = pane.player
    if player.length < 2:
        raise ValueError("there are no steps to draw yet; choose a head and a token first")
    frames, durations = [], []
    with pane.filming(picture) as moving:
        track, size = player.track, moving.size()
        shots = shooting(player)
        for position, milliseconds in shots:
            if player.track is not track or moving.size() != size:
                raise ValueError(
                    "the picture changed while its animation was drawn; export it again and leave "
                    "the window as it is meanwhile"
                )
            image = _shot(pane, moving, position)
            frames.append(await pane.engine.io(encoding.gif_frame, image))
            durations.append(milliseconds)
            progress(len(frames) / len(shots))
    await pane.engine.io(encoding.write_gif, path, frames, durations)


def _shot(pane: Pane, picture: QWidget, position: float) -> QImage:
    player = pane.player
    before, animated = player.position, player.playing and not player.at_live_edge
    player.unseen = True
    try:
        player.seek(position)
        return drawn(picture, 1, MARGIN, pane.caption())
    finally:
        player.seek(before)
        player.unseen = False
        if animated:
            player.play()


def shooting(player: Player) -> list[tuple[float, int]]:
    """Returns frames as (position, milliseconds): one for a rest, several for a transition.

    At most MOST_FRAMES; of more, only every n-th and the last are drawn, at the same pace.
    """
    track = player.track
    assert track is not None
    moving = max(1, round(track.transition / GIF_FRAME))
    each = track.transition / moving
    frames = [(0.0, track.rest)]
    for step in range(player.length - 1):
        frames += [(step + frame / moving, each) for frame in range(1, moving)]
        frames.append((step + 1.0, each + track.rest))
    stride = -(-len(frames) // (MOST_FRAMES - 1))
    kept = sorted({*range(0, len(frames), stride), len(frames) - 1})
    found, clock, shown = [], 0.0, 0
    for this, following in pairwise([*kept, len(frames)]):
        clock += sum(seconds for _, seconds in frames[this:following])
        until = 10 * round(clock * 100)  # a GIF counts hundredths of a second
        found.append((frames[this][0], until - shown))
        shown = until
    return found


# the menus' actions


def menu(window: MainWindow, pane: Pane, name: str, picture: QWidget) -> QMenu:
    """Returns the context menu of a picture."""
    result = QMenu(window)
    result.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    numbers = _numbers(picture)
    table = result.addAction("Show as table", lambda: show_table(window, name, picture))
    copy = result.addAction("Copy numbers", lambda: pane.spawn(copy_numbers(pane, picture)))
    result.addAction(
        "Copy picture",
        lambda: QGuiApplication.clipboard().setImage(drawn(picture, SCALE, MARGIN, pane.caption())),
    )
    table.setEnabled(bool(numbers))
    copy.setEnabled(bool(numbers))
    result.addSeparator()
    for kind in ("png", "svg", "csv", "gif"):
        action = result.addAction(
            f"Export {kind.upper()}\u2026",
            lambda kind=kind: _ask_for(window, pane, name, picture, kind),
        )
        action.setEnabled(kind != "csv" or bool(numbers))
    return result


def ask(window: MainWindow, pane: Pane, kind: str) -> None:
    """Exports the pane's main picture: the focused one, else the first that is visible."""
    found = _main_picture(pane)
    if found is not None:
        _ask_for(window, pane, *found, kind)


def _main_picture(pane: Pane) -> tuple[str, QWidget] | None:
    shown = [(n, p) for n, p in pane.pictures().items() if p.isVisible()]
    focused = [(n, p) for n, p in shown if p.hasFocus()]
    return (focused or shown or [None])[0]


def _ask_for(window: MainWindow, pane: Pane, name: str, picture: QWidget, kind: str) -> None:
    from explorer.widgets.dialogs import ask_target

    ask_target(
        window,
        f"Export {kind.upper()}",
        f"{pane.file_stem}-{name}.{kind}",
        lambda path: pane.spawn(save_and_tell(window, pane, picture, kind, Path(path))),
    )


async def save_and_tell(
    window: MainWindow, pane: Pane, picture: QWidget, kind: str, path: Path
) -> None:
    """Calls `save`, shows its progress in the status bar, and reports its errors."""

    def progress(share: float) -> None:
        window.status.set_message(f"Exporting {path.name}, {round(100 * share)} %")

    window.status.set_message(f"Exporting {path.name}")
    try:
        await save(pane, picture, kind, path, progress)
    except (OSError, ValueError) as error:
        window.status.set_message("")
        errors.report(error, f"exporting {kind}")
    else:
        window.say(f"Saved {path}")


async def save(
    pane: Pane,
    picture: QWidget,
    kind: str,
    path: Path,
    progress: Callable[[float], None] = lambda share: None,
) -> None:
    """Writes the picture to `path`; an older file is unchanged if that fails.

    Widgets are drawn in the GUI thread; the engine's pool encodes and writes. Raises OSError for
    the disk or its permissions, ValueError if there is nothing to export.
    """
    from explorer.widgets import encoding

    io = pane.engine.io
    if kind == "png":
        await io(encoding.write_png, path, drawn(picture, SCALE, MARGIN, pane.caption()))
    elif kind == "svg":
        await io(write_atomically, path, svg(picture, MARGIN, pane.caption()))
    elif kind == "csv":
        await io(encoding.write_csv, path, _columns(picture), pane.about(picture))
    elif kind == "gif":
        await film(pane, picture, path, progress)
    else:
        raise ValueError(f"cannot export {kind!r}; choose png, svg, csv or gif")


async def copy_numbers(pane: Pane, picture: QWidget) -> None:
    from explorer.widgets import encoding

    text = await pane.engine.io(encoding.as_csv, _columns(picture), pane.about(picture))
    QGuiApplication.clipboard().setText(text)


def _numbers(picture: QWidget) -> dict[str, np.ndarray]:
    displayed: Any = getattr(picture, "displayed", None)
    return displayed() if displayed is not None else {}


def _columns(picture: QWidget) -> dict[str, np.ndarray]:
    """Returns the table that the picture provides for a file, or else its displayed numbers."""
    columns: Any = getattr(picture, "as_columns", None)
    return columns() if columns is not None else _numbers(picture)


def show_first_table(window: MainWindow, pane: Pane) -> None:
    found = _main_picture(pane)
    if found is not None:
        show_table(window, *found)


def show_table(window: MainWindow, name: str, picture: QWidget) -> QDialog:
    """Shows a picture's numbers as a table to read and copy."""
    from explorer.widgets.numbers_table import NumbersTable

    dialog = QDialog(window)
    dialog.setWindowTitle(f"{picture.accessibleName() or name}: numbers")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    table = NumbersTable()
    table.set_tables(_numbers(picture), getattr(picture, "table_labels", dict)())
    layout = QVBoxLayout(dialog)
    layout.addWidget(table)
    dialog.resize(QSize(560, 480))
    dialog.show()
    return dialog
