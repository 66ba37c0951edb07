"""Bars of the likeliest next tokens, and of the one that came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.numbers import format_percent
from explorer import theme
from explorer.widgets.bars import draw_named_bar
from explorer.widgets.base import Columns, Picture
from explorer.widgets.token_strip import chip

LINE, ROWS = 20, 6  # px; rows that there is room for


@dataclass(frozen=True)
class NextToken:
    """A token that may come next; `came`: it is the one that did."""

    piece: bytes
    share: float
    came: bool = False


class LikeliestBars(Picture):
    """The longest bar takes the whole width; shares are written."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("The likeliest next tokens", parent)
        self._tokens: tuple[NextToken, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_tokens(self, tokens: Sequence[NextToken]) -> None:
        self._tokens = tuple(tokens)
        self.data_changed()

    def displayed(self) -> dict[str, np.ndarray]:
        return Columns(
            {
                "token": np.array([chip(0, one.piece).text for one in self._tokens]),
                "probability": np.array([one.share for one in self._tokens]),
                "came": np.array([one.came for one in self._tokens]),
            }
        )

    def draw(self, painter: QPainter) -> None:
        now, font = theme.current(), theme.current().font("mono", mono=True)
        most = max((one.share for one in self._tokens), default=0.0) or 1.0
        for index, one in enumerate(self._tokens):
            line = QRectF(0, index * now.px(LINE), self.width(), now.px(LINE))
            color = now.color("accent") if one.came else now.series(0)
            told = format_percent(one.share) + (": this one came" if one.came else "")
            name, share = chip(0, one.piece).text, one.share / most
            draw_named_bar(painter, line, name, share, told, color, font, one.came)

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(480), ROWS * theme.current().px(LINE))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(400), ROWS * theme.current().px(LINE))
