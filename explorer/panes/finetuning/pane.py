"""The fine-tuning pane: a model learns something new. All modes share one fine-tuned model."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from explorer.panes.base import Context, Pane
from explorer.panes.finetuning.modes import MODES
from explorer.panes.finetuning.tuned_model import TunedModel
from explorer.panes.moded import ModedPane
from explorer.panes.modes import Desk


def create(context: Context) -> Pane:
    return FinetuningPane(context)


@dataclass(frozen=True)
class FinetuningDesk(Desk):
    """The objects that the modes share, with the fine-tuned model."""

    tuned: TunedModel


class FinetuningPane(ModedPane):
    """A ModedPane whose modes share the player and a fine-tuned model."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, "finetuning", MODES, parent)

    def make_desk(self) -> FinetuningDesk:
        tuned = TunedModel(self.context, self)
        return FinetuningDesk(self.objectName(), self.context, self.player, tuned)

    def shared(self) -> tuple[TunedModel]:
        return (self.desk.tuned,)  # type: ignore[attr-defined]
