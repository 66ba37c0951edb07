"""The algorithms of a training as rows of a form: which one, which variant, its own size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox, QLineEdit, QSizePolicy, QWidget

from core.tokenization.lockstep import MOST_LANES
from explorer import theme
from explorer.panes.tokenizers.train.algorithms import ALGORITHMS, algorithm_of
from explorer.panes.tokenizers.train.draft import Lane
from explorer.widgets.base import IconButton, Label, show_text
from explorer.widgets.boxes import column, row
from explorer.widgets.fields import ErrorLine
from explorer.widgets.push_button import push_button

PIECES = 56  # px of the field for a lane's own size
LEAVE_OUT = "Leave this algorithm out"


class LaneColor(QWidget):
    """The color of a lane in every picture."""

    def __init__(self, lane: int) -> None:
        super().__init__()
        self._lane = lane
        theme.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        self.setFixedSize(theme.current().px(10), theme.current().px(10))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.current().series(self._lane))
        painter.drawRoundedRect(self.rect(), 2, 2)
        painter.end()


class AlgorithmRow(QWidget):
    """`changed(Lane)`, `removed`, `rested`: its size is typed."""

    changed = Signal(object)
    removed = Signal()
    rested = Signal()

    def __init__(self, place: int) -> None:
        super().__init__()
        self.setObjectName(f"tokenizers.train.form.lane{place}")
        self._lane: Lane | None = None
        self.kind, self.variant = QComboBox(), QComboBox()
        for box, name in ((self.kind, "Algorithm"), (self.variant, "Variant")):
            box.setAccessibleName(f"{name} {place + 1}")
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.variant.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        for one in ALGORITHMS:
            self.kind.addItem(one.title, one.kind)
        self.pieces = QLineEdit()
        self.pieces.setAccessibleName(f"Pieces of algorithm {place + 1}")
        self.pieces.setToolTip("Its own number of pieces; empty: as many as the others")
        self.remove = IconButton("close", LEAVE_OUT)
        self.note, self.error = Label("", "label", "muted", wrap=True), ErrorLine()
        parts = (LaneColor(place), self.kind, (self.variant, 1), self.pieces, self.remove)
        below = row(column(self.note, self.error, spacing=2))
        below.setContentsMargins(16, 0, 0, 0)
        column(row(*parts, spacing=6), below, of=self, spacing=2)
        self.kind.activated.connect(self._on_kind)
        self.variant.activated.connect(self._on_variant)
        self.pieces.textEdited.connect(self._on_pieces)
        self.pieces.editingFinished.connect(self.rested)
        self.remove.clicked.connect(self.removed)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        self.pieces.setFixedWidth(theme.current().px(PIECES))

    def set_lane(self, lane: Lane) -> None:
        """Shows a lane; emits nothing."""
        if lane == self._lane:
            return
        self._lane = lane
        show_text(self.pieces, lane.pieces)
        algorithm = algorithm_of(lane.kind)
        with QSignalBlocker(self.variant):
            self.kind.setCurrentIndex(self.kind.findData(lane.kind))
            self.kind.setToolTip(algorithm.help)
            self.variant.clear()
            for one in algorithm.variants:
                self.variant.addItem(one.title, one.id)
            self.variant.setCurrentIndex(self.variant.findData(lane.chosen.id))
            self.variant.setToolTip(lane.chosen.help)

    def set_note(self, note: str, error: str) -> None:
        """What the text allows, or what is wrong with the size."""
        self.note.setText(note)
        self.note.setVisible(bool(note) and not error)
        self.error.set_text(error)
        self.kind.setAccessibleDescription(error or note)

    def _on_kind(self, _: int) -> None:
        kind = self.kind.currentData()
        self.changed.emit(Lane(kind, algorithm_of(kind).variants[0].id))

    def _on_variant(self, _: int) -> None:
        if self._lane is not None:
            self.changed.emit(replace(self._lane, variant=self.variant.currentData()))

    def _on_pieces(self, text: str) -> None:
        if self._lane is not None:
            self.changed.emit(replace(self._lane, pieces=text.strip()))


class AlgorithmRows(QWidget):
    """`changed(lanes)`: a tuple of Lanes, never empty; `rested`: a size is typed; `fitRequested`:
    each is to have a size that the text allows.
    """

    changed = Signal(object)
    rested = Signal()
    fitRequested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._lanes: tuple[Lane, ...] = ()
        self.rows = [AlgorithmRow(place) for place in range(MOST_LANES)]
        self.add = push_button("Add an algorithm", "Trains one more beside the others", "quiet")
        self.fit = push_button(
            "Fit the sizes", "Gives each algorithm the nearest size that this text allows"
        )
        for place, one in enumerate(self.rows):
            one.changed.connect(lambda lane, place=place: self._replace(place, (lane,)))
            one.removed.connect(lambda place=place: self._replace(place, ()))
            one.rested.connect(self.rested)
        self.add.setObjectName("tokenizers.train.form.add")
        self.fit.setObjectName("tokenizers.train.form.fit")
        self.add.clicked.connect(self._on_add)
        self.fit.clicked.connect(self.fitRequested)
        column(
            Label("Algorithms", "label", "muted"), *self.rows, row(self.add, self.fit, 1), of=self
        )

    def set_lanes(
        self, lanes: Sequence[Lane], notes: Sequence[tuple[str, str]], common: str, fits: bool
    ) -> None:
        """Shows the lanes and, below each, what the text allows and what is wrong with its size.
        common: the size of one without its own; fits: none is too small.
        """
        self._lanes = tuple(lanes)
        self.fit.setVisible(not fits)
        self.add.setVisible(len(lanes) < MOST_LANES)
        for place, one in enumerate(self.rows):
            one.setVisible(place < len(lanes))
            one.remove.setEnabled(len(lanes) > 1)
            one.remove.setToolTip(LEAVE_OUT if len(lanes) > 1 else "At least one is trained")
        for one, lane, note in zip(self.rows, lanes, notes, strict=False):
            one.set_lane(lane)
            one.pieces.setPlaceholderText(common)
            one.set_note(*note)

    def _replace(self, place: int, lanes: tuple[Lane, ...]) -> None:
        self.changed.emit((*self._lanes[:place], *lanes, *self._lanes[place + 1 :]))

    def _on_add(self) -> None:
        """The first that is not there yet, in its usual variant."""
        usual = [Lane(one.kind, one.variants[0].id) for one in ALGORITHMS]
        more = [Lane(one.kind, way.id) for one in ALGORITHMS for way in one.variants[1:]]
        lane = next(one for one in (*usual, *more) if one not in self._lanes)
        self.changed.emit((*self._lanes, lane))
