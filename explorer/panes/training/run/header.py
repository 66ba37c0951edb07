"""The pane's inputs above the picture: which run, which other one over it, a new one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QComboBox, QPushButton, QWidget

from explorer import theme
from explorer.widgets.wrap_row import WrapRow, labelled

NEW, OPEN, NONE = "new", "open", "none"


@dataclass(frozen=True)
class KnownRun:
    """A run in the list. `gone`: it was there once; its folder is not found now."""

    folder: str
    name: str
    gone: bool = False


class RunChoice(QWidget):
    """`runChosen(folder)`, `otherChosen(folder or "")`, `newRequested`, `openRequested`."""

    runChosen = Signal(str)
    otherChosen = Signal(str)
    newRequested = Signal()
    openRequested = Signal()

    def __init__(self, tools: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("training.header")
        self._tools = tools
        self._runs: list[KnownRun] = []
        self._current = ""
        self._other = ""
        self.run = QComboBox()
        self.run.setObjectName("training.header.run")
        self.run.setAccessibleName("Run")
        self.run.setToolTip("The run that is shown")
        self.other = QComboBox()
        self.other.setObjectName("training.header.overlay")
        self.other.setAccessibleName("Overlay another run")
        self.other.setToolTip("Draws the losses of another run over this one")
        self.new = QPushButton("New run")
        self.new.setObjectName("training.header.new")
        self._over = labelled("overlay", self.other)
        row = WrapRow(parent=self)
        row.addWidget(labelled("run", self.run))
        row.addWidget(self._over)
        row.addWidget(tools)
        row.addStretch()
        row.addWidget(self.new)
        self.run.activated.connect(self._on_run)
        self.other.activated.connect(self._on_other)
        self.new.clicked.connect(self.newRequested)
        theme.changed.connect(self._fill)  # the gray of what is gone
        self._fill()

    def set_runs(self, runs: Sequence[KnownRun], current: str, other: str) -> None:
        """Every known run; the folders of the shown one and of the one over it ("" for none)."""
        runs = list(runs)
        if (runs, current, other) != (self._runs, self._current, self._other):
            self._runs, self._current, self._other = runs, current, other
            self._fill()

    def look_at(self, folder: str) -> None:
        """Another run is shown ("": none), which may be too new for the list."""
        here = str(Path(folder).resolve()) if folder else ""
        runs = self._runs
        if here and here not in (known.folder for known in runs):
            runs = [KnownRun(here, Path(here).name), *runs]
        self.set_runs(runs, here, self._other)

    def _fill(self) -> None:
        for box in (self.run, self.other):
            box.setMinimumWidth(theme.current().px(120))
            box.setMaximumWidth(theme.current().px(220))
        self.run.clear()
        self.run.addItem("New run", NEW)
        self.other.clear()
        self.other.addItem("No other run", NONE)
        for known in self._runs:
            _add(self.run, known)
            if known.folder != self._current:
                _add(self.other, known)
        self.run.addItem("Open a run folder\u2026", OPEN)
        self.run.setCurrentIndex(max(0, self.run.findData(self._current)))
        self.other.setCurrentIndex(max(0, self.other.findData(self._other)))
        looking = bool(self._current)
        for widget in (self._over, self._tools, self.new):
            widget.setVisible(looking)

    def _on_run(self, index: int) -> None:
        chosen = self.run.itemData(index)
        self.run.setCurrentIndex(max(0, self.run.findData(self._current)))
        if chosen == NEW:
            self.newRequested.emit()
        elif chosen == OPEN:
            self.openRequested.emit()
        else:
            self.runChosen.emit(chosen)

    def _on_other(self, index: int) -> None:
        chosen = self.other.itemData(index)
        self.otherChosen.emit("" if chosen == NONE else chosen)


def _add(box: QComboBox, known: KnownRun) -> None:
    """A run to choose, with its folder as tooltip; one that is gone says so and cannot be."""
    box.addItem(f"{known.name} (not found)" if known.gone else known.name, known.folder)
    place, told = box.count() - 1, known.folder
    if known.gone:
        told = f"{known.folder} is not there: it was moved or deleted, or its disk is not connected"
        model = box.model()
        assert isinstance(model, QStandardItemModel)
        model.item(place).setEnabled(False)
        model.item(place).setForeground(theme.current().color("muted"))
    box.setItemData(place, told, Qt.ItemDataRole.ToolTipRole)
