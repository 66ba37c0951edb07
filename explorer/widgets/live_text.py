"""One line of text that may change in every frame.

A QLabel has the whole window laid out anew with each text that it is given, which costs a third of
a frame. This one asks for other room only when its length in characters changes.
"""

from __future__ import annotations

import re

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer import theme
from explorer.widgets.base import LEFT, Picture, elide, put_text

_DIGIT = re.compile(r"\d")
_LEAD = re.compile(r"[^:]*: (?=\w+ \d)")  # "after 3 steps: loss 0.69": what stands before a number


class LiveText(Picture):
    """A text of a theme's size, weight and color role. Where there is little room, words before a
    colon and a number go first; else it is elided in the middle, for a sentence often says at its
    end what has come of it.

    `elastic` takes what room there is and asks for none; otherwise as much as the text needs with
    its digits at their widest.
    """

    def __init__(
        self,
        name: str,
        size: str = "body",
        role: str = "text",
        weight: int = 400,
        elastic: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(name, parent)
        self._look = (size, role, weight)
        self._text = ""
        self._elastic = elastic
        policy = QSizePolicy.Policy
        self.setSizePolicy(policy.Ignored if elastic else policy.Fixed, policy.Fixed)

    def text(self) -> str:
        return self._text

    def set_text(self, text: str) -> None:
        if text == self._text:
            return
        room = self.sizeHint()
        self._text = text
        self.setAccessibleDescription(text)
        if not self._elastic and self.sizeHint() != room:
            self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        size, _, weight = self._look
        metrics = theme.current().metrics(size, weight)
        widest = _DIGIT.sub("0", self._text)
        return QSize(round(metrics.horizontalAdvance(widest)) + 2, round(metrics.height()) + 2)

    def draw(self, painter: QPainter) -> None:
        size, role, weight = self._look
        now = theme.current()
        font = now.font(size, weight)
        shown = elide(self._text, font, self.width())
        shorter = _LEAD.sub("\u2026", self._text, count=1)
        if shown != self._text != shorter:
            shown = elide(shorter, font, self.width(), Qt.TextElideMode.ElideRight)
        hidden = self._text if shown != self._text else ""
        if self.toolTip() != hidden:
            self.setToolTip(hidden)
        put_text(painter, QRectF(self.rect()), shown, font, now.color(role), LEFT)
