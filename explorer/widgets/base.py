"""The base of every custom-painted widget: theme, painting errors, text helpers, labels."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSignalBlocker, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QImage,
    QPainter,
    QPaintEvent,
    QPalette,
    QPixmap,
)
from PySide6.QtWidgets import (
    QLabel,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QToolTip,
    QWidget,
)

from explorer import theme
from explorer.engine import courtesy
from explorer.theme import icons
from explorer.widgets.tokens import SIGNS

_log = logging.getLogger(__name__)

SIDE = 2  # px
ELIDE_MIDDLE = Qt.TextElideMode.ElideMiddle
_KEYBOARD = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)
INK = QPalette.ColorRole.WindowText
CENTER = Qt.AlignmentFlag.AlignCenter
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Columns(dict[str, np.ndarray]):
    """Columns of one table: arrays of equal length; an exported file has one row per index."""


class Picture(QWidget):
    """A custom-painted widget: subclasses implement `draw(painter)` and `displayed()`.

    An exception in `draw` is reported once through `paintFailed` and shown instead of the picture
    until `data_changed()` is called (every `set_*` does).
    """

    paintFailed = Signal(object)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self._broken: Exception | None = None
        self._by_keyboard = False
        self.ratio = self.devicePixelRatioF()  # device pixels per unit of the paint device
        self.exposed = QRectF(self.rect())  # the part being painted
        theme.changed.connect(self.on_theme_changed)

    def draw(self, painter: QPainter) -> None:
        """Paints the picture; antialiasing is on and the background is not filled."""

    def displayed(self) -> dict[str, np.ndarray]:
        """Returns the displayed arrays by name."""
        return {}

    def said_at(self, point: QPointF) -> str | None:
        """Returns the tooltip at a point, or None for the widget's own."""
        return None

    def keyboard_rect(self) -> QRectF | None:
        """Returns the rectangle that the arrow keys have reached, or None if there is none."""
        return None

    def inputMethodQuery(self, query: Qt.InputMethodQuery) -> Any:
        """Returns the rectangle a scroll area scrolls to, also when Tab moves the focus here."""
        rect = self.keyboard_rect() if query == Qt.InputMethodQuery.ImCursorRectangle else None
        return super().inputMethodQuery(query) if rect is None else rect.toAlignedRect()

    def on_theme_changed(self) -> None:
        """Discards everything drawn in the old theme. Subclasses extend it."""
        self.updateGeometry()
        self.update()

    def data_changed(self) -> None:
        """Repaints; a picture whose last paint failed is tried again."""
        self._broken = None
        self.update()

    @property
    def broken(self) -> Exception | None:
        """The exception of the last paint; None if it succeeded."""
        return self._broken

    @property
    def shows_focus(self) -> bool:
        """True if the focus ring is drawn: the widget has the focus and the keyboard is in use."""
        return self.hasFocus() and self._by_keyboard

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QFocusEvent):
            self._by_keyboard = event.gotFocus() and event.reason() in _KEYBOARD
            self.update()
        elif event.type() == QEvent.Type.KeyPress:
            return self._press_key(event)
        elif isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            said = self.said_at(QPointF(event.pos()))
            if said is not None:
                QToolTip.showText(event.globalPos(), said, self)
                return True
        return super().event(event)

    def _press_key(self, event: QEvent) -> bool:
        """Shows the focus ring and scrolls every enclosing scroll area to the picture's focused
        part."""
        if not self._by_keyboard:
            self._by_keyboard = True
            self.update()
        used = super().event(event)
        area: QWidget | None = self if used and self.keyboard_rect() is not None else None
        while area is not None:
            if isinstance(area, QScrollArea):
                area.ensureWidgetVisible(self)
            area = area.parentWidget()
        return used

    def paintEvent(self, event: QPaintEvent) -> None:
        courtesy.window_works()
        painter = QPainter(self)
        self.ratio = ratio_of(painter)
        self.exposed = QRectF(event.rect())
        try:
            if self._broken is None:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                self.draw(painter)
            else:
                draw_failure(painter, QRectF(self.rect()), self._broken)
        except Exception as error:
            self.fail(error)
        finally:
            painter.end()

    def fail(self, error: Exception) -> None:
        """Reports a painting error once and shows it instead of the picture."""
        self._broken = error
        _log.error("painting %s failed", self.accessibleName(), exc_info=error)
        self.paintFailed.emit(error)
        self.update()

    def icon_pixmap(self, name: str, role: str = "text", size: float = 16) -> QPixmap:
        return icons.pixmap(name, role, size, self.ratio)


