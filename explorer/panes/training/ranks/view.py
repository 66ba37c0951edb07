"""The picture of Ranks: which strategy, who holds what, the lanes, and what can go wrong."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QWidget

from core.training.lane_trace import LaneTrace
from explorer.panes.training.ranks import text
from explorer.panes.training.ranks.compute import DEVICES
from explorer.panes.training.ranks.pictures import Holdings, Lanes
from explorer.widgets.base import Label, set_look
from explorer.widgets.boxes import card, name_parts, page, row
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.form import Fact
from explorer.widgets.menu_button import MenuButton
from explorer.widgets.number_field import NumberField
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.toggle import SegmentedControl
from explorer.widgets.wrap_row import WrapRow

RANKS = 8  # that have a part in the menu of faults


class RanksHeader(QWidget):
    """The strategy, and how many devices share a computed step or which step of a run is shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.strategies = SegmentedControl(list(text.TITLES.items()), "Strategy")
        counts = [(str(number), str(number)) for number in DEVICES]
        self.devices = SegmentedControl(counts, "Devices")
        self.devices.setToolTip("Devices of the computed step")
        self.step = NumberField("Step", whole=True, width=72)
        self.step.setToolTip(text.STEP_HELP)
        self._step = Label("step", "label", "muted")
        name_parts(self, "training.ranks", "strategies", "devices", "step")
        row(self.strategies, self.devices, self._step, self.step, 1, of=self)

    def set_steps(self, shown: int, newest: int) -> None:
        """Which step of a run is seen; 0: none of a run."""
        self.devices.setVisible(not shown)
        for widget in (self._step, self.step):
            widget.setVisible(shown > 0)
        self.step.set_limits(1, max(newest, 1))
        self.step.set_value(float(shown))

    def whole_width(self) -> int:
        """px that its choices need side by side."""
        wide = max(
            self.devices.sizeHint().width(), self._step.sizeHint().width() + 8 + self.step.width()
        )
        return self.strategies.sizeHint().width() + 8 + wide


class RanksView(QWidget):
    """`faultRequested(kind, rank)`."""

    faultRequested = Signal(str, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("training.ranks")
        self.holdings, self.lanes = Holdings(), Lanes()
        self.body = StatefulPicture(self.lanes, "lines")
        self.start, self.resume = QPushButton(text.START), QPushButton(text.RESUME)
        self.start.setToolTip(text.START_HELP)
        self.copy = QPushButton(text.COPY)
        self.copy.setToolTip(text.COPY_HELP)
        self.faults = MenuButton("warning", "Inject a fault", "What happens on a cluster")
        names = ("holdings", "lanes", "start", "resume", "copy", "faults")
        name_parts(self, "training.ranks", *names)
        for button, look in (
            (self.start, "primary"),
            (self.resume, "primary"),
            (self.copy, "quiet"),
        ):
            set_look(button, look)
        self.note, self.message = CutLabel("label", "muted"), CutLabel("body", "error")
        self._facts: dict[str, Fact] = {}
        self._row = WrapRow(16)
        page(
            (card(Label(text.HOLDINGS, "label", "muted"), (self.holdings, 1)), 2),
            (card(Label(text.LANES, "label", "muted"), (self.body, 1)), 5),
            *(self.note, self.message),
            row((self._row, 1), self.copy, self.faults, self.resume, self.start),
            of=self,
        )

    def set_lanes(self, lanes: LaneTrace | None) -> None:
        """Of a step; a run's that has none yet is waited for."""
        self.holdings.set_scene(lanes)
        self.lanes.set_scene(lanes)
        if lanes is not None and not len(lanes.trace):
            self.body.show_loading(text.WAITS)
        else:
            self.body.show_ready()

    def set_facts(self, facts: Mapping[str, str]) -> None:
        """Values by title, side by side, in further rows where they have no room in one."""
        for title in facts:
            if title not in self._facts:
                self._facts[title] = Fact(title, small=True)
                self._row.addWidget(self._facts[title])
        for title, fact in self._facts.items():
            fact.set(facts.get(title, ""), text.FACT_NOTES.get(title, ""))
            fact.setVisible(title in facts)

    def set_told(self, note: str, message: str) -> None:
        """What stands below: by what it was computed, and how the run failed."""
        self.note.set_text(note)
        self.message.set_text(message)
        self.message.setVisible(bool(message))

    def set_buttons(self, *, start: bool, resume: bool, faults: bool, copy: bool) -> None:
        """Which of them there are."""
        self.copy.setVisible(copy)
        self.start.setVisible(start)
        self.resume.setVisible(resume)
        self.faults.setVisible(faults)

    def fill_faults(self, ranks: int) -> None:
        """The menu of faults: a part for each rank."""
        menu = self.faults.menu()
        menu.clear()
        for rank in range(min(ranks, RANKS)):
            part = menu.addMenu(f"Rank {rank}")
            for kind, (title, help) in text.FAULTS.items():
                action = part.addAction(title)
                action.setToolTip(help)
                action.triggered.connect(
                    lambda _=False, kind=kind, rank=rank: self.faultRequested.emit(kind, rank)
                )
