"""What two texts look like side by side: the line of the second, both maps or their difference."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from explorer.panes.attention.compared import Compared
from explorer.panes.attention.model import hidden_cells
from explorer.widgets.base import Label
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.heat_map import HeatMap
from explorer.widgets.pages import Pages
from explorer.widgets.prompt_line import PromptLine
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.toggle import SegmentedControl
from explorer.widgets.wrap_row import WrapRow, labelled

VIEWS = {"difference": "Difference", "sides": "Side by side"}
UNALIGNED = "Texts of different lengths have no cells in common"


class ComparisonView(QWidget):
    """Intents: `textEdited(text)`, `viewChosen(view)`, `cellHovered(row, column)`."""

    textEdited = Signal(str)
    viewChosen = Signal(str)
    cellHovered = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = PromptLine()
        self.text.setObjectName("attention.view.second")
        self.text.setAccessibleName("Second text")
        self.text.setToolTip("The text to compare with; an empty line gets a suggestion")
        self.text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.views = SegmentedControl(list(VIEWS.items()), "How to show two texts")
        self.views.setObjectName("attention.view.views")
        self.first, self.second = HeatMap("First text"), HeatMap("Second text")
        self.change = HeatMap("Second minus first")
        self.pictures = self.first, self.second, self.change
        self._names = CutLabel("label", "muted"), CutLabel("label", "muted")
        self._sides = QWidget()
        row = QHBoxLayout(self._sides)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for name, heat in zip(self._names, (self.first, self.second), strict=True):
            column = QVBoxLayout()
            column.setSpacing(4)
            column.addWidget(name)
            column.addWidget(heat, 1)
            row.addLayout(column, 1)
        self._pages = Pages(self._sides, self.change)
        self.picture = StatefulPicture(self._pages, "grid")
        self.note = Label("", "label", "muted", wrap=True)
        tools = WrapRow()
        tools.addWidget(labelled("second text", self.text))
        tools.addWidget(self.views)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(8)
        whole.addLayout(tools)
        whole.addWidget(self.picture, 1)
        whole.addWidget(self.note)
        self.text.promptEdited.connect(self.textEdited)
        self.views.chosen.connect(self.viewChosen)
        self.change.set_axis_titles("query looks", "at key")
        for heat in self.pictures:
            heat.cellHovered.connect(self.cellHovered)
            heat.currentChanged.connect(self.cellHovered)

    def clear(self) -> None:
        """Nothing is read."""
        for heat in self.pictures:
            heat.set_values(np.zeros((0, 0)))
        for name in self._names:
            name.set_text("")
        self.note.hide()
        self.picture.show_ready()

    def show_head(
        self,
        found: Compared,
        place: tuple[int, int],
        hide_first: bool,
        window: int | None,
        view: str,
    ) -> None:
        """One head on both texts, side by side where they cannot be laid over one another."""
        view = view if found.aligned else "sides"
        self.views.set_current(view)
        self.views.setEnabled(found.aligned)
        self.views.setToolTip("" if found.aligned else UNALIGNED)
        self._pages.setCurrentWidget(self.change if view == "difference" else self._sides)
        prompts = found.heads.prompt, found.prompt
        weights = found.heads.weights(*place, hide_first), found.weights(*place, hide_first)
        heats = self.first, self.second
        for name, heat, prompt, values in zip(self._names, heats, prompts, weights, strict=True):
            name.set_text(prompt.text)
            heat.set_values(values, hidden_cells(len(values), hide_first, window))
            heat.set_labels(prompt.labels, prompt.labels)
        if found.aligned:
            self.change.set_values(
                found.change(*place, hide_first),
                hidden_cells(len(weights[0]), hide_first, window),
            )
            self.change.set_labels(found.labels, found.labels)
            self.change.set_scale("diverging", note="second minus first")
        for heat in (*heats, self.change):
            heat.set_highlight(found.query(*place) if found.aligned else None)
        notes = [found.prompt.warning]
        if found.version != found.heads.version:
            notes.append(f"The second text was read at step {found.version:,}")
        self.note.setText(". ".join(filter(None, notes)))
        self.note.setVisible(bool(self.note.text()))
        self.picture.show_ready()
