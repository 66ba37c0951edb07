"""The widgets of Map: path, picture of the level, costs of the model, presets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

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
from explorer.widgets.push_button import push_buttons
from explorer.widgets.stacked_bars import Bar, StackedBars
from explorer.widgets.stateful import StatefulPicture

LEVELS = 5  # greatest depth


class MapView(QWidget):
    """Emits `outRequested(depth)`; the parts have signals of their own."""

    outRequested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture, self.costs = (
            DiagramPicture(),
            StackedBars("Parameters, computation and memory"),
        )
        self.table = BarTable("Models from published papers", text.COLUMNS, "click to show it")
        self.table.set_scene(_presets())
        self.body = StatefulPicture(self.picture, "lines")
        self.crumbs = [QPushButton() for _ in range(LEVELS)]
        for depth, crumb in enumerate(self.crumbs):
            set_look(crumb, "quiet")
            crumb.clicked.connect(lambda _, depth=depth: self.outRequested.emit(depth))
        self.heads = DropDown(text.HEAD, text.HEAD_HELP)
        self.shown = DropDown(text.SHOWN, text.SHOWN_HELP)
        self.buttons = push_buttons(
            "transformer.map", {"compare": (text.COMPARE, text.COMPARE_HELP)}, {}
        )
        self.buttons["compare"].setCheckable(True)
        name_parts(self, "transformer.map", "picture", "costs", "table", "heads", "shown")
        room = QWidget()
        room.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        top = wrap(*self.crumbs, room, self.heads, self.shown, *self.buttons.values())
        self._cards = card(self.body), card(self.table)
        self.pages = Pages(*self._cards)
        page(top, (self.pages, 1), self.costs, of=self)
        self.set_way(())

    def set_draft(self, draft: MapDraft) -> None:
        items = [(text.OPENED, OPEN), *((name, name) for name in NAMES)]
        self.shown.fill(items, draft.shown)
        self.buttons["compare"].setChecked(draft.compared)
        self.table.set_chosen(draft.shown)
        self.pages.setCurrentWidget(self._cards[draft.compared])

    def set_way(self, names: Sequence[str]) -> None:
        """Shows the path: the names of the open steps, outermost first."""
        for crumb, name in zip(self.crumbs, [*names, *[""] * LEVELS], strict=False):
            crumb.setVisible(bool(name))
            crumb.setText(name)

    def set_heads(self, count: int, head: int) -> None:
        """Fills the list of heads; hides it if there are fewer than two."""
        self.heads.setVisible(count > 1)
        self.heads.fill([(f"{text.HEAD} {at}", at) for at in range(count)], head)

    def set_costs(self, found: Found) -> None:
        """Shows parameters and FLOPs by component, and memory by use."""
        costs = {unit: {one.name: getattr(one, unit) for one in found.costs}
                 for unit in ("parameters", "flops")}  # fmt: skip
        costs["memory"] = {use: sum(getattr(one, use) for one in found.costs)
                           for use in text.MEMORY}  # fmt: skip
        bars = []
        for unit, numbers in costs.items():
            segments = [(name, text.COMPONENTS[name], one) for name, one in numbers.items()]
            words = text.cost(unit, numbers, found.length)
            note = text.HIDDEN_TOO if unit == "flops" else ""
            bars.append(Bar(words, segments, partial(text.amount, unit), note))
        self.costs.set_scene(bars)


def _presets() -> list[BarRow]:
    """Returns a row for each preset."""
    rows = []
    for name in NAMES:
        config, layers, count = preset(name), "{0}", parameter_count(preset(name))
        if isinstance(config, EncoderDecoderConfig):
            config, layers = config.decoder, "{0} + {0}"
        endless = config.positions == "sinusoidal"
        context = text.NO_CONTEXT if endless else f"{config.block_size:,}"
        cells = (format_count(count), layers.format(config.n_layer), f"{config.n_head}",
                 f"{config.n_embd:,}", context)  # fmt: skip
        rows.append(BarRow(name, count, cells, NOTES.get(name, "")))
    return rows
