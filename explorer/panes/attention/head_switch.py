"""Switches heads of the open model off and on again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from explorer.panes.attention import heads_off
from explorer.panes.attention.heads_off import Head, HeadsOff
from explorer.state.draft import Draft

if TYPE_CHECKING:
    from explorer.panes.attention.pane import AttentionPane

TRAINS = "A run that trains is only looked at: its heads can be switched off once it has ended"


class HeadSwitch(QObject):
    """The heads that are off are a draft of the workspace; the looker reads the text without them.
    What is shown is the model as it is then: later layers read another stream.
    """

    def __init__(self, pane: AttentionPane) -> None:
        super().__init__(pane)
        self._pane = pane
        self.draft = Draft(pane.workspace, "attention.off", HeadsOff, self)
        self.draft.changed.connect(self._on_changed)

    def of(self, source: Any) -> tuple[Head, ...]:
        """The heads of a source that are to be off."""
        if source is None:
            return ()
        return self.draft.value.of(source.address, source.config)

    @property
    def off(self) -> tuple[Head, ...]:
        return self.of(self._pane.looker.source)

    @property
    def is_possible(self) -> bool:
        """Whether the weights of what is looked at can be asked."""
        return self._pane.asked_source is not None

    def toggle(self) -> None:
        """The chosen head, off or on again."""
        chosen = self._pane.chosen
        if chosen is not None and self.is_possible:
            off = heads_off.toggled(self.off, chosen[:2])
            self._change(off, heads_off.change(off, chosen[:2]))
        self.show()

    def all_on(self) -> None:
        if self.off:
            self._change((), "All heads on")

    def _change(self, off: tuple[Head, ...], text: str) -> None:
        self.draft.change(HeadsOff(self._pane.looker.source.address, off), text)

    def _on_changed(self, _: HeadsOff) -> None:
        looker = self._pane.looker
        if self.off != looker.off:
            looker.off = self.off
            looker.again()
        self.show()

    def show(self) -> None:
        """The switch as the chosen head is, and which heads are off."""
        pane, off, told = self._pane, self.off, heads_off.words(self.off)
        chosen, trains = pane.chosen, pane.looker.heads is not None and not self.is_possible
        if trains and off:
            told, off = f"Once the run has ended, {told}", ()
        is_off = chosen is not None and chosen[:2] in off
        pane.view.panel.set_off(told, is_off, self.is_possible, TRAINS if trains else "")
        pane.view.panel.mosaic.set_off(off)
