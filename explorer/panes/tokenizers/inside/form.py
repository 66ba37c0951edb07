"""The settings of randomness: a slider for Unigram's alpha or for BPE's dropout."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.panes.tokenizers.inside import text
from explorer.panes.tokenizers.inside.draft import InsideDraft
from explorer.widgets.boxes import row
from explorer.widgets.push_button import push_button
from explorer.widgets.setting_fields import SettingFields

NAME = "tokenizers.inside"
VALUES = {name: tuple(at / 20 for at in range(20 * most + 1)) for name, most in
          (("alpha", 3), ("dropout", 1))}  # fmt: skip
WIDTH = 144  # px, width of a slider


class ChanceForm(QWidget):
    """The form; emits `settings.changed(name, value)`, `settings.released`, `draw.clicked`."""

    def __init__(self) -> None:
        super().__init__()
        self.settings = SettingFields(NAME, InsideDraft, VALUES, {}, self)
        self.draw = push_button("Draw", text.DRAW)
        self.draw.setObjectName(f"{NAME}.draw")
        row(*self.settings.widgets.values(), self.draw, of=self, spacing=12)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        for slider in self.settings.widgets.values():
            slider.setFixedWidth(theme.current().px(WIDTH))

    def set_draft(self, draft: InsideDraft, chance: str) -> None:
        """Shows the draft; `chance` is "alpha", "dropout", or "" for a deterministic tokenizer."""
        self.settings.show(draft)
        for name, slider in self.settings.widgets.items():
            slider.setVisible(name == chance)
        self.draw.setVisible(bool(chance))
        is_certain = chance == "dropout" and draft.dropout == 0
        self.draw.setEnabled(not is_certain)
        self.draw.setToolTip(text.CERTAIN if is_certain else text.DRAW)
