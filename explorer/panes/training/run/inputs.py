"""The inputs above the picture: the run, another run to overlay, a new run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.widgets.boxes import name_parts
from explorer.widgets.drop_down import DropDown
from explorer.widgets.push_button import push_button
from explorer.widgets.wrap_row import WrapRow, labelled

NEW, OPEN = "new", "open"


class RunInputs(QWidget):
    """Emits `runChosen(folder)`, `otherChosen(folder or "")`, `newRequested`, `openRequested`."""

    runChosen = Signal(str)
    otherChosen = Signal(object)
    newRequested = Signal()
    openRequested = Signal()

    def __init__(self, tools: QWidget, parent: QWidget | None = None) -> None:
        """`tools` are shown in the same row while a run is open."""
        super().__init__(parent)
        self._tools = tools
        self._runs: list[Path] = []
        self._current: Path | None = None
        self._other: Path | None = None
        self.run = DropDown("Run", "The run to show")
        self.overlay = DropDown(
            "Overlay another run", "Draws the losses of another run over those of this run"
        )
        self.new = push_button("New run")
        self.setObjectName("training.inputs")
        name_parts(self, "training.inputs", "run", "overlay", "new")
        self._over = labelled("overlay", self.overlay)
        line = WrapRow(parent=self)
        for widget in (labelled("run", self.run), self._over, tools):
            line.addWidget(widget)
        line.addStretch()
        line.addWidget(self.new)
        self.run.picked.connect(self._on_run)
        self.overlay.picked.connect(self.otherChosen)
        self.new.clicked.connect(self.newRequested)
        theme.changed.connect(self._restyle)
        self._restyle()
        self._fill()

    def _restyle(self) -> None:
        for box in (self.run, self.overlay):
            box.setMinimumWidth(theme.current().px(120))
            box.setMaximumWidth(theme.current().px(220))

    def set_runs(self, runs: Sequence[Path]) -> None:
        """Lists the folders of all known runs."""
        self._runs = list(runs)
        self._fill()

    def set_shown(self, current: str | Path | None, other: str | Path | None) -> None:
        """Sets the visible run and the overlay; either may be too new for the list."""
        self._current, self._other = (
            Path(one).resolve() if one else None for one in (current, other)
        )
        self._fill()

    def _fill(self) -> None:
        shown = [one for one in (self._current, self._other) if one and one not in self._runs]
        runs = [*shown, *self._runs]
        named = [(one.name, str(one)) for one in runs]
        others = [one for one in named if one[1] != str(self._current)]
        last = ("Open a run folder\u2026", OPEN)
        self.run.fill([("New run", NEW), *named, last], str(self._current or NEW))
        self.overlay.fill([("No other run", ""), *others], str(self._other or ""))
        for box in (self.run, self.overlay):
            for one in map(str, runs):
                box.setItemData(box.findData(one), one, Qt.ItemDataRole.ToolTipRole)
        for widget in (self._over, self._tools, self.new):
            widget.setVisible(self._current is not None)

    def _on_run(self, chosen: str) -> None:
        self._fill()  # keeps the open run selected until another one is open
        if chosen == NEW:
            self.newRequested.emit()
        elif chosen == OPEN:
            self.openRequested.emit()
        else:
            self.runChosen.emit(chosen)
