"""The widgets of Generate: the text colored by surprise, the bars, the sliders."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from core.inference.text_tree import Text, TextTree
from explorer import theme
from explorer.panes.transformer.generate import text
from explorer.panes.transformer.generate.compute import Choice
from explorer.panes.transformer.generate.draft import GenerateDraft
from explorer.panes.transformer.generate.draw_bars import BarsLayout, draw_bars
from explorer.panes.transformer.generate.scene import Scene
from explorer.widgets.base import Columns, Label
from explorer.widgets.boxes import card, column, name_parts, page, row
from explorer.widgets.branch_list import BranchList
from explorer.widgets.cache_picture import CachePicture
from explorer.widgets.cache_scene import CacheScene
from explorer.widgets.choice_picture import ChoicePicture
from explorer.widgets.form import scrolling
from explorer.widgets.more_button import MoreButton
from explorer.widgets.pages import Pages
from explorer.widgets.push_button import push_buttons
from explorer.widgets.scroll_area import ScrollArea
from explorer.widgets.setting_fields import SettingFields
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.surprise_text import SurpriseText
from explorer.widgets.toggle import SegmentedControl
from explorer.widgets.wrap_row import labelled

NAME, LOOKS = "transformer.generate", {"next": "primary", "again": "quiet"}
SIDE = 196  # px: width of the sliders
LINES, REST = (2, 8), 470  # least and most lines of the text; px of everything below it
NATS = 8.0  # surprise of the darkest tokens
VALUES = {
    "temperature": tuple(round(0.1 * at, 1) for at in range(21)),
    "top_k": (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 40, 50, 100, 200, 500, 0),
    "top_p": (*(round(0.05 * at, 2) for at in range(1, 20)), 0.97, 0.98, 0.99, 0.995, 1.0),
    "min_p": (0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0),
    "repetition_penalty": (1.0, 1.05, 1.1, 1.15, 1.2, 1.3, 1.5, 2.0),
    "stop_at": None,
}


class Bars(ChoicePicture[Scene]):
    """Emits `picked(row)`."""

    NAME, WANTED = "The likeliest next tokens", (640, 240)

    def draw_scene(self, painter: QPainter, scene: Scene) -> None:
        layout = BarsLayout(QRectF(self.rect()), scene)
        draw_bars(painter, layout, scene, self.position, self.hovered)

    def rects(self, scene: Scene) -> list[QRectF]:
        return BarsLayout(QRectF(self.rect()), scene).rows[: len(scene.pieces)]

    def told(self, thing: int) -> str:
        return text.row_tip(self.scene, thing) if self.scene is not None else ""

    def displayed(self) -> dict[str, np.ndarray]:
        if (scene := self.scene) is None:
            return {}
        step = scene.step(self.position)
        columns = {
            "token": [piece.decode("utf-8", "replace") for piece in scene.pieces],
            "id": scene.table.ids,
            "probability": scene.table.probabilities,
            "shown": scene.words[step][:-1],
            "cut": ~scene.table.kept[step],
        }
        return Columns({name: np.array(values) for name, values in columns.items()})


class GenerateView(QWidget):
    """Lays out the parts, whose signals report what the user chooses."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.bars, self.note = SurpriseText(), Bars(), Label("", "label", "muted")
        self.text.setAccessibleName("The text, colored by surprise")
        self.note.setToolTip(text.FACTS_HELP)
        self.forks, self.cache = BranchList(), CachePicture()
        self.cache_words = Label("", "label", "muted", wrap=True)
        self.fork_words = Label(text.NO_FORKS, "label", "muted", wrap=True)
        self.side = SegmentedControl(text.SIDES, text.SIDES_HELP)
        name_parts(self, NAME, "text", "bars", "side")
        self.buttons = push_buttons(NAME, text.BUTTONS, LOOKS)
        self.settings = SettingFields(NAME, GenerateDraft, VALUES, text.SPECIAL, self)
        self._build()
        self.side.chosen.connect(self.show_side)

    def _build(self) -> None:
        *left, again = self.buttons.values()
        *sliders, penalty, stop = self.settings.widgets.values()
        rest, self._side, content = QWidget(), QWidget(), QWidget()
        self.more = MoreButton(f"{NAME}.more", rest)
        column(labelled(text.STOP_AT, stop), penalty, of=rest, spacing=12)
        sampling = scrolling(column(*sliders, row(self.more, 1), rest, 1, spacing=12))
        forks, cache = QWidget(), QWidget()
        column(self.fork_words, (ScrollArea(self.forks), 1), of=forks)
        column((self.cache, 1), self.cache_words, of=cache)
        pages = sampling, forks, cache
        self._sides = Pages(*pages)
        self._pages = dict(zip(dict(text.SIDES), pages, strict=True))
        column(self.side, (self._sides, 1), of=self._side, spacing=12)
        below = row((card((self.bars, 1)), 1), self._side, spacing=16)
        column(card(self.text, self.note), (below, 1), of=content)
        content.setAccessibleName(self.bars.NAME)
        self.body = StatefulPicture(content, "lines")
        page((self.body, 1), row(*left, 1, again), of=self)

    def show_side(self, name: str) -> None:
        """Shows the settings, the forks, or the cache."""
        self.side.set_current(name)
        self._sides.setCurrentWidget(self._pages[name])

    def resizeEvent(self, event: object) -> None:
        """Follows the zoom."""
        self._side.setFixedWidth(theme.current().px(SIDE))
        self._fit()

    def _fit(self) -> None:
        """Gives the text the lines that it needs; a long one scrolls to its end."""
        now = theme.current()
        room = int(self.height() - now.px(REST)) // now.px(26)
        wide = self.width() - now.px(2 * (16 + 12))
        self.text.setFixedHeight(self.text.height_of(wide, min(max(room, LINES[0]), LINES[1])))

    def show_choice(self, choice: Choice, most: int) -> None:
        """Shows a text and the choice of one of its tokens; `most`: length of the context."""
        self.bars.set_scene(choice.scene)
        self.text.set_text([list(choice.pieces)], np.nan_to_num(choice.surprises)[None], NATS)
        self._fit()
        self.text.set_chosen(0, choice.place)
        kept = CacheScene(choice.read.tokens, choice.read.cache) if choice.read.cache else None
        self.note.setText(text.facts(choice, most, kept))
        self.cache.set_scene(kept)
        self.cache_words.setText(text.cache(kept))
        self.body.show_ready()

    def set_forks(self, tree: TextTree, said: Callable[[Text], str]) -> None:
        self.forks.set_tree(tree, said)
        self.fork_words.setVisible(not tree.texts)

    def set_buttons(self, *, ready: bool, writing: bool, written: bool) -> None:
        """Enables buttons. ready: a token can be drawn; written: a token can be taken back."""
        buttons = self.buttons
        buttons["next"].setEnabled(ready and not writing)
        buttons["next"].setToolTip(text.BUTTONS["next"][1] if ready else text.NOT_AT_END)
        buttons["write"].setText(text.STOP if writing else text.BUTTONS["write"][0])
        buttons["write"].setEnabled(ready or writing)
        buttons["back"].setEnabled(written and not writing)
