"""The line with the source, the two rows of tokens, all heads, and the likeliest next tokens."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QPushButton, QWidget

from explorer import theme
from explorer.panes.transformer.translate import text
from explorer.panes.transformer.translate.draw_alignment import Alignment, draw_alignment
from explorer.panes.transformer.translate.scene import TranslationScene
from explorer.widgets.base import Label
from explorer.widgets.boxes import card, name_parts, page, row
from explorer.widgets.choice_picture import ChoicePicture
from explorer.widgets.head_mosaic import HeadMosaic
from explorer.widgets.likeliest_bars import LikeliestBars, NextToken
from explorer.widgets.prompt_line import PromptLine
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.token_strip import chip

MARGIN = 6  # px


class TranslationPicture(ChoicePicture[TranslationScene]):
    """`picked(thing)`: a token of the target, or, behind those, of the source."""

    NAME, WANTED, LEAST = "The translation, token by token", (640, 230), (360, 170)

    def draw_scene(self, painter: QPainter, scene: TranslationScene) -> None:
        draw_alignment(painter, self._laid_out(scene), self.position)

    def _laid_out(self, scene: TranslationScene) -> Alignment:
        margin = theme.current().px(MARGIN)
        return Alignment(QRectF(self.rect()).adjusted(margin, 0, -margin, 0), scene)

    def thing_at(self, point: QPointF) -> int:
        assert self.scene is not None
        return self._laid_out(self.scene).at(point)

    def things(self) -> Sequence[int]:
        return range(len(self.scene.target)) if self.scene is not None else ()

    def told(self, thing: int) -> str:
        assert self.scene is not None
        last = len(self.scene.target) - 1
        if thing <= last:
            return text.target_tip(self.scene, thing)
        place = min(math.ceil(self.position), last)
        return text.source_tip(self.scene, place, thing - last - 1)

    def displayed(self) -> dict[str, np.ndarray]:
        if self.scene is None:
            return {}
        rows = {"source": self.scene.source, "target": self.scene.target}
        texts = {name: np.array([chip(0, one).text for one in row]) for name, row in rows.items()}
        return texts | {"weights": self.scene.weights}


class TranslateHeader(QWidget):
    """The model's name, the `line` with the source, and the button `another`."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("transformer.translate.inputs")
        self.model, self.line = Label(text.MODEL, "body", "muted"), PromptLine()
        self.another = QPushButton(text.ANOTHER)
        self.model.setToolTip(text.MODEL_HELP)
        self.line.setAccessibleName("Date")
        self.line.setPlaceholderText(text.NO_TEXT)
        self.another.setToolTip(text.ANOTHER_HELP)
        name_parts(self, "transformer.translate", "line", "another")
        row(self.model, (self.line, 1), self.another, of=self)


class TranslateView(QWidget):
    """Its parts tell themselves what is chosen in them."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("transformer.translate")
        self.picture, self.bars = TranslationPicture(), LikeliestBars()
        self.heads = HeadMosaic(text.HEADS)
        name_parts(self, "transformer.translate", "picture", "heads", "bars")
        self.body = StatefulPicture(self.picture, "lines")
        heads = card(Label(text.HEADS, "label", "muted"), (self.heads, 1))
        bars = card(Label(text.NEXT, "label", "muted"), self.bars, 1)
        page((card((self.body, 1)), 3), (row((heads, 1), (bars, 1)), 2), of=self)

    def set_scene(self, scene: TranslationScene) -> None:
        self.picture.set_scene(scene)
        self.heads.set_pooled(scene.maps)
        self.heads.set_chosen(scene.head)
        self.body.show_ready()

    def show_place(self, scene: TranslationScene, place: int) -> None:
        """The likeliest tokens before the one that came."""
        rows = zip(*scene.likeliest[place], strict=True)
        came = scene.target[place]
        self.bars.set_tokens([NextToken(one, float(share), one == came) for one, share in rows])
