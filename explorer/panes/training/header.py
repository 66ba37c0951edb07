"""The pane's inputs above the picture: which run, which other one over it, a new one."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QWidget

from explorer import theme
from explorer.widgets.base import Label

NARROW = 680  # px
NEW, OPEN, NONE = "new", "open", "none"


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
        self._runs: list[tuple[str, str]] = []
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
        for box in (self.run, self.other):
            box.setMinimumWidth(theme.current().px(120))
            box.setMaximumWidth(theme.current().px(220))
        self.new = QPushButton("New run")
        self.new.setObjectName("training.header.new")
        self._which = Label("run", "label", "muted")
        self._over = Label("overlay", "label", "muted")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._which)
        row.addWidget(self.run)
        row.addSpacing(8)
        row.addWidget(self._over)
        row.addWidget(self.other)
        row.addSpacing(8)
        row.addWidget(tools)
        row.addStretch(1)
        row.addWidget(self.new)
        self.run.activated.connect(self._on_run)
        self.other.activated.connect(self._on_other)
        self.new.clicked.connect(self.newRequested)
        self._fill()

    def set_runs(self, runs: list[tuple[str, str]], current: str, other: str) -> None:
        """(folder, title) of every known run; which is shown, which lies over it ("" for none)."""
        if (runs, current, other) != (self._runs, self._current, self._other):
            self._runs, self._current, self._other = list(runs), current, other
            self._fill()

    def look_at(self, folder: str) -> None:
        """Another run is shown ("": none), which may be too new for the list."""
        here = str(Path(folder).resolve()) if folder else ""
        runs = self._runs
        if here and here not in (known for known, _ in runs):
            runs = [(here, Path(here).name), *runs]
        self.set_runs(runs, here, self._other)

    def _fill(self) -> None:
        self.run.clear()
        self.run.addItem("New run", NEW)
        self.other.clear()
        self.other.addItem("No other run", NONE)
        for folder, title in self._runs:
            self.run.addItem(title, folder)
            if folder != self._current:
                self.other.addItem(title, folder)
        self.run.addItem("Open a run folder\u2026", OPEN)
        self.run.setCurrentIndex(max(0, self.run.findData(self._current)))
        self.other.setCurrentIndex(max(0, self.other.findData(self._other)))
        looking = bool(self._current)
        for widget in (self.other, self._tools, self.new):
            widget.setVisible(looking)
        self._name_boxes()

    def _name_boxes(self) -> None:
        """Where there is little room, the boxes go without their names; tooltips have them."""
        room = self.width() >= theme.current().px(NARROW)
        self._which.setVisible(room or not self._current)
        self._over.setVisible(room and bool(self._current))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._name_boxes()

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


def list_runs(folder: Path, extra: list[str]) -> list[tuple[str, str]]:
    """Every run in a folder, newest first, and `extra` ones from elsewhere: (folder, name)."""
    found = []
    if folder.is_dir():
        found = [path for path in folder.iterdir() if (path / "run.json").is_file()]
        found.sort(key=lambda path: (path / "run.json").stat().st_ctime, reverse=True)
    known = {str(path.resolve()): path.name for path in found[:100]}
    for other in extra:
        path = Path(other)
        if other and str(path.resolve()) not in known and (path / "run.json").is_file():
            known[str(path.resolve())] = path.name
    return list(known.items())
