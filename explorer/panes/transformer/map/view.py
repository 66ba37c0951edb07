"""The widgets of Map: the way in, the picture of the level, what the model costs, the presets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QPushButton, QWidget

from core.transformer.presets import PRESETS
from explorer import theme
from explorer.panes.transformer.map import text
from explorer.panes.transformer.map.compute import Found
from explorer.panes.transformer.map.draft import OPEN, MapDraft
from explorer.panes.transformer.map.draw_block import BlockLayout
from explorer.panes.transformer.map.draw_parts import Target
from explorer.panes.transformer.map.draw_spine import SpineLayout
from explorer.panes.transformer.map.draw_steps import StepsLayout
from explorer.panes.transformer.map.draw_tables import CostsLayout, PresetsLayout
from explorer.panes.transformer.map.scene import BlockScene, ModelScene, StepsScene
from explorer.widgets.base import Columns, Picture, set_look
from explorer.widgets.boxes import card, name_parts, page, row
from explorer.widgets.drop_down import DropDown
from explorer.widgets.grid_keys import is_enter
from explorer.widgets.pages import Pages
from explorer.widgets.scene_picture import ScenePicture
from explorer.widgets.stateful import StatefulPicture

Scene = ModelScene | BlockScene | StepsScene
LEVELS = 5  # deep at most
LAYOUTS = {ModelScene: SpineLayout, BlockScene: BlockLayout, StepsScene: StepsLayout}
COSTS = 36  # px


class Layout(Protocol):
    targets: list[Target]

    def draw(self, painter: QPainter, position: float, hovered: int) -> None: ...


class MapPicture(ScenePicture[Scene]):
    """`stepClicked(index)` of the trace; `cellClicked(row, column)` of what the step makes."""

    NAME = "The model"
    LEAST = (480, 260)
    stepClicked = Signal(int)
    cellClicked = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.hovered = -1
        self._values: dict[str, np.ndarray] = {}
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def layout_now(self) -> Layout | None:
        if self.scene is None:
            return None
        area = QRectF(self.rect()).adjusted(2, 2, -2, -2)
        return LAYOUTS[type(self.scene)](area, self.scene)  # type: ignore[operator]

    def show_values(self, values: dict[str, np.ndarray]) -> None:
        """What `displayed` gives: the numbers of the step under the cursor."""
        self._values = values

    def displayed(self) -> dict[str, np.ndarray]:
        return self._values

    def draw(self, painter: QPainter) -> None:
        if (layout := self.layout_now()) is not None:
            layout.draw(painter, self.position, self.hovered)
            if self.shows_focus:
                theme.current().focus_ring(painter, QRectF(self.rect()), 4, -3)

    def target_at(self, point: QPointF) -> Target | None:
        layout = self.layout_now()
        targets = layout.targets if layout is not None else []
        return next((one for one in targets if one.place.contains(point)), None)

    def said_at(self, point: QPointF) -> str:
        target, layout = self.target_at(point), self.layout_now()
        if target is not None:
            return target.words
        found = layout.equation.cell_at(point) if isinstance(layout, StepsLayout) else None
        return text.cell(*found) if found is not None else ""

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        target = self.target_at(event.position())
        self._hover(-1 if target is None else target.index)

    def leaveEvent(self, event: object) -> None:
        self._hover(-1)

    def _hover(self, index: int) -> None:
        if index != self.hovered:
            self.hovered = index
            pointed = Qt.CursorShape.PointingHandCursor
            self.setCursor(pointed if index >= 0 else Qt.CursorShape.ArrowCursor)
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        layout, target = self.layout_now(), self.target_at(event.position())
        if target is not None:
            self.stepClicked.emit(target.index)
        elif isinstance(layout, StepsLayout):
            found = layout.equation.cell_at(event.position())
            if found is not None and found.name == layout.equation.terms[-1].name:
                self.cellClicked.emit(found.row, found.column)


class CostBars(ScenePicture[Found]):
    """Parameters, arithmetic and memory by component."""

    NAME = "What the model costs"
    WANTED = LEAST = (360, COSTS)
    bright = ""

    def draw(self, painter: QPainter) -> None:
        if self.scene is not None:
            CostsLayout(QRectF(self.rect()), self.scene).draw(painter, self.bright)

    def set_bright(self, component: str) -> None:
        self.bright = component
        self.update()

    def said_at(self, point: QPointF) -> str:
        if self.scene is None:
            return ""
        return CostsLayout(QRectF(self.rect()), self.scene).said(point.x(), point.y())

    def displayed(self) -> dict[str, np.ndarray]:
        costs = self.scene.costs if self.scene is not None else ()
        names = ("name", "parameters", "flops", "weights", "cache", "activations")
        return Columns({name: np.array([getattr(one, name) for one in costs]) for name in names})


class PresetTable(Picture):
    """`picked(name)`: a row was clicked."""

    picked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Presets side by side", parent)
        self.shown, self.hovered = OPEN, ""
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def draw(self, painter: QPainter) -> None:
        PresetsLayout(QRectF(self.rect())).draw(painter, self.shown, self.hovered)

    def displayed(self) -> dict[str, np.ndarray]:
        names = ("n_layer", "n_head", "n_embd", "block_size", "vocab_size")
        table = {name: np.array([getattr(one, name) for one in PRESETS.values()]) for name in names}
        counts = PresetsLayout(QRectF(self.rect())).counts
        return Columns({"preset": np.array(list(PRESETS)), "parameters": counts, **table})

    def said_at(self, point: QPointF) -> str:
        name = PresetsLayout(QRectF(self.rect())).name_at(point.y())
        return text.preset_tip(name) if name else ""

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(PresetsLayout(QRectF(self.rect())).name_at(event.position().y()))

    def _hover(self, name: str) -> None:
        if name != self.hovered:
            self.hovered = name
            self.update()

    def leaveEvent(self, event: object) -> None:
        self._hover("")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.hovered:
            self.picked.emit(self.hovered)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        names, move = (
            list(PRESETS),
            {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key())),
        )
        if move is not None:
            at = names.index(self.hovered) + move if self.hovered else 0
            self._hover(names[min(max(at, 0), len(names) - 1)])
        elif is_enter(event) and self.hovered:
            self.picked.emit(self.hovered)
        else:
            super().keyPressEvent(event)


class MapView(QWidget):
    """`settingChanged(name, value)` of the draft; `outRequested(depth)`; `headChosen(head)`."""

    settingChanged = Signal(str, object)
    outRequested = Signal(int)
    headChosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("transformer.map")
        self.picture, self.costs, self.table = MapPicture(), CostBars(), PresetTable()
        self.body = StatefulPicture(self.picture, "lines")
        self.crumbs = [QPushButton() for _ in range(LEVELS)]
        for depth, crumb in enumerate(self.crumbs):
            set_look(crumb, "quiet")
            crumb.clicked.connect(lambda _, depth=depth: self.outRequested.emit(depth))
        self.heads = DropDown(text.HEAD, text.HEAD_HELP)
        self.shown = DropDown(text.SHOWN, text.SHOWN_HELP)
        self.compare = QPushButton(text.COMPARE)
        self.compare.setToolTip(text.COMPARE_HELP)
        self.compare.setCheckable(True)
        names = ("picture", "costs", "table", "heads", "shown", "compare")
        name_parts(self, "transformer.map", *names)
        self.pages = Pages(card(self.body), card(self.table))
        self._cards = self.body.parentWidget(), self.table.parentWidget()
        top = row(*self.crumbs, 1, self.heads, self.shown, self.compare)
        page(top, (self.pages, 1), self.costs, of=self)
        self.heads.picked.connect(lambda head: self.headChosen.emit(head))
        self.shown.picked.connect(lambda name: self.settingChanged.emit("shown", name))
        self.compare.clicked.connect(lambda on: self.settingChanged.emit("compared", on))
        self.table.picked.connect(lambda name: self.settingChanged.emit("shown", name))
        self.set_way(())

    def set_draft(self, draft: MapDraft) -> None:
        items = [(text.OPENED.capitalize(), OPEN), *((name, name) for name in PRESETS)]
        self.shown.fill(items, draft.shown)
        self.compare.setChecked(draft.compared)
        self.table.shown = draft.shown
        self.table.update()
        self.pages.setCurrentWidget(self._cards[draft.compared])

    def set_way(self, names: Sequence[str]) -> None:
        """The steps that one is inside of, the outermost first."""
        for crumb, name in zip(self.crumbs, [*names, *[""] * LEVELS], strict=False):
            crumb.setVisible(bool(name))
            crumb.setText(name)

    def set_heads(self, count: int, head: int) -> None:
        """count 0: there is none to choose."""
        self.heads.setVisible(count > 1)
        self.heads.fill([(f"{text.HEAD} {at + 1} of {count}", at) for at in range(count)], head)
