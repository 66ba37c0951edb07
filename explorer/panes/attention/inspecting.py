"""What the inspector is about: the pinned cell, the hovered one while paused, or the step."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject

from explorer.panes.attention.explain import cell_inspection, step_inspection
from explorer.panes.attention.story import seen
from explorer.panes.base import Inspection
from explorer.widgets.formula import set_formulas
from explorer.widgets.pacing import Pacing

if TYPE_CHECKING:
    from explorer.panes.attention.pane import AttentionPane

Cell = tuple[int, int]  # query and key


class Inspecting(QObject):
    """Keeps the hovered and the pinned cell of the pane and tells its inspector."""

    def __init__(self, pane: AttentionPane) -> None:
        super().__init__(pane)
        self._pane = pane
        self.hovered: Cell | None = None
        self.pinned: Cell | None = None
        self._stale = False
        self._prepared = False
        self._pace = Pacing(pane.player, self)
        self._pace.due.connect(self.now)

    # intents

    def point_at(self, row: int, column: int) -> None:
        """The pointer (or the keyboard) is at a cell; column -1: at none."""
        self.hovered = (row, column) if column >= 0 else None
        self.soon()

    def arc_hovered(self, token: int) -> None:
        chosen = self._pane.chosen
        if chosen is not None:
            visible = 0 <= token <= chosen[2]
            self.point_at(chosen[2], token if visible else -1)

    def cell_clicked(self, row: int, column: int) -> None:
        """Pins a cell of the heat map, or unpins it, and makes its row the query."""
        again = self.pinned == (row, column)
        self._pane.pick_query(row)
        self.pin(None if again else (row, column))

    def key_clicked(self, key: int) -> None:
        chosen = self._pane.chosen
        if chosen is not None:
            self.pin(None if self.pinned == (chosen[2], key) else (chosen[2], key))

    def pin(self, cell: Cell | None) -> None:
        self.pinned = cell
        self._pane.view.head.stage.set_pinned(cell[1] if cell is not None else -1)
        self._pane.frame_cell()
        self.soon()

    def forget(self) -> None:
        """Another head, another query or another picture: no cell is meant any more."""
        self.hovered = self.pinned = None
        self._pane.view.head.stage.set_pinned(-1)

    def clear(self) -> None:
        """There is nothing to inspect."""
        self.forget()
        self.stop()
        self._pane.inspection.emit(None)

    # the inspector

    def set_stale(self, stale: bool) -> None:
        """The inspector is fresh and stale together with the picture."""
        if stale != self._stale:
            self._stale = stale
            self.now()

    def prepare(self, trace: Any) -> None:
        """Sets the formulas of a trace beside the GUI: the first play must not wait for them."""
        if not self._prepared:
            self._prepared = True
            formulas = tuple(step.formula for step in trace)
            self._pane.spawn(self._pane.engine.io(set_formulas, formulas))

    def soon(self) -> None:
        if self._pane.isVisible():
            self._pace.soon()

    def flush(self) -> None:
        self._pace.flush()

    def stop(self) -> None:
        self._pace.stop()

    def now(self) -> None:
        pane = self._pane
        heads, chosen, track = pane.looker.heads, pane.chosen, pane.playback.track
        if heads is None or chosen is None:
            return
        layer, head, query = chosen
        pinned = self.pinned is not None
        cell = self.pinned or (None if pane.player.playing else self.hovered)
        step = pane.player.step
        if pane.choices.mode == "steps" and track is not None and 0 <= step < track.length:
            place = step // track.each
            story = track.stories[place]
            key = cell[1] if cell is not None and cell[1] < story.n_tokens else story.target
            trace = track.traces[place]
            self._tell(step_inspection(trace, story, step % track.each, key, pinned))
            return
        if pane.preview is not None:
            layer, head = pane.preview
        compared = pane.comparison.inspection(layer, head, cell)
        if compared is not None:
            self._tell(compared)
            return
        hide = pane.choices.hide_first
        if cell is None or max(cell) >= heads.n_tokens:
            cell = (query, int(np.argmax(heads.weights(layer, head, hide)[query])))
        trace = track.traces[0] if track is not None else None
        name = seen(pane.choices.mode, hide)
        window = pane.window_of(layer)
        self._tell(cell_inspection(heads, trace, layer, head, *cell, hide, pinned, name, window))

    def _tell(self, inspection: Inspection) -> None:
        self._pane.inspection.emit(replace(inspection, stale=self._stale))
