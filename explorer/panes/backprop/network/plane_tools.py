"""The tools for clicks on the plane: inspect a point, add one, or erase one."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QWidget

from core.numbers import typed
from explorer.widgets.boxes import row
from explorer.widgets.toggle import SegmentedControl

TOOLS = (("inspect", "Inspect"), ("add", "Add"), ("erase", "Erase"))
HELP = "inspect a point, add one, or erase one"
NUMBERS = ("\u22121", "\u22120.5", "0", "0.5", "1")  # targets of new points


class PlaneTools(QWidget):
    """The tools side by side; `toolChosen(id)` reports a choice. The menu `adds`, the class of new
    points, is placed in the input strip, as there is no room here.
    """

    toolChosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.network.tools")
        self.choice = SegmentedControl(list(TOOLS), "What a click on the plane does")
        self.choice.setToolTip(f"{self.choice.accessibleName()}: {HELP}")
        self.adds = QComboBox(self)
        self.adds.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.adds.setMinimumContentsLength(5)
        self.adds.setAccessibleName("The points that a click adds")
        self.adds.setToolTip("The points that a click on the plane adds")
        self.adds.setObjectName("backprop.network.adds")
        row(self.choice, 1, of=self)
        self.choice.chosen.connect(self._on_chosen)
        self._classes = -1
        self.set_classes(2)
        self.adds.hide()

    @property
    def tool(self) -> str:
        return self.choice.current

    @property
    def target(self) -> float:
        """The target of a new point."""
        if self._classes:
            return float(max(0, self.adds.currentIndex()))
        return float(typed(NUMBERS[max(0, self.adds.currentIndex())]))

    def set_tool(self, tool: str) -> None:
        if tool != self.tool:
            self.choice.set_current(tool)
            self._on_chosen(tool)

    def offer_points(self, on: bool) -> None:
        """Shows the menu of new points while they can be added."""
        self.adds.setVisible(on and self.tool == "add")

    def set_classes(self, classes: int) -> None:
        """Offers the classes of the data; for 0, numbers."""
        if classes == self._classes:
            return
        self._classes = classes
        self.adds.clear()
        self.adds.addItems([f"class {number}" for number in range(classes)] or list(NUMBERS))

    def _on_chosen(self, tool: str) -> None:
        self.offer_points(not self.isHidden())
        self.toolChosen.emit(tool)
