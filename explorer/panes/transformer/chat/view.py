"""The conversation with its lines to type in, and beside it the text that the model reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QWidget

from explorer.panes.prompt_header import ModelHeader
from explorer.panes.transformer.chat import text
from explorer.panes.transformer.chat.draft import LONGEST, ChatDraft
from explorer.widgets.base import Label, set_look
from explorer.widgets.boxes import card, column, name_parts, page, row
from explorer.widgets.bubbles import Bubbles
from explorer.widgets.drop_down import DropDown
from explorer.widgets.prompt_line import PromptLine
from explorer.widgets.scroll_area import scrolled
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.token_flow import TokenFlow
from explorer.widgets.tokens import tokens_of
from explorer.widgets.wrap_row import labelled

if TYPE_CHECKING:
    from core.inference.chat import ChatPrompt
    from core.tokenization import Tokenizer

TEMPERATURES = (0.0, 0.2, 0.5, 0.7, 1.0, 1.5)


class ChatHeader(ModelHeader):
    """`temperature.picked(value)`, `specials.picked(as tokens)`."""

    def __init__(self) -> None:
        self.temperature = DropDown(text.TEMPERATURE)
        self.specials = DropDown(text.SPECIALS, text.READ_HELP)
        self._typed = labelled(text.SPECIALS, self.specials)
        heat = labelled(text.TEMPERATURE, self.temperature)
        super().__init__("transformer.chat", heat, self._typed)
        name_parts(self, "transformer.chat", "temperature", "specials")
        self.show_specials(False)

    def set_draft(self, draft: ChatDraft) -> None:
        known = sorted({*TEMPERATURES, draft.temperature})
        self.temperature.fill([(text.temperature(one), one) for one in known], draft.temperature)
        self.specials.fill(text.READ_AS, draft.typed_specials)

    def show_specials(self, shown: bool) -> None:
        """Asks how special tokens are read, where somebody has typed some."""
        self._typed.setVisible(shown)


class ChatView(QWidget):
    """`systemEdited(text)`, and `settled` after it; `typed(text)`; `sendRequested`: Enter or the
    button; `anewRequested`, `injectionRequested`.
    """

    systemEdited = Signal(str)
    settled = Signal()
    typed = Signal(str)
    sendRequested = Signal()
    anewRequested = Signal()
    injectionRequested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("transformer.chat")
        self.bubbles, self.read = Bubbles(), TokenFlow(text.READS)
        self.system, self.line = PromptLine(), PromptLine()
        self.send, self.anew, self.inject = (
            QPushButton(words) for words in (text.SEND, text.ANEW, text.INJECT)
        )
        parts = ("bubbles", "read", "system", "line", "send", "anew", "inject")
        name_parts(self, "transformer.chat", *parts)
        for line, words in ((self.system, text.SYSTEM), (self.line, text.TYPE)):
            line.setMaxLength(LONGEST)
            line.setPlaceholderText(words)
            line.setAccessibleName(words)
        set_look(self.send, "primary")
        for button, help in ((self.anew, text.ANEW_HELP), (self.inject, text.INJECT_HELP)):
            set_look(button, "quiet")
            button.setToolTip(help)
        self._said = scrolled(self.bubbles)
        talk = column(
            self.system, (self._said, 1), row(self.line, self.send), row(self.inject, 1, self.anew)
        )
        self.body = StatefulPicture(self.read, "lines")
        reads = card(Label(text.READS, "label", "muted", wrap=True), (self.body, 1))
        page((row((talk, 1), (reads, 1), spacing=16), 1), of=self)
        self.system.promptEdited.connect(self.systemEdited)
        self.system.rested.connect(self.settled)
        self.line.promptEdited.connect(self.typed)
        self.line.returnPressed.connect(self.sendRequested)
        self.send.clicked.connect(self.sendRequested)
        self.anew.clicked.connect(self.anewRequested)
        self.inject.clicked.connect(self.injectionRequested)
        self._said.verticalScrollBar().rangeChanged.connect(
            lambda _, most: self._said.verticalScrollBar().setValue(most)
        )

    def set_prompt(self, prompt: ChatPrompt, tokenizer: Tokenizer) -> None:
        """The text; colored is what messages say. Its end is seen."""
        tokens = tokens_of(prompt.data, prompt.ids, prompt.spans, tokenizer)
        is_special = np.isin(tokens.ids, list(tokens.special))
        self.read.set_tokens(tokens)
        self.read.set_differing((np.array(prompt.origin) >= 0) | is_special)
        self.read.scroll_to(len(tokens.data))
        self.body.show_ready()

    def set_writing(self, writing: bool, can_send: bool, waits: bool) -> None:
        """What the button does now; `waits`: what was said last has no answer."""
        self.send.setText(text.STOP if writing else text.ANSWER if waits else text.SEND)
        self.send.setEnabled(writing or can_send)
        self.send.setToolTip("" if writing or can_send else text.CANNOT_SEND)
        self.anew.setEnabled(not writing)
