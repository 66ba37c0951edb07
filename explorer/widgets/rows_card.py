"""One card for several items of a kind, with a row and buttons for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QPushButton, QSizePolicy, QWidget

from explorer import theme
from explorer.widgets.base import Label, set_look
from explorer.widgets.card import ROLES, Glyph
from explorer.widgets.cut_label import CutLabel

MOST_ROWS = 2  # the card must not displace the picture


@dataclass(frozen=True)
class Row:
    """A row: `name` in bold, then `text`; `words` replace the texts of choices."""

    id: str
    name: str
    text: str
    words: Mapping[str, str] = field(default_factory=dict)


class RowsCard(QFrame):
    """Emits `chosen(id of the row, choice)`, and `closed` when the last choice is made for all
    rows, which a button offers if some are not shown.
    """

    chosen = Signal(str, str)
    closed = Signal()

    def __init__(
        self, kind: str, title: str, choices: Sequence[str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        set_look(self, "card")
        self.rows: tuple[Row, ...] = ()
        self.buttons: dict[tuple[str, str], QPushButton] = {}
        self.all: QPushButton | None = None
        self._title, self._choices = title, tuple(choices)
        self._glyph = Glyph(kind, ROLES[kind])
        self._parts: list[QWidget] = []
        self._grid = QGridLayout()
        self._grid.setColumnStretch(1, 1)
        row = QHBoxLayout(self)
        row.addWidget(self._glyph, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(self._grid, 1)
        self._row = row
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Shows at most MOST_ROWS rows; the last line counts the others."""
        self.rows = tuple(rows)
        for part in self._parts:
            self._grid.removeWidget(part)
            part.hide()
            part.deleteLater()
        self._parts, self.buttons, self.all = [], {}, None
        for line, row in enumerate(rows[:MOST_ROWS]):
            self._add(line, 0, Label(row.name, "body", weight=600))
            text = CutLabel()
            text.set_text(row.text)
            self._add(line, 1, text)
            for place, choice in enumerate(self._choices, start=2):
                words = row.words.get(choice, choice)
                button = QPushButton(words)
                button.setAccessibleName(f"{words}: {row.name}")
                button.clicked.connect(
                    lambda _=False, id=row.id, choice=choice: self.chosen.emit(id, choice)
                )
                self.buttons[row.id, choice] = button
                self._add(line, place, button)
        if len(rows) > MOST_ROWS:
            more = Label(f"and {len(rows) - MOST_ROWS} more", "label", "muted")
            self._grid.addWidget(more, MOST_ROWS, 0, 1, 2)
            self._parts.append(more)
            self.all = QPushButton(f"{self._choices[-1]} all")
            self.all.clicked.connect(self.closed)
            self._add(MOST_ROWS, 1 + len(self._choices), self.all)
        told = "; ".join(f"{row.name} {row.text}" for row in rows)
        self.setAccessibleName(f"{self._title}: {told}")

    def _add(self, line: int, column: int, widget: QWidget) -> None:
        self._grid.addWidget(widget, line, column)
        self._parts.append(widget)

    def _restyle(self) -> None:
        now = theme.current()
        self._row.setContentsMargins(now.px(16), now.px(6), now.px(8), now.px(6))
        self._row.setSpacing(now.px(12))
        self._grid.setHorizontalSpacing(now.px(8))
        self._grid.setVerticalSpacing(now.px(4))
        # The icon is centered in the first row.
        self._glyph.setFixedHeight(now.px("control"))
