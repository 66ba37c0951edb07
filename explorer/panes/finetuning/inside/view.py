"""The widgets of Inside: the text, a matrix with its adapter, its directions, all the matrices."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.panes.finetuning.inside import text
from explorer.panes.finetuning.inside.draw_passage import PassageLayout, draw_passage
from explorer.panes.finetuning.inside.draw_spectrum import bars_of, draw_spectrum
from explorer.panes.finetuning.inside.scene import ROWS, Scene
from explorer.widgets.base import Columns
from explorer.widgets.boxes import card, column, name_parts, page, row, wrap
from explorer.widgets.cell_map import CellMap, CellMapScene
from explorer.widgets.choice_picture import NONE, ChoicePicture
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.drop_down import DropDown
from explorer.widgets.grid_keys import arrow
from explorer.widgets.prompt_line import PromptLine
from explorer.widgets.scene_picture import ScenePicture
from explorer.widgets.slider_field import SliderField
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.surprise_text import SurpriseText

NAME = "finetuning.inside"
SIDE, SHARE, TEXT, SPECTRUM = 224, 0.32, 54, 108  # px; of the width; px


class ActingText(SurpriseText):
    """Tokens colored by how much the adapter adds at each."""

    scene: Scene | None = None

    def set_scene(self, scene: Scene) -> None:
        self.scene = scene
        pieces = [scene.piece(one) for one in scene.ids]
        self.set_text([pieces], scene.acts[None], float(scene.acts.max()))
        self.set_chosen(0, scene.position)

    def told(self, sequence: int, place: int) -> str:
        if self.scene is None or place >= len(self.scene.ids):
            return ""
        return text.token_told(self.scene.token(place), float(self.scene.acts[place]))

    def displayed(self) -> dict[str, np.ndarray]:
        shown = super().displayed()
        return Columns({"token": shown["token"], "share of W x": self._losses.reshape(-1)})


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
        now = self.scene.contents[min(int(self.position), len(self.scene.steps) - 1)]
        return {name: content.values for name, content in now.items()}

    def layout_of(self, scene: Scene) -> PassageLayout:
        return PassageLayout(QRectF(self.rect()), scene)

    def draw(self, painter: QPainter) -> None:
        if self.scene is not None:
            layout = self.layout_of(self.scene)
            seen = self.position, self.output, self.direction
            draw_passage(painter, layout, self.scene, *seen)
            if self.shows_focus:
                theme.current().focus_ring(painter, QRectF(self.rect()), 4, -2)

    def said_at(self, point: QPointF) -> str:
        found = self.layout_of(self.scene).at(point) if self.scene is not None else None
        if found is None:
            return ""
        name, down, across = found
        step = min(int(self.position), len(self.scene.steps) - 1)
        content = self.scene.contents[step].get(name.partition(",")[0])
        if content is None:
            return ""
        rows, columns = content.values.shape
        at = int(down * rows), int(across * columns)
        return text.cell(content.name, *at, float(content.values[at]), content.values.shape)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self.layout_of(self.scene).at(event.position()) if self.scene else None
        if found is not None and found[0] in ROWS and event.button() == Qt.MouseButton.LeftButton:
            self.outputChosen.emit(int(found[1] * self.scene.size[0]))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = arrow(event)
        if move is None or self.scene is None or not move[0]:
            super().keyPressEvent(event)
        else:
            self.outputChosen.emit(min(max(self.output + move[0], 0), self.scene.size[0] - 1))


class Directions(ChoicePicture[Scene]):
    """The spectrum of the change."""

    NAME = text.SPECTRUM
    LEAST = (240, 80)

    def displayed(self) -> dict[str, np.ndarray]:
        if self.scene is None:
            return {}
        found = self.scene.found
        return Columns({
            "singular value": found.spectrum.values, "share": found.spectrum.shares,
            "familiar to W": found.familiar,
        })  # fmt: skip

    def rects(self, scene: Scene) -> list[QRectF]:
        return bars_of(QRectF(self.rect()), scene)

    def draw_scene(self, painter: QPainter, scene: Scene) -> None:
        draw_spectrum(painter, QRectF(self.rect()), scene, self.hovered)

    def told(self, thing: int) -> str:
        found = self.scene.found  # type: ignore[union-attr]
        numbers = found.spectrum.values, found.spectrum.shares, found.familiar
        return text.direction(thing, *(float(one[thing]) for one in numbers))


class InsideHeader(QWidget):
    """Which matrix, what is read, and at which checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.matrix, self.line = DropDown("Matrix", text.MATRIX_HELP), PromptLine()
        self.line.setAccessibleName(text.READS)
        self.line.setToolTip(text.READS)
        name_parts(self, NAME, "matrix", "line")
        wrap(self.matrix, self.line, of=self)


