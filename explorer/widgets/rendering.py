"""A widget as pixels or as vector graphics, for files and for films."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QIODevice, QMargins, QPoint, QRect, QRectF
from PySide6.QtGui import QImage, QPainter, QRegion
from PySide6.QtWidgets import QWidget

from explorer import theme

SCALE = 2  # pixels of a PNG for one of the screen
DOTS_PER_INCH = 96
CONTROLS = "hasControlsAlone"  # a property of widgets whose children are no part of the picture


def drawn(widget: QWidget, scale: float, margin: int = 0) -> QImage:
    """The widget as pixels, `scale` times its size, with so many of the screen's round it."""
    whole = widget.size().grownBy(QMargins(margin, margin, margin, margin))
    image = QImage(whole * scale, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    image.fill(theme.current().color("window"))
    widget.render(image, QPoint(margin, margin), QRegion(), _parts(widget))
    return image


def svg(widget: QWidget, margin: int = 0) -> bytes:
    """The widget as vector graphics, with a margin round it."""
    from PySide6.QtSvg import QSvgGenerator

    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setResolution(DOTS_PER_INCH)
    whole = widget.size().grownBy(QMargins(margin, margin, margin, margin))
    generator.setSize(whole)
    generator.setViewBox(QRectF(QPoint(), whole))
    generator.setTitle(widget.accessibleName() or "LLM Explorer")
    painter = QPainter(generator)
    try:
        painter.fillRect(QRect(QPoint(), whole), theme.current().color("window"))
        widget.render(painter, QPoint(margin, margin), QRegion(), _parts(widget))
    finally:
        painter.end()
    return bytes(buffer.data().data())


def _parts(widget: QWidget) -> QWidget.RenderFlag:
    """All of it, but for buttons that lie on a picture: CONTROLS says that it has those alone."""
    ground, inner = QWidget.RenderFlag.DrawWindowBackground, QWidget.RenderFlag.DrawChildren
    return ground if widget.property(CONTROLS) else ground | inner
