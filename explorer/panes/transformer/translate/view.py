"""The source, the two rows of tokens, all heads, and the likeliest next tokens."""

from __future__ import annotations

from PySide6.QtWidgets import QPushButton, QWidget

from explorer.panes.transformer.translate import text
from explorer.panes.transformer.translate.draw_alignment import TranslationPicture
from explorer.panes.transformer.translate.scene import TranslationScene
from explorer.widgets.base import Label
from explorer.widgets.boxes import card, column, name_parts, page, row
from explorer.widgets.head_mosaic import HeadMosaic
from explorer.widgets.likeliest_bars import LikeliestBars, NextToken
from explorer.widgets.pooling import squared
from explorer.widgets.prompt_line import PromptLine
from explorer.widgets.push_button import push_buttons
from explorer.widgets.stateful import StatefulPicture


class TranslateInputs(QWidget):
    """Shows the model's name, the `line` with the source, and a button."""

    def __init__(self, button: QPushButton) -> None:
        super().__init__()
        self.setObjectName("transformer.translate.inputs")
        self.model, self.line = Label(text.MODEL, "body", "muted"), PromptLine()
        self.model.setToolTip(text.MODEL_HELP)
        self.line.setAccessibleName("Date")
        self.line.setPlaceholderText(text.NO_TEXT)
        name_parts(self, "transformer.translate", "line")
        row(self.model, (self.line, 1), button, of=self)


class TranslateView(QWidget):
    """Lays out the parts, whose signals report what the user chooses."""

    def __init__(self) -> None:
        super().__init__()
        self.picture, self.bars = TranslationPicture(), LikeliestBars()
        self.heads = HeadMosaic(text.HEADS)
        name_parts(self, "transformer.translate", "picture", "heads", "bars")
        self.buttons = push_buttons("transformer.translate", text.BUTTONS, {"sharpest": "quiet"})
        words = Label(text.HEADS, "label", "muted", wrap=True)
        heads = card(row((words, 1), self.buttons["sharpest"]), (self.heads, 1))
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
        """Shows the candidates for a target token."""
        came = scene.target[place]
        self.bars.set_tokens(
            [
                NextToken(one, share, one == came, how=text.WRITTEN)
                for one, share in scene.likeliest(place)
            ]
        )
