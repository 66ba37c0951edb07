"""How each lane cuts the sample: one row a lane, and every letter stands in the same column.

So a glance down a column compares the lanes, and nothing moves while pieces are joined: the border
between two tokens goes, that is all.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.tokenization.growing import Span, Split
from explorer import theme
from explorer.panes.tokenizers.draw_piece import draw_box
from explorer.panes.tokenizers.pieces import bytes_of, text_of
from explorer.widgets.base import CENTER, LEFT, RIGHT, Picture, elide, put_text, visible_text

ROW, DENSE = 28, 24  # px: a lane's row, and where there is little room
NAMES, COUNTS = 132, 56  # px: left and right of the letters
WIDEST, NARROWEST = 14.0, 6.0  # px of a letter
BYTE = 1.25  # of a letter's width: a byte of a character that has several
UNKNOWN = ("<unk>", "[UNK]")
EMPTY = Split((), ())


class SampleGrid(Picture):
    """`set_sample`, `set_names`, then `set_splits` for every position of the cursor."""

    def __init__(self, name: str = "The sample", parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._sample = ""
        self._names: tuple[str, ...] = ()
        self._kinds: tuple[str, ...] = ()
        self._before: list[Split] = []
        self._after: list[Split] = []
        self._share = 1.0
        self._edges: list[float] = [0.0]  # of each byte and of the end, in letters
        self._characters: list[tuple[str, int, int]] = []  # with their places in bytes
        self._hover: tuple[int, int] | None = None
        self._focus = -1
        self._dense = False
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
        """The lanes, and the kind of each one's tokenizer."""
        if (tuple(names), tuple(kinds)) != (self._names, self._kinds):
            self._names, self._kinds = tuple(names), tuple(kinds)
            self._before = self._after = [EMPTY] * len(names)
            self.updateGeometry()
            self.data_changed()

    def set_dense(self, dense: bool) -> None:
        """Lower rows, where there is little room."""
        if dense != self._dense:
            self._dense = dense
            self.updateGeometry()
            self.update()

    @property
    def _height(self) -> int:
        return theme.current().px(DENSE if self._dense else ROW)

    def set_focus_lane(self, lane: int) -> None:
        """The lane that the inspector speaks of."""
        if lane != self._focus:
            self._focus = lane
            self.update()

    def set_splits(
        self, before: Sequence[Split], after: Sequence[Split], share: float = 1.0
    ) -> None:
        """How each lane cuts the sample; between two steps `share` of the way is done."""
        if (list(before), list(after), share) != (self._before, self._after, self._share):
            self._before, self._after, self._share = list(before), list(after), share
            words = [f"{n} {len(s.pieces)}" for n, s in zip(self._names, after, strict=True)]
            self.setAccessibleDescription("tokens: " + ", ".join(words))
            self.data_changed()

    def displayed(self) -> dict[str, np.ndarray]:
        """The places of every lane's tokens in the bytes of the sample."""
        return {
            name: np.array(split.spans, dtype=np.int64).reshape(-1, 2)
            for name, split in zip(self._names, self._after, strict=True)
        }

    def sizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(640), self._height * max(1, len(self._names)))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(320), self.sizeHint().height())

    # drawing

    def draw(self, painter: QPainter) -> None:
        now = theme.current()
        area = self._area()
        letters = self._letter_font()
        for lane, name in enumerate(self._names):
            row = self._row(lane)
            self._draw_name(painter, lane, name, row)
            after = self._after[lane]
            painter.save()
            painter.setClipRect(QRectF(area.left() - 1, row.top(), area.width() + 2, row.height()))
            self._draw_lane(painter, lane, row)
            self._draw_letters(painter, row, after, letters)
            painter.restore()
            if after.pieces:
                count = QRectF(
                    self.width() - now.px(COUNTS), row.top(), now.px(COUNTS), row.height()
                )
                put_text(
                    painter,
                    count,
                    f"{len(after.pieces)}",
                    now.font("body", 600),
                    now.color("text"),
                    RIGHT,
                )
        if self._edges[-1] * self._unit() > area.width() + 1:
            edge = QRectF(area.right() - now.px(20), 0, now.px(20), self.height())
            painter.fillRect(edge, now.color("surface", 0.9))
            painter.drawPixmap(
                QPointF(edge.left(), edge.center().y() - now.px(8)),
                self.icon_pixmap("chevron-right", "muted"),
            )

    def _draw_name(self, painter: QPainter, lane: int, name: str, row: QRectF) -> None:
        now = theme.current()
        bar = QRectF(0, row.top() + now.px(6), now.px(4), row.height() - now.px(12))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(now.series(lane))
        painter.drawRoundedRect(bar, 2, 2)
        words = QRectF(now.px(10), row.top(), now.px(NAMES) - now.px(16), row.height())
        font = now.font("label", 600 if lane == self._focus else 400)
        put_text(painter, words, elide(name, font, words.width()), font, now.color("text"), LEFT)

    def _draw_lane(self, painter: QPainter, lane: int, row: QRectF) -> None:
        """The tokens that both steps have, those that go, and those that come."""
        before, after, share = self._before[lane], self._after[lane], self._share
        old, new = set(before.spans), set(after.spans)
        for split, kept, opacity, comes in (
            (before, new, 1 - share, False),
            (after, old, share, True),
        ):
            for piece, span in zip(split.pieces, split.spans, strict=True):
                stays = span in kept
                if (stays and not comes) or (not stays and opacity <= 0.01):
                    continue
                painter.setOpacity(1.0 if stays else opacity)
                self._draw_token(painter, lane, row, piece, span, fresh=comes and not stays)
        painter.setOpacity(1.0)

    def _draw_token(
        self, painter: QPainter, lane: int, row: QRectF, piece: str, span: Span, fresh: bool
    ) -> None:
        box = self._box(span, row)
        if box.width() <= 0:
            return
        data = bytes_of(self._kinds[lane], piece)
        changed = fresh and self._before != self._after
        draw_box(painter, box, data, pen="accent" if changed else "")
        if self._hover is not None and span[0] < self._hover[1] and self._hover[0] < span[1]:
            draw_box(painter, box, data, pen="text")
        if piece in UNKNOWN:
            draw_box(painter, box, data, fill="hatch", pen="error", width=1)

    def _draw_letters(self, painter: QPainter, row: QRectF, split: Split, font) -> None:
        now = theme.current()
        inside = {edge for span in split.spans for edge in span}
        covered = np.zeros(len(self._edges), dtype=bool)
        for start, end in split.spans:
            covered[start:end] = True
        text, muted = now.color("text"), now.color("muted")
        small = now.font(9, mono=True)
        limit = self._area().right()
        for character, start, end in self._characters:
            cell = self._cell((start, end), row)
            if cell.left() > limit:
                break
            if end - start > 1 and any(place in inside for place in range(start + 1, end)):
                for place, byte in enumerate(character.encode("utf-8", "replace"), start):
                    part = self._cell((place, place + 1), row)
                    put_text(painter, part, f"{byte:02X}", small, text)
                continue
            shown = visible_text(character)
            ink = muted if shown != character or not covered[start] else text
            put_text(painter, cell, shown, font, ink, CENTER)

    # geometry

    def _area(self) -> QRectF:
        now = theme.current()
        left = now.px(NAMES)
        return QRectF(left, 0, max(1, self.width() - left - now.px(COUNTS)), self.height())

    def _row(self, lane: int) -> QRectF:
        height = self._height
        return QRectF(0, lane * height, self.width(), height)

    def _unit(self) -> float:
        """Pixels of a letter."""
        zoom = theme.current().zoom
        wanted = self._area().width() / max(1.0, self._edges[-1])
        return min(max(wanted, NARROWEST * zoom), WIDEST * zoom)

    def _letter_font(self):
        now = theme.current()
        return now.font(12 if self._unit() >= 8 * now.zoom else 10, mono=True)

    def _cell(self, span: Span, row: QRectF) -> QRectF:
        left, unit = self._area().left(), self._unit()
        last = len(self._edges) - 1
        x, end = (self._edges[min(place, last)] for place in span)
        return QRectF(left + x * unit, row.top(), (end - x) * unit, row.height())

    def _box(self, span: Span, row: QRectF) -> QRectF:
        inset = theme.current().px(3)
        return self._cell(span, row).adjusted(0.75, inset, -0.75, -inset)

    def token_at(self, point: QPointF) -> tuple[int, int]:
        """Lane and token at a place; -1 for none."""
        lane = int(point.y() // self._height)
        if 0 <= lane < len(self._names):
            for index, span in enumerate(self._after[lane].spans):
                cell = self._cell(span, self._row(lane))
                if cell.left() <= point.x() < cell.right():
                    return lane, index
        return lane, -1

    # hovering

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
        return self.describe(*self.token_at(point))

    def describe(self, lane: int, index: int) -> str:
        """One token in words."""
        if index < 0:
            return ""
        split = self._after[lane]
        start, end = split.spans[index]
        data = self._sample.encode("utf-8", "replace")[start:end]
        spelled = " ".join(f"{byte:02X}" for byte in data)
        piece = text_of(self._kinds[lane], split.pieces[index])
        return f"{self._names[lane]}, token {index + 1}: {piece}  bytes {spelled}"
