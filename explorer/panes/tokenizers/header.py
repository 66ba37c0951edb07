"""The strip above the picture: which mode, then that mode's own inputs."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from explorer.panes.tokenizers.modes import Mode
from explorer.widgets.toggle import SegmentedControl


class TokenizersHeader(QWidget):
    """`modeChosen(id)` when another mode is chosen."""

    modeChosen = Signal(str)

    def __init__(self, modes: Sequence[Mode], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenizers.view.inputs")
        self.choice = SegmentedControl([(mode.id, mode.title) for mode in modes], "Mode")
        self.choice.setObjectName("tokenizers.view.modes")
        self.choice.setToolTip("\n".join(f"{mode.title}: {mode.teaches}" for mode in modes))
        self.choice.setVisible(len(modes) > 1)
        self.choice.chosen.connect(self.modeChosen)
        self._stack = QStackedWidget()
        self._pages: dict[str, QWidget] = {}
        for mode in modes:
            page = mode.header() or QWidget()
            self._pages[mode.id] = page
            self._stack.addWidget(page)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addWidget(self.choice)
        row.addWidget(self._stack, 1)

    def show_mode(self, name: str) -> None:
        self.choice.set_current(name)
        self._stack.setCurrentWidget(self._pages[name])
