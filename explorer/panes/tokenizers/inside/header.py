"""The inputs of Inside: which tokenizer, which text, and how boldly Unigram draws."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QSlider, QWidget

from explorer import theme
from explorer.panes.tokenizers.compare.header import MenuButton
from explorer.panes.tokenizers.inside.looking import LONGEST
from explorer.widgets.base import Label

FINE = 20  # steps of the slider for 1
MOST = 3 * FINE


class InsideHeader(QWidget):
    """`textEdited(text)`, `alphaChosen(alpha)`, `drawRequested`; `choice.menuOpening`."""

    textEdited = Signal(str)
    alphaChosen = Signal(float)
    drawRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenizers.inside.inputs")
        self.choice = MenuButton("chevron-down", "Tokenizer", "Look inside another tokenizer")
        self.choice.setObjectName("tokenizers.inside.choice")
        self.text = QLineEdit()
        self.text.setObjectName("tokenizers.inside.text")
        self.text.setMaxLength(LONGEST)
        self.text.setAccessibleName("Text")
        self.text.setPlaceholderText("A word or a sentence")
        self.alpha = QSlider(Qt.Orientation.Horizontal)
        self.alpha.setObjectName("tokenizers.inside.alpha")
        self.alpha.setAccessibleName("Alpha")
        self.alpha.setRange(0, MOST)
        self.alpha.setToolTip(
            "How much scores count when a way is drawn: 0 draws all ways alike, 1 as trained, "
            "more draws the best ones"
        )
        self.number = Label("", "label", "muted")
        self.draw = QPushButton("Draw")
        self.draw.setObjectName("tokenizers.inside.draw")
        self.draw.setToolTip("Draw another way to cut the text")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.choice)
        row.addWidget(self.text, 1)
        for widget in (self.number, self.alpha, self.draw):
            row.addWidget(widget)
        self.text.textEdited.connect(self.textEdited)
        self.alpha.valueChanged.connect(self._on_alpha)
        self.draw.clicked.connect(self.drawRequested)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.set_alpha(1.0)
        self.set_draws(False)

    def _on_alpha(self, value: int) -> None:
        self.number.setText(f"\u03b1 {value / FINE:.2f}")
        self.alphaChosen.emit(value / FINE)

    def set_alpha(self, alpha: float) -> None:
        with QSignalBlocker(self.alpha):
            self.alpha.setValue(round(alpha * FINE))
        self.number.setText(f"\u03b1 {alpha:.2f}")

    def set_text(self, text: str) -> None:
        if text != self.text.text():
            with QSignalBlocker(self.text):
                self.text.setText(text)

    def set_name(self, name: str) -> None:
        self.choice.setText(name.replace("&", "&&"))
        self.choice.setAccessibleName(f"Tokenizer: {name}")

    def set_draws(self, on: bool) -> None:
        """Whether the tokenizer draws at all: Unigram does."""
        for widget in (self.number, self.alpha, self.draw):
            widget.setVisible(on)

    def _restyle(self) -> None:
        now = theme.current()
        self.alpha.setFixedWidth(now.px(96))
        self.number.setFixedWidth(now.px(40))
