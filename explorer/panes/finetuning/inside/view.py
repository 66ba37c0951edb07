"""The widgets of Inside: text, matrix with its adapter, directions, all matrices."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QPushButton, QWidget

from core.numbers import format_number, format_share
from explorer import theme
from explorer.panes.finetuning.inside import text
from explorer.panes.finetuning.inside.scene import Scene
from explorer.widgets.boxes import card, column, name_parts, page, row
from explorer.widgets.cell_map import CellMap, CellMapScene
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.diagrams.adapter_picture import AdapterPicture
from explorer.widgets.spectrum import SpectrumPicture, SpectrumScene
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.surprise_text import SurpriseText

NAME = "finetuning.inside"
PICTURES = ("passage", "spectrum", "strength", "heads", "shared", "text")
SIDE, SHARE, TEXT, SPECTRUM = 224, 0.32, 54, 88  # px; of the width; px


def spectrum_of(scene: Scene) -> SpectrumScene:
    """Returns the content of the bars: the directions of the change."""
    found, told = scene.found, scene.found.spectrum
    numbers = told.values.tolist(), told.shares.tolist(), found.captured.tolist()
    title = text.spectrum(scene.needed, len(told.values), told.effective_rank)
    is_found = found.finding is not None
    return SpectrumScene(
        told.values,
        scene.needed,
        text.BIAS if found.delta.shape[1] == 1 else title,
        text.MOST,
        [text.direction(at, *one, is_found) for at, one in enumerate(zip(*numbers, strict=True))],
        {"share": told.shares, "in W's strongest": found.captured},
        found.steps,
        found.step,
        found.history,
        text.growth(found.steps, found.step),
    )


class InsideView(QWidget):
    """Shows the picture, and on its right the whole adapter."""

    buttons: Mapping[str, QPushButton] = {}

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName(NAME)
        self.text = SurpriseText(text.ACTING, "share of W x", text.acting)
        self.passage, self.spectrum = AdapterPicture(), SpectrumPicture(text.SPECTRUM)
        self.strength, self.heads = CellMap(text.STRENGTH), CellMap(text.HEADS)
        self.shared = CellMap(text.SHARED)
        name_parts(self, NAME, *PICTURES)
        self._acts, self._same = CutLabel("label", "muted"), CutLabel("label", "muted", lines=2)
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
        self._compared.layout().addWidget(self._same)
        column(*((one, 1) for one in cards.values()), of=self._side)
        main = card((self.passage, 1), self.spectrum)
        told = card(self._acts, self.text)
        column(told, (row((main, 1), self._side), 1), of=content)
        self.body = StatefulPicture(content, "grid")
        page((self.body, 1), of=self)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Follows the zoom."""
        now = theme.current()
        self._side.setFixedWidth(min(now.px(SIDE), round(SHARE * self.width())))
        self.text.setFixedHeight(now.px(TEXT))
        self.spectrum.setFixedHeight(now.px(SPECTRUM))

    def set_cursor(self, position: float, output: int) -> None:
        """Sets the cursor's position and the marked output."""
        self.position, self.output = position, output
        if self.scene is not None:
            self.passage.set_scene(self.scene.at(position, output, self.spectrum.hovered))

    def set_scene(self, scene: Scene) -> None:
        self.scene = scene
        acts = scene.found.relative_change
        self.text.set_text([[*map(scene.piece, scene.ids)]], acts[None], float(acts.max()))
        self.text.set_chosen(0, scene.position)
        self._acts.set_text(text.ACTS.format(format_share(float(acts.max()))))
        self.spectrum.set_scene(spectrum_of(scene))
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
            chance, seed = scene.found.chance, scene.found.same_seed
            legend = {"0": 0.0, text.BY_CHANCE.format(format_number(chance, 2)): chance, "1": 1.0}
            cells = CellMapScene(rows, columns, shared, told=text.BOTH, legend=legend)
            self.shared.set_scene(cells)
            self._same.set_text("" if seed is None else text.SAME_A.format(seed))
            self._same.setHidden(seed is None)
        self.body.show_ready()
