"""Tokens in rows like text: colored by their bytes, laid out only where they are visible."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QScrollBar, QSizePolicy, QWidget

from explorer import theme
from explorer.widgets.base import Picture
from explorer.widgets.character_grid import character_grid
from explorer.widgets.flow_layout import GAP, FlowLayout, block_starts, row_height
from explorer.widgets.flow_painting import Place, paint_marks, paint_tokens
from explorer.widgets.token_faces import FlowOptions, TokenFaces
from explorer.widgets.tokens import Tokens, described

BAR = 10  # width of the scroll bar
INSET = 2  # px left of the tokens and above them, for a frame
WHEEL_ROWS = 3


class TokenFlow(Picture):
    """Emits `spanHovered(start, end)` with positions in the text's bytes, (-1, -1) for none;
    `tokenClicked(index)`; `scrolled(byte)` with the first visible byte when the user has scrolled.
    """

    spanHovered = Signal(int, int)
    tokenClicked = Signal(int)
    scrolled = Signal(int)

    def __init__(self, name: str = "Tokens of the text", parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self.tokens = Tokens()
        self.options = FlowOptions()
        self._starts = block_starts(b"")
        self._layout: FlowLayout | None = None
        self._beside: tuple[Tokens, ...] = ()
        self._faces = TokenFaces(self.options)
        self._anchor = (0, 0.0)  # the block at the top, and px of it above the top
        self._wanted = -1  # the byte to keep at the top until the user scrolls; -1: none
        self._marked = (-1, -1)
        self._framed: tuple[tuple[int, int], ...] = ()
        self._selected = -1
        self._differing: np.ndarray | None = None
        self._places: list[Place] = []
        self._told = (-1, -1)
        self._bar = QScrollBar(Qt.Orientation.Vertical, self)
        self._bar.setAccessibleName("Scroll the tokens")
        self._bar.valueChanged.connect(self._on_bar)
        self._bar.hide()
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    # state

    def set_tokens(self, tokens: Tokens, starts: np.ndarray | None = None) -> None:
        """Shows a tokenized text; `starts` are `block_starts(tokens.data)`, if known."""
        byte = self.first_byte
        self.tokens = tokens
        self._starts = block_starts(tokens.data) if starts is None else starts
        self._selected, self._wanted = -1, -1
        self._differing, self._framed = None, ()
        self._lay_out(byte)

    def set_options(self, options: FlowOptions) -> None:
        if options != self.options:
            self.options = options
            self._faces = TokenFaces(options)
            self._lay_out(self._top)

    def set_beside(self, beside: Sequence[Tokens]) -> None:
        """Aligns each character with other flows of this width that show the same text: `beside`
        are their tokens and those of this one. () for no alignment."""
        if list(map(id, beside)) != list(map(id, self._beside)):
            self._beside = tuple(beside)
            self._lay_out(self._top)

    def set_differing(self, mask: np.ndarray | None) -> None:
        """Restricts colors to the tokens where `mask` (n,) bool is True; None restores all."""
        self._differing = mask
        self.data_changed()

    def set_marked(self, start: int, end: int) -> None:
        """Frames the tokens that share a byte with start..end; (-1, -1) frames none."""
        if (start, end) != self._marked:
            self._marked = (start, end)
            self.update()

    def set_framed(self, spans: Sequence[tuple[int, int]]) -> None:
        """Frames the tokens of each span of bytes for as long as this text is shown."""
        self._framed = tuple(spans)
        self.update()

    def set_selected(self, index: int) -> None:
        """Chooses one token, -1 for none, and scrolls to it."""
        if index != self._selected and index < len(self.tokens):
            self._selected = index
            if index >= 0:
                self._reveal(index)
            self._announce()
            self.update()

    @property
    def selected(self) -> int:
        return self._selected

    @property
    def marked(self) -> range:
        """The framed tokens."""
        start, end = self._marked
        return self.tokens.overlapping(start, end) if start >= 0 else range(0)

    @property
    def framed(self) -> list[int]:
        """The tokens of `set_framed`."""
        spans = (self.tokens.overlapping(start, end) for start, end in self._framed)
        return [token for span in spans for token in span]

    @property
    def places(self) -> list[tuple[int, QRectF]]:
        """The visible tokens as currently laid out, each with its cell."""
        return [(index, rect) for index, rect, *_ in self.visible_tokens()]

    def displayed(self) -> dict[str, np.ndarray]:
        visible = [index for index, *_ in self._places]
        shown = {
            "ids": self.tokens.ids,
            "starts": self.tokens.starts,
            "ends": self.tokens.ends,
            "visible": np.array(visible, dtype=np.int64),
        }
        if self._differing is not None:
            shown["differing"] = self._differing
        return shown

    def sizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(240), now.px(160))

    def minimumSizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(80), now.px(48))

    def draw(self, painter: QPainter) -> None:
        self._places = list(self.visible_tokens())
        paint_tokens(painter, self.tokens, self._faces, self._places, self._differing)
        marked = {*self.marked, *self.framed}
        frames = [rect for index, rect, *_ in self._places if index in marked]
        chosen = [rect for index, rect, *_ in self._places if index == self._selected]
        paint_marks(painter, frames, chosen, self.shows_focus)
        self._fit_bar()

    # geometry

    def _row_height(self) -> float:
        return row_height(self.options, theme.current().zoom)

    def _lay_out(self, byte: int) -> None:
        """Lays the text out anew with this byte at the top."""
        width = self.width() - theme.current().px(BAR) - GAP - INSET
        self._layout = FlowLayout(
            self.tokens,
            self._starts,
            self._faces,
            width,
            self._row_height(),
            character_grid(self._beside, self.tokens, self._starts, self._faces, width),
            self._layout,
        )
        self._anchor = self._place_of(byte)
        self._settle()
        self.data_changed()

    def _place_of(self, byte: int) -> tuple[int, float]:
        """Returns the row of a byte as an anchor."""
        layout = self._layout
        if layout is None or not len(self.tokens) or byte <= 0:
            return 0, 0.0
        token = int(np.searchsorted(self.tokens.ends, byte, side="right"))
        token = min(token, len(self.tokens) - 1)
        block = layout.block_of(token)
        placed = layout.placed(block)
        return block, placed.row[token - placed.first] * layout.row_height

    def _settle(self) -> None:
        """Moves the anchor into an existing block; the text may not end above the bottom."""
        layout = self._layout
        if layout is None:
            return
        block, offset = self._anchor
        while offset < 0 and block > 0:
            block -= 1
            offset += layout.placed(block).rows * layout.row_height
        while block + 1 < layout.blocks:
            height = layout.placed(block).rows * layout.row_height
            if offset < height:
                break
            block, offset = block + 1, offset - height
        room, below = float(self.height() - INSET), block
        left = room + offset
        while left > 0 and below < layout.blocks:
            left -= layout.placed(below).rows * layout.row_height
            below += 1
        if left > 0:  # the text ends above the bottom: show more of its beginning
            offset -= left
            while offset < 0 and block > 0:
                block -= 1
                offset += layout.placed(block).rows * layout.row_height
        self._anchor = (block, max(0.0, offset))

    def visible_tokens(self) -> Iterator[Place]:
        """Yields the visible tokens as currently laid out: index, cell, face and letters."""
        layout = self._layout
        if layout is None:
            return
        pitch = layout.row_height
        block, offset = self._anchor
        y = -offset
        while y < self.height() and block < layout.blocks:
            placed = layout.placed(block)
            first = max(0, int(-y // pitch)) if y < 0 else 0
            last = int((self.height() - y) // pitch)
            low, high = bisect_left(placed.row, first), bisect_right(placed.row, last)
            for at in range(low, high):
                top = y + placed.row[at] * pitch
                rect = QRectF(INSET + placed.x[at], INSET + top, placed.width[at], pitch - GAP)
                letters = placed.letters[at] if placed.letters else ()
                yield placed.first + at, rect, placed.faces[at], letters
            y += placed.rows * pitch
            block += 1

    @property
    def first_byte(self) -> int:
        """The position in the text of the first visible row."""
        layout = self._layout
        if layout is None or not len(self.tokens):
            return 0
        block, offset = self._anchor
        placed = layout.placed(block)
        at = bisect_left(placed.row, round(offset / layout.row_height))
        index = min(placed.first + at, len(self.tokens) - 1)
        return int(self.tokens.starts[index])

    @property
    def _top(self) -> int:
        """The byte whose row is at the top after the next layout."""
        return self.first_byte if self._wanted < 0 else self._wanted

    def scroll_to(self, byte: int) -> None:
        """Scrolls the row of this byte to the top, at every size, without emitting a signal."""
        self._wanted = byte
        self._anchor = self._place_of(byte)
        self._settle()
        self.update()

    def scroll_by(self, pixels: float) -> None:
        """Scrolls down on the user's behalf, or up if `pixels` is negative."""
        before, (block, offset) = self._anchor, self._anchor
        self._anchor = (block, offset + pixels)
        self._settle()
        if self._anchor != before:
            self._tell_scrolled()

    def _reveal(self, index: int) -> None:
        layout = self._layout
        if layout is None:
            return
        for place, rect, *_ in self.visible_tokens():
            if place == index and rect.top() >= 0 and rect.bottom() <= self.height():
                return
        block = layout.block_of(index)
        placed = layout.placed(block)
        row = placed.row[index - placed.first] * layout.row_height
        self._anchor = (block, row - self.height() / 3)
        self._settle()
        self._tell_scrolled()

    def _tell_scrolled(self) -> None:
        self._wanted = -1
        self.update()
        self.scrolled.emit(self.first_byte)

    # the scroll bar

    def _fit_bar(self) -> None:
        layout = self._layout
        height = layout.height if layout is not None else 0.0
        most = max(0, round(height + INSET - self.height()))
        self._bar.blockSignals(True)
        self._bar.setRange(0, most)
        self._bar.setPageStep(self.height())
        self._bar.setSingleStep(round(self._row_height()))
        if layout is not None:
            block, offset = self._anchor
            self._bar.setValue(min(most, round(layout.above(block) + offset)))
        self._bar.blockSignals(False)
        self._bar.setVisible(most > 0)

    def _on_bar(self, value: int) -> None:
        if self._layout is not None:
            self._anchor = self._layout.at_height(float(value))
            self._settle()
            self._tell_scrolled()

    # mouse and keyboard

    def token_at(self, point: QPointF) -> int:
        for index, rect, *_ in self._places:
            if rect.adjusted(0, 0, GAP, GAP).contains(point):
                return index
        return -1

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.hover(self.token_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        self.hover(-1)

    def hover(self, index: int) -> None:
        """Hovers a token; -1 for none."""
        span = (-1, -1)
        if index >= 0:
            span = (int(self.tokens.starts[index]), int(self.tokens.ends[index]))
        if span != self._told:
            self._told = span
            self.spanHovered.emit(*span)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.token_at(event.position())
        if index >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.choose(index)

    def choose(self, index: int) -> None:
        """Chooses a token on the user's behalf."""
        self.set_selected(index)
        self.tokenClicked.emit(index)

    def wheelEvent(self, event: QWheelEvent) -> None:
        rows = -event.angleDelta().y() / 120 * WHEEL_ROWS
        pixels = -event.pixelDelta().y() or rows * self._row_height()
        self.scroll_by(pixels)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        pages = {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if key in pages and plain:
            self.scroll_by(pages[key] * (self.height() - self._row_height()))
        elif key in steps and plain and len(self.tokens):
            by_row = key in (Qt.Key.Key_Up, Qt.Key.Key_Down)
            index = self._next_row(steps[key]) if by_row else self._selected + steps[key]
            self.choose(min(max(index, 0), len(self.tokens) - 1))
        else:
            super().keyPressEvent(event)

    def _next_row(self, step: int) -> int:
        """Returns the token below or above the chosen one."""
        places = {index: rect for index, rect, *_ in self._places}
        here = places.get(self._selected)
        if here is None:
            return max(self._selected, 0) + step
        wanted = here.center() + QPointF(0, step * self._row_height())
        rows = [i for i, rect in places.items() if abs(rect.center().y() - wanted.y()) < 2]
        if not rows:
            return self._selected + step
        return min(rows, key=lambda i: abs(places[i].center().x() - wanted.x()))

    def said_at(self, point: QPointF) -> str:
        index = self.token_at(point)
        return self.describe(index) if index >= 0 else ""

    def describe(self, index: int) -> str:
        """Describes one token."""
        return described(self.tokens, index)

    def _announce(self) -> None:
        known = 0 <= self._selected < len(self.tokens)
        self.setAccessibleDescription(self.describe(self._selected) if known else "")

    def resizeEvent(self, event) -> None:
        bar = theme.current().px(BAR)
        self._bar.setGeometry(self.width() - bar, 0, bar, self.height())
        self._lay_out(self._top)

    def on_theme_changed(self) -> None:
        self._faces = TokenFaces(self.options)
        self._lay_out(self._top)
        super().on_theme_changed()
