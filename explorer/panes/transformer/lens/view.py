"""The widgets of Lens: the text, the table, who told it, what it says, and what is switched off."""

from __future__ import annotations

from functools import partial

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QPushButton, QWidget

from explorer import theme
from explorer.panes.transformer.lens import text
from explorer.panes.transformer.lens.draft import LensDraft, Part
from explorer.panes.transformer.lens.draw_table import TableLayout, draw_table
from explorer.panes.transformer.lens.draw_terms import TermsLayout, draw_terms
from explorer.panes.transformer.lens.scene import Scene
from explorer.widgets.base import Columns, Label, set_look
from explorer.widgets.boxes import card, column, name_parts, page, row, wrap
from explorer.widgets.choice_picture import NONE, ChoicePicture
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.drop_down import DropDown
from explorer.widgets.grid_keys import arrow
from explorer.widgets.likeliest_bars import LikeliestBars
from explorer.widgets.prompt_line import PromptLine
from explorer.widgets.scene_picture import ScenePicture
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.surprise_text import SurpriseText
from explorer.widgets.toggle import SegmentedControl, Switch
from explorer.widgets.wrap_row import labelled

SIDE, SHARE, TEXT, NATS = 268, 0.42, 54, 8.0  # px; of the width; px; of the darkest tokens


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

    def said_at(self, point: QPointF) -> str:
        cell = self.layout_of(self.scene).at(point) if self.scene is not None else None
        return self.scene.tip(*cell) if self.scene is not None and cell is not None else ""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self.layout_of(self.scene).at(event.position()) if self.scene is not None else None
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
    pressed on it. The wheel goes on to bars that have no room.
    """

    NAME = "Who told it"
    LEAST = (124, 126)
    opened = Signal(int)
    first, marked = 0, NONE

    def set_marked(self, place: int) -> None:
        """Whose steps are played."""
        self.marked = place
        self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        bars = self.scene.bars if self.scene is not None else []
        columns = {
            "part": np.array([bar.name for bar in bars]),
            "value": np.array([bar.value for bar in bars]),
            "off": np.array([bar.is_off for bar in bars]),
        }
        if bars and bars[0].before is not None:
            columns["before"] = np.array([bar.before for bar in bars])
        return Columns(columns)

    def layout_of(self, scene: Scene) -> TermsLayout:
        return TermsLayout(QRectF(self.rect()), scene.bars, self.first)

    def draw_scene(self, painter: QPainter, scene: Scene) -> None:
        draw_terms(painter, self.layout_of(scene), self.hovered, self.marked)

    def thing_at(self, point: QPointF) -> int:
        assert self.scene is not None
        layout = self.layout_of(self.scene)
        line = int(point.y() // layout.line)
        return layout.things[line] if 0 <= line < len(layout.things) else NONE

    def things(self) -> range:
        return range(len(self.scene.bars) if self.scene is not None else 0)

    def told(self, thing: int) -> str:
        bars = self.scene.bars if self.scene is not None else []
        return bars[thing].tip if thing < len(bars) else text.OTHERS

    def wheelEvent(self, event: QWheelEvent) -> None:
        before, delta = self.first, event.angleDelta().y()
        self._scroll(before + (delta < 0) - (delta > 0))
        event.setAccepted(self.first != before)  # else the page scrolls

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        if event.button() == Qt.MouseButton.RightButton and self.hovered != NONE:
            self.opened.emit(self.hovered)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if arrow(event) == (0, 1) and self.hovered != NONE:
            self.opened.emit(self.hovered)
            return
        super().keyPressEvent(event)
        if self.scene is not None and self.hovered in self.things():
            self._scroll(self.layout_of(self.scene).first_with(self.hovered))

    def _scroll(self, first: int) -> None:
        self.first = first
        if self.scene is not None:
            self.first = self.layout_of(self.scene).first
        self.update()


class LensView(QWidget):
    """`settingChanged(name, value)`: of the draft; `settled`: it was typed. The pictures tell the
    other clicks themselves.
    """

    settingChanged = Signal(str, object)
    settled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("transformer.lens")
        self.text, self.table, self.terms = SurpriseText(), Table(), Terms()
        self.next, self.who, self.says = (
            LikeliestBars(text.EXPLAIN), CutLabel("label", "muted"), CutLabel("label", "muted"),
        )  # fmt: skip
        self.goes_on, self.changed = CutLabel("label", "muted"), CutLabel("label")
        self.all_on, self.how = (
            QPushButton(text.ALL_ON),
            SegmentedControl(text.HOW, text.LABELS["how"]),
        )
        self.patch = Switch(text.PATCH)
        self.switches = {name: Switch(text.LABELS[name]) for name in ("sublayers", "patch_all")}
        self.sublayers, self.patch_all = self.switches.values()
        self.other, self.layer = PromptLine(), DropDown(text.PATCH_LAYER)
        self.other.setPlaceholderText(text.OTHER)
        self.other.setAccessibleName(text.OTHER)
        self.off, self.why = Label("", "label", "muted"), Label("", "label", "muted")
        set_look(self.all_on, "quiet")
        for name, help in text.HELP.items():
            getattr(self, name).setToolTip(help)
        parts = ("text", "table", "terms", "next", "other", "layer")
        name_parts(self, "transformer.lens", *parts, *text.HELP)
        self._build()
        self._connect()

    def _build(self) -> None:
        self.form, self._side, below, content = (QWidget() for _ in range(4))
        told = card(row((self.text, 2), (column(self.goes_on, self.changed, 1, spacing=2), 1)))
        column((card(self.who, (self.terms, 1)), 1), card(self.says, self.next), of=self._side)
        column(told, (row((card(self.table), 1), self._side), 1), of=content)
        content.setAccessibleName(self.table.NAME)
        self.body = StatefulPicture(content, "grid")
        row(self.layer, (self.other, 1), self.why, self.patch_all, of=self.form)
        how = labelled(text.LABELS["how"], self.how)
        wrap(how, self.sublayers, self.patch, self.off, self.all_on, of=below)
        page((self.body, 1), self.form, below, of=self)

    def _connect(self) -> None:
        changed = self.settingChanged.emit
        self.how.chosen.connect(partial(changed, "how"))
        for name, switch in self.switches.items():
            switch.toggled.connect(partial(changed, name))
        self.layer.picked.connect(partial(changed, "patch_layer"))
        self.other.promptEdited.connect(partial(changed, "patch"))
        self.other.rested.connect(self.settled)
        self.patch.toggled.connect(self._on_patch)

    def _on_patch(self, on: bool) -> None:
        self.form.setVisible(on)
        if on:
            self.other.setFocus()
        else:
            self.settingChanged.emit("patch", "")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Its size follows the zoom."""
        now = theme.current()
        self._side.setFixedWidth(min(now.px(SIDE), round(SHARE * self.width())))
        self.text.setFixedHeight(now.px(TEXT))

    def set_draft(self, draft: LensDraft, n_layer: int, off: list[Part]) -> None:
        """`off`: those of its parts that the model has."""
        layers = [(f"into layer {layer}", layer) for layer in range(n_layer)]
        self.layer.fill(layers, min(draft.patch_layer, n_layer - 1))
        self.other.set_prompt(draft.patch)
        self.how.set_current(draft.how)
        is_patching = bool(draft.patch) or self.patch.isChecked()
        for switch, on in (
            (self.sublayers, draft.reads_sublayers(n_layer)),
            (self.patch, is_patching),
            (self.patch_all, draft.patch_all),
        ):
            with QSignalBlocker(switch):
                switch.setChecked(on)
        self.form.setVisible(is_patching)
        self.off.setText(text.off(off))
        self.all_on.setVisible(bool(off))

    def set_scene(self, scene: Scene) -> None:
        found, told = scene.found, scene.found.comparison
        pieces, surprises = map(scene.piece, found.ids.tolist()), told.after.surprises
        self.text.set_text([list(pieces)], np.nan_to_num(surprises)[None], NATS)
        self.text.set_chosen(0, found.position)
        self.table.set_scene(scene)
        self.terms.set_scene(scene)
        self.who.set_text(text.who(scene.quoted(found.token), found.after.norms))
        self.says.set_text(text.loss(told.before.loss, told.after.loss, found.is_changed))
        self.body.show_ready()

    def set_continuations(self, written: list[str]) -> None:
        """How the text goes on as the model is, and, where it is changed, then."""
        told = [text.goes_on(one, bool(at)) for at, one in enumerate(written)]
        self.goes_on.set_text(told[0])
        self.changed.set_text(told[1] if told[1:] else "")
