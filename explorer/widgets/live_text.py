"""One line of text that may change in every frame.

A QLabel triggers a layout of the whole window with each new text, which costs a third of a frame.
This widget requests another size only when its length in characters changes.
"""

from __future__ import annotations

import re
from math import ceil

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer import theme
from explorer.widgets.base import LEFT, Picture, put_text, wrapped

_DIGIT = re.compile(r"\d")
MOST = 3  # lines of an elastic text


class LiveText(Picture):
    """A text in a size, weight and color role of the theme.

    An `elastic` text takes the available width and requests none: a text too long for one line
    wraps into as many as the height allows, and is cut after a whole word. Otherwise it requests
    the width of the text with its digits at their widest.
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

    @property
    def line_height(self) -> int:
        size, _, weight = self._look
        return ceil(theme.current().metrics(size, weight).height())

    def lines(self, most: int = MOST) -> list[str]:
        """Returns the text wrapped to its width, in at most `most` lines."""
        size, _, weight = self._look
        return wrapped(self._text, theme.current().font(size, weight), self.width(), most)

    def draw(self, painter: QPainter) -> None:
        size, role, weight = self._look
        now, high = theme.current(), self.line_height
        lines = self.lines(max(1, min(MOST, self.height() // high)))
        hidden = "" if " ".join(lines) == self._text else self._text
        if self.toolTip() != hidden:
            self.setToolTip(hidden)
        top = (self.height() - len(lines) * high) / 2
        for place, line in enumerate(lines):
            room = QRectF(0, top + place * high, self.width(), high)
            put_text(painter, room, line, now.font(size, weight), now.color(role), LEFT)
