"""The status bar: the run with its progress and buttons, a message, other jobs, the device."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QWidget

from explorer import theme
from explorer.widgets.base import IconButton, Label
from explorer.widgets.surface import Surface

STATES = {
    "preparing": ("clock", "muted"),
    "running": ("live", "success"),
    "paused": ("pause", "warning"),
    "stopped": ("stop", "muted"),
    "finished": ("check", "success"),
    "failed": ("error", "error"),
}


@dataclass(frozen=True)
class RunStatus:
    """One run in a line. `state` is one of STATES; `steps` 0 means unknown."""

    name: str
    state: str
    step: int = 0
    steps: int = 0
    loss: float | None = None


class StatusStrip(QWidget):
    """26 px high. Intents are signals; `set_run(None)` hides the run's part."""

    pauseRequested = Signal()
    resumeRequested = Signal()
    stopRequested = Signal()
    runClicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("status")
        self.setAccessibleName("Status")
        self._run: RunStatus | None = None
        self._icon = IconButton("live", "Show the run", size=14)
        self._name = Label("", "label", weight=600)
        self._text = Label("", "label", "muted")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Progress of the run")
        self._pause = IconButton("pause", "Pause training", size=14)
        self._stop = IconButton("stop", "Stop training; it can be resumed", size=14)
        self._message = Label("", "label", "muted")
        self._jobs = Label("", "label", "muted")
        self._device = Label("", "label", "muted")
        surface = Surface("window", edges="top")
        self._row = QHBoxLayout(surface)
        run = (self._icon, self._name, self._text, self._bar, self._pause, self._stop)
        for widget in run:
            self._row.addWidget(widget)
        self._row.addWidget(self._message, 1)
        self._row.addWidget(self._jobs)
        self._row.addWidget(self._device)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(surface)
        self._run_widgets = run
        self._icon.clicked.connect(self.runClicked)
        self._pause.clicked.connect(self._on_pause)
        self._stop.clicked.connect(self.stopRequested)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.set_run(None)

    def set_run(self, run: RunStatus | None) -> None:
        """Shows a run: name, state, step, loss, progress; buttons for what can be done now."""
        self._run = run
        for widget in self._run_widgets:
            widget.setVisible(run is not None)
        if run is None:
            return
        if run.state not in STATES:
            raise ValueError(f"no run state {run.state!r}: use one of {', '.join(STATES)}")
        icon, role = STATES[run.state]
        self._icon.set_icon(icon, f"{run.name} is {run.state}: show it", role=role)
        self._name.setText(run.name)
        step = f"{run.step:,}/{run.steps:,}" if run.steps else f"{run.step:,}"
        loss = "" if run.loss is None else f"   loss {theme.format_fixed(run.loss, 3)}"
        self._text.setText(f"{run.state}, step {step}{loss}")
        self._bar.setMaximum(max(1, run.steps))
        self._bar.setValue(min(run.step, max(1, run.steps)))
        self._bar.setVisible(run.steps > 0)
        active = run.state in ("preparing", "running", "paused")
        paused = run.state == "paused"
        self._pause.setVisible(active)
        self._stop.setVisible(active)
        self._pause.set_icon(
            "play" if paused else "pause", "Resume training" if paused else "Pause training"
        )

    @property
    def run(self) -> RunStatus | None:
        return self._run

    def set_message(self, text: str) -> None:
        """A short message; the window clears it after a while."""
        self._message.setText(text)

    def set_jobs(self, text: str) -> None:
        """Other jobs ("reading story.txt 40 %"); "" for none."""
        self._jobs.setText(text)
        self._jobs.setVisible(bool(text))

    def set_device(self, text: str) -> None:
        """Where it computes: "cpu, fp32, 1 rank"."""
        self._device.setText(text)

    def _on_pause(self) -> None:
        paused = self._run is not None and self._run.state == "paused"
        (self.resumeRequested if paused else self.pauseRequested).emit()

    def _restyle(self) -> None:
        now = theme.current()
        self.setFixedHeight(now.px("status"))
        self._row.setContentsMargins(now.px(8), 1, now.px(16), 0)
        self._row.setSpacing(now.px(8))
        self._bar.setFixedWidth(now.px(120))
        for button in (self._icon, self._pause, self._stop):
            button.setFixedSize(now.px(24), now.px(24))
