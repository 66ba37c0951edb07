"""The algorithms of a training as rows: which one, which of its ways, and what it allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from core.tokenization.lockstep import MOST_LANES
from explorer import theme
from explorer.panes.tokenizers.train.draft import Lane, algorithm_of, available
from explorer.widgets.base import IconButton, Label, set_look
from explorer.widgets.fields import ErrorLine


class Mark(QWidget):
    """The color of a lane."""

    def __init__(self, lane: int) -> None:
        super().__init__()
        self._lane = lane
        self.setFixedSize(theme.current().px(10), theme.current().px(28))
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        now = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(now.series(self._lane))
        size = now.px(10)
        painter.drawRoundedRect(0, (self.height() - size) // 2, size, size, 2, 2)
        painter.end()


class LaneRow(QWidget):
    """`changed(Lane)`, `removed`."""

    changed = Signal(object)
    removed = Signal()

    def __init__(self, place: int) -> None:
        super().__init__()
        self.setObjectName(f"tokenizers.train.setup.lane{place}")
        self._lane: Lane | None = None
        self.kind, self.variant = QComboBox(), QComboBox()
        for box, name in ((self.kind, "Algorithm"), (self.variant, "Its way")):
            box.setAccessibleName(f"{name} {place + 1}")
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            box.setMinimumContentsLength(6)
        for one in available():
            self.kind.addItem(one.title, one.kind)
        self.pieces = QLineEdit()
        self.pieces.setAccessibleName(f"Pieces of algorithm {place + 1}")
        self.pieces.setToolTip("Its own number of pieces; empty: as many as the others")
        self.pieces.setFixedWidth(theme.current().px(64))
        self.remove = IconButton("close", "Leave this algorithm out")
        self.note = Label("", "label", "muted", wrap=True)
        self.error = ErrorLine()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.addWidget(Mark(place), 0, 0)
        grid.addWidget(self.kind, 0, 1)
        grid.addWidget(self.variant, 0, 2)
        grid.addWidget(self.pieces, 0, 3)
        grid.addWidget(self.remove, 0, 4)
        grid.addWidget(self.note, 1, 1, 1, 4)
        grid.addWidget(self.error, 2, 1, 1, 4)
        grid.setColumnStretch(1, 16)  # so that the longest of each has its room
        grid.setColumnStretch(2, 15)
        self.kind.currentIndexChanged.connect(self._on_kind)
        self.variant.currentIndexChanged.connect(self._on_variant)
        self.pieces.textEdited.connect(self._on_pieces)
        self.remove.clicked.connect(self.removed)

    @property
    def lane(self) -> Lane | None:
        return self._lane

    def set_lane(self, lane: Lane) -> None:
        """Shows a lane; emits nothing."""
        if lane == self._lane:
            return
        self._lane = lane
        if lane.pieces != self.pieces.text():
            self.pieces.setText(lane.pieces)
        algorithm = algorithm_of(lane.kind)
        with QSignalBlocker(self.kind), QSignalBlocker(self.variant):
            self.kind.setCurrentIndex(self.kind.findData(lane.kind))
            self.kind.setToolTip(f"{algorithm.title} {algorithm.what}")
            self.variant.clear()
            for one in algorithm.variants:
                self.variant.addItem(one.title, one.id)
            self.variant.setCurrentIndex(self.variant.findData(lane.chosen.id))
            self.variant.setToolTip(lane.chosen.what or lane.chosen.title)

    def set_note(self, note: str, error: str) -> None:
        self.note.setText(note)
        self.note.setVisible(bool(note) and not error)
        self.error.set_text(error)
        self.kind.setAccessibleDescription(error or note)

    def _on_kind(self, index: int) -> None:
        kind = self.kind.itemData(index)
        if kind is not None:
            self.changed.emit(Lane(kind, algorithm_of(kind).variants[0].id))

    def _on_variant(self, index: int) -> None:
        variant = self.variant.itemData(index)
        if variant is not None and self._lane is not None:
            self.changed.emit(replace(self._lane, variant=variant))

    def _on_pieces(self, text: str) -> None:
        if self._lane is not None:
            self.changed.emit(replace(self._lane, pieces=text.strip()))


class LaneRows(QWidget):
    """`changed(lanes)`: a tuple of Lanes, never empty; `fitRequested`: each is to have a size that
    the text allows."""

    changed = Signal(object)
    fitRequested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[LaneRow] = []
        self.add = QPushButton("Add an algorithm")
        self.add.setObjectName("tokenizers.train.setup.add")
        set_look(self.add, "quiet")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        title = Label("Algorithms", "label", "muted")
        self._column.addWidget(title)
        for place in range(MOST_LANES):
            row = LaneRow(place)
            row.changed.connect(lambda lane, place=place: self._on_changed(place, lane))
            row.removed.connect(lambda place=place: self._on_removed(place))
            self.rows.append(row)
            self._column.addWidget(row)
        self.fit = QPushButton("Fit the sizes")
        self.fit.setObjectName("tokenizers.train.setup.fit")
        self.fit.setToolTip("Gives each algorithm the nearest size that this text allows")
        self.fit.clicked.connect(self.fitRequested)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.add)
        buttons.addWidget(self.fit)
        buttons.addStretch(1)
        self._column.addLayout(buttons)
        self._lanes: tuple[Lane, ...] = ()
        self.add.clicked.connect(self._on_add)

    def set_lanes(
        self,
        lanes: Sequence[Lane],
        notes: Sequence[str],
        errors: Sequence[str],
        common: str = "",
        fits: bool = True,
    ) -> None:
        """Shows the lanes and, below each, what it allows and what is wrong with it. common: how
        many pieces one without its own number has; fits: none is too small."""
        self.fit.setVisible(not fits)
        self._lanes = tuple(lanes)
        for place, row in enumerate(self.rows):
            known = place < len(lanes)
            row.setVisible(known)
            if known:
                row.set_lane(lanes[place])
                row.pieces.setPlaceholderText(common)
                row.set_note(notes[place], errors[place])
            row.remove.setEnabled(len(lanes) > 1)
            row.remove.setToolTip(
                "Leave this algorithm out" if len(lanes) > 1 else "At least one is trained"
            )
        self.add.setVisible(len(lanes) < MOST_LANES)

    def _on_changed(self, place: int, lane: Lane) -> None:
        self.changed.emit((*self._lanes[:place], lane, *self._lanes[place + 1 :]))

    def _on_removed(self, place: int) -> None:
        if len(self._lanes) > 1:
            self.changed.emit((*self._lanes[:place], *self._lanes[place + 1 :]))

    def _on_add(self) -> None:
        """The first that is not there yet, in its usual way."""
        fresh = [Lane(one.kind, way.id) for one in available() for way in one.variants[:1]]
        more = [Lane(one.kind, way.id) for one in available() for way in one.variants[1:]]
        for lane in (*fresh, *more):
            if lane not in self._lanes:
                self.changed.emit((*self._lanes, lane))
                return
