"""The line with the source, the two rows of tokens, all heads, and the likeliest next tokens."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer.panes.transformer.translate import text
from explorer.panes.transformer.translate.draw_alignment import Alignment, draw_alignment
from explorer.panes.transformer.translate.scene import TranslationScene
from explorer.widgets.base import Label
from explorer.widgets.boxes import card, column, name_parts, page, row
from explorer.widgets.choice_picture import ChoicePicture
from explorer.widgets.head_mosaic import HeadMosaic
from explorer.widgets.likeliest_bars import LikeliestBars, NextToken
from explorer.widgets.pooling import squared
from explorer.widgets.prompt_line import PromptLine
from explorer.widgets.push_button import push_button
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.token_strip import chip


class TranslationPicture(ChoicePicture[TranslationScene]):
    """`picked(thing)`: a token of the target, or, behind those, of the source."""

    NAME, WANTED, LEAST = "The translation, token by token", (640, 230), (360, 170)

    def draw_scene(self, painter: QPainter, scene: TranslationScene) -> None:
        draw_alignment(painter, Alignment(QRectF(self.rect()), scene), self.position)

    def rects(self, scene: TranslationScene) -> list[QRectF]:
        layout = Alignment(QRectF(self.rect()), scene)
        return [*layout.target, *layout.source]

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
        self.another = push_button(*text.BUTTONS["another"])
        self.model.setToolTip(text.MODEL_HELP)
        self.line.setAccessibleName("Date")
        self.line.setPlaceholderText(text.NO_TEXT)
        name_parts(self, "transformer.translate", "line", "another")
        row(self.model, (self.line, 1), self.another, of=self)


class TranslateView(QWidget):
    """Its parts tell themselves what is chosen in them."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("transformer.translate")
        self.picture, self.bars = TranslationPicture(), LikeliestBars()
        self.heads = HeadMosaic(text.HEADS)
        self.heads.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        name_parts(self, "transformer.translate", "picture", "heads", "bars")
        sharpest = push_button(*text.BUTTONS["sharpest"], "quiet")
        self.buttons = {"sharpest": sharpest}
        above = row((Label(text.HEADS, "label", "muted", wrap=True), 1), sharpest)
        heads = card(above, (self.heads, 1))
        bars = card(Label(text.NEXT, "label", "muted", wrap=True), self.bars, 1)
        content = QWidget()
        column((card((self.picture, 1)), 3), (row((heads, 1), (bars, 1)), 2), of=content)
        content.setAccessibleName(self.picture.NAME)
        self.body = StatefulPicture(content, "lines")
        page((self.body, 1), of=self)

    def set_scene(self, scene: TranslationScene) -> None:
        self.picture.set_scene(scene)
        self.heads.set_pooled(squared(scene.cross))
        self.heads.set_chosen(scene.head)
        self.body.show_ready()

    def show_place(self, scene: TranslationScene, place: int) -> None:
        """The likeliest tokens before the one that came."""
        came = scene.target[place]
        self.bars.set_tokens(
            [NextToken(one, share, one == came) for one, share in scene.likeliest[place]]
        )
