"""The list of operations by block and part, with a search field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QModelIndex, QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QLineEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from explorer import theme
from explorer.panes.backprop.gpt.compute import Worked
from explorer.panes.backprop.gpt.scene import shape_text
from explorer.widgets.base import LEFT, RIGHT, Label, elide, put_text, visible_text
from explorer.widgets.grid_keys import is_enter

WIDTH, ROW = 242, 24  # px
LONGEST = 40  # characters of a search text shown in the message
NUMBER = int(Qt.ItemDataRole.UserRole)  # of the operation; None for a group
SHAPE = NUMBER + 1
STATE = NUMBER + 2  # "", "forward" or "backward": the progress of the player
HERE = NUMBER + 3


def brief_shape(shape: tuple[int, ...]) -> str:
    """Returns a shape without the batch axis; a single number is 1."""
    sizes = shape[1:] if len(shape) > 2 else shape or (1,)
    return "\u00d7".join(str(size) for size in sizes)


class OperationDelegate(QStyledItemDelegate):
    """Paints a name, its shape and two dots: one for the value, one for the gradient."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Any) -> QSize:
        return QSize(60, theme.current().px(ROW))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Any) -> None:
        now = theme.current()
        rect = QRectF(option.rect)  # type: ignore[attr-defined]
        number = index.data(NUMBER)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        here = bool(index.data(HERE))
        if here:
            painter.fillRect(rect, now.color("selected"))
            painter.fillRect(QRectF(rect.x(), rect.y(), 3, rect.height()), now.color("accent"))
        elif option.state & QStyle.StateFlag.State_MouseOver:  # type: ignore[attr-defined]
            painter.fillRect(rect, now.color("raised"))
        font = now.font("body", 600 if number is None or here else 400)
        right = rect.right() - now.px(8)
        if number is not None:
            right = self._dots(painter, rect, index.data(STATE))
        name = str(index.data(Qt.ItemDataRole.DisplayRole))
        x = rect.x() + now.px(8)
        box = QRectF(x, rect.y(), right - x - now.px(6), rect.height())
        shape = str(index.data(SHAPE) or "")
        wide = now.metrics("label").horizontalAdvance(shape) + now.px(8) if shape else 0
        if QFontMetricsF(font).horizontalAdvance(name) > box.width() - wide:
            shape, wide = "", 0  # it is also in the tooltip and in the picture
        put_text(painter, box, shape, now.font("label"), now.color("muted"), RIGHT)
        name = elide(name, font, box.width() - wide)
        put_text(painter, box, name, font, now.color("text"), LEFT)
        focused = option.state & QStyle.StateFlag.State_HasFocus  # type: ignore[attr-defined]
        if focused:
            now.focus_ring(painter, rect.adjusted(3, 3, -3, -3), radius=3, offset=0)
        painter.restore()

    def _dots(self, painter: QPainter, rect: QRectF, state: str) -> float:
        now = theme.current()
        size, y = now.px(7), rect.center().y()
        x = rect.right() - now.px(8) - 2 * size - now.px(3)
        for place, on in enumerate((state in ("forward", "backward"), state == "backward")):
            dot = QRectF(x + place * (size + now.px(3)), y - size / 2, size, size)
            role = "accent" if place else "outline"
            painter.setPen(now.pen(role if on else "divider"))
            painter.setBrush(now.color(role) if on else Qt.BrushStyle.NoBrush)
            painter.drawEllipse(dot)
        return x


