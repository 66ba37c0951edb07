"""The run's card: its state in a word, its numbers, and buttons such as Pause, Resume, Stop."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from explorer import theme
from explorer.widgets.base import Label, set_look
from explorer.widgets.card import Glyph
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.run_card_text import AGAIN, CardText
from explorer.widgets.wrap_row import WrapRow, expanding

STATES = {  # state -> icon, color role, word
    "new": ("clock", "muted", "preparing"),
    "running": ("live", "success", "training"),
    "paused": ("pause", "warning", "paused"),
    "finished": ("check", "success", "finished"),
    "stopped": ("stop", "muted", "stopped"),
    "failed": ("error", "error", "failed"),
    "dead": ("error", "error", "ended without a message"),
}
ALARM = "warning", "warning", "needs attention"  # of a run that trains, whatever its state

BUTTONS = {  # id -> text, tooltip
    "branch": ("Resume from here", "Starts a new run that continues from this checkpoint"),
    "pause": ("Pause", "Pauses after this step; the run stays open"),
    "resume": ("Resume", "Continues training"),
    "lower": (
        "Branch with a lower learning rate",
        "Starts a new run from the last checkpoint, at a tenth of the learning rate",
    ),
    "slower": (
        "New run with a lower learning rate",
        "Opens the setup with the settings of this run, at a tenth of the learning rate",
    ),
    "anew": ("New run with these settings", "Opens the setup with the settings of this run"),
    "again": ("Begin again at step 0", AGAIN),
    "continue": ("Resume from the last checkpoint", "Continues training from there"),
    "take": (
        "Take over",
        "Controls this run from here; the program that controls it now will only watch it",
    ),
    "stop": ("Stop", "Writes a checkpoint and stops the run, which can be resumed later"),
}
COUNTERPARTS = {  # hidden button -> the one that undoes it, or the first of these that is shown
    "pause": ("resume",),
    "resume": ("pause",),
    "take": ("pause", "resume"),
    "stop": ("continue", "again"),
    "continue": ("pause",),
    "again": ("pause", "continue"),
}


class RunCard(QFrame):
    """Emits `asked(id)` for its buttons. Its parts' names begin with `owner`: "training.view"."""

    asked = Signal(str)

    def __init__(self, owner: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"{owner}.card")
        set_look(self, "card")
        self._text = CardText("", "new", 0, 0)
        self._glyph = Glyph("clock", "muted", 16)
        self._name = Label("", "body", weight=600)
        self._state = CutLabel("body", "muted")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Progress of the run")
        self._numbers = [(_Number(), name) for name in range(5)]
        self._message = Label("", "body", "text", wrap=True)
        self.buttons = {name: QPushButton(text) for name, (text, _) in BUTTONS.items()}
        self._state.setSizePolicy(expanding())
        told = QWidget()
        told.setSizePolicy(expanding())
        words = QHBoxLayout(told)
        words.setContentsMargins(0, 0, 0, 0)
        words.setSpacing(8)
        words.addWidget(self._glyph)
        words.addWidget(self._name)
        words.addWidget(self._state, 1)
        head = WrapRow()
        head.addWidget(told)
        for name, button in self.buttons.items():
            button.setObjectName(f"{owner}.{name}")
            button.setToolTip(BUTTONS[name][1])
            button.clicked.connect(lambda _=False, name=name: self.asked.emit(name))
            head.addWidget(button)
        numbers = WrapRow(24)
        for number, _ in self._numbers:
            numbers.addWidget(number)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self._bar)
        column.addWidget(self._message)
        column.addLayout(numbers)
        self.set_text(self._text)

    @property
    def text(self) -> CardText:
        return self._text

    def set_text(self, text: CardText) -> None:
        self._text = text
        icon, role, word = STATES.get(text.state, STATES["stopped"])
        if text.alarming:
            icon, role, word = *ALARM[:2], f"{word}, {ALARM[2]}"
        self._glyph.set(icon, role)
        self._name.setText(text.name)
        at = f"step {text.step:,} of {text.steps:,}" if text.state != "new" else ""
        self._state.set_text(", ".join(part for part in (word, at, text.note) if part))
        self._bar.setMaximum(max(1, text.steps))
        self._bar.setValue(min(text.step, max(1, text.steps)))
        for number, place in self._numbers:
            shown = place < len(text.numbers)
            number.setVisible(shown)
            if shown:
                number.set(*text.numbers[place])
        focus = self.window().focusWidget()
        focused = next((n for n, button in self.buttons.items() if button is focus), None)
        unusable = focused in dict(text.refusals) or focused not in text.buttons
        if focused is not None and unusable:
            self._move_focus(focused, text.buttons)
        for name, button in self.buttons.items():
            button.setVisible(name in text.buttons)
            why = dict(text.refusals).get(name, "")
            button.setEnabled(not why)
            button.setToolTip(why or BUTTONS[name][1])
        self._message.setText(text.message)
        self._message.setVisible(bool(text.message))
        self.setAccessibleName(f"Run {text.name}: {word}, {at} {text.message}".strip())

    def take_focus(self, name: str) -> None:
        """Moves the focus to a button if it is visible and enabled, otherwise to the card."""
        button = self.buttons[name]
        (button if button.isVisible() and button.isEnabled() else self).setFocus()

    def _move_focus(self, gone: str, shown: tuple[str, ...]) -> None:
        """Moves the focus from a button that is hidden or disabled to the one that undoes it,
        otherwise to the card. Qt would move it to the next button, and the next Space would stop
        the run.
        """
        there = next((name for name in COUNTERPARTS.get(gone, ()) if name in shown), None)
        if there is not None:
            button = self.buttons[there]
            button.setVisible(True)
            button.setEnabled(True)
            button.setFocus()
        else:
            self.setFocus()


class _Number(QWidget):
    """A number after its name, with a width that does not jitter."""

    def __init__(self) -> None:
        super().__init__()
        self._title = Label("", "label", "muted")
        self._value = Label("", "body", weight=600)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self._title)
        row.addWidget(self._value)

    def set(self, title: str, value: str) -> None:
        self._title.setText(title)
        self._value.setText(value)
        wide = theme.current().metrics("body", 600).horizontalAdvance("0" * len(value))
        self._value.setMinimumWidth(max(self._value.minimumWidth(), round(wide)))
        self.setAccessibleName(f"{title} {value}")
