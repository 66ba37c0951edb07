"""A list of pieces of a vocabulary: their colors, numbers and what is known of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QWidget,
)

from core.tokenization.telling import shown
from explorer import theme
from explorer.panes.tokenizers.compare.finding import Find, elide_around
from explorer.panes.tokenizers.draw_piece import draw_piece, piece_width
from explorer.widgets.base import LEFT, RIGHT, put_text

ROW, CHIP = 24, 20  # px


class Pieces(QAbstractListModel):
    """Rows are ids; a piece's bytes are asked for when its row is seen. `note(place)` is written at
    a row's end, `share(place)` 0..1 is a bar behind it; what `find(text)` finds of a piece is never
    cut."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.tokenizer: Any = None
        self.ids: Sequence[int] = ()
        self.find: Find | None = None
        self.note: Callable[[int], str] | None = None
        self.share: Callable[[int], float] | None = None

    def set_rows(
        self,
        tokenizer: Any,
        ids: Sequence[int],
        note: Callable[[int], str] | None = None,
        share: Callable[[int], float] | None = None,
        find: Find | None = None,
    ) -> None:
        self.beginResetModel()
        self.find = find
        self.tokenizer, self.ids, self.note, self.share = tokenizer, ids, note, share
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return len(self.ids) if parent is None or not parent.isValid() else 0

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.ids):
            return None
        token = int(self.ids[index.row()])
        if role == Qt.ItemDataRole.DisplayRole:
            return self.text(token)
        if role == Qt.ItemDataRole.ToolTipRole:
            data = self.tokenizer.piece_bytes(token)
            spelled = self.tokenizer.vocabulary[token]
            text = self.text(token)
            said = "" if spelled == text else f"  spelled {spelled}"
            return f"{text}  id {token:,}{said}\nbytes {data[:24].hex(' ').upper()}"
        if role == Qt.ItemDataRole.AccessibleTextRole:
            note = self.note(index.row()) if self.note is not None else ""
            return f"{self.text(token)}, id {token} {note}"
        return None

    def text(self, token: int) -> str:
        """A piece as people read it."""
        return shown(self.tokenizer.vocabulary[token], self.tokenizer.piece_bytes(token))


class PieceDelegate(QStyledItemDelegate):
    def sizeHint(self, option, index) -> QSize:
        return QSize(80, theme.current().px(ROW))

    def paint(self, painter: QPainter, option, index) -> None:
        now = theme.current()
        model: Pieces = index.model()
        place, rect = index.row(), QRectF(option.rect)
        token = int(model.ids[place])
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        if chosen or hovered:
            painter.fillRect(rect, now.color("selected" if chosen else "raised"))
        if chosen:
            painter.fillRect(QRectF(rect.x(), rect.y(), 2, rect.height()), now.color("accent"))
        mono, small = now.font("mono", mono=True), now.font("label")
        label = now.metrics("label")
        right = rect.right() - now.px(6)
        roomy = rect.width() > now.px(200)
        wide = now.px(6)
        data, text = model.tokenizer.piece_bytes(token), model.text(token)
        found = model.find(text) if model.find is not None else None
        numbered = roomy or model.note is None
        if found is not None:  # it goes before the id, which is in the tooltip too
            room = rect.width() - now.px(30) - label.horizontalAdvance(f"{token:,}")
            numbered &= piece_width(elide_around(text, found, mono, 0), data) <= room
        if numbered:
            width = label.horizontalAdvance("000,000" if model.note is not None else f"{token:,}")
            where = QRectF(right - width, rect.y(), width, rect.height())
            put_text(painter, where, f"{token:,}", small, now.color("muted"), RIGHT)
            wide += width + now.px(8)
        if model.note is not None:
            note = model.note(place)
            width = max(label.horizontalAdvance("0.000"), label.horizontalAdvance(note))
            where = QRectF(rect.right() - wide - width, rect.y(), width, rect.height())
            put_text(painter, where, note, small, now.color("text"), RIGHT)
            wide += width + now.px(8)
        if model.share is not None and roomy:
            full = rect.width() * 0.25
            where = QRectF(rect.right() - wide - full, rect.center().y() - 3, full, 6)
            painter.fillRect(where, now.color("raised"))
            where.setWidth(full * max(0.0, min(1.0, model.share(place))))
            painter.fillRect(where, now.color("attention"))
            wide += full + now.px(8)
        room = rect.width() - wide - now.px(8)
        text = elide_around(text, found, mono, room - now.px(10))
        width = min(piece_width(text, data), room)
        chip = QRectF(rect.x() + 6, rect.y() + 2, width, now.px(CHIP))
        draw_piece(painter, chip, text, data or text.encode(), align=LEFT)
        painter.restore()


class PieceList(QListView):
    """`pieceChosen(row)` by a click, Enter, or the arrows."""

    pieceChosen = Signal(int)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.pieces = Pieces(self)
        self.setModel(self.pieces)
        self.setItemDelegate(PieceDelegate(self))
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setStyleSheet("QListView { border: none; background: transparent; }")
        self._quiet = False
        theme.changed.connect(self.viewport().update)

    def set_rows(
        self, tokenizer: Any, ids: Sequence[int], note=None, share=None, find: Find | None = None
    ) -> None:
        self._quiet = True
        self.pieces.set_rows(tokenizer, ids, note, share, find)
        self._quiet = False

    def currentChanged(self, current: QModelIndex, previous: QModelIndex) -> None:
        super().currentChanged(current, previous)
        if current.isValid() and not self._quiet:
            self.pieceChosen.emit(current.row())

    def displayed(self) -> dict[str, Any]:
        return {"ids": list(self.pieces.ids)}

    def sizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(160), now.px(160))
