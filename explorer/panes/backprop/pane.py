"""The backprop pane: from one multiplication to a transformer, always with the same chain rule."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from explorer.panes.backprop import modes
from explorer.panes.base import Context, Pane
from explorer.panes.moded import ModedPane
from explorer.panes.modes import ModeSpec


def create(context: Context) -> Pane:
    return BackpropPane(context)


class BackpropPane(ModedPane):
    """A ModedPane whose modes share nothing but the player."""

    def __init__(
        self,
        context: Context,
        parent: QWidget | None = None,
        specs: tuple[ModeSpec, ...] | None = None,
    ) -> None:
        super().__init__(context, "backprop", modes.built() if specs is None else specs, parent)
