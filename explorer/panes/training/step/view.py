"""The picture of Step: strip of phases, line of memory, one large picture of a phase."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from core.training.phases import applied_before
from explorer.panes.training.phase_strip import PhaseStrip
from explorer.panes.training.phases import schedule
from explorer.panes.training.step import text
from explorer.panes.training.step.pictures import MemoryLine, PhasePicture
from explorer.panes.training.step.scene import Scene
from explorer.widgets.base import Label, set_look
from explorer.widgets.likeliest_bars import LikeliestBars, NextToken
from explorer.widgets.plots.data import Series
from explorer.widgets.plots.line_plot import LinePlot
from explorer.widgets.plots.marks import Mark
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.surprise_text import SurpriseText

MOST = 100  # recorded steps that are offered
SEQUENCES = 8  # whose text is shown


class StepHeader(QWidget):
    """`stepChosen(step)` with 0 for the newest, `rankChosen(rank)`, `recordRequested`."""

    stepChosen = Signal(int)
    rankChosen = Signal(int)
    recordRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.steps, self.ranks = choice("Recorded step"), choice("Rank")
        self.steps.setObjectName("training.step.steps")
        self.ranks.setObjectName("training.step.ranks")
        self.record = QPushButton(text.RECORD)
        self.record.setObjectName("training.step.record")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for widget in (self.steps, self.ranks):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.record)
        self.steps.activated.connect(lambda at: self.stepChosen.emit(self.steps.itemData(at)))
        self.ranks.activated.connect(lambda at: self.rankChosen.emit(self.ranks.itemData(at)))
        self.record.clicked.connect(self.recordRequested)

    def set_choices(self, steps: Sequence[int], chosen: int, ranks: int, rank: int) -> None:
        """`chosen` 0: the newest one, and whichever will be."""
        newest = [(f"Newest: step {steps[-1]:,}", 0)] if steps else []
        known = [(f"Step {step:,}", step) for step in reversed(steps[-MOST:])]
        fill(self.steps, [*newest, *known], chosen)
        fill(self.ranks, [(f"Rank {number}", number) for number in range(ranks)], rank)
        self.steps.setVisible(bool(steps))
        self.ranks.setVisible(ranks > 1)

    def set_live(self, live: bool) -> None:
        """Whether a step can be recorded now."""
        self.record.setEnabled(live)
        self.record.setToolTip(text.RECORD_HELP if live else text.NOT_LIVE)


class StepView(QWidget):
    """`tokenChosen(sequence, place)`, `parameterChosen(name)`."""

    tokenChosen = Signal(int, int)
    parameterChosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("training.step")
        self.strip, self.memory = PhaseStrip(), MemoryLine()
        self.picture, self.text, self.likeliest = PhasePicture(), SurpriseText(), LikeliestBars()
        self.plot = LinePlot("Learning rate")
        self.plot.set_axes("step", "learning rate")
        self.parameters = choice("Parameter")
        named = ("strip", "memory", "picture", "text", "likeliest", "plot", "parameters")
        for name in named:
            getattr(self, name).setObjectName(f"training.step.{name}")
        self.mean = Label("", "label", "muted")
        self.stack = QStackedWidget()
        self._loss = column(self.mean, self.text, self.likeliest)
        for page in (self.picture, self._loss, self.plot):
            self.stack.addWidget(page)
        self.body = StatefulPicture(self.stack, "lines")
        frame = QFrame()
        set_look(frame, "card")
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(12, 8, 12, 8)
        inside.addWidget(self.parameters, 0, Qt.AlignmentFlag.AlignLeft)
        inside.addWidget(self.body, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(16, 8, 16, 8)
        outer.setSpacing(8)
        outer.addWidget(self.strip)
        outer.addWidget(self.memory)
        outer.addWidget(frame, 1)
        self.text.chosen.connect(self.tokenChosen)
        self.parameters.activated.connect(
            lambda at: self.parameterChosen.emit(self.parameters.itemData(at))
        )

    def set_scene(self, scene: Scene, parameters: Sequence[str]) -> None:
        """Another recorded step."""
        self.strip.set_phases(scene.phases)
        for picture in (self.picture, self.memory):
            picture.set_scene(scene)
        fill(self.parameters, [(name, name) for name in parameters], scene.parameter)
        losses = scene.batch("losses")
        vocabulary = scene.forward[-1].shape[-1] if scene.forward else 2  # the head's scores
        pieces = [[scene.piece(id) for id in row] for row in scene.batch("targets")[:SEQUENCES]]
        most = max(np.log(max(vocabulary, 2)), float(losses.max(initial=0)))
        self.text.set_text(pieces, losses[:SEQUENCES], most)
        self.mean.setText(text.surprise(most))
        steps, rates = schedule(scene.config)
        facts = scene.recording.facts
        done = applied_before(facts.step, {"applied": facts.applied, "skipped": facts.skipped})
        at, rate = np.array([float(done)]), np.array([facts.learning_rate])
        point = Series("this step", at, rate, color=1, marks=True, named=False)
        self.plot.set_series([Series("planned", steps, rates), point])
        self.plot.set_marks([Mark(done, f"step {facts.step:,}", rule=True)])

    def set_there(self, there: bool) -> None:
        """Whether there is a recorded step."""
        for widget in (self.strip, self.memory):
            widget.setVisible(there)
        if not there:
            self.parameters.hide()

    def set_moment(self, phase: str, index: int, shown: float, seconds: float) -> None:
        """Where the cursor is: the phase, its place in the strip, how much of it has happened."""
        self.strip.set_current(index)
        self.memory.set_moment(seconds)
        self.picture.set_phase(phase, shown)
        pages = {"loss": self._loss, "schedule": self.plot}
        self.stack.setCurrentWidget(pages.get(phase, self.picture))
        self.parameters.setVisible(phase == "optimizer" and self.parameters.count() > 0)

    def set_token(self, scene: Scene, sequence: int, place: int) -> None:
        """The token whose likeliest alternatives are shown."""
        self.text.set_chosen(sequence, place)
        found = scene.likeliest(sequence, place)
        self.likeliest.set_tokens([NextToken(scene.piece(id), *told) for id, *told in found])


def choice(name: str) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    box.setToolTip(name)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    return box


def fill(box: QComboBox, items: Sequence[tuple[str, object]], chosen: object) -> None:
    """Other items, where they are others; an open list stays as it is."""
    with QSignalBlocker(box):
        if [(box.itemText(at), box.itemData(at)) for at in range(box.count())] != list(items):
            box.clear()
            for words, data in items:
                box.addItem(words, data)
        box.setCurrentIndex(max(0, box.findData(chosen)))


def column(*widgets: QWidget) -> QWidget:
    page = QWidget()
    layout = QVBoxLayout(page)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(8)
    for widget in widgets:
        layout.addWidget(widget)
    return page
