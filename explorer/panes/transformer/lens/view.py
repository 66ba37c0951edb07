"""The widgets of Lens: the text, the table, who told it, what it says, and what is switched off."""

from __future__ import annotations

from functools import partial

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from core.fields import fields_of
from explorer import theme
from explorer.panes.transformer.lens import text
from explorer.panes.transformer.lens.draft import LensDraft
from explorer.panes.transformer.lens.draw_table import TableLayout, draw_table
from explorer.panes.transformer.lens.draw_terms import LINE, draw_terms
from explorer.panes.transformer.lens.scene import Scene
from explorer.widgets.base import Columns, set_look
from explorer.widgets.boxes import card, column, name_parts, page, row, wrap
from explorer.widgets.choice_picture import NONE, ChoicePicture
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.drop_down import DropDown
from explorer.widgets.grid_keys import arrow
from explorer.widgets.likeliest_bars import LikeliestBars
from explorer.widgets.prompt_line import PromptLine
from explorer.widgets.scene_picture import ScenePicture
from explorer.widgets.scroll_area import ScrollArea
from explorer.widgets.setting_fields import SettingFields
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.surprise_text import SurpriseText

NAME, SWITCHES = "transformer.lens", {"mean": None, "sublayers": None}
SIDE, SHARE, TEXT, NATS = 268, 0.42, 54, 8.0  # px; of the width; px; of the darkest tokens
LEAST = 124  # px of the bars


class Table(ScenePicture[Scene]):
    """`cellChosen(row, column)`: it was clicked, or the arrows went to it, at the sides beyond the
    table. Rows above the chosen one are faint.
    """

    NAME = "What the model would say at each place"
    LEAST = (260, 220)
    cellChosen = Signal(int, int)
    chosen = (0, 0)

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def set_chosen(self, row: int, column: int) -> None:
        self.chosen = (row, column)
        self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        scene = self.scene
        return {} if scene is None else {"words": scene.words, "probability": scene.shares}

    def table_labels(self) -> dict[str, tuple[list[str], list[str]]]:
        """What rows and columns of `displayed` are."""
        if self.scene is None:
            return {}
        columns = [f"{place} {name}" for place, name in enumerate(self.scene.read)]
        return dict.fromkeys(("words", "probability"), (list(self.scene.rows), columns))

    def layout_of(self, scene: Scene) -> TableLayout:
        return TableLayout(QRectF(self.rect()), scene, self.chosen)

    def draw(self, painter: QPainter) -> None:
        if self.scene is not None:
            layout = self.layout_of(self.scene)
            draw_table(painter, layout)
            if self.shows_focus:
                theme.current().focus_ring(painter, layout.cell(*self.chosen), 2, 1)

    def cell_at(self, point: QPointF) -> tuple[int, int] | None:
        return self.layout_of(self.scene).at(point) if self.scene is not None else None

    def said_at(self, point: QPointF) -> str:
        cell = self.cell_at(point)
        return self.scene.tip(*cell) if self.scene is not None and cell is not None else ""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position())
        if cell is not None and event.button() == Qt.MouseButton.LeftButton:
            self.cellChosen.emit(*cell)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = arrow(event)
        if move is None or self.scene is None:
            super().keyPressEvent(event)
        elif 0 <= (row := self.chosen[0] - move[0]) <= self.scene.last:
            self.cellChosen.emit(row, self.chosen[1] + move[1])


class Terms(ChoicePicture[Scene]):
    """`picked(place)` of a bar; `opened(place)`: it was clicked with the other button, or Right was
    pressed on it; `reached(y)`: the keys went to one there.
    """

    NAME = "Who told it"
    opened, reached = Signal(int), Signal(int)
    marked = NONE

    def set_scene(self, scene: Scene | None) -> None:
        """The bar that the keys are at stays."""
        hovered = self.hovered
        super().set_scene(scene)
        self.hovered = hovered if hovered in self.things() else NONE

    def set_marked(self, place: int) -> None:
        """Whose steps are played."""
        self.marked = place
        self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        scene = self.scene
        if scene is None:
            return {}
        before, after = zip(*scene.terms, strict=True)
        columns = {
            "part": np.array([term.name for term in after]),
            "value": np.array([term.value for term in after]),
            "off": np.array([scene.is_off(term) for term in after]),
        }
        if scene.found.is_changed:
            columns["before"] = np.array([term.value for term in before])
        return Columns(columns)

    def rects(self, scene: Scene) -> list[QRectF]:
        line = theme.current().px(LINE)
        return [QRectF(0, at * line, self.width(), line) for at in range(len(scene.terms))]

    def draw_scene(self, painter: QPainter, scene: Scene) -> None:
        draw_terms(painter, self.rects(scene), scene, self.exposed, (self.hovered, self.marked))

    def told(self, thing: int) -> str:
        return self.scene.told(thing) if self.scene is not None else ""

    def minimumSizeHint(self) -> QSize:
        now, lines = theme.current(), len(self.scene.terms) if self.scene is not None else 1
        return QSize(now.px(LEAST), now.px(LINE) * lines)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        if event.button() == Qt.MouseButton.RightButton and self.hovered != NONE:
            self.opened.emit(self.hovered)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if arrow(event) == (0, 1) and self.hovered != NONE:
            self.opened.emit(self.hovered)
        else:
            super().keyPressEvent(event)
            self.reached.emit(round((self.hovered + 0.5) * theme.current().px(LINE)))


