"""Compares two texts head by head: reads the second one, and shows what changes in each head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject

from explorer.engine.jobs import SUPERSEDED
from explorer.engine.latest import Latest
from explorer.panes.attention import compared
from explorer.panes.attention.compared import Compared
from explorer.panes.attention.looking import read_heads
from explorer.panes.attention.model import Heads, order_by, read_prompt, strongest
from explorer.panes.base import Inspection

if TYPE_CHECKING:
    from explorer.panes.attention.pane import AttentionPane

READING = "reading the second text"
READING_FIRST = "reading the first text"
DIFFERENCE = "Difference"


class Comparison(QObject):
    """While the pane's mode is "compare", the mosaic shows differences and the chosen head both
    texts. `found` is None until the second one is read.
    """

    def __init__(self, pane: AttentionPane) -> None:
        super().__init__(pane)
        self._pane = pane
        self._view = pane.view.head.compared
        self._was_shown = False
        self._asked: tuple[Heads, str] | None = None
        self._reading, self._pooling = (Latest(pane.engine, pane) for _ in range(2))
        self._reading.came.connect(self._on_read)
        self._reading.failed.connect(self._view.picture.show_error)
        self._pooling.came.connect(self._on_pooled)
        self.found: Compared | None = None

    @property
    def shown(self) -> bool:
        return self._pane.choices.mode == "compare"

    @property
    def difference(self) -> np.ndarray | None:
        """(L, H), by which the heads differ; None while no texts are compared."""
        return self.found.difference if self.shown and self.found is not None else None

    def forget(self) -> None:
        """What was read holds no longer."""
        self._reading.stop()
        self._pooling.stop()
        self.found = self._asked = None
        self._view.clear()

    def retry(self) -> None:
        self._asked = None
        self.update()

    def update(self) -> None:
        """Reads the second text, where it or the heads of the first are others than before."""
        heads, source = self._pane.looker.heads, self._pane.looker.source
        if not self.shown or heads is None:
            return
        text = self._pane.choices.second
        if text:
            self._view.text.set_prompt(text)
        if self._asked is None or self._asked[0] is not heads or self._asked[1] != text:
            self._asked = heads, text
            self._view.picture.set_waiting(READING)
            self._reading.ask(lambda: self._read(source, heads, text), READING)

    async def _read(self, source: Any, heads: Heads, text: str) -> Any:
        engine, key = self._pane.engine, (self._pane.objectName(), "second text")
        first, tokenizer = heads.prompt, source.tokenizer
        if not text:
            text = await engine.io(compared.suggestion, tokenizer, first.text, first.limit)
        prompt = await engine.io(read_prompt, tokenizer, text, first.limit)
        found = await read_heads(source, prompt.ids, ("attention",), heads.off, key)
        if found is SUPERSEDED:
            return SUPERSEDED
        version = source.asked_version
        if version not in (None, heads.version):  # of a recording, or from before the run ended
            heads = await source.ask(compared.reread, heads, version, key=key, name=READING_FIRST)
            if heads is SUPERSEDED:
                return SUPERSEDED
        return await engine.call(
            compared.compare, heads, found[0], prompt, source.config, name="comparing the heads"
        )

    def _on_read(self, found: Compared) -> None:
        """The first time, the head that differs most is chosen, unless one is locked."""
        is_first, self.found = self.found is None, found
        line = self._view.text
        if not self._pane.choices.second and not (line.hasFocus() and line.text()):
            line.set_prompt(found.prompt.text)  # the suggestion; nobody types there
        if is_first and self._pane.view.panel.mosaic.locked is None:
            layer, head = strongest(found.difference)
            self._pane.workspace.select(layer=layer, head=head)
        self._pane.show_choices()
        self._pane.show_chosen()
        self.pool()

    # the mosaic

    def on_mosaic(self, maps: np.ndarray) -> None:
        """The first text's maps: shown, or the differences in their place."""
        if self.shown and self.found is not None:
            self.pool()
        else:
            self._pane.view.panel.mosaic.set_pooled(maps)

    def pool(self) -> None:
        """The differences of all heads, in the pixels of the mosaic."""
        if self.shown and self.found is not None:
            size, hide = self._pane.view.panel.mosaic.cell_pixels, self._pane.choices.hide_first
            self._pooling.call(compared.mosaic, self.found, size, hide, name="the differences")

    def _on_pooled(self, maps: np.ndarray) -> None:
        if self.shown:
            self._pane.view.panel.mosaic.set_pooled(maps)

    def show_choices(self) -> None:
        """How much each head differs, in place of its scores."""
        panel, choices = self._pane.view.panel, self._pane.choices
        if self._was_shown and not self.shown:
            self.found = self._asked = None
            self._pane.looker.pool()
        self._was_shown = self.shown
        panel.set_fixed_score(DIFFERENCE if self.shown else "")
        difference = self.difference
        if difference is not None:
            panel.mosaic.set_scores(difference, DIFFERENCE.lower())
            panel.mosaic.set_order(order_by(difference) if choices.sorted else None)
            panel.mosaic.set_filter(difference >= choices.least if choices.least else None)

    # the chosen head

    def show_head(self, layer: int, head: int) -> None:
        choices, found = self._pane.choices, self.found
        if self.shown and found is not None:
            window = self._pane.window_of(layer)
            place = layer, head
            self._view.show_head(found, place, choices.hide_first, window, choices.compared)

    def sentence(self, layer: int, head: int) -> str:
        if self.found is None:
            return "Reading the second text"
        return compared.sentence(self.found, layer, head)

    def inspection(self, layer: int, head: int, cell: tuple[int, int] | None) -> Inspection | None:
        """The cell under the pointer, by default that which changes most; None where no texts are
        compared.
        """
        found = self.found
        if found is None or not self.shown:
            return None
        return compared.inspection(found, layer, head, cell, self._pane.choices.hide_first)
