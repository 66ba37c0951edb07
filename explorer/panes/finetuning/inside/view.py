"""The widgets of Inside: the text, a matrix with its adapter, its directions, all the matrices."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QPushButton, QWidget

from explorer import theme
from explorer.panes.finetuning.inside import text
from explorer.panes.finetuning.inside.draw_spectrum import SpectrumLayout, draw_spectrum
from explorer.panes.finetuning.inside.scene import Scene
from explorer.widgets.base import Columns
from explorer.widgets.boxes import card, column, name_parts, page, row, wrap
from explorer.widgets.cell_map import CellMap, CellMapScene
from explorer.widgets.choice_picture import ChoicePicture
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.diagrams.adapter_picture import AdapterPicture
from explorer.widgets.drop_down import DropDown
from explorer.widgets.grid_keys import arrow
from explorer.widgets.prompt_line import PromptLine
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.surprise_text import SurpriseText

NAME = "finetuning.inside"
PICTURES = ("passage", "spectrum", "strength", "heads", "shared", "text")
SIDE, SHARE, TEXT, SPECTRUM = 224, 0.32, 54, 88  # px; of the width; px


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
        self.passage, self.spectrum = AdapterPicture(), Directions()
        self.strength, self.heads = CellMap(text.STRENGTH), CellMap(text.HEADS)
        self.shared = CellMap(text.SHARED)
        name_parts(self, NAME, *PICTURES)
        self._acts = CutLabel("label", "muted")
        self.scene: Scene | None = None
        self.position, self.output = 0.0, 0
        self.spectrum.pointed.connect(lambda _: self.set_cursor(self.position, self.output))
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

    def set_cursor(self, position: float, output: int) -> None:
        """Where the cursor is, and whose row is marked."""
        self.position, self.output = position, output
        if self.scene is not None:
            self.passage.set_scene(self.scene.at(position, output, self.spectrum.hovered))

    def set_scene(self, scene: Scene) -> None:
        self.scene = scene
        acts = scene.found.acts
        self.text.set_text([[*map(scene.piece, scene.ids)]], acts[None], float(acts.max()))
        self.text.set_chosen(0, scene.position)
        self._acts.set_text(text.acts(float(acts.max())))
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
