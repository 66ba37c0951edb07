"""A run in one line: its name, state and progress, and the actions now possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from core.numbers import format_fixed
from explorer import theme
from explorer.theme import icons
from explorer.widgets.base import IconButton, Label, elide, set_look

STATES = {
    "preparing": ("clock", "muted"),
    "running": ("live", "success"),
    "paused": ("pause", "warning"),
    "stopped": ("stop", "muted"),
    "finished": ("check", "success"),
    "failed": ("error", "error"),
}
ALARM = "warning", "warning"  # of a run that continues but needs the user
ACTIVE = ("preparing", "running", "paused")  # a process trains it now
WIDEST_NAME = 180  # px


@dataclass(frozen=True)
class RunStatus:
    """One run in a line. `state` is one of STATES; `steps` 0 means unknown.

    where   what it computes on: "cpu, fp32, 1 rank"; "" until known
    alerts  what needs the user, a sentence each
    """

    name: str
    state: str
    step: int = 0
    steps: int = 0
    loss: float | None = None
    folder: str = ""
    where: str = ""
    alerts: tuple[str, ...] = ()

    @property
    def active(self) -> bool:
        return self.state in ACTIVE


def _looks(run: RunStatus) -> tuple[object, ...]:
    return run.name, run.state, run.alerts


class RunName(QToolButton):
    """The run's name with the icon of its state; a click opens the run."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name, self._look = "", STATES["stopped"]
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        theme.changed.connect(self._restyle)

    def set_run(self, run: RunStatus) -> None:
        self._name, self._look = run.name, ALARM if run.alerts else STATES[run.state]
        said = "; ".join((run.state, *run.alerts))
        self.setAccessibleName(f"The run “{run.name}” is {said}. Show it")
        self.setToolTip(f"The run “{run.name}” is {said}. Click to show it in the training pane")
        self._restyle()

    def _restyle(self) -> None:
        now = theme.current()
        font = now.font("label", 600)
        self.setFont(font)
        # An ampersand would underline the next letter.
        self.setText(elide(self._name, font, now.px(WIDEST_NAME)).replace("&", "&&"))
        self.setIcon(icons.icon(*self._look, 14))
        self.setIconSize(QSize(now.px(14), now.px(14)))
        self.setFixedHeight(now.px(24))


