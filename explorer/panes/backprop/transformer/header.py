"""The inputs of Transformer: which model, the text it learns from, and which head is seen."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from explorer import theme
from explorer.widgets.base import elide
from explorer.widgets.menu_button import MenuButton
from explorer.widgets.prompt_line import PromptLine

LONGEST_NAME = 26
SHARE, AROUND = 0.5, 52  # of the width that a model's name has, with px about it


class TransformerHeader(QWidget):
    """`promptEdited(text)`, `bundledRequested`, `folderRequested(path)` ("" asks for one),
    `liveRequested` for the model of the run that is open.
    """

    promptEdited = Signal(str)
    bundledRequested = Signal()
    folderRequested = Signal(str)
    liveRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.transformer.inputs")
        self.source = MenuButton("chevron-down", "Model", "The model whose gradients are shown")
        self.source.setObjectName("backprop.transformer.source")
        self.prompt = PromptLine()
        self.prompt.setObjectName("backprop.transformer.prompt")
        self.prompt.setAccessibleName("Training example")
        self.prompt.setPlaceholderText("Type a text for the model to learn from")
        self.prompt.promptEdited.connect(self.promptEdited)
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.setSpacing(8)
        self._name = "Model"
        theme.changed.connect(self._fit)
        self.row.addWidget(self.source)
        self.row.addWidget(self.prompt, 1)

    def set_sources(self, name: str, address: str, run: str | None, recent: list[str]) -> None:
        """The model that is open, the run that is looked at, folders that were opened lately."""
        self._name = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}\u2026"
        self._fit()
        self.source.setAccessibleName(f"Model: {name}")
        self.source.setToolTip(f"The model whose gradients are shown: {address or name}")
        menu = self.source.menu()
        menu.clear()
        menu.setToolTipsVisible(True)
        menu.addAction("The bundled model", self.bundledRequested.emit)
        live = menu.addAction(
            f"The model of {Path(run).name}" if run else "The model of a run",
            self.liveRequested.emit,
        )
        live.setEnabled(run is not None)
        if run is None:
            live.setToolTip("Start or open a run in the training pane first")
        menu.addSeparator()
        menu.addAction("Open a checkpoint folder\u2026", lambda: self.folderRequested.emit(""))
        for path in recent[:5]:
            action = menu.addAction(
                Path(path).name, lambda path=path: self.folderRequested.emit(path)
            )
            action.setToolTip(path)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """The text has more of the width than the model's name."""
        now = theme.current()
        room = max(now.px(48), SHARE * self.width() - now.px(AROUND))
        shown = elide(self._name, now.font("body"), room, Qt.TextElideMode.ElideRight)
        self.source.setText(shown.replace("&", "&&"))
