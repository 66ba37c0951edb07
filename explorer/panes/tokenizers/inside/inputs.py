"""The inputs above the picture: tokenizer and text."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from explorer import theme
from explorer.widgets.base import elide, show_text
from explorer.widgets.boxes import name_parts, wrap
from explorer.widgets.menu_button import MenuButton
from explorer.widgets.typing_pause import TypingPause

NAME = 160  # px, largest width of a tokenizer's name


class InsideInputs(QWidget):
    """The inputs. Emits `textEdited(text)`, `rested` after a pause in typing or when the field is
    left, and `choice.menuOpening`.
    """

    textEdited = Signal(str)
    rested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("tokenizers.inside.inputs")
        self.choice = MenuButton("chevron-down", "Tokenizer", "Look inside another tokenizer")
        self.text = QLineEdit()
        self.text.setAccessibleName("Text")
        self.text.setPlaceholderText("A word or a sentence")
        name_parts(self, "tokenizers.inside", "choice", "text")
        wrap(self.choice, self.text, of=self)
        pause = TypingPause(self)
        pause.reached.connect(self.rested)
        self.text.textEdited.connect(self.textEdited)
        self.text.textEdited.connect(lambda _: pause.restart())
        self.text.editingFinished.connect(pause.finish)

    def set_text(self, text: str) -> None:
        show_text(self.text, text)

    def set_name(self, name: str) -> None:
        room = theme.current().px(NAME)
        self.choice.setText(elide(name, self.choice.font(), room).replace("&", "&&"))
        self.choice.setToolTip(f"{name}: look inside another tokenizer")
        self.choice.setAccessibleName(f"Tokenizer: {name}")
