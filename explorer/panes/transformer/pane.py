"""The transformer pane: from a prompt to the next token. All modes read the workspace's model."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from explorer.panes.base import Context, Pane
from explorer.panes.moded import ModedPane
from explorer.panes.transformer import modes


def create(context: Context) -> Pane:
    return TransformerPane(context)


class TransformerPane(ModedPane):
    """A ModedPane whose modes share the player, and the prompt and model of the workspace."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, "transformer", modes.built(), parent)
