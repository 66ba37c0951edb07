"""The conversation with its input line, and next to it the text that the model reads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer import theme
from explorer.panes.transformer.chat import text
from explorer.panes.transformer.chat.draft import LONGEST, ChatDraft
from explorer.widgets.base import LEFT, RIGHT, Columns, Label, put_text
from explorer.widgets.boxes import card, column, name_parts, page, row, wrap
from explorer.widgets.choice_picture import ChoicePicture
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
Talk = Sequence[Mapping[str, str]]
PAD, APART, LABEL, INDENT = 10, 8, 16, 32  # px: padding, gap, height of a name, indent
WRAP = int(Qt.AlignmentFlag.AlignLeft) | Qt.TextFlag.TextWordWrap
LONG = re.compile(r"(\S{24})(?=\S)")  # finds the places where a long word may break


class Bubbles(ChoicePicture[Talk]):
    """Draws the messages, the user's on the right. Up and Down scroll their area."""

    NAME, WANTED, LEAST = "The conversation", (0, 0), (0, 0)  # its height depends on its width

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def rects(self, scene: Talk, width: float = 0.0) -> list[QRectF]:
        """Returns the rectangles of all bubbles, from the top; `width` replaces the widget's."""
        now, width, y, rects = theme.current(), width or self.width(), 0.0, list[QRectF]()
        pad, metrics = now.px(PAD), now.metrics("body")
        most = max(width - now.px(INDENT) - 2 * pad, now.px(40))
        for one in scene:
            area = metrics.boundingRect(QRectF(0, 0, most, 1e6), WRAP, _breakable(one["content"]))
            wide = min(area.width() + 1, most) + 2 * pad
            left = width - wide if one["role"] == "user" else 0.0
            rects.append(QRectF(left, y + now.px(LABEL), wide, area.height() + pad))
            y = rects[-1].bottom() + now.px(APART)
        return rects

    def heightForWidth(self, width: int) -> int:
        return round(max((one.bottom() for one in self.rects(self.scene or (), width)), default=0))

    def told(self, thing: int) -> str:
        return text.BUBBLE

    def displayed(self) -> dict[str, np.ndarray]:
        talk = self.scene or ()
        names = np.array([text.NAMES[one["role"]] for one in talk])
        return Columns({"name": names, "text": np.array([one["content"] for one in talk])})

    def draw_scene(self, painter: QPainter, scene: Talk) -> None:
        now = theme.current()
        for place, (one, rect) in enumerate(zip(scene, self.rects(scene), strict=True)):
            is_own = one["role"] == "user"
            label = QRectF(0, rect.top() - now.px(LABEL), self.width(), now.px(LABEL))
            side, name = RIGHT if is_own else LEFT, text.NAMES[one["role"]]
            put_text(painter, label, name, now.font("label"), now.color("muted"), side)
            painter.setPen(now.pen("accent", 2) if place == self.hovered else now.pen("divider"))
            painter.setBrush(now.color("selected" if is_own else "raised"))
            painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), 8, 8)
            pad = now.px(PAD)
            painter.setFont(now.font("body"))
            painter.setPen(now.color("text"))
            words = rect.adjusted(pad, pad / 2, -pad, -pad / 2)
            painter.drawText(words, WRAP, _breakable(one["content"]))


def _breakable(said: str) -> str:
    """Allows line breaks inside long words."""
    return LONG.sub("\\1\u200b", said) or " "


class ChatView(QWidget):
    """Lays out the parts, whose signals report what the user does."""

    def __init__(self) -> None:
        super().__init__()
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
        bar.rangeChanged.connect(lambda _, most: bar.setValue(most))  # scrolls to the end

    def set_talk(self, talk: Talk, writes: bool, can_send: bool) -> None:
        """Shows the conversation. The button stops the model if it `writes`; otherwise it sends."""
        self.bubbles.set_scene(talk)
        send = self.buttons["send"]
        title, help = text.BUTTONS["send"]
        send.setText(text.STOP if writes else title)
        send.setEnabled(writes or can_send)
        send.setToolTip(help if writes or can_send else text.CANNOT_SEND)
        self.buttons["anew"].setEnabled(not writes)

    def set_prompt(self, prompt: ChatPrompt, tokenizer: Tokenizer) -> None:
        """Shows the end of the text; the tokens of messages are colored."""
        tokens = tokens_of(prompt.data, prompt.ids, prompt.spans, tokenizer)
        is_special = np.isin(tokens.ids, list(tokens.special))
        self.read.set_tokens(tokens)
        self.read.set_differing((np.array(prompt.origin) >= 0) | is_special)
        self.read.set_marked(-1, -1)
        self.read.set_framed(prompt.typed)
        self.read.scroll_to(len(tokens.data))
        self._specials.setVisible(bool(prompt.typed))
        self.body.show_ready()
