"""The widgets of Step: strip of phases, curve of memory, one large picture of a phase."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from PySide6.QtWidgets import QPushButton, QStackedWidget, QWidget

from core.training.phases import applied_before
from core.training.recorded_step import RecordedStep
from explorer.panes.training.phase_strip import PhaseStrip
from explorer.panes.training.phases import schedule
from explorer.panes.training.step import text
from explorer.panes.training.step.pictures import MemoryLine, PhasePicture
from explorer.panes.training.step.scene import Place
from explorer.widgets.base import Label
from explorer.widgets.boxes import card, column, name_parts, page, row, wrap
from explorer.widgets.drop_down import DropDown
from explorer.widgets.likeliest_bars import LikeliestBars, NextToken
from explorer.widgets.plots.data import Series
from explorer.widgets.plots.line_plot import LinePlot
from explorer.widgets.plots.marks import Mark
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.surprise_text import SurpriseText

MOST = 100  # recorded steps in the menu
SEQUENCES = 8  # sequences whose text is shown


class StepInputs(QWidget):
    """Inputs: the recorded step (0: the newest), its rank, and a button to record another."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.steps, self.ranks = DropDown("Recorded step"), DropDown("Rank")
        self.record = QPushButton(text.RECORD)
        name_parts(self, "training.step", "steps", "ranks", "record")
        wrap(self.steps, self.ranks, self.record, of=self)

    def set_choices(
        self, steps: Sequence[int], chosen: int, ranks: Iterable[int], rank: int
    ) -> None:
        """Fills the menus; `chosen` 0 follows the newest step."""
        newest = [(f"Newest: step {steps[-1]:,}", 0)] if steps else []
        known = [(f"Step {step:,}", step) for step in reversed(steps[-MOST:])]
        self.steps.fill([*newest, *known], chosen)
        self.ranks.fill([(f"Rank {number}", number) for number in ranks], rank)
        self.steps.setVisible(bool(steps))
        self.ranks.setVisible(self.ranks.count() > 1)

    def set_live(self, live: bool) -> None:
        """Enables recording while the run trains."""
        self.record.setEnabled(live)
        self.record.setToolTip(text.RECORD_HELP if live else text.NOT_LIVE)


class StepView(QWidget):
    """Shows the phase under the cursor as one large picture, below the strip of phases."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("training.step")
        self.strip, self.memory = PhaseStrip(), MemoryLine()
        self.picture, self.text, self.likeliest = PhasePicture(), SurpriseText(), LikeliestBars()
        self.plot = LinePlot("Learning rate")
        self.plot.set_axes("t", "learning rate")
        self.parameters = DropDown("Parameter")
        parts = ("strip", "memory", "picture", "text", "likeliest", "plot", "parameters")
        name_parts(self, "training.step", *parts)
        self.colors = Label("", "label", "muted")
        self._loss = QWidget()
        column(self.colors, self.text, self.likeliest, of=self._loss)
        self.stack = QStackedWidget()
        for one in (self.picture, self._loss, self.plot):
            self.stack.addWidget(one)
        self.body = StatefulPicture(self.stack, "lines")
        frame = card(row(self.parameters, 1), (self.body, 1))
        page(self.strip, self.memory, (frame, 1), of=self)

    def pictures(self) -> dict[str, QWidget]:
        """Returns the pictures by their export names."""
        names = ("phase", "text", "likeliest", "schedule", "memory")
        widgets = (self.picture, self.text, self.likeliest, self.plot, self.memory)
        return dict(zip(names, widgets, strict=True))

    def set_scene(self, recorded: RecordedStep) -> None:
        """Shows a recorded step."""
        self.strip.set_scene(recorded.phases)
        self.picture.set_scene(recorded)
        self.memory.set_scene(recorded)
        self.parameters.fill([(name, name) for name in recorded.parameters], recorded.parameter)
        targets, losses = recorded.batch("targets"), recorded.batch("losses")
        most = max(recorded.guess, float(losses.max(initial=0)))
        pieces = [[recorded.piece(id) for id in ids] for ids in targets[:SEQUENCES]]
        self.text.set_text(pieces, losses[:SEQUENCES], most)
        self.colors.setText(text.SURPRISE.format(most))
        facts = recorded.recording.facts
        done = applied_before(facts.step, vars(facts))
        here = np.array([float(done)]), np.array([facts.learning_rate])
        planned = Series("planned", *schedule(recorded.config))
        point = Series("this step", *here, color=1, marks=True, named=False)
        self.plot.set_series([planned, point])
        self.plot.set_marks([Mark(done, f"step {facts.step:,}", rule=True)])
        for widget in (self.strip, self.memory):
            widget.show()
        self.body.show_ready()

    def clear(self) -> None:
        """Hides the parts that need a recorded step."""
        for widget in (self.strip, self.memory, self.parameters):
            widget.hide()

    def set_place(self, place: Place) -> None:
        """Shows the place of the cursor."""
        self.strip.set_current(place.index)
        self.memory.set_seconds(place.seconds)
        self.picture.set_phase(place.phase, place.shown)
        pages = {"loss": self._loss, "schedule": self.plot}
        self.stack.setCurrentWidget(pages.get(place.phase, self.picture))
        self.parameters.setVisible(place.phase == "optimizer" and self.parameters.count() > 0)

    def set_token(self, recorded: RecordedStep, sequence: int, place: int) -> None:
        """Selects the token whose likeliest alternatives are shown."""
        self.text.set_chosen(sequence, place)
        found = recorded.likeliest(sequence, place)
        self.likeliest.set_tokens([NextToken(recorded.piece(id), *told) for id, *told in found])
