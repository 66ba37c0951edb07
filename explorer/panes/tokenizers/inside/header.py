"""The inputs of Inside: which tokenizer, which text, and how much is left to chance."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QSlider, QWidget

from explorer import theme
from explorer.widgets.base import Label, elide, show_text
from explorer.widgets.menu_button import MenuButton
from explorer.widgets.typing_pause import TypingPause
from explorer.widgets.wrap_row import WrapRow

NAME = 160  # px of a tokenizer's name
FINE = 20  # steps of the slider for 1


@dataclass(frozen=True)
class Chance:
    """What a tokenizer leaves to chance, and how much of it."""

    sign: str
    name: str
    most: int
    help: str


CHANCES = {
    "alpha": Chance(
        "\u03b1",
        "Alpha",
        3,
        "How much scores count when a way is drawn: 0 draws all ways alike, 1 as trained, more "
        "draws the best ones",
    ),
    "dropout": Chance(
        "p",
        "Dropout",
        1,
        "BPE-dropout: how likely a merge is skipped. 0 cuts every word as usual, 1 leaves single "
        "bytes or characters",
    ),
}


class InsideHeader(QWidget):
    """`textEdited(text)`, `chanceChosen(value)`, `rested` once nothing more is typed or turned for
    a while, or elsewhere; `drawRequested`; `choice.menuOpening`. `controls`, of what is left to
    chance, are for the picture: the strip's room is the text's.
    """

    textEdited = Signal(str)
    chanceChosen = Signal(float)
    rested = Signal()
    drawRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenizers.inside.inputs")
        self.choice = MenuButton("chevron-down", "Tokenizer", "Look inside another tokenizer")
        self.choice.setObjectName("tokenizers.inside.choice")
        self.text = QLineEdit()
        self.text.setObjectName("tokenizers.inside.text")
        self.text.setAccessibleName("Text")
        self.text.setPlaceholderText("A word or a sentence")
        self.chance = QSlider(Qt.Orientation.Horizontal)
        self.chance.setObjectName("tokenizers.inside.chance")
        self.number = Label("", "label", "muted")
        self.draw = QPushButton("Draw")
        self.draw.setObjectName("tokenizers.inside.draw")
        row = WrapRow(parent=self)
        row.addWidget(self.choice)
        row.addWidget(self.text)
        self.controls = QWidget(self)
        beside = QHBoxLayout(self.controls)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(8)
        for widget in (self.number, self.chance, self.draw):
            beside.addWidget(widget)
        beside.addStretch(1)
        self._pause = TypingPause(self)
        self._pause.reached.connect(self.rested)
        self.text.textEdited.connect(self.textEdited)
        self.text.textEdited.connect(lambda _: self._pause.restart())
        self.text.editingFinished.connect(self._pause.finish)
        self.chance.valueChanged.connect(self._on_chance)
        self.chance.sliderReleased.connect(self.rested)
        self.draw.clicked.connect(self.drawRequested)
        theme.changed.connect(self._restyle)
        self._restyle()
        self._kind = ""
        self.set_chance("", 0.0)

    def _on_chance(self, value: int) -> None:
        self._tell(value / FINE)
        self.chanceChosen.emit(value / FINE)
        if not self.chance.isSliderDown():  # by keys or the wheel
            self._pause.restart()

    def set_chance(self, kind: str, value: float) -> None:
        """What the tokenizer leaves to chance: a name of CHANCES, or "" for nothing."""
        self._kind = kind
        self.controls.setVisible(bool(kind))
        if kind:
            about = CHANCES[kind]
            with QSignalBlocker(self.chance):
                self.chance.setRange(0, about.most * FINE)
                self.chance.setValue(round(value * FINE))
            self.chance.setAccessibleName(about.name)
            self.chance.setToolTip(about.help)
            self._tell(value)

    def _tell(self, value: float) -> None:
        self.number.setText(f"{CHANCES[self._kind].sign} {value:.2f}")
        certain = self._kind == "dropout" and value == 0
        self.draw.setEnabled(not certain)
        self.draw.setToolTip(
            "With a dropout of 0 nothing is left to chance: move the slider first"
            if certain
            else "Draw another way to cut the text"
        )

    def set_text(self, text: str) -> None:
        show_text(self.text, text)

    def set_name(self, name: str) -> None:
        room = theme.current().px(NAME)
        self.choice.setText(elide(name, self.choice.font(), room).replace("&", "&&"))
        self.choice.setToolTip(f"{name}: look inside another tokenizer")
        self.choice.setAccessibleName(f"Tokenizer: {name}")

    def _restyle(self) -> None:
        now = theme.current()
        self.chance.setFixedWidth(now.px(96))
        self.number.setFixedWidth(now.px(40))
