"""The app's icons: SVGs of `resources/icons` drawn in "currentColor", tinted, cached per ratio."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from core.resources import resource
from explorer import theme


@cache
def _folder() -> Path:
    return resource("icons")


@cache
def names() -> tuple[str, ...]:
    """Returns the names of all icons."""
    return tuple(sorted(path.stem for path in _folder().glob("*.svg")))


@cache
def _source(name: str) -> str:
    path = _folder() / f"{name}.svg"
    if not path.is_file():
        raise ValueError(f"no icon named {name!r}: draw resources/icons/{name}.svg")
    return path.read_text(encoding="utf-8")


def pixmap(name: str, role: str = "text", size: float = 20, ratio: float = 1.0) -> QPixmap:
    """Returns icon `name` in the color of `role`, `size` logical px at the zoom, for one ratio."""
    now = theme.current()
    return _pixmap(name, now.color(role).name(), now.px(size), ratio)


@lru_cache(maxsize=512)
def _pixmap(name: str, color: str, size: int, ratio: float) -> QPixmap:
    picture = theme.device_pixmap(size, size, ratio)
    source = _source(name).replace("currentColor", color)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(QByteArray(source.encode())).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return picture


def icon(name: str, role: str = "text", size: float = 20) -> QIcon:
    """Returns a QIcon with pixmaps for ratios 1, 1.25, 1.5 and 2, each also disabled at 45 %."""
    now = theme.current()
    return _icon(name, now.color(role).name(), now.px(size))


@lru_cache(maxsize=256)
def _icon(name: str, color: str, size: int) -> QIcon:
    result = QIcon()
    for ratio in (1.0, 1.25, 1.5, 2.0):
        normal = _pixmap(name, color, size, ratio)
        result.addPixmap(normal)
        faint = theme.device_pixmap(size, size, ratio)
        painter = QPainter(faint)
        painter.setOpacity(theme.DISABLED_OPACITY)
        painter.drawPixmap(0, 0, normal)
        painter.end()
        result.addPixmap(faint, QIcon.Mode.Disabled)
    return result
