"""A list of a vocabulary's pieces, each in its color and with its id."""

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
from explorer.panes.tokenizers.draw_piece import draw_piece, piece_width
from explorer.widgets.base import LEFT, RIGHT, elide, put_text

ROW, CHIP = 24, 20  # px


class Pieces(QAbstractListModel):
    """The model, with an id for each row. A piece's bytes are read when its row is painted.
    `note(row)` is the text at the end of a row, `share(row)` the length of a bar, 0 to 1."""

    tokenizer: Any = None
    ids: Sequence[int] = ()
    note: Callable[[int], str] | None = None
    share: Callable[[int], float] | None = None

    def set_rows(self, tokenizer: Any, ids: Sequence[int], note: Any, share: Any) -> None:
        self.beginResetModel()
        self.tokenizer, self.ids, self.note = tokenizer, ids, note
        self.share = share
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
            return f"{self.text(token)}, id {token:,} {note}"
        return None

    def text(self, token: int) -> str:
        """Returns a piece as readable text."""
        return shown(self.tokenizer.vocabulary[token], self.tokenizer.piece_bytes(token))


class PieceDelegate(QStyledItemDelegate):
    """Paints a row from its right end: id, note and bar, then the piece in the remaining width."""

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
        small, label = now.font("label"), now.metrics("label")
        right, gap = rect.right() - now.px(6), now.px(8)
        roomy = rect.width() > now.px(200)
        data, text = model.tokenizer.piece_bytes(token), model.text(token)
        beside = rect.width() - now.px(30) - label.horizontalAdvance(f"{token:,}")
        # A piece that leaves no room for the id hides it; the tooltip shows both.
        numbered = roomy or (model.note is None and piece_width(text, data) <= beside)

        def put(words: str, width: float, role: str) -> None:
            nonlocal right
            where = QRectF(right - width, rect.y(), width, rect.height())
            put_text(painter, where, words, small, now.color(role), RIGHT)
            right -= width + gap

        if numbered:
            widest = "000,000" if model.note is not None else f"{token:,}"
            put(f"{token:,}", label.horizontalAdvance(widest), "muted")
        if model.note is not None:
            note = model.note(place)
            put(note, max(map(label.horizontalAdvance, ("0.000", note))), "text")
        if model.share is not None and roomy:
            full = rect.width() * 0.25
            where = QRectF(right - full, rect.center().y() - 3, full, 6)
            painter.fillRect(where, now.color("raised"))
            where.setWidth(full * max(0.0, min(1.0, model.share(place))))
            painter.fillRect(where, now.color("attention"))
            right -= full + gap
        room = right - rect.x() - gap
        text = elide(text, now.font("mono", mono=True), room - now.px(10))
        width = min(piece_width(text, data), room)
        chip = QRectF(rect.x() + 6, rect.y() + 2, width, now.px(CHIP))
        draw_piece(painter, chip, text, data or text.encode(), align=LEFT)
        painter.restore()


class PieceList(QListView):
    """The list; emits `pieceChosen(row)` when a row becomes current by mouse or keyboard."""

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
        self,
        tokenizer: Any,
        ids: Sequence[int],
        note: Callable[[int], str] | None = None,
        share: Callable[[int], float] | None = None,
    ) -> None:
        """Shows new pieces without emitting a signal; see Pieces."""
        self._quiet = True
        self.pieces.set_rows(tokenizer, ids, note, share)
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
