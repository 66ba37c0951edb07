"""The algorithms of a training as rows of a form: kind, variant and optional size of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox, QLineEdit, QSizePolicy, QWidget

from core.tokenization.lockstep import MOST_LANES
from explorer import theme
from explorer.panes.tokenizers.train.algorithms import ALGORITHMS, algorithm_of
from explorer.panes.tokenizers.train.draft import USUAL_LANES, Lane
from explorer.widgets.base import IconButton, Label, show_text
from explorer.widgets.boxes import column, row
from explorer.widgets.fields import ErrorLine
from explorer.widgets.push_button import push_button

PIECES, MARK, APART = 56, 10, 16  # px: size field; color mark; its column
LEAVE_OUT = "Remove this algorithm"


class AlgorithmRow(QWidget):
    """An algorithm's row. Emits `changed(Lane)`, `removed`, and `rested` after typing a size."""

    changed = Signal(object)
    removed = Signal()
    rested = Signal()

    def __init__(self, place: int) -> None:
        super().__init__()
        self.setObjectName(f"tokenizers.train.form.lane{place}")
        self._place, self._lane = place, USUAL_LANES[0]
        self.kind, self.variant = QComboBox(), QComboBox()
        for box, name in ((self.kind, "Algorithm"), (self.variant, "Variant")):
            box.setAccessibleName(f"{name} {place + 1}")
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.variant.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        for one in ALGORITHMS:
            self.kind.addItem(one.title, one.kind)
        self.pieces = QLineEdit()
        self.pieces.setAccessibleName(f"Pieces of algorithm {place + 1}")
        self.pieces.setToolTip(
            "A number of pieces for this algorithm alone; if empty, the number above applies"
        )
        self.remove = IconButton("close", LEAVE_OUT)
        self.note, self.error = Label("", "label", "muted", wrap=True), ErrorLine()
        parts = (self.kind, (self.variant, 1), self.pieces, self.remove)
        self._lines = column(row(*parts, spacing=6), self.note, self.error, of=self, spacing=2)
        self.kind.activated.connect(self._on_kind)
        self.variant.activated.connect(self._on_variant)
        self.pieces.textEdited.connect(self._on_pieces)
        self.pieces.editingFinished.connect(self.rested)
        self.remove.clicked.connect(self.removed)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        self.pieces.setFixedWidth(theme.current().px(PIECES))
        self._lines.setContentsMargins(theme.current().px(APART), 0, 0, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paints the mark in the color of the lane."""
        now, side = theme.current(), theme.current().px(MARK)
        painter = QPainter(self)
        top = self.kind.geometry().center().y() - side // 2
        painter.fillRect(0, top, side, side, now.series(self._place))
        painter.end()

    def set_lane(self, lane: Lane) -> None:
        """Shows a lane without emitting a signal."""
        if lane == self._lane and self.variant.count():
            return  # refilling would close an open menu
        self._lane = lane
        show_text(self.pieces, lane.pieces)
        algorithm = algorithm_of(lane.kind)
        self.kind.setCurrentIndex(self.kind.findData(lane.kind))
        self.kind.setToolTip(algorithm.help)
        self.variant.clear()
        for one in algorithm.variants:
            self.variant.addItem(one.title, one.id)
        self.variant.setCurrentIndex(self.variant.findData(lane.chosen.id))
        self.variant.setToolTip(lane.chosen.help)

    def set_note(self, note: str, error: str) -> None:
        """Shows the note on possible sizes, or an error of the size."""
        self.note.setText(note)
        self.note.setVisible(bool(note) and not error)
        self.error.set_text(error)
        self.kind.setAccessibleDescription(error or note)

    def _on_kind(self, _: int) -> None:
        kind = self.kind.currentData()
        self.changed.emit(Lane(kind, algorithm_of(kind).variants[0].id))

    def _on_variant(self, _: int) -> None:
        self.changed.emit(replace(self._lane, variant=self.variant.currentData()))

    def _on_pieces(self, text: str) -> None:
        self.changed.emit(replace(self._lane, pieces=text.strip()))


class AlgorithmRows(QWidget):
    """Up to four rows. Emits `changed(lanes)`, a nonempty tuple, and `rested` after typing."""

    changed = Signal(object)
    rested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._lanes: tuple[Lane, ...] = ()
        self.rows = [AlgorithmRow(place) for place in range(MOST_LANES)]
        self.add = push_button("Add an algorithm", "Trains one more beside the others", "quiet")
        for place, one in enumerate(self.rows):
            one.changed.connect(lambda lane, place=place: self._replace(place, (lane,)))
            one.removed.connect(lambda place=place: self._replace(place, ()))
            one.rested.connect(self.rested)
        self.add.setObjectName("tokenizers.train.form.add")
        self.add.clicked.connect(self._on_add)
        column(Label("Algorithms", "label", "muted"), *self.rows, row(self.add, 1), of=self)

    def set_lanes(
        self, lanes: Sequence[Lane], notes: Sequence[tuple[str, str]], common: str
    ) -> None:
        """Shows the lanes and below each its (note on possible sizes, error of its size). `common`
        is the size of lanes without their own.
        """
        self._lanes = tuple(lanes)
        self.add.setVisible(len(lanes) < MOST_LANES)
        for place, one in enumerate(self.rows):
            one.setVisible(place < len(lanes))
            one.remove.setEnabled(len(lanes) > 1)
            one.remove.setToolTip(
                LEAVE_OUT if len(lanes) > 1 else "At least one algorithm is needed"
            )
        for one, lane, note in zip(self.rows, lanes, notes, strict=False):
            one.set_lane(lane)
            one.pieces.setPlaceholderText(common)
            one.set_note(*note)

    def _replace(self, place: int, lanes: tuple[Lane, ...]) -> None:
        self.changed.emit((*self._lanes[:place], *lanes, *self._lanes[place + 1 :]))

    def _on_add(self) -> None:
        """Adds the first algorithm not in use yet, in its usual variant if possible."""
        usual = [Lane(one.kind, one.variants[0].id) for one in ALGORITHMS]
        more = [Lane(one.kind, way.id) for one in ALGORITHMS for way in one.variants[1:]]
        lane = next(one for one in (*usual, *more) if one not in self._lanes)
        self.changed.emit((*self._lanes, lane))