def ratio_of(painter: QPainter) -> float:
    """Returns the device pixels per unit of the screen, or of the image a widget is rendered to."""
    return abs(painter.deviceTransform().m11()) or 1.0


def draw_failure(painter: QPainter, rect: QRectF, error: Exception) -> None:
    """Draws the error state of a picture whose paint raised."""
    now = theme.current()
    painter.fillRect(rect, now.color("surface"))
    painter.setPen(now.color("error"))
    painter.setFont(now.font("body"))
    text = f"This picture could not be drawn: {error}"
    painter.drawText(rect.adjusted(16, 16, -16, -16), int(CENTER) | Qt.TextFlag.TextWordWrap, text)


class Label(QLabel):
    """A line of text in a size, weight and color role of the theme; follows theme and zoom."""

    def __init__(
        self,
        text: str = "",
        size: str = "body",
        role: str = "text",
        weight: int = 400,
        mono: bool = False,
        wrap: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self._look = (size, role, weight, mono)
        self.setWordWrap(wrap)
        if wrap:
            self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self._restyle()
        theme.changed.connect(self._restyle)

    def set_size(self, size: str) -> None:
        """Changes the size ("label", "body", "title", ...)."""
        if size != self._look[0]:
            self._look = (size, *self._look[1:])
            self._restyle()

    def _restyle(self) -> None:
        size, role, weight, mono = self._look
        now = theme.current()
        self.setFont(now.font(size, weight, mono))
        palette = self.palette()
        palette.setColor(INK, now.color(role))
        palette.setColor(QPalette.ColorGroup.Disabled, INK, now.faint(role))
        self.setPalette(palette)  # a style sheet for each label would make theme changes slower


class IconButton(QToolButton):
    """A tool button with an icon and a tooltip that names its shortcut; follows the theme."""

    def __init__(
        self,
        icon: str,
        text: str,
        shortcut: str = "",
        size: float = 16,
        role: str = "text",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._size = size
        self._role = role
        self._icon = ""
        self._told = ("", "", "", "")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAutoRaise(True)
        self.set_icon(icon, text, shortcut)
        theme.changed.connect(self._restyle)

    def set_icon(self, icon: str, text: str, shortcut: str = "", role: str | None = None) -> None:
        """Changes the icon and its meaning (play becomes pause)."""
        told = (icon, text, shortcut, role or self._role)
        if told == self._told:
            return
        self._told = told
        self._icon = icon
        self._role = role or self._role
        self.setAccessibleName(text)
        self.setToolTip(f"{text} ({shortcut})" if shortcut else text)
        self._restyle()

    def _restyle(self) -> None:
        from PySide6.QtCore import QSize

        now = theme.current()
        self.setIcon(icons.icon(self._icon, self._role, self._size))
        self.setIconSize(QSize(now.px(self._size), now.px(self._size)))
        self.setFixedSize(now.px("control"), now.px("control"))


def set_look(widget: QWidget, look: str) -> None:
    """Sets the style sheet's look of `widget` ("primary", "quiet", "card", "popover", "plain")."""
    widget.setProperty("look", look)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def elide(text: str, font: QFont, width: float, mode: Qt.TextElideMode = ELIDE_MIDDLE) -> str:
    """Returns `text` elided to `width` px, in the middle by default."""
    return QFontMetricsF(font).elidedText(text, mode, max(0.0, width))


def wrapped(text: str, font: QFont, width: float, most: int) -> list[str]:
    """Breaks `text` at spaces into lines of `width` px. If more than `most` would be needed, the
    last line is cut after a whole word, so that no number is truncated.
    """
    advance = QFontMetricsF(font).horizontalAdvance
    if advance(text) <= width:
        return [text]
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if advance(longer) <= width or not lines[-1]:
            lines[-1] = longer
        elif len(lines) < most:
            lines.append(word)
        else:
            kept = lines[-1].split(" ")
            while len(kept) > 1 and advance(f"{' '.join(kept)} \u2026") > width:
                kept.pop()
            lines[-1] = f"{' '.join(kept)} \u2026"
            break
    return lines


def show_text(line: QLineEdit, text: str) -> None:
    """Sets a field's text without emitting a signal and shows its beginning, unless the user is
    typing in it.
    """
    if text != line.text():
        with QSignalBlocker(line):
            line.setText(text)
        if not line.hasFocus():
            line.setCursorPosition(0)


def put_text(
    painter: QPainter,
    rect: QRectF,
    text: str,
    font: QFont,
    color: QColor,
    align: Qt.AlignmentFlag = CENTER,
) -> None:
    """Draws one line of text in `rect`."""
    painter.setFont(font)
    painter.setPen(color)
    painter.drawText(rect, int(align) | Qt.TextFlag.TextSingleLine, text)


def put_longest(
    painter: QPainter,
    rect: QRectF,
    texts: Iterable[str],
    font: QFont,
    color: QColor,
    align: Qt.AlignmentFlag = CENTER,
) -> None:
    """Draws the first text that fits into `rect` with a small margin at its sides."""
    metrics = QFontMetricsF(font)
    for text in texts:
        if metrics.horizontalAdvance(text) + 2 * SIDE <= rect.width():
            put_text(painter, rect, text, font, color, align)
            break


def put_words(
    painter: QPainter,
    rect: QRectF,
    text: str,
    font: QFont,
    color: QColor,
    align: Qt.AlignmentFlag = CENTER,
) -> None:
    """Draws a sentence in `rect`, wrapped into as many lines as it needs."""
    painter.setFont(font)
    painter.setPen(color)
    painter.drawText(rect, int(align) | Qt.TextFlag.TextWordWrap, text)


def put_slanted(
    painter: QPainter, foot: QPointF, text: str, font: QFont, color: QColor, degrees: float = -45
) -> None:
    """Draws a label that starts at `foot` and is rotated by `degrees`."""
    painter.save()
    painter.translate(foot)
    painter.rotate(degrees)
    painter.setFont(font)
    painter.setPen(color)
    painter.drawText(QPointF(0, QFontMetricsF(font).capHeight() / 2), text)
    painter.restore()


def packed_table(table: np.ndarray) -> np.ndarray:
    """Packs a (256, 3) uint8 color table into (256,) uint32 values 0xffRRGGBB."""
    wide = table.astype(np.uint32)
    return (wide[:, 0] << 16) | (wide[:, 1] << 8) | wide[:, 2] | np.uint32(0xFF000000)


def packed_image(packed: np.ndarray) -> QImage:
    """Returns an (H, W) uint32 array of 0xffRRGGBB as a QImage (copied)."""
    packed = np.ascontiguousarray(packed)
    height, width = packed.shape
    return QImage(packed.data, width, height, width * 4, QImage.Format.Format_RGB32).copy()


def visible_text(piece: str) -> str:
    """Returns a label with visible whitespace: a newline becomes an arrow, and a space at either
    end, where it would not be seen, an open box."""
    first = len(piece) - len(piece.lstrip(" "))
    last = max(first, len(piece.rstrip(" ")))
    inner = piece[first:last].translate({**SIGNS, ord(" "): " "})
    return f"{piece[:first].translate(SIGNS)}{inner}{piece[last:].translate(SIGNS)}"
