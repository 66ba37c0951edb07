"""The picture of a run: card, charts, the heads as they form, samples, phases of a step."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.panes.training.phase_strip import PhaseStrip
from explorer.panes.training.run.branch_form import BranchForm
from explorer.panes.training.run.charts import Charts
from explorer.panes.training.run.samples import SampleList
from explorer.runs.run_data import RunData
from explorer.widgets.base import Label
from explorer.widgets.boxes import card, column, name_parts, page, row
from explorer.widgets.cut_label import QuoteLabel
from explorer.widgets.head_mosaic import HeadMosaic
from explorer.widgets.push_button import push_button
from explorer.widgets.run_card import RunCard
from explorer.widgets.run_card_text import CardText
from explorer.widgets.stateful import StatefulPicture

NAME = "training.view"
LEAST_SIDE = 248  # px of the column with heads and samples


class RunView(QWidget):
    """Shows a run. Emits `insideRequested(step)` to look inside a recorded step; its parts have
    signals of their own.
    """

    insideRequested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(NAME)
        self.card = RunCard(NAME)
        self.charts = Charts()
        self.mosaic = HeadMosaic("Heads as they form; a click opens one in Attention")
        self.mosaic.setObjectName(f"{NAME}.heads")
        self.heads = StatefulPicture(self.mosaic, "grid")
        self.heads_title = QuoteLabel("label", "muted")
        self.samples = SampleList()
        self.phases = PhaseStrip()
        self.inside = push_button("", "Opens the nearest step of which all arrays were recorded")
        name_parts(self, NAME, "inside")
        self.recorded = 0
        self._branch: BranchForm | None = None
        samples = card(Label("What the model writes", "label", "muted"), (self.samples, 1))
        self._side = QWidget()
        column((card(self.heads_title, (self.heads, 1)), 3), (samples, 2), of=self._side)
        page(
            self.card,
            (row((card((self.charts, 1)), 1), self._side), 1),
            row((self.phases, 1), self.inside),
            of=self,
        )
        self.inside.clicked.connect(lambda: self.insideRequested.emit(self.recorded))
        self.set_recorded(0)
        self.set_heads("Heads")

    @property
    def branch(self) -> BranchForm:
        """The branch's form, built on first use."""
        if self._branch is None:
            self._branch = BranchForm(self.card, self)
        return self._branch

    def clear(self, card: CardText) -> None:
        """Clears the picture for another run that has not been read yet."""
        self.card.set_text(card)
        self.charts.set_runs(None)
        self.charts.set_cursor(None)
        self.samples.set_empty_text("")
        self.samples.set_samples([])
        self.phases.set_current(None)
        self.phases.setEnabled(False)
        self.set_recorded(0)
        self.set_heads("Heads")
        self.heads.show_empty("")  # else the previous run's heads would stay, marked as stale
        self.heads.show_loading()

    def set_step(self, data: RunData, step: float, is_past: bool) -> None:
        """Shows the run up to a step; `is_past` if it is not the newest."""
        self.phases.set_scene(data.numbers.phases)
        self.phases.setEnabled(len(data.steps) > 0 and not data.log)
        self.set_recorded(min(data.recorded, key=lambda one: abs(one - step), default=0))
        self.charts.set_cursor(step if is_past else None)
        self.samples.set_samples([one for one in data.samples if one.step <= step + 0.5])

    def set_empty_texts(self, loss: str, scores: str, samples: str) -> None:
        """Sets the texts that are shown in empty charts and lists."""
        self.charts.loss.set_empty_text(loss)
        self.charts.heads.set_empty_text(scores)
        self.samples.set_empty_text(samples)

    def set_recorded(self, step: int) -> None:
        """Offers a recorded step to look inside; 0 for none."""
        self.recorded = step
        self.phases.set_hint(f"Click to see it in recorded step {step:,}" if step else "")
        self.inside.setText(f"See step {step:,} in detail")
        self.inside.setVisible(step > 0)

    def set_heads(self, title: str) -> None:
        """Sets the title above the heads."""
        self.heads_title.set_text(title)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        """Returns the minimum height, so that a card with a message of several lines does not make
        the pictures taller, nor do cards above the pane make them lower.
        """
        box = self.layout()
        if box.hasHeightForWidth():
            return box.totalMinimumHeightForWidth(width)
        return box.totalMinimumSize().height()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        now = theme.current()
        width = min(now.px(340), max(now.px(LEAST_SIDE), round(self.width() * 0.31)))
        self._side.setFixedWidth(width)
        if self._branch is not None:
            self._branch.place()
