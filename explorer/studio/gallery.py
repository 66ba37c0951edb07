"""Draws every widget in every state, light, dark and high contrast, to PNG files.

`python -m explorer.studio.gallery DIR [--ratio 1.5] [--only NAME]`
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QPoint
from PySide6.QtGui import QImage, QPainter, QRegion
from PySide6.QtWidgets import QApplication, QWidget

from explorer import theme
from explorer.studio.gallery_data import Sample
from explorer.studio.gallery_samples import SHEETS

SHEET_WIDTH = 1280
MARGIN = 24


def draw_sheet(title: str, samples: Sequence[Sample], ratio: float = 1.0) -> QImage:
    """Draws one picture of named widgets, from left to right in rows."""
    now = theme.current()
    x, y, row_height = MARGIN, MARGIN + 40, 0
    places = []
    for name, widget, width, height in samples:
        width, height = now.px(width), now.px(height)
        if x + width > SHEET_WIDTH - MARGIN and x > MARGIN:
            x, y, row_height = MARGIN, y + row_height + 44, 0
        places.append((name, widget, x, y, width, height))
        x += width + MARGIN
        row_height = max(row_height, height)
    total = y + row_height + MARGIN
    image = QImage(
        round(SHEET_WIDTH * ratio), round(total * ratio), QImage.Format.Format_ARGB32_Premultiplied
    )
    image.setDevicePixelRatio(ratio)
    image.fill(now.color("window"))
    painter = QPainter(image)
    painter.setPen(now.color("text"))
    painter.setFont(now.font("title", 600))
    painter.drawText(QPoint(MARGIN, MARGIN + 14), f"{title}   {now.name}")
    for name, widget, x, y, width, height in places:
        painter.setFont(now.font("label"))
        painter.setPen(now.color("muted"))
        painter.drawText(QPoint(x, y - 6), name)
        widget.resize(width, height)
        widget.ensurePolished()
        painter.save()
        painter.fillRect(x, y, width, height, now.color("surface"))
        widget.render(painter, QPoint(x, y), QRegion(), QWidget.RenderFlag.DrawChildren)
        painter.restore()
    painter.end()
    return image


def draw_gallery(
    app: QApplication,
    folder: Path,
    names: Sequence[str] = ("light", "dark", "contrast-light", "contrast-dark"),
    ratio: float = 1.0,
    only: str = "",
) -> list[Path]:
    """Writes one PNG per sheet and theme into `folder`; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name in names:
        theme.apply(app, name)
        theme.style_hidden()
        for title, build in SHEETS.items():
            if only and only not in title:
                continue
            paths.append(_write(title, build, name, folder, ratio))
    return paths


def _write(
    title: str,
    build: Callable[[], list[Sample]],
    name: str,
    folder: Path,
    ratio: float,
) -> Path:
    samples = build()
    for _, widget, width, height in samples:
        # Shown once to lay out nested layouts as in the window.
        widget.resize(theme.current().px(width), theme.current().px(height))
        widget.show()
    QApplication.sendPostedEvents()
    image = draw_sheet(title, samples, ratio)
    suffix = "" if ratio == 1 else f"@{ratio:g}x"
    path = folder / f"{title.lower().replace(' ', '-')}-{name}{suffix}.png"
    if not image.save(str(path)):
        raise OSError(f"{path} could not be written: is the folder writable and the disk not full?")
    for _, widget, _, _ in samples:
        widget.hide()
        widget.deleteLater()
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m explorer.studio.gallery", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("--ratio", type=float, default=1.0, help="device pixel ratio")
    parser.add_argument("--zoom", type=float, default=1.0, help="UI zoom, 0.8 to 2")
    parser.add_argument("--only", default="", help="a part of a sheet's name")
    parser.add_argument("--themes", default="light,dark,contrast-light,contrast-dark")
    given = parser.parse_args(arguments)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    theme.apply(app, "light", zoom=given.zoom)
    names = given.themes.split(",")
    for path in draw_gallery(app, given.folder, names, given.ratio, given.only):
        print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
