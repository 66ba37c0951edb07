"""The training pane: a run and its inner workings. All modes show `workspace.run`."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from explorer.panes.base import Context, Pane
from explorer.panes.moded import ModedPane
from explorer.panes.modes import ModeSpec
from explorer.panes.training import modes


def create(context: Context) -> Pane:
    return TrainingPane(context)


class TrainingPane(ModedPane):
    """A ModedPane whose modes share the player and, through the workspace, the run."""

    def __init__(
        self,
        context: Context,
        parent: QWidget | None = None,
        specs: tuple[ModeSpec, ...] | None = None,
    ) -> None:
        super().__init__(context, "training", modes.built() if specs is None else specs, parent)
