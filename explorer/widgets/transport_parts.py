"""Parts of the player's controls: play button in the accent color, speed menu, LIVE badge."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QActionGroup, QPainter
from PySide6.QtWidgets import QAbstractButton, QMenu, QSizePolicy, QWidget

from explorer import theme
from explorer.theme import icons
from explorer.widgets.base import put_text, ratio_of

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, math.inf)


def speed_text(speed: float) -> str:
    """Formats a speed: 1×, 0.25×, max."""
    return "max" if math.isinf(speed) else f"{speed:g}\u00d7"


class PlayButton(QAbstractButton):
    """The only round accent-colored button: play, pause; at the live edge it continues training."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._playing = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.set_playing(False, False)
        theme.changed.connect(self.updateGeometry)

    def set_playing(self, playing: bool, live: bool) -> None:
        self._playing = playing
        verb = (
            ("Pause training" if playing else "Continue training")
            if live
            else ("Pause" if playing else "Play")
        )
        self.setAccessibleName(verb)
        self.setToolTip(f"{verb} (Space)")
        self.update()

    def sizeHint(self) -> QSize:
        size = theme.current().px(40)
        return QSize(size, size)

    def enterEvent(self, event) -> None:
        self.update()

    def leaveEvent(self, event) -> None:
        self.update()

    def paintEvent(self, event) -> None:
        now = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(1.0 if self.isEnabled() else theme.DISABLED_OPACITY)
        size = now.px(34)
        disc = QRectF((self.width() - size) / 2, (self.height() - size) / 2, size, size)
        fill = now.color("accent")
        if self.underMouse() and self.isEnabled():
            fill = theme.mix(fill, now.color("text"), 0.15)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawEllipse(disc)
        name = "pause" if self._playing else "play"
        pixmap = icons.pixmap(name, "on_accent", 18, ratio_of(painter))
        half = now.px(18) / 2
        painter.drawPixmap(disc.center() - QPointF(half, half), pixmap)
        if self.hasFocus():
            now.focus_ring(painter, disc, radius=size, offset=0)
        painter.end()


class SpeedButton(QAbstractButton):
    """Shows the speed; a click opens the menu of speeds."""

    speedChosen = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._speed = 1.0
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setToolTip("Speed")
        self._menu = QMenu(self)
        self._group = QActionGroup(self)
        for speed in SPEEDS:
            action = self._menu.addAction(speed_text(speed))
            action.setCheckable(True)
            action.setData(speed)
            self._group.addAction(action)
        self._group.triggered.connect(lambda action: self.speedChosen.emit(action.data()))
        self.clicked.connect(self._open)
        theme.changed.connect(self.updateGeometry)
        self.set_speed(1.0)

    def set_speed(self, speed: float) -> None:
        self._speed = speed
        self.setAccessibleName(f"Speed {speed_text(speed)}")
        for action in self._group.actions():
            action.setChecked(action.data() == speed)
        self.update()

    def sizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(64), now.px("control"))

    def paintEvent(self, event) -> None:
        now = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(now.pen("accent", 2) if self.hasFocus() else now.pen("outline"))
        painter.setBrush(now.color("raised" if self.underMouse() else "surface"))
        painter.drawRoundedRect(frame, 6, 6)
        text = QRectF(0, 0, self.width() - now.px(14), self.height())
        put_text(painter, text, speed_text(self._speed), now.font("body"), now.color("text"))
        arrow = icons.pixmap("chevron-down", "muted", 12, ratio_of(painter))
        y = (self.height() - now.px(12)) / 2
        painter.drawPixmap(QPointF(self.width() - now.px(20), y), arrow)
        painter.end()

    def _open(self) -> None:
        self._menu.popup(self.mapToGlobal(QPointF(0, 0)).toPoint())


class LiveBadge(QAbstractButton):
    """LIVE at the latest step; at an earlier one the badge is hollow and a click goes live.

    For a run that no process trains it says how the run ended.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.live = False
        self.ended = ""
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.set_live(False)
        theme.changed.connect(self.updateGeometry)

    def set_live(self, live: bool, ended: str = "") -> None:
        """Updates the badge; `ended` is how the run ended, if no process trains it."""
        self.live = live and not ended
        if ended != self.ended:
            self.ended = ended
            self.updateGeometry()
        text = (
            "You see the latest step; Play continues the training" if live else "To the latest step"
        )
        if ended:
            text = f"This run has {ended}. Go to its last step"
        self.setAccessibleName(text)
        self.setToolTip(text if self.live else f"{text} (End)")
        self.update()

    def sizeHint(self) -> QSize:
        now = theme.current()
        if not self.ended:
            return QSize(now.px(64), now.px(24))
        wide = now.metrics("label", 600).horizontalAdvance(self.ended)
        return QSize(round(wide) + now.px(24), now.px(24))

    def paintEvent(self, event) -> None:
        now = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        role = "success" if self.live else "muted"
        painter.setPen(now.pen("divider" if self.ended else role, 1.5))
        painter.setBrush(now.color("raised" if self.underMouse() else "surface"))
        painter.drawRoundedRect(frame, frame.height() / 2, frame.height() / 2)
        if self.ended:
            put_text(painter, frame, self.ended, now.font("label", 600), now.color(role))
        else:
            self._draw_live(painter, frame, role)
        if self.hasFocus():
            now.focus_ring(painter, frame, radius=frame.height() / 2, offset=-2)
        painter.end()

    def _draw_live(self, painter: QPainter, frame: QRectF, role: str) -> None:
        now = theme.current()
        dot = QPointF(frame.x() + now.px(13), frame.center().y())
        painter.setBrush(now.color(role) if self.live else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(dot, 3.5, 3.5)
        text = frame.adjusted(now.px(14), 0, 0, 0)
        put_text(painter, text, "LIVE", now.font("label", 600), now.color(role))
