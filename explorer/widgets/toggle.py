"""Two small controls: a segmented control (one of a few) and a switch (on or off)."""

from __future__ import annotations

from math import ceil

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QToolTip, QWidget

from explorer import theme
from explorer.widgets.base import Picture, elide, put_text

CUT = Qt.TextElideMode.ElideRight
AROUND = 16  # px around a segment's text


class SegmentedControl(Picture):
    """Segments (id, text) side by side, one of them chosen. Left and Right change the choice.

    If there is not enough width, the longest texts other than the chosen one are elided, and the
    tooltip has them in full.
    """

    chosen = Signal(str)

    def __init__(
        self,
        segments: list[tuple[str, str]],
        name: str,
        icons: dict[str, str] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(name, parent)
        self._segments = segments
        self._icons = icons or {}
        self._current = segments[0][0]
        self._hover = -1
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._announce()

    @property
    def segments(self) -> list[tuple[str, str]]:
        return list(self._segments)

    def set_segments(self, segments: list[tuple[str, str]]) -> None:
        """Replaces the segments; the choice stays if it is among them."""
        if segments != self._segments:
            self._segments = list(segments)
            if self._current not in dict(segments):
                self.set_current(segments[0][0])
            self.updateGeometry()
            self.update()

    def remove(self, identity: str) -> None:
        """Removes a segment; if it was chosen, the first one is. At least one must remain."""
        self._segments = [one for one in self._segments if one[0] != identity]
        if self._current == identity:
            self.set_current(self._segments[0][0])
        self.updateGeometry()
        self.update()

    @property
    def current(self) -> str:
        return self._current

    def set_current(self, identity: str) -> None:
        """Chooses a segment without emitting a signal."""
        if identity not in [one for one, _ in self._segments]:
            raise ValueError(f"no segment {identity!r} in {self.accessibleName()}")
        if identity != self._current:
            self._current = identity
            self._announce()
            self.update()

    def sizeHint(self) -> QSize:
        now = theme.current()
        wide = sum(self._texts()) + len(self._segments) * now.px(AROUND)
        return QSize(ceil(wide) + 2, now.px("control"))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def draw(self, painter: QPainter) -> None:
        now = theme.current()
        painter.setOpacity(1.0 if self.isEnabled() else theme.DISABLED_OPACITY)
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(now.pen("divider"))
        painter.setBrush(now.color("raised" if not now.contrast else "surface"))
        painter.drawRoundedRect(frame, 6, 6)
        widths = self._widths()
        for index, (identity, text) in enumerate(self._segments):
            rect = self._rect(index, widths)
            chosen = identity == self._current
            if chosen:
                painter.setPen(now.pen("accent" if now.contrast else "outline"))
                painter.setBrush(now.color("surface"))
                painter.drawRoundedRect(rect.adjusted(1.5, 1.5, -1.5, -1.5), 5, 5)
            ink = now.color("text" if chosen or index == self._hover else "muted")
            icon = self._icons.get(identity)
            left = rect
            if icon:
                size = now.px(16)
                x = rect.x() + now.px(8)
                pixmap = self.icon_pixmap(icon, "text" if chosen else "muted", 16)
                painter.drawPixmap(round(x), round(rect.center().y() - size / 2), pixmap)
                left = rect.adjusted(size + now.px(6), 0, 0, 0)
            font = now.font("body", 600 if chosen else 400)
            put_text(painter, left, elide(text, font, left.width() - 4, CUT), font, ink)
        if self.shows_focus:
            painter.setPen(now.pen("accent", 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(frame.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._choose(self._at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover = self._at(event.position().x())
        self.update()

    def leaveEvent(self, event) -> None:
        self._hover = -1
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is None or event.modifiers():
            super().keyPressEvent(event)
            return
        names = [identity for identity, _ in self._segments]
        self._choose(min(max(names.index(self._current) + step, 0), len(names) - 1))

    def _choose(self, index: int) -> None:
        if 0 <= index < len(self._segments) and self._segments[index][0] != self._current:
            self.set_current(self._segments[index][0])
            self.chosen.emit(self._current)

    def _texts(self) -> list[float]:
        """Returns the width of each text with its icon."""
        now = theme.current()
        metrics = now.metrics("body", 600)
        icon = now.px(22) if self._icons else 0
        return [metrics.horizontalAdvance(text) + icon for _, text in self._segments]

    def _widths(self) -> list[float]:
        """Returns the widths of the segments in the available width."""
        around = theme.current().px(AROUND)
        texts = self._cut(self._texts(), self.width() - 2 - len(self._segments) * around)
        return [text + around for text in texts]

    def _cut(self, texts: list[float], room: float) -> list[float]:
        """Returns the widths of all texts within `room`; the longest are reduced first, but not the
        chosen one.
        """
        chosen = [identity for identity, _ in self._segments].index(self._current)
        room = max(0.0, room - texts[chosen])
        shared = sorted(wide for place, wide in enumerate(texts) if place != chosen)
        most = 0.0
        for place, wide in enumerate(shared):
            most = room / (len(shared) - place)
            if wide > most:
                break
            room -= wide
        return [w if place == chosen else min(w, most) for place, w in enumerate(texts)]

    def _rect(self, index: int, widths: list[float]) -> QRectF:
        return QRectF(1 + sum(widths[:index]), 0, widths[index], self.height())

    def _at(self, x: float) -> int:
        widths = self._widths()
        for index in range(len(self._segments)):
            rect = self._rect(index, widths)
            if rect.left() <= x < rect.right():
                return index
        return -1

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.told(event.pos().x()), self)
            return True
        return super().event(event)

    def told(self, x: float) -> str:
        """Returns the tooltip at x; the full text of an elided segment comes first."""
        place, usual = self._at(x), self.toolTip()
        if place < 0 or self._widths()[place] >= self._texts()[place] + 4:
            return usual
        return "\n".join(part for part in (self._segments[place][1], usual) if part)

    def _announce(self) -> None:
        self.setAccessibleDescription(dict(self._segments)[self._current])


class Switch(QAbstractButton):
    """An on/off switch with its text to the right."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setText(text)
        self.setAccessibleName(text)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        now = theme.current()
        width = now.metrics("body").horizontalAdvance(self.text()) + now.px(30 + 8 + 6)
        return QSize(round(width), now.px("control"))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event) -> None:
        now = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(1.0 if self.isEnabled() else theme.DISABLED_OPACITY)
        width, height = now.px(30), now.px(16)
        groove = QRectF(3, (self.height() - height) / 2, width, height)
        on = self.isChecked()
        painter.setPen(now.pen("accent" if on else "outline"))
        painter.setBrush(now.color("accent" if on else "surface"))
        painter.drawRoundedRect(groove, height / 2, height / 2)
        knob = height - 6
        x = groove.right() - knob - 3 if on else groove.left() + 3
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(now.color("on_accent" if on else "outline"))
        painter.drawEllipse(QRectF(x, groove.y() + 3, knob, knob))
        text = QRectF(groove.right() + now.px(8), 0, self.width(), self.height())
        align = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        put_text(painter, text, self.text(), now.font("body"), now.color("text"), align)
        if self.hasFocus():
            now.focus_ring(painter, groove, radius=height / 2, offset=0)
        painter.end()