class RunLine(QWidget):
    """Signals carry the run's folder. With `columns` the parts of several lines are aligned."""

    pauseRequested = Signal(str)
    resumeRequested = Signal(str)
    stopRequested = Signal(str)
    clicked = Signal(str)

    def __init__(self, columns: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.run: RunStatus | None = None
        self._columns = columns
        self.name = RunName()
        self.text = Label("", "label", "muted")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.pause = IconButton("pause", "Pause training", size=14)
        self.stop = IconButton("stop", "Stop training; you can resume it later", size=14)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        for widget in (self.name, self.text, self.bar, self.pause, self.stop):
            self._row.addWidget(widget)
        if columns:
            self._row.setStretch(1, 1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.name.clicked.connect(lambda: self._ask(self.clicked))
        self.pause.clicked.connect(self._on_pause)
        self.stop.clicked.connect(lambda: self._ask(self.stopRequested))
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_run(self, run: RunStatus) -> None:
        """Shows a run, with buttons for the actions now possible."""
        if run == self.run:
            return
        if run.state not in STATES:
            raise ValueError(f"no run state {run.state!r}: use one of {', '.join(STATES)}")
        before, self.run = self.run, run
        step = f"{run.step:,}/{run.steps:,}" if run.steps else f"{run.step:,}"
        loss = "" if run.loss is None else f"   loss {format_fixed(run.loss, 3)}"
        state = f"{run.state}, needs attention" if run.alerts else run.state
        self.text.setText(f"{state}, step {step}{loss}")
        self.bar.setMaximum(max(1, run.steps))
        self.bar.setValue(min(run.step, max(1, run.steps)))
        self.bar.setVisible(run.steps > 0)
        if before is None or _looks(before) != _looks(run):
            self._set_state(run)

    def _set_state(self, run: RunStatus) -> None:
        """Updates the parts that change rarely, because icons are redrawn."""
        paused = run.state == "paused"
        self.name.set_run(run)
        self.bar.setAccessibleName(f"Progress of the run “{run.name}”")
        self.pause.setVisible(run.active)
        self.stop.setVisible(run.active)
        self.pause.set_icon(
            "play" if paused else "pause", f"{'Resume' if paused else 'Pause'} the run “{run.name}”"
        )
        self.stop.set_icon("stop", f"Stop the run “{run.name}”; you can resume it later")
        self._restyle()

    def _on_pause(self) -> None:
        paused = self.run is not None and self.run.state == "paused"
        self._ask(self.resumeRequested if paused else self.pauseRequested)

    def _ask(self, signal: Signal) -> None:
        if self.run is not None:
            signal.emit(self.run.folder)  # type: ignore[attr-defined]

    def _restyle(self) -> None:
        now = theme.current()
        self._row.setSpacing(now.px(8))
        self.bar.setFixedWidth(now.px(120))
        for button in (self.pause, self.stop):
            button.setFixedSize(now.px(24), now.px(24))
        if self._columns:
            self.text.setMinimumWidth(now.px(210))


class RunList(QFrame):
    """A popover with a line for every training run. Esc and a click elsewhere close it."""

    pauseRequested = Signal(str)
    resumeRequested = Signal(str)
    stopRequested = Signal(str)
    clicked = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("status.runs")
        self.setAccessibleName("Runs that train")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        set_look(self, "popover")
        self.setStyleSheet("#status\\.runs { border-radius: 0px; }")  # a window has square corners
        self.lines: dict[str, RunLine] = {}
        self._column = QVBoxLayout(self)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_runs(self, runs: Sequence[RunStatus]) -> None:
        """Shows the training runs in this order; a line keeps its focus while its run trains."""
        for folder in set(self.lines) - {run.folder for run in runs}:
            line = self.lines.pop(folder)
            self._column.removeWidget(line)
            line.hide()
            line.deleteLater()
        for place, run in enumerate(runs):
            line = self.lines.get(run.folder) or self._add(run.folder)
            if self._column.indexOf(line) != place:
                self._column.insertWidget(place, line)
            line.set_run(run)
        widest = max((line.name.sizeHint().width() for line in self.lines.values()), default=0)
        for line in self.lines.values():
            line.name.setMinimumWidth(widest)
        if not runs:
            self.hide()
        elif self.isVisible():
            self.adjustSize()

    def open_above(self, corner: QPoint, right: int) -> None:
        """Shows the lines with their lower left corner at `corner`, but within `right`; the first
        line gets the focus.
        """
        self.adjustSize()
        self.move(min(corner.x(), right - self.width()), corner.y() - self.height())
        self.show()
        first = next(iter(self._lines_in_order()), None)
        if first is not None:
            first.pause.setFocus(Qt.FocusReason.PopupFocusReason)

    def _lines_in_order(self) -> list[RunLine]:
        items = (self._column.itemAt(place).widget() for place in range(self._column.count()))
        return [line for line in items if isinstance(line, RunLine)]

    def _add(self, folder: str) -> RunLine:
        line = RunLine(columns=True)
        self.lines[folder] = line
        line.pauseRequested.connect(self.pauseRequested)
        line.resumeRequested.connect(self.resumeRequested)
        line.stopRequested.connect(self.stopRequested)
        line.clicked.connect(self._on_clicked)
        return line

    def _on_clicked(self, folder: str) -> None:
        self.hide()
        self.clicked.emit(folder)

    def _restyle(self) -> None:
        now = theme.current()
        self._column.setContentsMargins(now.px(8), now.px(8), now.px(8), now.px(8))
        self._column.setSpacing(now.px(4))