class OperationTree(QTreeWidget):
    """A tree in which Enter and a click choose an operation."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setHeaderHidden(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setRootIsDecorated(True)
        self.setUniformRowHeights(True)
        self.setItemDelegate(OperationDelegate(self))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setMouseTracking(True)
        self.setAccessibleName("Operations")
        self.itemClicked.connect(lambda item, _: self._go(item))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if is_enter(event) and self.currentItem() is not None:
            self._go(self.currentItem())
        elif event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Backspace):
            event.ignore()  # keys of the player; a tree would search for them
        else:
            super().keyPressEvent(event)

    def _go(self, item: QTreeWidgetItem) -> None:
        number = item.data(0, NUMBER)
        if number is None:
            item.setExpanded(not item.isExpanded())
        else:
            self.chosen.emit(number)

    def drawBranches(self, painter: QPainter, rect: Any, index: QModelIndex | Any) -> None:
        """Draws a chevron at rows that can be folded."""
        if not self.model().hasChildren(index):
            return
        from explorer.theme import icons
        from explorer.widgets.base import ratio_of

        now = theme.current()
        name = "chevron-down" if self.isExpanded(index) else "chevron-right"
        pixmap = icons.pixmap(name, "muted", 12, ratio_of(painter))
        side = now.px(12)
        painter.drawPixmap(rect.right() - side, rect.center().y() - side // 2 + 1, pixmap)


class OperationList(QWidget):
    """Signal: operationChosen(number); the block of the current operation is always open."""

    operationChosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.gpt.operations")
        self.search = QLineEdit()
        self.search.setObjectName("backprop.gpt.search")
        self.search.setPlaceholderText("Find an operation")
        self.search.setAccessibleName("Find an operation")
        self.search.setClearButtonEnabled(True)
        self.tree = OperationTree()
        self.tree.setObjectName("backprop.gpt.tree")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        self.nothing = Label("", "body", "muted", wrap=True)
        self.nothing.setObjectName("backprop.gpt.nothing")
        self.nothing.hide()
        column.addWidget(self.search)
        column.addWidget(self.nothing)
        column.addWidget(self.tree, 1)
        self._items: list[QTreeWidgetItem] = []
        self._groups: dict[tuple[str, ...], QTreeWidgetItem] = {}
        self._worked: Worked | None = None
        self._here = -1
        self._opened: QTreeWidgetItem | None = None  # by the player, not by the user
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self._go_to_first)
        self.tree.chosen.connect(self.operationChosen)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_worked(self, worked: Worked | None) -> None:
        """Shows the operations; rows are rebuilt only if their names differ."""
        if worked is self._worked:
            return
        before, self._worked = self._worked, worked
        same = (
            before is not None
            and worked is not None
            and [one.name for one in before.operations] == [one.name for one in worked.operations]
        )
        if same and worked is not None:
            for one, item in zip(worked.operations, self._items, strict=True):
                item.setData(0, SHAPE, brief_shape(worked.value(one.node).shape))
            return
        with QSignalBlocker(self.tree):
            self._fill(worked)

    def _fill(self, worked: Worked | None) -> None:
        self.tree.clear()
        self._items, self._groups, self._here, self._opened = [], {}, -1, None
        if worked is None:
            return
        for one in worked.operations:
            item = QTreeWidgetItem(self._group(one.group), [one.name])
            shape = shape_text(worked.value(one.node).shape)
            item.setData(0, NUMBER, one.number)
            item.setData(0, SHAPE, brief_shape(worked.value(one.node).shape))
            item.setToolTip(0, f"{worked.graph.nodes[one.node].label}: {shape}")
            item.setData(
                0, Qt.ItemDataRole.AccessibleTextRole, f"{', '.join(one.group)}: {one.name}"
            )
            self._items.append(item)
        for path, group in self._groups.items():
            group.setExpanded(not path[0].startswith("Block") or len(path) > 1)

    def _group(self, path: tuple[str, ...]) -> QTreeWidgetItem:
        if path not in self._groups:
            above: Any = self._group(path[:-1]) if len(path) > 1 else self.tree
            item = QTreeWidgetItem(above, [path[-1]])
            item.setFirstColumnSpanned(True)
            self._groups[path] = item
        return self._groups[path]

    def set_progress(self, here: int, states: Sequence[str]) -> None:
        """Sets the current operation and the progress of each."""
        with QSignalBlocker(self.tree):
            for item, state in zip(self._items, states, strict=False):
                if item.data(0, STATE) != state:
                    item.setData(0, STATE, state)
            if here != self._here:
                self._show(here)

    def _show(self, here: int) -> None:
        if 0 <= self._here < len(self._items):
            self._items[self._here].setData(0, HERE, False)
        self._here = here
        if not 0 <= here < len(self._items):
            return
        item = self._items[here]
        item.setData(0, HERE, True)
        block = item
        while block.parent() is not None:
            block = block.parent()
            if block.parent() is None and block is not self._opened and not block.isExpanded():
                if self._opened is not None:
                    self._opened.setExpanded(False)
                block.setExpanded(True)
                self._opened = block
        self.tree.setCurrentItem(item)
        self.tree.scrollToItem(item, QAbstractItemView.ScrollHint.EnsureVisible)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keeps the current operation visible."""
        super().resizeEvent(event)
        if 0 <= self._here < len(self._items):
            self.layout().activate()
            self.tree.scrollToItem(self._items[self._here])

    # search

    def _filter(self, text: str) -> None:
        words = text.lower().split()
        for item in self._items:
            label = item.toolTip(0).partition(":")[0]
            said = f"{item.data(0, Qt.ItemDataRole.AccessibleTextRole)} {label}".lower()
            item.setHidden(not all(word in said for word in words))
        for path in sorted(self._groups, key=len, reverse=True):
            group = self._groups[path]
            seen = any(not group.child(n).isHidden() for n in range(group.childCount()))
            group.setHidden(not seen)
            if words and seen:
                group.setExpanded(True)
        shown = f"{text[:LONGEST]}\u2026" if len(text) > LONGEST else text
        self.nothing.setText(f"No operation matches \u201c{visible_text(shown.strip())}\u201d.")
        self.nothing.setVisible(bool(self._items) and not self.found())

    def found(self) -> list[int]:
        return [n for n, item in enumerate(self._items) if not item.isHidden()]

    def _go_to_first(self) -> None:
        found = self.found()
        if found:
            self.operationChosen.emit(found[0])
            self.tree.setFocus(Qt.FocusReason.ShortcutFocusReason)

    # state

    def folded(self) -> list[str]:
        return ["/".join(path) for path, one in self._groups.items() if not one.isExpanded()]

    def fold(self, paths: Sequence[str]) -> None:
        for path, group in self._groups.items():
            group.setExpanded("/".join(path) not in paths)

    def _restyle(self) -> None:
        now = theme.current()
        self.setFixedWidth(theme.current().px(WIDTH))
        self.tree.setIndentation(now.px(12))
        surface = now.color("window").name()
        self.tree.setStyleSheet(
            f"QTreeWidget {{ background: {surface}; border: none; outline: none;"
            " selection-background-color: transparent; }"
            "QTreeWidget::branch, QTreeWidget::item:selected { background: transparent; }"
        )
