"""Draws the card of a lane: its numbers, the merge with its rivals or the scores, and the newest
pieces.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QResizeEvent

from core.numbers import format_percent
from explorer import theme
from explorer.panes.tokenizers.draw_piece import draw_piece, piece_width
from explorer.panes.tokenizers.pieces import SymbolFace
from explorer.panes.tokenizers.train import text
from explorer.panes.tokenizers.train.scene import Bar, Card
from explorer.widgets.base import CENTER, LEFT, RIGHT
from explorer.widgets.menu_button import MenuButton
from explorer.widgets.scene_picture import ScenePicture
from explorer.widgets.sketch import Sketch

MARGIN, TOP, HEAD, MARK = 12, 8, 22, 10  # px: margins, height of the name, side of its color mark
LINE = 18  # px: height of a line of text or a bar
STEP, CHIP = 30, 20  # px: height of the step's line, of a piece
BUTTON = 24  # px
USE_HELP = "Save this tokenizer, train a model with it, compare it or look inside it"


class LaneCard(ScenePicture[Card]):
    """A lane's card. Emits `chosen` on a click or Enter, `entered` on a double click, and
    `used(what)` from the menu of a finished tokenizer (see text.USES).
    """

    WANTED, LEAST = (232, 252), (188, 160)
    chosen = Signal()
    entered = Signal()
    used = Signal(str)

    def __init__(self, lane: int) -> None:
        super().__init__(f"Tokenizer {lane + 1}")
        self.setObjectName(f"tokenizers.train.lane{lane}")
        self.lane = lane
        self._focused = False
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.use = MenuButton("chevron-down", "Use", USE_HELP, self)
        self.use.setAccessibleName("Use this tokenizer")
        self.menu = self.use.menu()
        for what, words in text.USES.items():
            action = self.menu.addAction(words)
            action.triggered.connect(lambda _=False, what=what: self.used.emit(what))
        self.use.hide()

    # content

    @property
    def card(self) -> Card:
        return self.scene or Card()

    def set_card(self, card: Card) -> None:
        if card != self.scene:
            said = card.sentence
            if card.merge:
                left, right, joined = (chip.text for chip in card.merge)
                said = f"merges {left} and {right} into {joined}"
            progress = f"{format_percent(card.progress)} of its training done"
            self.setAccessibleName(card.name)
            self.setAccessibleDescription(f"{card.pieces}, {card.facts}, {progress}, {said}")
            self.setToolTip(card.sentence if card.state == "error" else card.name)
            self.scene = card
            self.data_changed()  # not updateGeometry: the size does not change

    def set_usable(self, usable: bool) -> None:
        """Shows the menu button of a finished tokenizer."""
        self.use.setVisible(usable)
        self._place_use()

    def set_focused(self, focused: bool) -> None:
        """Marks the lane that the inspector explains."""
        if focused != self._focused:
            self._focused = focused
            self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        """Returns the lengths of the bars as shares of the longest."""
        return {"bars": np.array([bar.share for bar in self.card.bars])}

    # drawing

    def draw(self, painter: QPainter) -> None:
        now = theme.current()
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setBrush(now.color("surface"))
        painter.setPen(now.pen("accent" if self._focused else "divider"))
        painter.drawRoundedRect(frame, 8, 8)
        painter.setClipRect(frame.adjusted(1, 1, -1, -1))
        area = QRectF(self.rect()).adjusted(now.px(MARGIN), 0, -now.px(MARGIN), -now.px(6))
        area.setTop(self._draw_head(painter, area))
        area.setTop(self._draw_step(painter, area))
        if self.card.bars and area.height() >= 2 * now.px(LINE):
            area.setTop(self._draw_bars(painter, area))
        if self.card.chips and area.height() >= now.px(LINE) + now.px(CHIP):
            self._draw_chips(painter, area)
        painter.setClipping(False)
        if self.shows_focus:
            now.focus_ring(painter, frame, radius=8, offset=-2)

    def _draw_head(self, painter: QPainter, area: QRectF) -> float:
        """Draws name, size, bytes per token and progress. Returns its bottom, as the other parts
        do.
        """
        now, card, sketch = theme.current(), self.card, Sketch(painter)
        line = QRectF(area.left(), now.px(TOP), area.width(), now.px(HEAD))
        mark = QRectF(line.left(), line.center().y() - now.px(MARK) / 2, now.px(MARK), now.px(MARK))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(now.series(self.lane))
        painter.drawRoundedRect(mark, 2, 2)
        name = line.adjusted(now.px(MARK + 6), 0, 0, 0)
        sketch.text(name, card.name, "text", LEFT, "body", 600, cut=True)
        for words, ink, weight in ((card.pieces, "text", 600), (card.facts, "muted", 400)):
            line = QRectF(area.left(), line.bottom(), area.width(), now.px(LINE))
            sketch.text(line, words, ink, LEFT, weight=weight)
        rule = line.bottomLeft() + QPointF(0, now.px(5))
        sketch.line(rule, rule + QPointF(area.width(), 0), "divider")
        made = area.width() * card.progress
        if made >= 1:
            sketch.line(rule, rule + QPointF(made, 0), now.series(self.lane), 2)
        return rule.y() + now.px(6)

    def _draw_step(self, painter: QPainter, area: QRectF) -> float:
        now, state = theme.current(), self.card.state
        if state == "merge":
            self._draw_merge(painter, QRectF(area.left(), area.top(), area.width(), now.px(26)))
            return area.top() + now.px(STEP)
        icons = {"done": "success", "lossy": "warning", "error": "error"}
        top = area.top() + (0 if state == "error" else now.px(4))
        place = QRectF(area.left(), top, area.width(), self.height() - top)
        if icon := icons.get(state, ""):
            painter.drawPixmap(place.topLeft(), self.icon_pixmap(icon, icon, 14))
            place.adjust(now.px(20), 0, 0, 0)
        painter.setFont(now.font("label", 400 if state == "error" else 600))
        painter.setPen(now.color("text"))
        flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        flags |= Qt.TextFlag.TextWordWrap
        painter.drawText(place, flags, self.card.sentence)
        bottom = painter.boundingRect(place, flags, self.card.sentence).bottom()
        return max(area.top() + now.px(STEP), bottom + now.px(4)) + now.px(4)

    def _draw_merge(self, painter: QPainter, line: QRectF) -> None:
        """Draws left + right -> joined, or only the joined piece if the line is too short."""
        now, merge = theme.current(), self.card.merge
        sign = now.px(16)
        shown: Sequence[SymbolFace] = merge
        if sum(map(_width, merge)) + 2 * sign > line.width():
            shown = merge[2:]
        x, high = line.left(), now.px(CHIP + 2)
        for place, chip in enumerate(shown):
            if place:
                words = QRectF(x, line.top(), sign, line.height())
                Sketch(painter).text(words, ("+", "\u2192")[place - 1], align=CENTER)
                x += sign
            wide = min(_width(chip), line.right() - x)
            box = QRectF(x, line.center().y() - high / 2, wide, high)
            _draw_chip(painter, box, chip, "accent" if chip is shown[-1] else "")
            x += wide

    def _draw_bars(self, painter: QPainter, area: QRectF) -> float:
        now = theme.current()
        line = QRectF(area.left(), area.top(), area.width(), now.px(LINE))
        Sketch(painter).text(line, self.card.caption, align=LEFT, cut=True)
        for bar in self.card.bars:
            if line.bottom() + line.height() > area.bottom():
                break
            line.translate(0, line.height())
            self._draw_bar(painter, line, bar)
        return line.bottom() + now.px(6)

    def _draw_bar(self, painter: QPainter, line: QRectF, bar: Bar) -> None:
        now, sketch = theme.current(), Sketch(painter)
        names, values = line.width() * 0.42, now.px(52)
        ink, weight = ("text", 600) if bar.strong else ("muted", 400)
        name = QRectF(line.left(), line.top(), names - now.px(6), line.height())
        sketch.text(name, bar.text, ink, LEFT, weight=weight, mono=True, cut=True)
        room = max(0.0, line.width() - names - values)
        stick = QRectF(line.left() + names, line.center().y() - now.px(4), 0, now.px(8))
        stick.setWidth(max(1.0, room * min(1.0, bar.share)))
        color = now.series(self.lane)
        color.setAlphaF(1.0 if bar.strong else 0.4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawRoundedRect(stick, 2, 2)
        sketch.text(line, bar.value, ink, RIGHT)

    def _draw_chips(self, painter: QPainter, area: QRectF) -> None:
        """Draws pieces from left to right, in as many lines as fit."""
        now, high = theme.current(), theme.current().px(CHIP)
        title = QRectF(area.left(), area.top(), area.width(), now.px(LINE))
        Sketch(painter).text(title, self.card.title, align=LEFT)
        painter.setOpacity(0.6 if self.card.gone else 1.0)
        x, y = area.left(), title.bottom() + now.px(1)
        for chip in self.card.chips:
            wide = min(_width(chip), area.width())
            if x + wide > area.right():
                x, y = area.left(), y + high + now.px(3)
            if y + high > area.bottom():
                break
            _draw_chip(painter, QRectF(x, y, wide, high), chip)
            x += wide + now.px(3)
        painter.setOpacity(1.0)

    # interaction

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_use()

    def on_theme_changed(self) -> None:
        super().on_theme_changed()
        self._place_use()

    def _place_use(self) -> None:
        """Places the button to the right of the number of pieces."""
        now = theme.current()
        self.use.setFixedHeight(now.px(BUTTON))
        self.use.adjustSize()
        middle = now.px(TOP) + now.px(HEAD) + now.px(LINE) // 2
        x = self.width() - self.use.width() - now.px(8)
        self.use.move(x, middle - self.use.height() // 2)

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


def _width(chip: SymbolFace) -> float:
    return piece_width(chip.text, chip.data)


def _draw_chip(painter: QPainter, box: QRectF, chip: SymbolFace, pen: str = "") -> None:
    draw_piece(painter, box.adjusted(1, 1, -1, -1), chip.text, chip.data, pen=pen)
