"""The conversation with its lines to type in, and beside it the text that the model reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtWidgets import QWidget

from explorer.panes.transformer.chat import text
from explorer.panes.transformer.chat.draft import LONGEST, ChatDraft
from explorer.panes.transformer.chat.draw_bubbles import Bubbles, Talk
from explorer.widgets.base import Label
from explorer.widgets.boxes import card, column, name_parts, page, row, wrap
from explorer.widgets.prompt_line import PromptLine
from explorer.widgets.push_button import push_buttons
from explorer.widgets.scroll_area import scrolled
from explorer.widgets.setting_fields import SettingFields
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.token_flow import TokenFlow
from explorer.widgets.tokens import tokens_of

if TYPE_CHECKING:
    from core.inference.chat import ChatPrompt
    from core.tokenization import Tokenizer

NAME, LOOKS = "transformer.chat", {"send": "primary", "inject": "quiet", "anew": "quiet"}
TEMPERATURES = tuple(round(0.1 * at, 1) for at in range(16))
VALUES = {"system": None, "temperature": TEMPERATURES, "typed_specials": None}


class ChatView(QWidget):
    """Its parts tell themselves what is done in them."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName(NAME)
        self.bubbles, self.read, self.line = Bubbles(), TokenFlow(text.READS), PromptLine()
        name_parts(self, NAME, "bubbles", "read", "line")
        self.line.setMaxLength(LONGEST)
        self.line.setPlaceholderText(text.TYPE)
        self.line.setAccessibleName(text.TYPE)
        self.settings = SettingFields(NAME, ChatDraft, VALUES, text.SPECIAL, self)
        system, temperature, self._specials = self.settings.widgets.values()
        self._specials.hide()  # until a special token is typed
        self.buttons = push_buttons(NAME, text.BUTTONS, LOOKS)
        send, inject, anew = self.buttons.values()
        said = scrolled(self.bubbles)
        below = wrap(temperature, inject, anew, self._specials)
        talk = column(system, (said, 1), row((self.line, 1), send), below)
        self.body = StatefulPicture(self.read, "lines")
        reads = card(Label(text.READS, "label", "muted", wrap=True), (self.body, 1))
        page((row((talk, 1), (reads, 1), spacing=16), 1), of=self)
        bar = said.verticalScrollBar()
        bar.rangeChanged.connect(lambda _, most: bar.setValue(most))  # the end is seen

    def set_talk(self, talk: Talk, writes: bool, can_send: bool) -> None:
        """What was said, and what the button does: it stops the model that `writes`, or sends."""
        self.bubbles.set_scene(talk)
        send = self.buttons["send"]
        title, help = text.BUTTONS["send"]
        send.setText(text.STOP if writes else title)
        send.setEnabled(writes or can_send)
        send.setToolTip(help if writes or can_send else text.CANNOT_SEND)
        self.buttons["anew"].setEnabled(not writes)

    def set_prompt(self, prompt: ChatPrompt, tokenizer: Tokenizer) -> None:
        """The text; colored is what messages say. Its end is seen."""
        tokens = tokens_of(prompt.data, prompt.ids, prompt.spans, tokenizer)
        is_special = np.isin(tokens.ids, list(tokens.special))
        self.read.set_tokens(tokens)
        self.read.set_differing((np.array(prompt.origin) >= 0) | is_special)
        self.read.set_marked(-1, -1)
        self.read.scroll_to(len(tokens.data))
        self._specials.setVisible(bool(prompt.typed))
        self.body.show_ready()
