"""One lane: its numbers, the merge with its rivals or the scores, the newest pieces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QKeyEvent, QMouseEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolButton, QWidget

from core.numbers import format_percent
from explorer import theme
from explorer.panes.tokenizers.draw_piece import draw_piece
from explorer.panes.tokenizers.train.faces import Bar, Chip, LaneFace, LaneWords
from explorer.theme import icons
from explorer.widgets.base import CENTER, LEFT, RIGHT, Picture, elide, put_text, set_look

MARGIN = 12
NARROW = 210  # px of a card: below it the button is a sign
BUTTON = 48  # px of a button beside its word, and before it
LINE = 18  # px: a bar with its words
CHIP = 20
USES = (
    ("save", "Save\u2026"),
    ("train", "Train a model with it"),
    ("compare", "Compare it with others"),
    ("inside", "Look inside it"),
)


NO_FACE = LaneFace("words", "")


class LaneCard(Picture):
    """`chosen` on a click, `entered` on a double one; `used(what)` from the menu of a finished
    tokenizer (see USES); `resized` when it has another size.
    """

    chosen = Signal()
    entered = Signal()
    resized = Signal()
    used = Signal(str)

    def __init__(self, lane: int, parent: QWidget | None = None) -> None:
        super().__init__(f"Tokenizer {lane + 1}", parent)
        self.lane = lane
        self._words = LaneWords("", "", "")
        self._face = NO_FACE
        self._focused = False
        self._is_brief = self._facts_below = False
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.use = QToolButton(self)
        self.use.setText("Use")
        self.use.setAccessibleName("Use this tokenizer")
        self.use.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.use.setToolTip("Save it, train a model with it, compare it, look inside")
        self.use.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.menu = QMenu(self.use)
        for name, text in USES:
            self.menu.addAction(text).triggered.connect(
                lambda _=False, name=name: self.used.emit(name)
            )
        self.use.setMenu(self.menu)
        self.use.hide()

    # what is shown

    def set_face(self, words: LaneWords, face: LaneFace) -> None:
        if (words, face) != (self._words, self._face):
            renamed = words.name != self._words.name
            self._words, self._face = words, face
            said = face.sentence or " ".join(chip.text for chip in face.merge)
            self.setAccessibleName(words.name)
            self.setAccessibleDescription(
                f"{words.pieces}, {words.facts}, {format_percent(words.progress)} of its way, "
                f"{said}"
            )
            self.setToolTip(face.sentence if face.state == "error" else words.name)
            if renamed:
                self._place_use()
            self.data_changed()

    def set_usable(self, usable: bool) -> None:
        """Whether its tokenizer is finished."""
        self.use.setVisible(usable)
        self._place_use()

    def set_focused(self, focused: bool) -> None:
        """The inspector speaks of this lane."""
        if focused != self._focused:
            self._focused = focused
            self.update()

    @property
    def face(self) -> LaneFace:
        return self._face

    @property
    def words(self) -> LaneWords:
        return self._words

    def displayed(self) -> dict[str, np.ndarray]:
        """The lengths of the bars, as shares of the longest."""
        return {"bars": np.array([bar.share for bar in self._face.bars])}

    def sizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(232), now.px(252))

    def minimumSizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(132), now.px(124))

    # drawing

    def draw(self, painter: QPainter) -> None:
        now = theme.current()
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setBrush(now.color("surface"))
        painter.setPen(now.pen("accent" if self._focused else "divider"))
        painter.drawRoundedRect(frame, 8, 8)
        painter.setClipRect(frame.adjusted(1, 1, -1, -1))
        margin = now.px(MARGIN)
        left, width = margin, self.width() - 2 * margin
        y = self._draw_head(painter, left, width)
        y = self._draw_step(painter, left, y, width)
        y = self._draw_bars(painter, left, y, width)
        self._draw_chips(painter, left, y, width)
        painter.setClipping(False)
        if self.shows_focus:
            now.focus_ring(painter, frame, radius=8, offset=-2)

    def _draw_head(self, painter: QPainter, left: float, width: float) -> float:
        now = theme.current()
        top, high = now.px(8), now.px(22)
        mark = QRectF(left, top + high / 2 - now.px(5), now.px(10), now.px(10))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(now.series(self.lane))
        painter.drawRoundedRect(mark, 2, 2)
        side = 0 if self.use.isHidden() else self.width() - self.use.x() - now.px(MARGIN - 4)
        name = QRectF(mark.right() + now.px(6), top, width - now.px(16) - side, high)
        font = now.font("body", 600)
        put_text(
            painter,
            name,
            elide(self._words.name, font, name.width(), Qt.TextElideMode.ElideRight),
            font,
            now.color("text"),
            LEFT,
        )
        line = QRectF(left, top + high, width, now.px(18))
        if self._words.pieces:
            strong = now.font("label", 600)
            pieces = self._words.pieces
            put_text(painter, line, pieces, strong, now.color("text"), LEFT)
            if self._facts_below:
                line.translate(0, line.height())
            side = LEFT if self._facts_below else RIGHT
            facts = self._words.facts
            put_text(painter, line, facts, now.font("label"), now.color("muted"), side)
        y = line.bottom() + now.px(5)
        painter.setPen(now.pen("divider"))
        painter.drawLine(QPointF(left, y), QPointF(left + width, y))
        painter.setPen(now.pen(now.series(self.lane), 2))
        made = width * self._words.progress
        if made >= 1:
            painter.drawLine(QPointF(left, y), QPointF(left + made, y))
        return y + now.px(6)

    def _draw_step(self, painter: QPainter, left: float, y: float, width: float) -> float:
        now, face = theme.current(), self._face
        line = QRectF(left, y, width, now.px(26))
        if face.state == "merge":
            self._draw_merge(painter, line, face.merge)
            return line.bottom() + now.px(4)
        if face.state == "error":
            area = QRectF(left, y, width, self.height() - y - now.px(8))
            self._draw_sentence(painter, area, "error", 400)
            return area.bottom()
        line.adjust(0, now.px(4), 0, 0)
        icon = {"done": "success", "lossy": "warning"}.get(face.state, "")
        bottom = self._draw_sentence(painter, line, icon, 600)
        return max(line.bottom(), bottom + now.px(4)) + now.px(4)

    def _draw_sentence(self, painter: QPainter, area: QRectF, icon: str, weight: int) -> float:
        """From the top of an area on, over as many lines as it takes; returns where it ends."""
        now = theme.current()
        if icon:
            painter.drawPixmap(area.topLeft(), self.icon_pixmap(icon, icon, 14))
        place = area.adjusted(now.px(20) if icon else 0, 0, 0, 0)
        place.setBottom(self.height())
        painter.setFont(now.font("label", weight))
        painter.setPen(now.color("text"))
        flags = (
            int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop) | Qt.TextFlag.TextWordWrap
        )
        painter.drawText(place, flags, self._face.sentence)
        return painter.boundingRect(place, flags, self._face.sentence).bottom()

    def _draw_merge(self, painter: QPainter, line: QRectF, merge: Sequence[Chip]) -> None:
        """left + right -> joined; where there is little room the joined piece alone."""
        now = theme.current()
        signs = ("+", "\u2192")
        font, sign = now.font("mono", mono=True), now.px(16)
        widths = [self._chip_width(chip) for chip in merge]
        shown = list(merge)
        if sum(widths) + 2 * sign > line.width():
            shown, widths = shown[2:], [min(widths[2], line.width())]
        x = line.left()
        high = now.px(CHIP + 2)
        for place, (chip, wide) in enumerate(zip(shown, widths, strict=True)):
            if place:
                box = QRectF(x, line.top(), sign, line.height())
                put_text(painter, box, signs[place - 1], font, now.color("muted"), CENTER)
                x += sign
            box = QRectF(x, line.center().y() - high / 2, wide, high)
            self._draw_chip(painter, box, chip, accent=chip is shown[-1])
            x += wide

    def _draw_bars(self, painter: QPainter, left: float, y: float, width: float) -> float:
        now, face = theme.current(), self._face
        if not face.bars or y + now.px(LINE) * 2 > self.height():
            return y
        caption = QRectF(left, y, width, now.px(LINE))
        font = now.font("label")
        put_text(painter, caption, elide(face.caption, font, width), font, now.color("muted"), LEFT)
        y = caption.bottom()
        for bar in face.bars:
            if y + now.px(LINE) > self.height() - now.px(6):
                break
            self._draw_bar(painter, QRectF(left, y, width, now.px(LINE)), bar)
            y += now.px(LINE)
        return y + now.px(6)

    def _draw_bar(self, painter: QPainter, line: QRectF, bar: Bar) -> None:
        now = theme.current()
        names, values = line.width() * 0.42, now.px(52)
        mono = now.font("label", 600 if bar.strong else 400, mono=True)
        ink = now.color("text" if bar.strong else "muted")
        name = QRectF(line.left(), line.top(), names - now.px(6), line.height())
        put_text(painter, name, elide(bar.text, mono, name.width()), mono, ink, LEFT)
        room = max(0.0, line.width() - names - values)
        stick = QRectF(line.left() + names, line.center().y() - now.px(4), 0, now.px(8))
        stick.setWidth(max(1.0, room * min(1.0, bar.share)))
        painter.setPen(Qt.PenStyle.NoPen)
        color = now.series(self.lane)
        color.setAlphaF(1.0 if bar.strong else 0.4)
        painter.setBrush(color)
        painter.drawRoundedRect(stick, 2, 2)
        put_text(painter, line, bar.value, now.font("label"), ink, RIGHT)

    def _draw_chips(self, painter: QPainter, left: float, y: float, width: float) -> None:
        now, face = theme.current(), self._face
        high = now.px(CHIP)
        if not face.chips or y + now.px(LINE) + high > self.height() - now.px(6):
            return
        title = QRectF(left, y, width, now.px(LINE))
        put_text(painter, title, face.title, now.font("label"), now.color("muted"), LEFT)
        y = title.bottom() + now.px(1)
        x = left
        for chip in face.chips:
            wide = min(self._chip_width(chip), width)
            if x + wide > left + width:
                x, y = left, y + high + now.px(3)
            if y + high > self.height() - now.px(6):
                return
            painter.setOpacity(0.6 if face.gone else 1.0)
            self._draw_chip(painter, QRectF(x, y, wide, high), chip)
            painter.setOpacity(1.0)
            x += wide + now.px(3)

    def _chip_width(self, chip: Chip) -> float:
        now = theme.current()
        return now.metrics("mono", mono=True).horizontalAdvance(chip.text) + now.px(10)

    def _draw_chip(self, painter: QPainter, box: QRectF, chip: Chip, accent: bool = False) -> None:
        draw_piece(
            painter,
            box.adjusted(1, 1, -1, -1),
            chip.text,
            chip.data,
            pen="accent" if accent else "",
        )

    # interaction

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_use()
        self.resized.emit()

    def on_theme_changed(self) -> None:
        super().on_theme_changed()
        self._place_use()

    def _place_use(self) -> None:
        now = theme.current()
        style = Qt.ToolButtonStyle
        narrow = self._is_brief or not self.has_room
        self.use.setToolButtonStyle(
            style.ToolButtonIconOnly if narrow else style.ToolButtonTextOnly
        )
        self.use.setIcon(icons.icon("more", "text", 16) if narrow else QIcon())
        set_look(self.use, "" if narrow else "outlined")
        self.use.adjustSize()
        self.use.setFixedHeight(now.px(24))
        self.use.move(self.width() - self.use.width() - now.px(8), now.px(6))
        self.update()

    @property
    def has_room(self) -> bool:
        """Whether the whole name stands beside a button with its word."""
        now = theme.current()
        if self.width() < now.px(NARROW):
            return False
        word = now.metrics("body").horizontalAdvance(self.use.text()) + now.px(BUTTON)
        room = self.width() - 2 * now.px(MARGIN) - now.px(16) - word
        return now.metrics("body", 600).horizontalAdvance(self._words.name) <= room

    @property
    def has_line(self) -> bool:
        """Whether the facts stand beside the number of pieces."""
        now = theme.current()
        used = now.metrics("label", 600).horizontalAdvance(self._words.pieces) + now.px(8)
        room = self.width() - 2 * now.px(MARGIN) - used
        return now.metrics("label").horizontalAdvance(self._words.facts) <= room

    def set_narrow(self, brief: bool, facts_below: bool) -> None:
        """Another card has no room for the word on its button, or for the facts beside the number
        of pieces: all cards look alike.
        """
        if (brief, facts_below) != (self._is_brief, self._facts_below):
            self._is_brief, self._facts_below = brief, facts_below
            self._place_use()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.entered.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit()
        else:
            super().keyPressEvent(event)
