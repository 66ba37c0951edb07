"""Forking texts as a list: one line per branch, indented below the branch it forks from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter

from core.inference.text_tree import Text, TextTree
from explorer import theme
from explorer.widgets.base import LEFT, Columns, elide, put_text, visible_text
from explorer.widgets.choice_picture import ChoicePicture

LINE, INDENT, MOST, DOT = 24, 12, 6, 3.5  # px: a line, an indent; most indents; px: a dot's radius


@dataclass(frozen=True)
class BranchLine:
    """A branch: its text, its depth in forks, whether the current text passes through it and
    whether it ends there; `whole` is the text up to its end.
    """

    text: str
    indent: int
    is_on_way: bool
    is_here: bool
    whole: str


class BranchList(ChoicePicture[Sequence[BranchLine]]):
    """Emits `picked(place)` with the line of a branch."""

    NAME, WANTED = "The texts that were written", (196, 96)

    def draw_scene(self, painter: QPainter, scene: Sequence[BranchLine]) -> None:
        now, above = theme.current(), dict[int, float]()  # by indent, the last dot drawn
        for place, (branch, line) in enumerate(zip(scene, self.rects(scene), strict=True)):
            indent = min(branch.indent, MOST)
            dot = QPointF(DOT + 2 + indent * now.px(INDENT), line.center().y())
            if place == self.hovered:
                painter.fillRect(line, now.color("raised"))
            color = now.color("accent" if branch.is_on_way else "outline")
            painter.setPen(now.pen(color, 2 if branch.is_on_way else 1))
            if indent:
                corner = dot - QPointF(now.px(INDENT), 0)
                painter.drawLine(QPointF(corner.x(), above.get(indent - 1, 0) + DOT), corner)
                painter.drawLine(corner, dot - QPointF(DOT, 0))
            above[indent] = dot.y()
            painter.setBrush(color if branch.is_here else Qt.BrushStyle.NoBrush)
            painter.drawEllipse(dot, DOT, DOT)
            words = line.adjusted(dot.x() + now.px(8), 0, 0, 0)
            font = now.font("mono", 600 if branch.is_here else 400, mono=True)
            told = elide(visible_text(branch.text), font, words.width())
            role = "text" if branch.is_on_way else "muted"
            put_text(painter, words, told, font, now.color(role), LEFT)

    def set_tree(self, tree: TextTree, said: Callable[[Text], str]) -> None:
        """Shows the branches of a tree; `said` turns tokens into text."""
        here = tree.here
        self.set_scene(
            [
                BranchLine(said(one.tokens), one.indent, here[: len(one.text)] == one.text,
                           here == one.text, said(one.text))
                for one in tree.branches()
            ]
        )  # fmt: skip

    def rects(self, scene: Sequence[BranchLine]) -> list[QRectF]:
        high = theme.current().px(LINE)
        return [QRectF(0, at * high, self.width(), high) for at in range(len(scene))]

    def told(self, thing: int) -> str:
        return (self.scene or ())[thing].whole

    def displayed(self) -> dict[str, np.ndarray]:
        names = ("text", "indent", "is_on_way", "is_here")
        lines = self.scene or ()
        return Columns({name: np.array([getattr(one, name) for one in lines]) for name in names})

    def minimumSizeHint(self) -> QSize:
        return QSize(0, theme.current().px(LINE) * len(self.scene or ()))