class InsideView(QWidget):
    """The picture, and beside it the whole adapter."""

    checkpointChosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName(NAME)
        self.text, self.passage, self.spectrum = ActingText(), Passage(), Directions()
        self.strength, self.heads = CellMap(text.STRENGTH), CellMap(text.HEADS)
        self.checkpoint = QWidget()
        name_parts(self, NAME, "text", "passage", "spectrum", "strength", "heads")
        self._acts = CutLabel("label", "muted")
        self._slider: SliderField | None = None
        self._steps: tuple[int, ...] = ()
        self.spectrum.pointed.connect(self.passage.set_direction)
        self._build()

    def _build(self) -> None:
        self._side, content = QWidget(), QWidget()
        moved, strong = CutLabel("label", "muted"), CutLabel("label", "muted")
        moved.set_text(text.MOVED)
        strong.set_text(text.STRENGTHS)
        below, above = card(moved, (self.heads, 1)), card(strong, (self.strength, 1))
        column((above, 1), (below, 1), of=self._side)
        column(of=self.checkpoint)
        main = card((self.passage, 1), self.spectrum)
        told = card(self._acts, self.text)
        column(told, (row((main, 1), self._side), 1), self.checkpoint, of=content)
        self.body = StatefulPicture(content, "grid")
        page((self.body, 1), of=self)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Its size follows the zoom."""
        now = theme.current()
        self._side.setFixedWidth(min(now.px(SIDE), round(SHARE * self.width())))
        self.text.setFixedHeight(now.px(TEXT))
        self.spectrum.setFixedHeight(now.px(SPECTRUM))

    def set_scene(self, scene: Scene) -> None:
        self.text.set_scene(scene)
        self._acts.set_text(text.acts(float(scene.acts.max())))
        self.passage.set_scene(scene)
        self.spectrum.set_scene(scene)
        rows, columns, values, names = scene.grid
        chosen = int(np.argmax(names == scene.found.name))
        self.strength.set_scene(CellMapScene(rows, columns, values, chosen))
        layers, heads = map(range, scene.found.heads.shape)
        rows, columns = [f"layer {at}" for at in layers], [f"{at}" for at in heads]
        self.heads.set_scene(CellMapScene(rows, columns, scene.found.heads))
        self._set_checkpoints(scene.found.steps, scene.found.step)
        self.body.show_ready()

    def _set_checkpoints(self, steps: tuple[int, ...], step: int | None) -> None:
        """A slider over the run's checkpoints, where there are several."""
        if steps != self._steps:
            self._steps = steps
            if self._slider is not None:
                self._slider.deleteLater()
            self._slider = self._make_slider(steps) if len(steps) > 1 else None
        self.checkpoint.setVisible(self._slider is not None)
        if self._slider is not None and step is not None:
            self._slider.set_value(step)

    def _make_slider(self, steps: tuple[int, ...]) -> SliderField:
        words = "step {:,}".format
        slider = SliderField(text.CHECKPOINT, steps, words, text.CHECKPOINT_HELP)
        slider.setObjectName(f"{NAME}.checkpoint")
        slider.changed.connect(self.checkpointChosen)
        self.checkpoint.layout().addWidget(slider)
        return slider
