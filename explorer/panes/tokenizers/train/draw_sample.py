"""Draws each lane's split of the sample in a row; a letter is in the same column in all rows.

So a column compares the lanes, and nothing moves in a merge: only the border between two tokens
disappears.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter
from PySide6.QtWidgets import QSizePolicy

from core.tokenization.growing import Span, Split
from explorer import theme
from explorer.panes.tokenizers.draw_piece import draw_box
from explorer.panes.tokenizers.pieces import bytes_of, text_of
from explorer.widgets.base import CENTER, LEFT, RIGHT, Picture, put_text, visible_text
from explorer.widgets.sketch import Sketch

ROW = 24  # px: a lane's row
NAMES, COUNTS = 132, 56  # px: columns left and right of the letters
WIDEST, NARROWEST = 14.0, 6.0  # px of a letter
BYTE = 1.25  # width of a byte of a multi-byte character, in letters
UNKNOWN = ("<unk>", "[UNK]")
EMPTY = Split((), ())


class SampleRows(Picture):
    """The rows. Call `set_sample` and `set_names` first, `set_splits` at each cursor position."""

    def __init__(self) -> None:
        super().__init__("The sample")
        self.setObjectName("tokenizers.train.sample")
        self._sample = ""
        self._names: tuple[str, ...] = ()
        self._kinds: tuple[str, ...] = ()
        self._before: list[Split] = []
        self._after: list[Split] = []
        self._share = 1.0
        self._edges: list[float] = [0.0]  # left edge of each byte, and the end, in letters
        self._characters: list[tuple[str, int, int]] = []  # with their byte ranges
        self._hover: Span | None = None
        self._focus = -1
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_sample(self, sample: str) -> None:
        if sample == self._sample:
            return
        self._sample = sample
        self._characters, widths, place = [], [], 0
        for character in sample:
            size = len(character.encode("utf-8", "replace"))
            self._characters.append((character, place, place + size))
            widths += [1.0] if size == 1 else [BYTE] * size
            place += size
        self._edges = list(accumulate(widths, initial=0.0))
        self._hover = None
        self.data_changed()

    def set_names(self, names: Sequence[str], kinds: Sequence[str]) -> None:
        """Sets the lanes' names and the kinds of their tokenizers."""
        if (tuple(names), tuple(kinds)) != (self._names, self._kinds):
            self._names, self._kinds = tuple(names), tuple(kinds)
            self._before = self._after = [EMPTY] * len(names)
            self.updateGeometry()
            self.data_changed()

    def set_focus_lane(self, lane: int) -> None:
        """Marks the lane shown in the inspector; -1 for none."""
        self._focus = lane
        self.update()

    def set_splits(
        self, before: Sequence[Split], after: Sequence[Split], share: float = 1.0
    ) -> None:
        """Shows each lane's split of the sample, faded from `before` to `after` by `share`."""
        if (list(before), list(after), share) != (self._before, self._after, self._share):
            self._before, self._after, self._share = list(before), list(after), share
            counts = [f"{n} {len(s.pieces)}" for n, s in zip(self._names, after, strict=True)]
            self.setAccessibleDescription("tokens of this sentence: " + ", ".join(counts))
            self.data_changed()

    def displayed(self) -> dict[str, np.ndarray]:
        """Returns the byte ranges of each lane's tokens in the sample."""
        return {
            name: np.array(split.spans, dtype=np.int64).reshape(-1, 2)
            for name, split in zip(self._names, self._after, strict=True)
        }

    def sizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(640), now.px(ROW) * max(1, len(self._names)))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(320), self.sizeHint().height())

    # drawing

    def draw(self, painter: QPainter) -> None:
        now, sketch = theme.current(), Sketch(painter)
        area = self._area()
        for lane, name in enumerate(self._names):
            row, after = self._row(lane), self._after[lane]
            bar = QRectF(0, row.top() + now.px(6), now.px(4), row.height() - now.px(12))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(now.series(lane))
            painter.drawRoundedRect(bar, 2, 2)
            words = QRectF(now.px(10), row.top(), now.px(NAMES - 16), row.height())
            weight = 600 if lane == self._focus else 400
            sketch.text(words, name, "text", LEFT, weight=weight, cut=True)
            painter.save()
            painter.setClipRect(QRectF(area.left() - 1, row.top(), area.width() + 2, row.height()))
            self._draw_tokens(painter, lane, row)
            self._draw_letters(painter, row, after)
            painter.restore()
            if after.pieces:
                count = QRectF(area.right(), row.top(), now.px(COUNTS), row.height())
                sketch.text(count, f"{len(after.pieces)}", "text", RIGHT, "body", 600)
        if self._edges[-1] * self._unit() > area.width() + 1:
            edge = QRectF(area.right() - now.px(20), 0, now.px(20), self.height())
            sketch.fill(edge, "surface", 0.9)
            corner = QPointF(edge.left(), edge.center().y() - now.px(8))
            painter.drawPixmap(corner, self.icon_pixmap("chevron-right", "muted"))

    def _draw_tokens(self, painter: QPainter, lane: int, row: QRectF) -> None:
        """Draws the tokens common to both steps, old ones fading out, and new ones fading in."""
        before, after, share = self._before[lane], self._after[lane], self._share
        old, new = set(before.spans), set(after.spans)
        for piece, span in zip(before.pieces, before.spans, strict=True):
            if span not in new and share < 0.99:
                painter.setOpacity(1 - share)
                self._draw_token(painter, lane, row, piece, span)
        for piece, span in zip(after.pieces, after.spans, strict=True):
            if span in old or share > 0.01:
                painter.setOpacity(1.0 if span in old else share)
                self._draw_token(painter, lane, row, piece, span, fresh=span not in old)
        painter.setOpacity(1.0)

    def _draw_token(
        self,
        painter: QPainter,
        lane: int,
        row: QRectF,
        piece: str,
        span: Span,
        fresh: bool = False,
    ) -> None:
        inset = theme.current().px(3)
        box = self._cell(span, row).adjusted(0.75, inset, -0.75, -inset)
        if box.width() <= 0:
            return
        data = bytes_of(self._kinds[lane], piece)
        draw_box(painter, box, data, pen="accent" if fresh else "")
        if self._hover is not None and span[0] < self._hover[1] and self._hover[0] < span[1]:
            draw_box(painter, box, data, pen="text")
        if piece in UNKNOWN:
            draw_box(painter, box, data, fill="hatch", pen="error", width=1)

    def _draw_letters(self, painter: QPainter, row: QRectF, split: Split) -> None:
        """Draws the letters; one that is split into several tokens is drawn as its bytes."""
        now = theme.current()
        borders = {edge for span in split.spans for edge in span}
        covered = np.zeros(len(self._edges), dtype=bool)
        for start, end in split.spans:
            covered[start:end] = True
        letters = now.font(12 if self._unit() >= 8 * now.zoom else 10, mono=True)
        text, muted, small = now.color("text"), now.color("muted"), now.font(9, mono=True)
        limit = self._area().right()
        for character, start, end in self._characters:
            cell = self._cell((start, end), row)
            if cell.left() > limit:
                break
            if any(place in borders for place in range(start + 1, end)):
                for place, byte in enumerate(character.encode("utf-8", "replace"), start):
                    part = self._cell((place, place + 1), row)
                    put_text(painter, part, f"{byte:02X}", small, text)
                continue
            shown = visible_text(character)
            ink = muted if shown != character or not covered[start] else text
            put_text(painter, cell, shown, letters, ink, CENTER)

    # geometry

    def _area(self) -> QRectF:
        """Returns the area of the letters."""
        now = theme.current()
        left = now.px(NAMES)
        return QRectF(left, 0, max(1, self.width() - left - now.px(COUNTS)), self.height())

    def _row(self, lane: int) -> QRectF:
        height = theme.current().px(ROW)
        return QRectF(0, lane * height, self.width(), height)

    def _unit(self) -> float:
        """Returns the width of a letter in pixels."""
        zoom = theme.current().zoom
        wanted = self._area().width() / max(1.0, self._edges[-1])
        return min(max(wanted, NARROWEST * zoom), WIDEST * zoom)

    def _cell(self, span: Span, row: QRectF) -> QRectF:
        left, unit = self._area().left(), self._unit()
        last = len(self._edges) - 1
        x, end = (self._edges[min(place, last)] for place in span)
        return QRectF(left + x * unit, row.top(), (end - x) * unit, row.height())

    def token_at(self, point: QPointF) -> tuple[int, int]:
        """Returns the lane and the index of the token at a point; index -1 for none."""
        lane = int(point.y() // theme.current().px(ROW))
        if 0 <= lane < len(self._names):
            for index, span in enumerate(self._after[lane].spans):
                cell = self._cell(span, self._row(lane))
                if cell.left() <= point.x() < cell.right():
                    return lane, index
        return lane, -1

    # mouse

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        lane, index = self.token_at(event.position())
        self._set_hover(self._after[lane].spans[index] if index >= 0 else None)

    def leaveEvent(self, event: QEvent) -> None:
        self._set_hover(None)

    def _set_hover(self, span: Span | None) -> None:
        if span != self._hover:
            self._hover = span
            self.update()

    def said_at(self, point: QPointF) -> str:
        """Returns the tooltip: text and bytes of the token at a point."""
        lane, index = self.token_at(point)
        if index < 0:
            return ""
        split = self._after[lane]
        data = self._sample.encode("utf-8", "replace")[slice(*split.spans[index])]
        piece = text_of(self._kinds[lane], split.pieces[index])
        bytes = data.hex(" ").upper()
        return f"{self._names[lane]}, token {index + 1}: {piece}  bytes {bytes}"
