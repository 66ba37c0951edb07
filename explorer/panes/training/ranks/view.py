"""The widgets of Ranks: strategy, holdings of each rank, lanes, and faults."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QWidget

from core.tokenization.telling import sentence
from core.training.estimates.strategy_step import DEVICES
from core.training.lane_trace import LaneTrace
from explorer.panes.training.ranks import text
from explorer.panes.training.ranks.pictures import Holdings, Lanes
from explorer.widgets.base import Label, set_look
from explorer.widgets.boxes import card, name_parts, page, row, wrap
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.form import FactRow
from explorer.widgets.menu_button import MenuButton
from explorer.widgets.number_field import NumberField
from explorer.widgets.run_card_text import AGAIN
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.toggle import SegmentedControl
from explorer.widgets.wrapped_label import WrappedLabel

RANKS = 8  # ranks with a submenu in the menu of faults


class RanksInputs(QWidget):
    """Inputs: the strategy, the number of devices of an estimate, the step of a run."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.strategies = SegmentedControl(list(text.TITLES.items()), "Strategy")
        counts = [(str(number), str(number)) for number in DEVICES]
        self.devices = SegmentedControl(counts, "Devices")
        self.devices.setToolTip("How many devices share the estimated step")
        self.step = NumberField("Step", whole=True, width=72)
        self.step.setToolTip(text.STEP_HELP)
        self.newest = QPushButton(text.NEWEST)
        self.newest.setToolTip(text.NEWEST_HELP)
        self._steps = QWidget()
        name_parts(self, "training.ranks", "strategies", "devices", "step", "newest")
        row(Label("step", "label", "muted"), self.step, self.newest, of=self._steps)
        wrap(self.strategies, self.devices, self._steps, of=self)

    def set_steps(self, shown: int, newest: int, stands: bool) -> None:
        """Sets the visible step of a run (0 for none), and whether it stays selected."""
        self._steps.setVisible(shown > 0)
        self.newest.setEnabled(stands)
        self.step.set_limits(1, max(newest, 1))
        self.step.set_value(float(shown))


class RanksView(QWidget):
    """Emits `faultRequested(kind, rank)`."""

    faultRequested = Signal(str, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("training.ranks")
        self.holdings, self.lanes = Holdings(), Lanes()
        self.body = StatefulPicture(self.lanes, "lines")
        self.start = QPushButton(text.START, toolTip=text.START_HELP)
        self.resume = QPushButton(text.RESUME)
        self.copy = QPushButton(text.COPY, toolTip=text.COPY_HELP)
        self.faults = MenuButton("warning", "Inject a fault", "What happens on a cluster")
        for button in (self.start, self.resume, self.copy):
            set_look(button, "quiet" if button is self.copy else "primary")
        self.note, self.command = CutLabel("label", "muted"), CutLabel("label", "muted", mono=True)
        self.message, self.facts = WrappedLabel("body", "error"), FactRow()
        self._held = card(Label(text.HOLDINGS, "label", "muted"), (self.holdings, 1))
        names = ("holdings", "lanes", "start", "resume", "copy", "faults", "command", "message")
        name_parts(self, "training.ranks", *names)
        page(
            (self._held, 2),
            (card((self.body, 1)), 5),
            row((self.note, 2), (self.command, 3), self.copy),
            self.message,
            row((self.facts, 1), self.faults, self.resume, self.start),
            of=self,
        )

    def set_lanes(self, lanes: LaneTrace | None) -> None:
        """Shows the lanes of a step, or a loading state until a run has some."""
        self.holdings.set_scene(lanes)
        self.lanes.set_scene(lanes)
        self._held.show()
        if lanes is None:
            self.body.show_loading(text.WAITS)
        elif not len(lanes.trace):
            self.body.show_empty(sentence(text.WAITS))
        else:
            self.body.show_ready()

    def show_none(self, why: str, action: str) -> None:
        """Shows why there are no lanes, with a button, instead of the pictures."""
        self._held.hide()
        self.start.hide()
        self.body.show_empty(why, action)

    def set_told(self, note: str, command: str = "", message: str = "") -> None:
        """Sets the texts below: the visible step, the cluster command, and the run's error or
        alerts.
        """
        self.note.set_text(note)
        self.command.set_text(command)
        self.copy.setVisible(bool(command))
        self.message.setText(message)
        self.message.setVisible(bool(message))

    def set_buttons(
        self, *, start: bool, resume: bool, faults: bool, has_checkpoint: bool = True
    ) -> None:
        """Shows or hides the buttons; without a checkpoint, resuming is beginning again."""
        self.resume.setText(text.RESUME if has_checkpoint else text.AGAIN)
        self.resume.setToolTip("" if has_checkpoint else AGAIN)
        self.start.setVisible(start)
        self.resume.setVisible(resume)
        self.faults.setVisible(faults)

    def fill_faults(self, ranks: int) -> None:
        """Fills the menu of faults with a submenu for each rank."""
        menu = self.faults.menu()
        menu.clear()
        for rank in range(min(ranks, RANKS)):
            part = menu.addMenu(f"Rank {rank}")
            for kind, (title, help) in text.FAULTS.items():
                action = part.addAction(title)
                action.setToolTip(help.format("This rank"))
                action.triggered.connect(
                    lambda _=False, kind=kind, rank=rank: self.faultRequested.emit(kind, rank)
                )
