"""The widgets of Lens: the text, the table, who told it, what it says, and what is switched off."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QPushButton, QWidget

from explorer import theme
from explorer.panes.transformer.lens import text
from explorer.panes.transformer.lens.draft import LensDraft
from explorer.widgets.base import Label, set_look
from explorer.widgets.boxes import card, column, name_parts, page, row, wrap
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.drop_down import DropDown
from explorer.widgets.likeliest_bars import LikeliestBars
from explorer.widgets.prompt_line import PromptLine
from explorer.widgets.signed_bars import SignedBars
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.surprise_text import SurpriseText
from explorer.widgets.toggle import SegmentedControl, Switch
from explorer.widgets.word_table import WordTable
from explorer.widgets.wrap_row import labelled

SIDE, LINES, NATS, MOST_CHIPS = 268, 2, 8.0, 5  # px; of the text; of the darkest tokens


class LensView(QWidget):
    """`switchRequested(place)`: a chip of what is off was clicked; `settingChanged(name, value)`.
    The pictures tell the other clicks themselves.
    """

    switchRequested = Signal(int)
    settingChanged = Signal(str, object)

    def __init__(self, tip: Callable[[int, int], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("transformer.lens")
        self.text, self.table = SurpriseText(), WordTable(tip)
        self.table.setAccessibleName("What the model would say at each place")
        self.terms, self.next = SignedBars("Who told it"), LikeliestBars(text.EXPLAIN)
        self.body = StatefulPicture(self.table, "grid")
        self.who, self.says, self.hint, self.why = (
            Label(words, "label", "muted") for words in ("", "", text.HINT, "")
        )
        self.goes_on, self.changed = CutLabel("label", "muted"), CutLabel("label")
        self.chips = [QPushButton() for _ in range(MOST_CHIPS)]
        self.all_on, self.how = QPushButton(text.ALL_ON), SegmentedControl(text.HOW, text.OFF)
        self.sublayers, self.patch, self.everywhere = map(
            Switch, (text.SUBLAYERS, text.PATCH, text.PATCH_ALL)
        )
        self.other, self.layer = PromptLine(), DropDown(text.PATCH_LAYER)
        self.other.setPlaceholderText(text.OTHER)
        self.other.setAccessibleName(text.OTHER)
        for name, help in text.HELP.items():
            getattr(self, name).setToolTip(help)
        parts = ("text", "table", "terms", "next", "other", "layer")
        name_parts(self, "transformer.lens", *parts, *text.HELP)
        self._build()
        self._connect()

    def _build(self) -> None:
        for button in self.chips:
            set_look(button, "outlined")
        set_look(self.all_on, "quiet")
        self.form, self._side, below = QWidget(), QWidget(), QWidget()
        row(self.layer, (self.other, 1), self.why, self.everywhere, of=self.form)
        who, says = card(self.who, (self.terms, 1)), card(self.says, self.next)
        column((who, 1), says, of=self._side)
        switches = (labelled(text.OFF, self.how), self.sublayers, self.patch)
        wrap(*switches, self.hint, *self.chips, self.all_on, of=below)
        told = card(row((self.text, 2), (column(self.goes_on, self.changed, 1, spacing=2), 1)))
        page(told, (row((card(self.body), 1), self._side), 1), self.form, below, of=self)

    def _connect(self) -> None:
        changed = self.settingChanged
        for at, button in enumerate(self.chips):
            button.clicked.connect(lambda _, at=at: self.switchRequested.emit(at))
        self.how.chosen.connect(lambda how: changed.emit("how", how))
        self.sublayers.toggled.connect(lambda on: changed.emit("sublayers", on))
        self.patch.toggled.connect(self._on_patch)
        self.other.promptEdited.connect(lambda typed: changed.emit("patch", typed))
        self.layer.picked.connect(lambda layer: changed.emit("patch_layer", layer))
        self.everywhere.toggled.connect(lambda on: changed.emit("patch_all", on))

    def _on_patch(self, on: bool) -> None:
        self.form.setVisible(on)
        if on:
            self.other.setFocus()
        else:
            self.settingChanged.emit("patch", "")

    def resizeEvent(self, event: object) -> None:
        """Its size follows the zoom."""
        now = theme.current()
        self._side.setFixedWidth(min(now.px(SIDE), round(0.42 * self.width())))
        wide = (self.width() - now.px(2 * (16 + 12))) * 2 / 3 - 8
        self.text.setFixedHeight(self.text.height_of(wide, LINES))

    def set_draft(self, draft: LensDraft, n_layer: int, off: Sequence[str]) -> None:
        """`off`: what the parts are called that are off."""
        layers = [(f"into layer {layer}", layer) for layer in range(n_layer)]
        self.layer.fill(layers, min(draft.patch_layer, n_layer - 1))
        self.other.set_prompt(draft.patch)
        self.how.set_current(draft.how)
        is_patching = bool(draft.patch) or self.patch.isChecked()
        for switch, on in (
            (self.sublayers, draft.reads_sublayers(n_layer)),
            (self.patch, is_patching),
            (self.everywhere, draft.patch_all),
        ):
            with QSignalBlocker(switch):
                switch.setChecked(on)
        self.form.setVisible(is_patching)
        for at, button in enumerate(self.chips):
            button.setVisible(at < len(off))
            button.setText(f"{off[at]}  \u00d7" if at < len(off) else "")
        self.hint.setVisible(not off)
        more = len(off) - MOST_CHIPS
        self.all_on.setText(text.ALL_ON if more <= 0 else f"{text.ALL_ON} ({more} more)")
        self.all_on.setVisible(bool(off))

    def set_text(self, pieces: Sequence[bytes], surprises: np.ndarray, place: int) -> None:
        self.text.set_text([list(pieces)], np.nan_to_num(surprises, nan=0.0)[None], NATS)
        self.resizeEvent(None)
        self.text.set_chosen(0, place)

    def set_continuations(self, before: str, after: str) -> None:
        """How the text goes on; `after` "": nothing is changed."""
        self.goes_on.set_text(before)
        self.changed.set_text(after)
        self.changed.setVisible(bool(after))
