"""Every value of a step as a table to copy; big arrays are virtual, with cells made on demand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from core.numbers import format_number, typed, typeset
from explorer import theme
from explorer.widgets.base import ELIDE_MIDDLE, LEFT, RIGHT, IconButton, Label, set_look

COPY_LIMIT = 200_000
MOST_FITTED = 8  # columns
FEW = 100  # numbers up to which all digits are shown
Index = QModelIndex | QPersistentModelIndex


def _kind(name: str) -> str:
    return name.split(":")[0]


def as_grid(array: np.ndarray) -> np.ndarray:
    """Returns any array as rows and columns: leading axes fold into rows, a vector is a column."""
    array = np.asarray(array)
    if array.ndim == 0:
        return array.reshape(1, 1)
    if array.ndim == 1 or array.size == array.shape[-1]:
        return array.reshape(-1, 1)
    return array.reshape(-1, array.shape[-1])


class ArrayModel(QAbstractTableModel):
    """A read-only array (rows, columns) of any size, with labels on its last two axes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._array = np.zeros((0, 0))
        self._shape: tuple[int, ...] = (0, 0)
        self._rows: Sequence[str] = ()
        self._columns: Sequence[str] = ()

    def set_array(
        self, array: np.ndarray, rows: Sequence[str] = (), columns: Sequence[str] = ()
    ) -> None:
        self.beginResetModel()
        self._shape = np.shape(array)
        self._array = as_grid(array)
        self._rows, self._columns = rows, columns
        if self._array.shape[1] == 1 and self._shape and self._shape[-1] > 1:
            self._rows, self._columns = columns or rows, ()
            self._shape = self._array.shape
        self.endResetModel()

    @property
    def array(self) -> np.ndarray:
        return self._array

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else self._array.shape[0]

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else self._array.shape[1]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole):
        if role == Qt.ItemDataRole.DisplayRole:
            value = self._array[index.row(), index.column()]
            if isinstance(value, str | np.str_):
                return str(value)
            return format_number(value)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(RIGHT)
        if role == Qt.ItemDataRole.ToolTipRole:
            value = self._array[index.row(), index.column()]
            return str(value) if isinstance(value, str | np.str_) else typeset(str(value))
        return None

    def headerData(self, section: int, orientation, role: int = Qt.ItemDataRole.DisplayRole):
        across = orientation == Qt.Orientation.Horizontal
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(RIGHT if across else LEFT)
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return None
        if across:
            if section < len(self._columns):
                return str(self._columns[section])
            return str(section) if self._array.shape[1] > 1 else "value"
        if len(self._shape) > 2:
            lead = np.unravel_index(section, self._shape[:-1])
            return ", ".join(str(int(place)) for place in lead)
        return str(self._rows[section]) if section < len(self._rows) else str(section)

    def text(self) -> str:
        """Returns the whole table, tab-separated, at full precision; at most COPY_LIMIT values."""
        rows = max(1, COPY_LIMIT // max(1, self._array.shape[1]))
        lines = [
            "\t".join(typed(str(value)) for value in row) for row in self._array[:rows].tolist()
        ]
        if rows < self._array.shape[0]:
            lines.append(f"(the first {rows} of {self._array.shape[0]} rows)")
        return "\n".join(lines)


class NumbersTable(QWidget):
    """Named arrays, one shown at a time, with shape, dtype and a copy button."""

    copied = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Numbers of this step")
        self._tables: dict[str, np.ndarray] = {}
        self._labels: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {}
        self.names = QComboBox(self)
        self.names.setAccessibleName("Which value to show")
        # A later table may have a longer name.
        self.names.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._shape = Label("", "label", "muted")
        self._copy = IconButton("copy", "Copy this table")
        self.grid = QTableView(self)
        self.grid.setAccessibleName("Values")
        self.model = ArrayModel(self)
        self.grid.setModel(self.model)
        set_look(self.grid, "plain")
        self.grid.setSelectionMode(QAbstractItemView.SelectionMode.ContiguousSelection)
        self.grid.setWordWrap(False)
        self.grid.setShowGrid(False)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.names)
        top.addWidget(self._shape, 1)
        top.addWidget(self._copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(self.grid, 1)
        self.names.currentTextChanged.connect(self._show)
        self._copy.clicked.connect(self.copy)
        shortcut = QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self.grid)
        shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
        shortcut.activated.connect(self._copy_selection)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_tables(
        self,
        tables: Mapping[str, np.ndarray],
        labels: Mapping[str, tuple[Sequence[str], Sequence[str]]] | None = None,
    ) -> None:
        """Shows named arrays; `labels[name]` are row and column labels. Keeps the chosen name, or
        selects one that is equal up to a colon: "upstream: ..." of the next step.
        """
        self._tables = {name: np.asarray(array) for name, array in tables.items()}
        self._labels = labels or {}
        chosen = self.names.currentText()
        if [self.names.itemText(i) for i in range(self.names.count())] != list(self._tables):
            self.names.blockSignals(True)
            self.names.clear()
            self.names.addItems(list(self._tables))
            same = [name for name in self._tables if _kind(name) == _kind(chosen)]
            if same:
                self.names.setCurrentText(chosen if chosen in same else same[0])
            self.names.blockSignals(False)
        self.names.setEnabled(bool(self._tables))
        self._show(self.names.currentText())

    def displayed(self) -> dict[str, np.ndarray]:
        name = self.names.currentText()
        return {name: self._tables[name]} if name in self._tables else {}

    def copy(self) -> None:
        """Copies the shown table to the clipboard, tab-separated, at full precision."""
        text = self.model.text()
        QGuiApplication.clipboard().setText(text)
        self.copied.emit(text)

    def _copy_selection(self) -> None:
        chosen = self.grid.selectionModel().selectedIndexes()
        if not chosen:
            self.copy()
            return
        lines: dict[int, list[str]] = {}
        for index in sorted(chosen, key=lambda one: (one.row(), one.column())):
            value = self.model.array[index.row(), index.column()]
            lines.setdefault(index.row(), []).append(typed(str(value)))
        QGuiApplication.clipboard().setText("\n".join("\t".join(line) for line in lines.values()))

    def _show(self, name: str) -> None:
        array = self._tables.get(name)
        if array is None:
            self.model.set_array(np.zeros((0, 0)))
            self._shape.setText("no numbers in this step")
            return
        self.model.set_array(array, *self._labels.get(name, ((), ())))
        shape = " \u00d7 ".join(str(size) for size in array.shape) or "scalar"
        kind = "text" if array.dtype.kind == "U" else array.dtype
        self._shape.setText(f"{shape}  {kind}")
        self._fit_columns()

    def _fit_columns(self) -> None:
        """Makes each of a few columns as wide as its name."""
        header, now = self.grid.horizontalHeader(), theme.current()
        for column in range(min(MOST_FITTED, self.model.columnCount())):
            wide = header.sectionSizeHint(column)
            header.resizeSection(column, max(now.px(72), wide))
        if self.model.array.dtype.kind == "U" and self.model.array.size <= FEW:
            self.grid.resizeColumnsToContents()

    def _restyle(self) -> None:
        now = theme.current()
        self.grid.setFont(now.font("label"))
        self.names.setFont(now.font("mono", mono=True))
        for header in (self.grid.horizontalHeader(), self.grid.verticalHeader()):
            header.setFont(now.font("label"))
            header.setTextElideMode(ELIDE_MIDDLE)
        self.grid.verticalHeader().setMaximumWidth(now.px(176))
        self.grid.horizontalHeader().setDefaultSectionSize(now.px(72))
        self.grid.verticalHeader().setDefaultSectionSize(now.px(22))