class LensView(QWidget):
    """Its parts tell themselves what is chosen in them."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("transformer.lens")
        self.text, self.table, self.terms = SurpriseText(), Table(), Terms()
        self.next, self.all_on = LikeliestBars(text.EXPLAIN), QPushButton(text.ALL_ON)
        self.goes_on, self.changed = CutLabel("label", "muted"), CutLabel("label")
        self.who, self.says = CutLabel("label", "muted"), CutLabel("label", "muted")
        self.note = CutLabel("label", "muted")
        self.note.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.other, self.layer = PromptLine(), DropDown(fields_of(LensDraft)["patch_layer"].help)
        name_parts(self, NAME, "text", "table", "terms", "next", "all_on", "other", "layer")
        self.settings = SettingFields(NAME, LensDraft, SWITCHES, text.SPECIAL, self)
        self.other.setPlaceholderText(text.OTHER)
        self.other.setAccessibleName(text.OTHER)
        self.other.setToolTip(fields_of(LensDraft)["patch"].help)
        self.all_on.setToolTip(text.ALL_ON_HELP)
        set_look(self.all_on, "quiet")
        self.other.promptEdited.connect(partial(self.settings.changed.emit, "patch"))
        self.other.rested.connect(self.settings.released)
        self.layer.picked.connect(partial(self.settings.changed.emit, "patch_layer"))
        self._build()

    def _build(self) -> None:
        self._side, below, content = QWidget(), QWidget(), QWidget()
        told = card(row((self.text, 2), (column(self.goes_on, self.changed, 1, spacing=2), 1)))
        terms = ScrollArea(self.terms)
        self.terms.reached.connect(lambda y: terms.ensureVisible(0, y))
        who = card(self.who, (terms, 1))
        column((who, 1), card(self.says, self.next), of=self._side)
        column(told, (row((card(self.table), 1), self._side), 1), of=content)
        content.setAccessibleName(self.table.NAME)
        self.body = StatefulPicture(content, "grid")
        switches = self.settings.widgets.values()
        wrap(*switches, self.layer, self.other, self.note, self.all_on, of=below)
        page((self.body, 1), below, of=self)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Its size follows the zoom."""
        now = theme.current()
        self._side.setFixedWidth(min(now.px(SIDE), round(SHARE * self.width())))
        self.text.setFixedHeight(now.px(TEXT))

    def set_draft(self, draft: LensDraft, n_layer: int) -> None:
        """The parts of its settings that depend on the model's layers, and what is typed."""
        layers = [(f"into layer {layer}", layer) for layer in range(n_layer)]
        self.layer.fill(layers, min(draft.patch_layer, n_layer - 1))
        self.other.set_prompt(draft.patch)
        self.all_on.setVisible(bool(draft.off or draft.patch))

    def set_note(self, note: str) -> None:
        self.note.set_text(note)
        self.note.setVisible(bool(note))

    def set_scene(self, scene: Scene) -> None:
        found, told = scene.found, scene.found.comparison
        pieces, surprises = map(scene.piece, found.ids.tolist()), told.after.surprises
        self.text.set_text([list(pieces)], np.nan_to_num(surprises)[None], NATS)
        self.text.set_chosen(0, found.position)
        self.table.set_scene(scene)
        self.terms.set_scene(scene)
        logit, left = found.after.logit, scene.terms[-1][1].value
        self.who.set_text(text.who(scene.quoted(found.token), logit, left))
        self.says.set_text(text.loss(told.before.loss, told.after.loss, found.is_changed))
        self.body.show_ready()

    def set_continuations(self, written: list[str]) -> None:
        """How the text goes on as the model is, and, where it is changed, then."""
        told = [text.goes_on(one, bool(at)) for at, one in enumerate(written)]
        self.goes_on.set_text(told[0])
        self.changed.set_text(told[1] if told[1:] else text.HINT)
