"""The widgets of Lens: the text, the table, parts and next tokens as bars, and the switches."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.fields import fields_of
from explorer import theme
from explorer.panes.transformer.lens import text
from explorer.panes.transformer.lens.draft import LensDraft
from explorer.panes.transformer.lens.draw_table import Table
from explorer.panes.transformer.lens.draw_terms import Terms
from explorer.panes.transformer.lens.scene import Scene
from explorer.widgets.boxes import card, column, name_parts, page, row, wrap
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.drop_down import DropDown
from explorer.widgets.likeliest_bars import LikeliestBars
from explorer.widgets.more_button import MoreButton
from explorer.widgets.prompt_line import PromptLine
from explorer.widgets.push_button import push_buttons
from explorer.widgets.scroll_area import ScrollArea
from explorer.widgets.setting_fields import SettingFields
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.surprise_text import SurpriseText

NAME, SWITCHES = "transformer.lens", {"mean": None, "sublayers": None}
SIDE, SHARE, TEXT, NATS = 268, 0.42, 54, 8.0  # px; of the width; px; surprise at its darkest


class LensView(QWidget):
    """Lays out the parts, whose signals report what the user chooses. The table stands alone until
    *More* adds who told it: the parts, the likeliest tokens, and what can be changed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.text, self.table, self.terms = SurpriseText(), Table(), Terms()
        self.next = LikeliestBars(text.EXPLAIN)
        self.buttons = push_buttons(NAME, {"all_on": text.BUTTONS["all_on"]}, {"all_on": "quiet"})
        self.buttons["all_on"].hide()
        self.goes_on, self.changed = CutLabel("label", "muted"), CutLabel("label")
        self.who, self.says = CutLabel("label", "muted"), CutLabel("label", "muted")
        self.note = CutLabel("label", "muted")
        self.note.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.other, self.layer = PromptLine(), DropDown(fields_of(LensDraft)["patch_layer"].help)
        name_parts(self, NAME, "text", "table", "terms", "next", "other", "layer")
        self.settings = SettingFields(NAME, LensDraft, SWITCHES, {}, self)
        self.other.setPlaceholderText(text.OTHER)
        self.other.setAccessibleName(text.OTHER)
        self.other.setToolTip(fields_of(LensDraft)["patch"].help)
        self.layer.picked.connect(partial(self.settings.changed.emit, "patch_layer"))
        self._side, below, content = QWidget(), QWidget(), QWidget()
        self.more = MoreButton(f"{NAME}.more", self._side, text.MORE)
        self.more.setToolTip(text.BUTTONS["more"][1])
        told = card(row((self.text, 2), (column(self.goes_on, self.changed, 1, spacing=2), 1)))
        who = card(self.who, (ScrollArea(self.terms), 1))
        column((who, 1), card(self.says, self.next), of=self._side)
        column(told, (row((card(self.table), 1), self._side), 1), of=content)
        content.setAccessibleName(self.table.NAME)
        self.body = StatefulPicture(content, "grid")
        mean, sublayers = (self.settings.widgets[name] for name in SWITCHES)
        change, reset = (mean, self.layer, self.other), self.buttons["all_on"]
        wrap(sublayers, self.more, *change, self.note, reset, of=below)
        page((self.body, 1), below, of=self)
        for part in (told, *change):  # with the side, all but the table
            part.hide()
            self.more.toggled.connect(part.setVisible)
        self.more.toggled.connect(self.table.set_norms)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Follows the zoom."""
        now = theme.current()
        self._side.setFixedWidth(min(now.px(SIDE), round(SHARE * self.width())))
        self.text.setFixedHeight(now.px(TEXT))

    def set_scene(self, scene: Scene, note: str) -> None:
        """Shows an explanation; `note` is the text at the switches."""
        found, surprises = scene.found, scene.found.comparison.after.surprises
        pieces = map(scene.piece, found.ids.tolist())
        self.text.set_text([list(pieces)], np.nan_to_num(surprises)[None], NATS)
        self.text.set_chosen(0, found.position)
        self.table.set_scene(scene)
        self.terms.set_scene(scene)
        self.who.set_text(text.who(scene))
        self.says.set_text(text.loss(scene))
        self.note.set_text(note)
        self.note.setVisible(bool(note))
        self.buttons["all_on"].setVisible(bool(note) or found.is_changed)
        self.body.show_ready()

    def set_continuations(self, written: Iterable[str]) -> None:
        """Shows the continuation of the unchanged model, and of the changed one."""
        told = [*map(text.goes_on, written, text.GOES_ON), text.HINT]
        self.goes_on.set_text(told[0])
        self.changed.set_text(told[1])
