"""The widgets of Map: the way in, the picture of the level, what the model costs, the presets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from core.numbers import format_count
from core.transformer.config import EncoderDecoderConfig
from core.transformer.parameters import parameter_count
from core.transformer.presets import NOTES, preset
from explorer.panes.transformer.map import text
from explorer.panes.transformer.map.compute import Found
from explorer.panes.transformer.map.draft import NAMES, OPEN, MapDraft
from explorer.widgets.bar_table import BarRow, BarTable
from explorer.widgets.base import set_look
from explorer.widgets.boxes import card, name_parts, page, wrap
from explorer.widgets.diagrams.picture import DiagramPicture
from explorer.widgets.drop_down import DropDown
from explorer.widgets.pages import Pages
from explorer.widgets.stacked_bars import Bar, Segment, StackedBars
from explorer.widgets.stateful import StatefulPicture

LEVELS = 5  # deep at most


class MapView(QWidget):
    """`settingChanged(name, value)` of the draft; `outRequested(depth)`; `headChosen(head)`."""

    settingChanged = Signal(str, object)
    outRequested = Signal(int)
    headChosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("transformer.map")
        self.picture, self.costs = DiagramPicture(), StackedBars("What the model costs")
        notes = [text.note(name) for name in NAMES if name in NOTES]
        self.table = BarTable("Presets side by side", text.COLUMNS, notes)
        self.table.set_scene(_presets())
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
        room = QWidget()
        room.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        top = wrap(*self.crumbs, room, self.heads, self.shown, self.compare)
        self._cards = card(self.body), card(self.table)
        self.pages = Pages(*self._cards)
        page(top, (self.pages, 1), self.costs, of=self)
        self.heads.picked.connect(lambda head: self.headChosen.emit(head))
        self.shown.picked.connect(lambda name: self.settingChanged.emit("shown", name))
        self.compare.clicked.connect(lambda on: self.settingChanged.emit("compared", on))
        self.table.picked.connect(lambda row: self.settingChanged.emit("shown", NAMES[row]))
        self.set_way(())

    def set_draft(self, draft: MapDraft) -> None:
        items = [(text.OPENED, OPEN), *((name, name) for name in NAMES)]
        self.shown.fill(items, draft.shown)
        self.compare.setChecked(draft.compared)
        self.table.set_chosen(draft.shown)
        self.pages.setCurrentWidget(self._cards[draft.compared])

    def set_way(self, names: Sequence[str]) -> None:
        """The steps that one is inside of, the outermost first."""
        for crumb, name in zip(self.crumbs, [*names, *[""] * LEVELS], strict=False):
            crumb.setVisible(bool(name))
            crumb.setText(name)

    def set_heads(self, count: int, head: int) -> None:
        """count 0: there is none to choose."""
        self.heads.setVisible(count > 1)
        self.heads.fill([(f"{text.HEAD} {at}", at) for at in range(count)], head)

    def set_costs(self, found: Found) -> None:
        """Parameters and arithmetic by component, memory by what it is for."""
        parts = {unit: [(one.name, getattr(one, unit)) for one in found.costs]
                 for unit in ("parameters", "flops")}  # fmt: skip
        parts["memory"] = [(use, sum(getattr(one, use) for one in found.costs))
                           for use in text.MEMORY]  # fmt: skip
        bars = []
        for words, (unit, numbers) in zip(text.costs(found), parts.items(), strict=True):
            total = sum(number for _, number in numbers)
            told = [Segment(name, text.COMPONENTS[name], number, text.cost_tip(
                name, number, total, unit)) for name, number in numbers]  # fmt: skip
            bars.append(Bar(words, told))
        self.costs.set_scene(bars)


def _presets() -> list[BarRow]:
    """A row for each; bars are as long as the logarithm of the parameters says."""
    counts = {name: parameter_count(preset(name)) for name in NAMES}
    low, high = (np.log(pick(counts.values())) for pick in (min, max))
    rows = []
    for name, count in counts.items():
        config, layers = preset(name), "{0}"
        if isinstance(config, EncoderDecoderConfig):
            config, layers = config.decoder, "{0} + {0}"
        share = 0.08 + 0.92 * float((np.log(count) - low) / (high - low))
        endless = config.positions == "sinusoidal"
        context = text.NO_CONTEXT if endless else f"{config.block_size:,}"
        cells = (format_count(count), layers.format(config.n_layer), f"{config.n_head}",
                 f"{config.n_embd:,}", context)  # fmt: skip
        mark = " *" if name in NOTES else ""
        rows.append(BarRow(name, share, cells, f"Click to draw {name}", mark))
    return rows
