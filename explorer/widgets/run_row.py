"""A run as one of several rows: its name, its state, its answer, and its buttons."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from explorer import theme
from explorer.widgets.base import IconButton, Label
from explorer.widgets.boxes import row
from explorer.widgets.card import Glyph
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.push_button import push_button
from explorer.widgets.run_card import BUTTONS, STATES
from explorer.widgets.run_card_text import CardText

ROW_HEIGHT, NAME, STATE, GLYPH, APART = 28, 116, 100, 14, 4  # px
PLAIN = ("running", "finished")  # states clear enough from icon and step
ICONS = {"pause": "pause", "resume": "play", "continue": "play", "again": "play", "stop": "stop",
         "open": "training", "dismiss": "close"}  # fmt: skip
# Buttons that a card lacks.
WORDS = {"open": "Open in Training", "dismiss": "Remove from this picture; the run's folder stays"}
CORRECT = "Correct and start", "Starts the setup as it is now, in place of this run"


class RunRow(QWidget):
    """Emits `asked(id)` for its buttons: those of a run's card, "open" and "dismiss"."""

    asked = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        """Creates the row; `name` is the widget's, by which lessons find it."""
        super().__init__(parent)
        self.setObjectName(name)
        self.text = CardText("Base", "", 0, 0)
        self.said, self.told = "", ""
        self._glyph, self._name = Glyph("check", "muted", GLYPH), Label("Base", "body", weight=600)
        self._state, self._said = CutLabel("label", "muted"), CutLabel("body", mono=True)
        self.buttons: dict[str, QAbstractButton] = {"correct": push_button(*CORRECT, "quiet")}
        self.buttons |= {what: IconButton(icon, self._words(what)) for what, icon in ICONS.items()}
        for what, button in self.buttons.items():
            button.setObjectName(f"{name}.{what}")
            button.clicked.connect(lambda _=False, what=what: self.asked.emit(what))
            button.hide()
        self._glyph.hide()
        self._state.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        parts = (self._glyph, self._name, self._state, (self._said, 1), *self.buttons.values())
        row(*parts, of=self, spacing=APART)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _words(self, what: str) -> str:
        return WORDS.get(what) or BUTTONS[what][0]

    def _restyle(self) -> None:
        now = theme.current()
        self.setFixedHeight(now.px(ROW_HEIGHT))
        beside = 0 if self._glyph.isHidden() else now.px(GLYPH) + APART
        self._name.setFixedWidth(now.px(NAME) - beside)
        self._state.setFixedWidth(now.px(STATE))

    def set_text(self, text: CardText) -> None:
        """Shows a run; a failed one gives its reason instead of its answer."""
        self.text = text
        icon, role, word = STATES.get(text.state, STATES["stopped"])
        self._glyph.set(icon, role)
        self._glyph.show()
        self._restyle()
        self._name.setText(text.name)
        at = f"{text.step:,} of {text.steps:,}" if text.state != "new" else ""
        self.told = ", ".join(filter(None, (word, at and f"step {at}", text.note)))
        self._state.set_text(at if text.state in PLAIN else ", ".join(filter(None, (word, at))))
        for one in (self._glyph, self._name, self._state):
            one.setToolTip(self.told)
        for what, button in self.buttons.items():
            button.setVisible(what in text.buttons)
        self._show()

    def set_said(self, said: str) -> None:
        self.said = said.strip()
        self._show()

    def _show(self) -> None:
        self._said.set_text(self.text.message or self.said)
        told = f"{self.text.name}: {self.told} {self.text.message or self.said}"
        self.setAccessibleName(told.strip())
