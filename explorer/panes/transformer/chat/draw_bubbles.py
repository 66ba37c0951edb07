"""A conversation: each message in a bubble."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QSizePolicy

from explorer import theme
from explorer.panes.transformer.chat import text
from explorer.widgets.base import LEFT, RIGHT, Columns, put_text
from explorer.widgets.choice_picture import ChoicePicture

Talk = Sequence[Mapping[str, str]]

PAD, APART, LABEL, INDENT = 10, 8, 16, 32  # px: inside a bubble, between two, its name, its side
WRAP = int(Qt.AlignmentFlag.AlignLeft) | Qt.TextFlag.TextWordWrap
LONG = re.compile(r"(\S{24})(?=\S)")  # of a word that may need two lines


class Bubbles(ChoicePicture[Talk]):
    """Messages; a person's own stand on the right. Their area scrolls by Up and Down."""

    NAME, WANTED, LEAST = "The conversation", (0, 0), (0, 0)  # its height follows its width

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def rects(self, scene: Talk, width: float = 0.0) -> list[QRectF]:
        """Where each stands, one below the other; `width`: another than the widget has."""
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
    """Long words may part where no space is."""
    return LONG.sub("\\1\u200b", said) or " "
