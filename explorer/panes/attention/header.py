"""The pane's inputs: which model, and the text that it reads."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QToolButton, QWidget

from explorer import theme, theme_icons
from explorer.widgets.base import set_look
from explorer.widgets.prompt_line import PromptLine

LONGEST_NAME = 28


class AttentionHeader(QWidget):
    """Intents: `promptEdited(text)`, `bundledRequested`, `folderRequested(path)` ("" asks for one),
    `liveRequested` for the live model of the run that is open."""

    promptEdited = Signal(str)
    bundledRequested = Signal()
    folderRequested = Signal(str)
    liveRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("attention.view.inputs")
        self.source_button = QToolButton()
        self.source_button.setObjectName("attention.view.source")
        self.source_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.source_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.source_button.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.source_button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        set_look(self.source_button, "outlined")
        self.prompt = PromptLine()
        self.prompt.setObjectName("attention.view.prompt")
        self.prompt.promptEdited.connect(self.promptEdited)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.source_button)
        row.addWidget(self.prompt, 1)
        self._menu = QMenu(self)
        self.source_button.setMenu(self._menu)
        self.set_sources("no model yet", "", None, [])
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_sources(self, name: str, address: str, run: str | None, recent: list[str]) -> None:
        """The model that is open, the run that is looked at, folders that were opened lately."""
        shown = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}\u2026"
        self.source_button.setText(f"model: {shown}")
        self.source_button.setAccessibleName(f"Model: {name}")
        self.source_button.setToolTip(f"The model whose heads are shown: {address or name}")
        self._menu.clear()
        self._menu.addAction("The bundled model", self.bundledRequested.emit)
        live = self._menu.addAction(
            f"The live model of {Path(run).name}" if run else "The live model of a run",
            self.liveRequested.emit,
        )
        live.setEnabled(run is not None)
        if run is None:
            live.setToolTip("Start or open a run in the training pane first")
        self._menu.addSeparator()
        self._menu.addAction(
            "Open a checkpoint folder\u2026", lambda: self.folderRequested.emit("")
        )
        for path in recent[:5]:
            self._menu.addAction(
                Path(path).name, lambda path=path: self.folderRequested.emit(path)
            ).setToolTip(path)
        self._menu.setToolTipsVisible(True)

    def _restyle(self) -> None:
        self.source_button.setIcon(theme_icons.icon("chevron-down", "muted", 16))
        self.source_button.setFont(theme.current().font("body"))
