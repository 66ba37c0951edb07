"""The picture of Ranks: which strategy, who holds what, the lanes, and what can go wrong."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from explorer.panes.training.ranks import text
from explorer.panes.training.ranks.compute import DEVICES
from explorer.panes.training.ranks.pictures import Holdings, Lanes
from explorer.panes.training.ranks.scene import Scene
from explorer.widgets.base import Label, set_look
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.menu_button import MenuButton
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.toggle import SegmentedControl
from explorer.widgets.wrap_row import WrapRow


class RanksHeader(QWidget):
    """`strategyChosen(name)`, `devicesChosen(number)`."""

    strategyChosen = Signal(str)
    devicesChosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.strategies = SegmentedControl(list(text.TITLES.items()), "Strategy")
        self.strategies.setObjectName("training.ranks.strategies")
        self.strategies.chosen.connect(self.strategyChosen)
        counts = [(str(number), str(number)) for number in DEVICES]
        self.devices = SegmentedControl(counts, "Devices")
        self.devices.setObjectName("training.ranks.devices")
        self.devices.setToolTip("Devices of the computed step")
        self.devices.chosen.connect(self.devicesChosen)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.strategies)
        row.addWidget(self.devices)
        row.addStretch(1)

    def whole_width(self) -> int:
        """px that its choices need side by side."""
        return self.strategies.sizeHint().width() + 8 + self.devices.sizeHint().width()


class ShortFact(QWidget):
    """A value, and behind it in small letters what it is."""

    def __init__(self) -> None:
        super().__init__()
        self._value, self._title = Label("", "body"), Label("", "label", "muted")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._value)
        row.addWidget(self._title)

    def set_words(self, title: str, value: str) -> None:
        self._title.setText(title)
        self._value.setText(value)


class RanksView(QWidget):
    """`startRequested`, `resumeRequested`, `faultRequested(kind, rank)`, `copyRequested`."""

    startRequested = Signal()
    resumeRequested = Signal()
    faultRequested = Signal(str, int)
    copyRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("training.ranks")
        self.holdings, self.lanes = Holdings(), Lanes()
        self.holdings.setObjectName("training.ranks.holdings")
        self.lanes.setObjectName("training.ranks.lanes")
        self.body = StatefulPicture(self.lanes, "lines")
        self.start = QPushButton(text.START)
        self.start.setObjectName("training.ranks.start")
        self.start.setToolTip(text.START_HELP)
        set_look(self.start, "primary")
        self.resume = QPushButton("Resume from the last checkpoint")
        self.resume.setObjectName("training.ranks.resume")
        set_look(self.resume, "primary")
        self.faults = MenuButton("warning", "Inject a fault", "What happens on a cluster")
        self.faults.setObjectName("training.ranks.faults")
        self.copy = QPushButton(text.COPY)
        self.copy.setObjectName("training.ranks.copy")
        self.copy.setToolTip(text.COPY_HELP)
        set_look(self.copy, "quiet")
        self.copy.clicked.connect(self.copyRequested)
        self.note = CutLabel("label", "muted")
        self.message = CutLabel("body", "error")
        self._facts: list[ShortFact] = []
        self._row = WrapRow(16)
        self.start.clicked.connect(self.startRequested)
        self.resume.clicked.connect(self.resumeRequested)
        self._build()

    def _build(self) -> None:
        def card(title: str, inside: QWidget, height: int) -> QFrame:
            frame = QFrame()
            set_look(frame, "card")
            column = QVBoxLayout(frame)
            column.setContentsMargins(12, 8, 12, 8)
            column.setSpacing(4)
            column.addWidget(Label(title, "label", "muted"))
            column.addWidget(inside, height)
            return frame

        below = QHBoxLayout()
        below.setSpacing(8)
        below.addLayout(self._row, 1)
        for button in (self.copy, self.faults, self.resume, self.start):
            below.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 16, 8)
        column.setSpacing(8)
        column.addWidget(card("Who holds what", self.holdings, 1), 2)
        column.addWidget(card("Who does what, and who waits (hatched)", self.body, 1), 5)
        column.addWidget(self.note)
        column.addWidget(self.message)
        column.addLayout(below)

    def set_scene(self, scene: Scene) -> None:
        self.holdings.set_scene(scene)
        self.lanes.set_scene(scene)

    def set_facts(self, facts: Sequence[tuple[str, str]]) -> None:
        """(title, value) side by side, in further rows where they have no room in one."""
        while len(self._facts) < len(facts):
            fact = ShortFact()
            self._facts.append(fact)
            self._row.addWidget(fact)
        for place, fact in enumerate(self._facts):
            fact.setVisible(place < len(facts))
            if place < len(facts):
                fact.set_words(*facts[place])

    def set_told(self, note: str, message: str) -> None:
        """What stands below: by what it was computed, and how the run failed."""
        self.note.set_text(note)
        self.message.set_text(message)
        self.message.setVisible(bool(message))

    def set_buttons(self, *, start: bool, resume: bool, ranks: int, copy: bool) -> None:
        """Which of them there are; faults for so many ranks, 0 for none."""
        self.copy.setVisible(copy)
        self.start.setVisible(start)
        self.resume.setVisible(resume)
        self.faults.setVisible(ranks > 0)

    def fill_faults(self, ranks: int) -> None:
        """The menu of faults: a part for each rank."""
        menu = self.faults.menu()
        menu.clear()
        for rank in range(min(ranks, 8)):
            part = menu.addMenu(f"Rank {rank}")
            for kind, (title, help) in text.FAULTS.items():
                action = part.addAction(title)
                action.setToolTip(help)
                action.triggered.connect(
                    lambda _=False, kind=kind, rank=rank: self.faultRequested.emit(kind, rank)
                )
