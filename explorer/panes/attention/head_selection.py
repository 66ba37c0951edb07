"""Which layer, head and query are chosen, and what a session or a lesson has asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from explorer.panes.attention import model
from explorer.panes.attention.choices import OpenSteps
from explorer.panes.attention.model import Heads

if TYPE_CHECKING:
    from explorer.panes.attention.pane import AttentionPane
    from explorer.state.workspace import Selection


class HeadSelection(QObject):
    """Chooses in the workspace's selection when heads come; what is not there yet waits.

    token    the query that was chosen here; one that was picked is kept by another text
    to_lock  the head to lock, until it is there
    to_open  the steps to open, until they are there
    """

    def __init__(self, pane: AttentionPane) -> None:
        super().__init__(pane)
        self._pane = pane
        self.token: int | None = None
        self.to_lock: tuple[int, int] | None = None
        self.to_open: OpenSteps | None = None

    def choose(self, heads: Heads, *, other_model: bool, other_text: bool, typed: bool) -> None:
        """Keeps a choice that still makes sense, else takes what tells most; the query follows the
        end of a text that is `typed`.
        """
        pane = self._pane
        one, mosaic = pane.workspace.selection, pane.view.panel.mosaic
        wanted, lock, steps = (one.layer, one.head), self.to_lock, self.to_open
        if other_model and mosaic.locked is None and wanted != lock:
            wanted = (None, None)
        token = None if other_text and one.token == self.token else one.token
        if typed and not pane.choices.pinned:
            token = self.token = heads.n_tokens - 1
        layer, head, found = model.sensible_choice(heads, *wanted, token)
        if steps is not None and model.has(heads, *steps.place):
            layer, head, found = steps.place
        elif found != token:
            self.token = found
        if mosaic.locked != (layer, head):
            mosaic.set_locked(None)
        if lock == (layer, head):
            mosaic.set_locked(lock)
            lock = None
        pane.workspace.select(layer=layer, head=head, token=found)
        self.to_lock, self.to_open = lock, steps  # what is not there waits for other heads

    def lock(self, head: tuple[int, int] | None) -> None:
        """Locks layer and head, once they are there; None unlocks."""
        pane, heads = self._pane, self._pane.looker.heads
        self.to_lock = head
        if head is not None:
            pane.workspace.select(layer=head[0], head=head[1])
        if head is None or (heads is not None and model.has(heads, *head)):
            pane.view.panel.mosaic.set_locked(head)
            pane.show_chosen()

    def open(self, steps: OpenSteps | None) -> None:
        """Opens the steps once they are there, unless a person chooses something else before."""
        self.to_open = steps
        if steps is not None:
            self.token = None
            self._pane.workspace.select(layer=steps.layer, head=steps.head, token=steps.query)
            self.open_wanted()

    def open_wanted(self) -> None:
        steps = self.to_open
        if steps is not None and self._pane.playback.place == steps.place:
            self._pane.set_mode("steps")
            self._pane.player.seek(steps.step)

    def on_selection(self, selection: Selection) -> None:
        """Another choice than the one that is waited for takes its place."""
        head = (selection.layer, selection.head)
        if self.to_lock != head:
            self.to_lock = None
        if self.to_open is not None and self.to_open.place != (*head, selection.token):
            self.to_open = None
