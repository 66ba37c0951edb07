"""The picture of a run: card, lines, the heads as they form, samples, one step's phases."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from explorer import theme
from explorer.panes.training.phase_strip import PhaseStrip
from explorer.panes.training.run.branch_form import BranchForm
from explorer.panes.training.run.charts import Charts
from explorer.panes.training.run.samples import SampleList
from explorer.widgets.base import Label, set_look
from explorer.widgets.cut_label import QuoteLabel
from explorer.widgets.head_mosaic import HeadMosaic
from explorer.widgets.run_card import RunCard
from explorer.widgets.run_card_text import CardText
from explorer.widgets.stateful import StatefulPicture

LEAST_SIDE = 248  # px of the heads and samples beside the lines


class RunView(QWidget):
    """`asked(id)` from the card, `stepClicked(step)` from the lines, `phaseClicked(index)`,
    `insideRequested(step)`: a recorded step.
    """

    asked = Signal(str)
    stepClicked = Signal(float)
    phaseClicked = Signal(int)
    headClicked = Signal(int, int)
    lineClicked = Signal(int, int, float)  # a head's line: layer, head and step
    insideRequested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("training.view")
        self.card = RunCard("training.view")
        self.charts = Charts()
        self.mosaic = HeadMosaic("Heads as they form; a click opens one in Attention")
        self.mosaic.setObjectName("training.view.heads")
        self.heads = StatefulPicture(self.mosaic, "grid")
        self.heads_title = QuoteLabel("label", "muted")
        self.samples = SampleList()
        self.samples_title = Label("What it writes", "label", "muted")
        self.phases = PhaseStrip()
        self.inside = QPushButton()
        self.inside.setObjectName("training.view.inside")
        self.inside.setToolTip("Shows what happens in this step, phase by phase")
        self.recorded = 0
        self._branch: BranchForm | None = None
        self._build()
        self.card.asked.connect(self.asked)
        self.charts.clicked.connect(self.stepClicked)
        self.charts.headClicked.connect(self.lineClicked)
        self.phases.phaseClicked.connect(self.phaseClicked)
        self.inside.clicked.connect(lambda: self.insideRequested.emit(self.recorded))
        self.mosaic.headClicked.connect(self.headClicked)
        self.set_heads("Heads")

    def _build(self) -> None:
        lines = QFrame()
        set_look(lines, "card")
        left = QVBoxLayout(lines)
        left.setContentsMargins(12, 8, 8, 8)
        left.setSpacing(8)
        left.addWidget(self.charts, 1)
        heads = QFrame()
        set_look(heads, "card")
        upper = QVBoxLayout(heads)
        upper.setContentsMargins(12, 8, 12, 8)
        upper.setSpacing(4)
        upper.addWidget(self.heads_title)
        upper.addWidget(self.heads, 1)
        texts = QFrame()
        set_look(texts, "card")
        lower = QVBoxLayout(texts)
        lower.setContentsMargins(12, 8, 4, 8)
        lower.setSpacing(4)
        lower.addWidget(self.samples_title)
        lower.addWidget(self.samples, 1)
        self._side = QWidget()
        side = QVBoxLayout(self._side)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(8)
        side.addWidget(heads, 3)
        side.addWidget(texts, 2)
        middle = QHBoxLayout()
        middle.setSpacing(8)
        middle.addWidget(lines, 1)
        middle.addWidget(self._side)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 16, 8)
        column.setSpacing(8)
        column.addWidget(self.card)
        column.addLayout(middle, 1)
        below = QHBoxLayout()
        below.setSpacing(8)
        below.addWidget(self.phases, 1)
        below.addWidget(self.inside)
        column.addLayout(below)
        self.set_recorded(0)

    @property
    def branch(self) -> BranchForm:
        """Made when it is first asked for: most who look at a run never do."""
        if self._branch is None:
            self._branch = BranchForm(self.card, self)
        return self._branch

    def clear(self, card: CardText) -> None:
        """Another run, of which nothing is known yet."""
        self.card.set_text(card)
        self.charts.set_runs(None)
        self.charts.set_cursor(None)
        self.samples.set_empty_text("")
        self.samples.set_samples([])
        self.phases.set_current(None)
        self.phases.setEnabled(False)
        self.set_recorded(0)
        self.set_heads("Heads")
        self.heads.show_empty("")  # or the heads of the run before would stay as stale ones
        self.heads.show_loading()

    def set_recorded(self, step: int) -> None:
        """The recorded step that is offered; 0: none."""
        self.recorded = step
        self.phases.set_hint(f"A click shows it in step {step:,}" if step else "")
        self.inside.setText(f"Step {step:,} from the inside")
        self.inside.setVisible(step > 0)

    def set_heads(self, title: str) -> None:
        """What stands above the heads."""
        self.heads_title.set_text(title)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        """The least: where the card has a message of several lines, the pictures are no taller, and
        where cards stand above the pane they are no lower.
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
