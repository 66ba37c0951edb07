"""One head in two readings: the choice of the second one, and both maps or their difference."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer.panes.attention import text
from explorer.panes.attention.comparison import Comparison
from explorer.panes.attention.compute import Head
from explorer.panes.attention.draft import ViewSettings
from explorer.widgets.base import Label
from explorer.widgets.boxes import column, name_parts, row, wrap
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.heat_map import HeatMap
from explorer.widgets.pages import Pages
from explorer.widgets.prompt_line import PromptLine
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.toggle import SegmentedControl
from explorer.widgets.wrap_row import labelled


class ComparisonView(QWidget):
    """The comparison of one head. `changed` asks for other settings."""

    changed = Signal(str, object)  # name of a view setting, new value

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.others = SegmentedControl(list(text.OTHERS.items()), "With what to compare")
        self.second_text = PromptLine()
        self.second_text.setAccessibleName(text.SECOND.capitalize())
        self.second_text.setToolTip(text.SECOND_HELP)
        self.second_text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._line = labelled(text.SECOND, self.second_text)
        self.layouts = SegmentedControl(list(text.LAYOUTS.items()), "How to show the comparison")
        name_parts(self, "attention.view", "others", "second_text", "layouts")
        self.first, self.second = HeatMap("First map"), HeatMap("Second map")
        self.change = HeatMap("Difference of the maps")
        self.pictures = self.first, self.second, self.change
        self._names = CutLabel("label", "muted"), CutLabel("label", "muted")
        self._sides = QWidget()
        both = zip(self._names, (self.first, self.second), strict=True)
        columns = [(column(name, (heat, 1), spacing=4), 1) for name, heat in both]
        row(*columns, of=self._sides)
        self._pages = Pages(self._sides, self.change)
        self.picture = StatefulPicture(self._pages, "grid")
        self.note = Label("", "label", "muted", wrap=True)
        tools = wrap(self.others, self._line, self.layouts)
        column(tools, (self.picture, 1), self.note, of=self)
        self.others.chosen.connect(lambda name: self.changed.emit("other", name))
        self.second_text.promptEdited.connect(lambda typed: self.changed.emit("second", typed))
        self.layouts.chosen.connect(lambda name: self.changed.emit("compared", name))
        self.change.set_axis_titles("query", "key it looks at")
        self.show_settings(ViewSettings(), "text", False)

    def show_settings(self, settings: ViewSettings, other: str, has_base: bool) -> None:
        """Shows what the heads are compared with; only a fine-tuned model has a base to choose."""
        if settings.second:
            self.second_text.set_prompt(settings.second)
        self.others.set_current(other)
        self.others.setVisible(has_base)
        self._line.setVisible(other == "text")

    def clear(self) -> None:
        """Empties the view."""
        for heat in self.pictures:
            heat.set_values(np.zeros((0, 0)))
        for name in self._names:
            name.set_text("")
        self.note.hide()
        self.picture.show_ready()

    def show_head(self, found: Comparison, place: Head, settings: ViewSettings) -> None:
        """Shows one head in both readings, side by side if the texts differ in length."""
        aligned, hide_first = found.is_aligned, settings.hide_first
        layout = settings.compared if aligned else "sides"
        self.layouts.set_current(layout)
        self.layouts.setEnabled(aligned)
        self.layouts.setToolTip("" if aligned else text.UNALIGNED)
        self._pages.setCurrentWidget(self.change if layout == "difference" else self._sides)
        readings, weights = (found.first, found.second), found.weights(*place, hide_first)
        for heat, heads, values in zip(self.pictures, readings, weights, strict=False):
            heat.set_values(values, heads.hidden(place[0], hide_first))
            heat.set_labels(heads.prompt.labels, heads.prompt.labels)
        for name, words in zip(self._names, text.captions(found), strict=True):
            name.set_text(words)
        if aligned:
            hidden = found.first.hidden(place[0], hide_first)
            self.change.set_values(weights[1] - weights[0], hidden)
            self.change.set_labels(found.labels, found.labels)
            self.change.set_scale("diverging", note=text.difference_note(found))
        for heat in self.pictures:
            heat.set_highlight(found.query(*place) if aligned else None)
        self.note.setText(text.comparison_notes(found))
        self.note.setVisible(bool(self.note.text()))
        self.picture.show_ready()
