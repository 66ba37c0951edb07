"""The widgets of Inside: the text, a matrix with its adapter, its directions, all the matrices."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QPushButton, QWidget

from explorer import theme
from explorer.panes.finetuning.inside import text
from explorer.panes.finetuning.inside.draw_spectrum import SpectrumLayout, draw_spectrum
from explorer.panes.finetuning.inside.scene import Scene
from explorer.widgets.base import Columns
from explorer.widgets.boxes import card, column, name_parts, page, row, wrap
from explorer.widgets.cell_map import CellMap, CellMapScene
from explorer.widgets.choice_picture import NONE, ChoicePicture
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.diagrams.adapter import ROWS, AdapterLayout, draw_adapter
from explorer.widgets.diagrams.scenes import AdapterScene
from explorer.widgets.drop_down import DropDown
from explorer.widgets.grid_keys import arrow
from explorer.widgets.prompt_line import PromptLine
from explorer.widgets.scene_picture import ScenePicture
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.surprise_text import SurpriseText

NAME = "finetuning.inside"
SIDE, SHARE, TEXT, SPECTRUM = 224, 0.32, 54, 88  # px; of the width; px


class Passage(ScenePicture[Scene]):
    """`outputChosen(output)`: a row was clicked, or the arrows went to it."""

    NAME = text.NAME
    LEAST = (400, 180)
    outputChosen = Signal(int)
    output, direction = 0, NONE

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def set_output(self, output: int) -> None:
        self.output = output
        self.update()

    def set_direction(self, direction: int) -> None:
        """The one of the change that is seen alone; NONE: all of them."""
        self.direction = direction
        self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        """What stands in each place, at the cursor."""
        if self.scene is None:
            return {}
        return {name: content.values for name, content in self.shown(self.scene).now.items()}

    def shown(self, scene: Scene) -> AdapterScene:
        """At the cursor."""
        return scene.at(self.position, self.output, self.direction)

    def layout_of(self, scene: Scene) -> AdapterLayout:
        return AdapterLayout(QRectF(self.rect()), self.shown(scene).size)

    def draw(self, painter: QPainter) -> None:
        if self.scene is not None:
            draw_adapter(painter, self.layout_of(self.scene), self.shown(self.scene))
            if self.shows_focus:
                theme.current().focus_ring(painter, QRectF(self.rect()), 4, -2)

    def said_at(self, point: QPointF) -> str:
        found = self.layout_of(self.scene).at(point) if self.scene is not None else None
        if found is None:
            return ""
        name, down, across = found
        content = self.shown(self.scene).now.get(name)
        if content is None:
            return ""
        rows, columns = content.values.shape
        at = int(down * rows), int(across * columns)
        return text.cell(content.name, *at, float(content.values[at]), content.values.shape)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self.layout_of(self.scene).at(event.position()) if self.scene else None
        if found is not None and found[0] in ROWS and event.button() == Qt.MouseButton.LeftButton:
            self.outputChosen.emit(int(found[1] * self.scene.outputs))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = arrow(event)
        if move is None or self.scene is None or not move[0]:
            super().keyPressEvent(event)
        else:
            self.outputChosen.emit(min(max(self.output + move[0], 0), self.scene.outputs - 1))


class Directions(ChoicePicture[Scene]):
    """The spectrum of the change. `checkpointChosen(step)`: a person has clicked beside the bars,
    drags there, or pressed Left or Right.
    """

    NAME = text.SPECTRUM
    LEAST = (240, 80)
    checkpointChosen = Signal(int)

    def displayed(self) -> dict[str, np.ndarray]:
        if self.scene is None:
            return {}
        found = self.scene.found
        return Columns({
            "singular value": found.spectrum.values, "share": found.spectrum.shares,
            "familiar to W": found.familiar,
        })  # fmt: skip

    def layout_of(self, scene: Scene) -> SpectrumLayout:
        return SpectrumLayout(QRectF(self.rect()), scene)

    def rects(self, scene: Scene) -> list[QRectF]:
        return self.layout_of(scene).bars

    def draw_scene(self, painter: QPainter, scene: Scene) -> None:
        draw_spectrum(painter, self.layout_of(scene), scene, self.hovered)

    def told(self, thing: int) -> str:
        found = self.scene.found  # type: ignore[union-attr]
        numbers = found.spectrum.values, found.spectrum.shares, found.familiar
        return text.direction(thing, *(float(one[thing]) for one in numbers))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        if event.buttons() & Qt.MouseButton.LeftButton and self.scene is not None:
            step = self.layout_of(self.scene).step_at(event.position())
            if step is not None and step != self.scene.found.step:
                self.checkpointChosen.emit(step)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move, found = arrow(event), self.scene.found if self.scene is not None else None
        if move is None or not move[1] or found is None or found.step is None:
            super().keyPressEvent(event)
            return
        at = found.steps.index(found.step) + move[1]
        self.checkpointChosen.emit(found.steps[min(max(at, 0), len(found.steps) - 1)])


class InsideHeader(QWidget):
    """Which matrix, what is read, and what it is compared with."""

    def __init__(self) -> None:
        super().__init__()
        self.matrix, self.line = DropDown("Matrix", text.MATRIX_HELP), PromptLine()
        self.line.setAccessibleName(text.READS)
        self.line.setToolTip(text.READS)
        self.compare = QPushButton(text.COMPARE)
        self.compare.setToolTip(text.COMPARE_HELP)
        name_parts(self, NAME, "matrix", "line", "compare")
        wrap(self.matrix, self.line, self.compare, of=self)


class InsideView(QWidget):
    """The picture, and beside it the whole adapter."""

    buttons: Mapping[str, QPushButton] = {}

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName(NAME)
        self.text = SurpriseText(text.ACTING, "share of W x", text.acting)
        self.passage, self.spectrum = Passage(), Directions()
        self.strength, self.heads = CellMap(text.STRENGTH), CellMap(text.HEADS)
        self.shared = CellMap(text.SHARED)
        name_parts(self, NAME, "text", "passage", "spectrum", "strength", "heads", "shared")
        self._acts = CutLabel("label", "muted")
        self.spectrum.pointed.connect(self.passage.set_direction)
        self._build()

    def _build(self) -> None:
        self._side, content = QWidget(), QWidget()
        cards = {}
        for name, words in text.TITLES.items():
            title = CutLabel("label", "muted")
            title.set_text(words)
            cards[name] = card(title, (getattr(self, name), 1))
        self._compared = cards["shared"]
        column(*((one, 1) for one in cards.values()), of=self._side)
        main = card((self.passage, 1), self.spectrum)
        told = card(self._acts, self.text)
        column(told, (row((main, 1), self._side), 1), of=content)
        self.body = StatefulPicture(content, "grid")
        page((self.body, 1), of=self)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Its size follows the zoom."""
        now = theme.current()
        self._side.setFixedWidth(min(now.px(SIDE), round(SHARE * self.width())))
        self.text.setFixedHeight(now.px(TEXT))
        self.spectrum.setFixedHeight(now.px(SPECTRUM))

    def set_scene(self, scene: Scene) -> None:
        acts = scene.found.acts
        self.text.set_text([[*map(scene.piece, scene.ids)]], acts[None], float(acts.max()))
        self.text.set_chosen(0, scene.position)
        self._acts.set_text(text.acts(float(acts.max())))
        self.passage.set_scene(scene)
        self.spectrum.set_scene(scene)
        rows, columns, values, names = scene.grid
        chosen = int(np.argmax(names == scene.found.name))
        self.strength.set_scene(CellMapScene(rows, columns, values, chosen, text.STRONG))
        layers, heads = map(range, scene.found.heads.shape)
        rows, columns = [f"layer {at}" for at in layers], [f"{at}" for at in heads]
        self.heads.set_scene(CellMapScene(rows, columns, scene.found.heads, told=text.HEAD))
        shared = scene.found.shared
        self._compared.setVisible(shared is not None)
        if shared is not None:
            rows, columns = ([f"{at + 1}" for at in range(size)] for size in shared.shape)
            self.shared.set_scene(CellMapScene(rows, columns, shared, told=text.BOTH))
        self.body.show_ready()
