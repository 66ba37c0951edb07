"""A widget as pixels or as vector graphics, for files and films."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QIODevice, QMargins, QPoint, QRect, QRectF, QSize
from PySide6.QtGui import QImage, QPainter, QRegion
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.widgets.base import LEFT, put_text, wrapped

SCALE = 2  # pixels of a PNG per pixel of the screen
DOTS_PER_INCH = 96
CAPTION = 24  # px: a line below a picture
CONTROLS = "hasControlsAlone"  # a property of widgets whose children are not part of the picture


def drawn(widget: QWidget, scale: float, margin: int = 0, caption: str = "") -> QImage:
    """Renders the widget as pixels at `scale`, with a margin in screen pixels around it and a
    caption below it.
    """
    whole = _whole(widget, margin, caption)
    image = QImage(whole * scale, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    image.fill(theme.current().color("window"))
    widget.render(image, QPoint(margin, margin), QRegion(), _parts(widget))
    if caption:
        painter = QPainter(image)
        _write_caption(painter, widget, margin, caption)
        painter.end()
    return image


def svg(widget: QWidget, margin: int = 0, caption: str = "") -> bytes:
    """Renders the widget as vector graphics, with a margin around it and a caption below it."""
    from PySide6.QtSvg import QSvgGenerator

    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setResolution(DOTS_PER_INCH)
    whole = _whole(widget, margin, caption)
    generator.setSize(whole)
    generator.setViewBox(QRectF(QPoint(), whole))
    generator.setTitle(widget.accessibleName() or "LLM Explorer")
    painter = QPainter(generator)
    try:
        painter.fillRect(QRect(QPoint(), whole), theme.current().color("window"))
        widget.render(painter, QPoint(margin, margin), QRegion(), _parts(widget))
        _write_caption(painter, widget, margin, caption)
    finally:
        painter.end()
    return bytes(buffer.data().data())


def _whole(widget: QWidget, margin: int, caption: str) -> QSize:
    below = theme.current().px(CAPTION) * len(_lines(widget, caption))
    return widget.size().grownBy(QMargins(margin, margin, margin, margin + below))


def _write_caption(painter: QPainter, widget: QWidget, margin: int, caption: str) -> None:
    """Draws the caption in as many lines as it needs."""
    now = theme.current()
    line = QRectF(margin, margin + widget.height(), widget.width(), now.px(CAPTION))
    for text in _lines(widget, caption):
        put_text(painter, line, text, now.font("label"), now.color("muted"), LEFT)
        line.translate(0, line.height())


def _lines(widget: QWidget, caption: str) -> list[str]:
    words, font = " ".join(caption.split()), theme.current().font("label")
    return wrapped(words, font, widget.width(), len(words)) if words else []


def _parts(widget: QWidget) -> QWidget.RenderFlag:
    """Returns flags for all of the widget, but no children if CONTROLS says they are buttons."""
    ground, inner = QWidget.RenderFlag.DrawWindowBackground, QWidget.RenderFlag.DrawChildren
    return ground if widget.property(CONTROLS) else ground | inner
