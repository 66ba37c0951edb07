"""Pictures and numbers out of the app: PNG, SVG, CSV, a Trace as GIF, Show as table."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QBuffer, QIODevice, QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QGuiApplication, QPainter, QPixmap
from PySide6.QtWidgets import QDialog, QMenu, QVBoxLayout, QWidget

from core.files import write_atomically
from explorer import errors, theme
from explorer.player import Player

if TYPE_CHECKING:
    from explorer.panes.base import Pane
    from explorer.window import MainWindow

SCALE = 2  # pixels of a PNG for one of the screen
GIF_FRAME = 0.08  # seconds
MOST_FRAMES = 400
DOTS_PER_INCH = 96


def png(widget: QWidget) -> bytes:
    """The widget as a PNG of twice its size."""
    return _encoded(_pixmap(widget, SCALE))


def _pixmap(widget: QWidget, scale: float) -> QPixmap:
    pixmap = QPixmap(widget.size() * scale)
    pixmap.setDevicePixelRatio(scale)
    pixmap.fill(theme.current().color("window"))
    widget.render(pixmap)
    return pixmap


def _encoded(pixmap: QPixmap) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    pixmap.save(buffer, "PNG")
    return bytes(buffer.data().data())


def svg(widget: QWidget) -> bytes:
    """The widget as vector graphics."""
    from PySide6.QtSvg import QSvgGenerator

    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setResolution(DOTS_PER_INCH)
    generator.setSize(widget.size())
    generator.setViewBox(QRectF(0, 0, widget.width(), widget.height()))
    generator.setTitle(widget.accessibleName() or "LLM Explorer")
    painter = QPainter(generator)
    try:
        painter.fillRect(widget.rect(), theme.current().color("window"))
        widget.render(painter, QPoint())
    finally:
        painter.end()
    return bytes(buffer.data().data())


def as_csv(arrays: dict[str, np.ndarray]) -> str:
    """Every number with its name and indices; the values are exact, not as rounded on screen."""
    out = io.StringIO()
    writer = csv.writer(out)
    deepest = max((np.asarray(a).ndim for a in arrays.values()), default=0)
    writer.writerow(["name", *[f"index_{axis}" for axis in range(deepest)], "value"])
    for name, array in arrays.items():
        array = np.asarray(array)
        for index in np.ndindex(array.shape):
            padded = [*index, *[""] * (deepest - array.ndim)]
            writer.writerow([name, *padded, array[index].item()])
    return out.getvalue()


def gif(pane: Pane, picture: QWidget) -> bytes:
    """The pane's steps from start to end as an animation, at the player's pace at 1x.

    Raises ValueError when there is nothing to play.
    """
    from PIL import Image

    player = pane.player
    if player.length < 2:
        raise ValueError("there are no steps to draw yet; choose a head and a token first")
    before = player.position
    frames = []
    try:
        for position in positions(player):
            player.seek(position)
            image = _pixmap(picture, 1).toImage()
            image = image.convertToFormat(image.Format.Format_RGB888)
            size = (image.width(), image.height())
            data = bytes(image.constBits())
            frames.append(Image.frombytes("RGB", size, data, "raw", "RGB", image.bytesPerLine()))
    finally:
        player.seek(before)
    out = io.BytesIO()
    frames[0].save(
        out,
        "GIF",
        save_all=True,
        append_images=frames[1:],
        duration=int(GIF_FRAME * 1000),
        loop=0,
    )
    return out.getvalue()


def positions(player: Player) -> list[float]:
    """The positions of the frames: moving for each transition, standing still for each rest."""
    track = player.track
    assert track is not None
    moving = max(1, round(track.transition / GIF_FRAME))
    still = max(1, round(track.rest / GIF_FRAME))
    found = [0.0] * still
    for step in range(player.length - 1):
        found += [step + (frame + 1) / moving for frame in range(moving)]
        found += [float(step + 1)] * still
    stride = -(-len(found) // MOST_FRAMES)
    return found[::stride]


# what the menus do


def menu(window: MainWindow, pane: Pane, name: str, picture: QWidget) -> QMenu:
    """The context menu of a picture."""
    result = QMenu(window)
    result.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    numbers = _numbers(picture)
    clipboard = QGuiApplication.clipboard()
    table = result.addAction("Show as table", lambda: show_table(window, name, picture))
    copy = result.addAction("Copy numbers", lambda: clipboard.setText(as_csv(_numbers(picture))))
    result.addAction("Copy picture", lambda: clipboard.setPixmap(_pixmap(picture, SCALE)))
    table.setEnabled(bool(numbers))
    copy.setEnabled(bool(numbers))
    result.addSeparator()
    for kind in ("png", "svg", "csv", "gif"):
        action = result.addAction(
            f"Export {kind.upper()}...",
            lambda kind=kind: _ask_for(window, pane, name, picture, kind),
        )
        action.setEnabled(kind != "csv" or bool(numbers))
    return result


def ask(window: MainWindow, pane: Pane, kind: str) -> None:
    """Exports the pane's main picture (the first that is visible)."""
    found = _main_picture(pane)
    if found is not None:
        _ask_for(window, pane, *found, kind)


def _main_picture(pane: Pane) -> tuple[str, QWidget] | None:
    shown = [(n, p) for n, p in pane.pictures().items() if p.isVisible()]
    focused = [(n, p) for n, p in shown if p.hasFocus()]
    return (focused or shown or [None])[0]


def _ask_for(window: MainWindow, pane: Pane, name: str, picture: QWidget, kind: str) -> None:
    from explorer.dialogs import ask_target

    def chosen(path: str) -> None:
        try:
            save(pane, picture, kind, Path(path))
        except (OSError, ValueError) as error:
            errors.report(error, f"exporting {kind}")
        else:
            window.say(f"Saved {path}")

    ask_target(window, f"Export {kind.upper()}", f"{pane.objectName()}-{name}.{kind}", chosen)


def save(pane: Pane, picture: QWidget, kind: str, path: Path) -> None:
    """Writes the picture to `path`; an older file stays whole when that fails."""
    if kind == "png":
        content: bytes | str = png(picture)
    elif kind == "svg":
        content = svg(picture)
    elif kind == "csv":
        content = as_csv(_numbers(picture))
    elif kind == "gif":
        content = gif(pane, picture)
    else:
        raise ValueError(f"cannot export {kind!r}; choose png, svg, csv or gif")
    write_atomically(path, content)


def _numbers(picture: QWidget) -> dict[str, np.ndarray]:
    displayed: Any = getattr(picture, "displayed", None)
    return dict(displayed()) if displayed is not None else {}


def show_first_table(window: MainWindow, pane: Pane) -> None:
    found = _main_picture(pane)
    if found is not None:
        show_table(window, *found)


def show_table(window: MainWindow, name: str, picture: QWidget) -> QDialog:
    """The numbers that a picture shows, as a table to read and copy."""
    from explorer.widgets.numbers_table import NumbersTable

    dialog = QDialog(window)
    dialog.setWindowTitle(f"{picture.accessibleName() or name}: numbers")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    table = NumbersTable()
    table.set_tables(_numbers(picture))
    layout = QVBoxLayout(dialog)
    layout.addWidget(table)
    dialog.resize(QSize(560, 480))
    dialog.show()
    return dialog
