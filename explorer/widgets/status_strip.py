"""The status bar: a run with its progress and buttons, other runs, a message, jobs, the device."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from explorer import theme
from explorer.theme import icons
from explorer.widgets.base import Label
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.run_line import RunLine, RunList, RunStatus
from explorer.widgets.surface import Surface

__all__ = ["RunStatus", "StatusStrip"]


class StatusStrip(QWidget):
    """A bar 26 px high. Its signals carry the run's folder; `set_run(None)` hides the run.

    Every training run is within reach: a button beside the one shown opens the list of all.
    """

    pauseRequested = Signal(str)
    resumeRequested = Signal(str)
    stopRequested = Signal(str)
    runClicked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("status")
        self.setAccessibleName("Status")
        self.training: tuple[RunStatus, ...] = ()
        self.line = RunLine()
        self.list = RunList(self)
        self.more = QToolButton()
        self.more.setObjectName("status.more")
        self.more.setAutoRaise(True)
        self.more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.more.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the arrow is last
        self.more.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._message = CutLabel("label", "muted")
        self.jobs = CutLabel("label", "muted")  # as wide as its text if it fits
        self.jobs.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.device = Label("", "label", "muted")
        surface = Surface("window", edges="top")
        self._row = QHBoxLayout(surface)
        self._row.addWidget(self.line)
        self._row.addWidget(self.more)
        self._row.addWidget(self._message, 1)
        self._row.addWidget(self.jobs)
        self._row.addWidget(self.device)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(surface)
        for part in (self.line, self.list):
            part.pauseRequested.connect(self.pauseRequested)
            part.resumeRequested.connect(self.resumeRequested)
            part.stopRequested.connect(self.stopRequested)
            part.clicked.connect(self.runClicked)
        self.more.clicked.connect(self.open_runs)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.set_run(None)
        self.set_training(())

    def set_run(self, run: RunStatus | None) -> None:
        """Shows a run: name, state, step, loss, progress, and buttons for possible actions."""
        self.line.setVisible(run is not None)
        if run is None:
            self.line.run = None
        else:
            self.line.set_run(run)

    @property
    def run(self) -> RunStatus | None:
        return self.line.run

    def set_training(self, runs: Sequence[RunStatus]) -> None:
        """Sets all training runs, including the one shown."""
        self.training = tuple(runs)
        self.list.set_runs(runs)
        text = f"{len(runs)} runs" if len(runs) > 1 else ""
        self.more.setVisible(bool(text))
        self.more.setText(text)
        names = ", ".join(run.name for run in runs)
        self.more.setAccessibleName(f"{len(runs)} runs train: {names}")
        self.more.setToolTip(f"Pause, resume or stop each: {names}")

    def open_runs(self) -> None:
        """Opens the list of training runs above the strip."""
        if self.training:
            anchor = self.more if self.more.isVisible() else self.line
            gap = theme.current().px(4)
            corner = self.mapToGlobal(QPoint(anchor.mapTo(self, QPoint(0, 0)).x(), -gap))
            right = self.mapToGlobal(QPoint(self.width() - gap, 0)).x()
            self.list.open_above(corner, right)

    def set_message(self, text: str) -> None:
        """Shows a short message; the window clears it after a while."""
        self._message.set_text(text)

    @property
    def message(self) -> str:
        return self._message.whole

    def set_jobs(self, text: str) -> None:
        """Shows other jobs ("reading story.txt 40 %"); "" for none."""
        self.jobs.set_text(text)
        self.jobs.setVisible(bool(text))

    def set_device(self, text: str) -> None:
        """Shows the device: "cpu, fp32, 1 rank"."""
        self.device.setText(text)

    def _restyle(self) -> None:
        now = theme.current()
        self.setFixedHeight(now.px("status"))
        self._row.setContentsMargins(now.px(4), 1, now.px(16), 0)
        self._row.setSpacing(now.px(8))
        self.more.setFont(now.font("label", 600))
        self.more.setFixedHeight(now.px(24))
        self.more.setIcon(icons.icon("chevron-up", "muted", 14))
        self.more.setIconSize(QSize(now.px(14), now.px(14)))
