"""The inputs of Optimizers: the surface, and a reset."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from core.optimization.surfaces import SURFACES
from explorer.panes.backprop.optimizers.draft import TYPED
from explorer.widgets.base import IconButton
from explorer.widgets.drop_down import DropDown
from explorer.widgets.wrap_row import WrapRow, labelled


class OptimizersInputs(QWidget):
    """Emits `surfaceChosen(name)`, `resetRequested`."""

    surfaceChosen = Signal(str)
    resetRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.optimizers.inputs")
        self.surface = DropDown("Surface")
        self.surface.setObjectName("backprop.optimizers.surface")
        for one in SURFACES.values():
            self.surface.addItem(one.title, one.name)
            self.surface.setItemData(self.surface.count() - 1, one.what, 3)  # the tooltip
        self.surface.addItem("A formula of your own", TYPED)
        self.reset = IconButton("refresh", "Reset the start and the settings")
        self.reset.setObjectName("backprop.optimizers.reset")
        row = WrapRow(parent=self)
        row.addWidget(labelled("Surface", self.surface))
        row.addWidget(self.reset)
        self.surface.picked.connect(lambda name: self.surfaceChosen.emit(name))
        self.reset.clicked.connect(self.resetRequested)

    def set_surface(self, name: str) -> None:
        """Shows the draft's surface."""
        self.surface.setCurrentIndex(self.surface.findData(name))
