"""The width of the inspector: as the user left it, or folded if the window has no room."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter

from explorer import theme
from explorer.state.settings import Settings
from explorer.widgets.inspector import Inspector

NARROW = 1180  # below this width, at zoom 1, the inspector folds automatically


class Folding(QObject):
    """Folds and unfolds the inspector by the window's width, as an event filter of the window; the
    user's own choice is saved in the settings.
    """

    def __init__(self, splitter: QSplitter, inspector: Inspector, settings: Settings) -> None:
        super().__init__(splitter)
        self._splitter, self._inspector, self._settings = splitter, inspector, settings
        self._wanted = not settings.inspector_collapsed
        self._narrow: bool | None = None  # unknown before the window has its first size
        self._by_itself = False
        inspector.collapsedChanged.connect(self._on_folded)
        splitter.splitterMoved.connect(lambda *_: self._on_moved())
        theme.changed.connect(self._on_theme)

    def widen(self) -> None:
        """Applies the width that the user chose, or as much of it as the pane leaves."""
        now, splitter = theme.current(), self._splitter
        wanted = now.px(self._settings.inspector_width)
        if self._inspector.collapsed:
            wanted = now.px("inspector_strip")
        room = max(splitter.width() - splitter.handleWidth(), splitter.window().width() // 2)
        splitter.setSizes([room - wanted, wanted])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QResizeEvent):
            self._fold()
        return False

    def _on_theme(self) -> None:
        if self._narrow is not None:
            self._fold()
            self.widen()

    def _fold(self) -> None:
        narrow = self._splitter.window().width() < theme.current().px(NARROW)
        if narrow != self._narrow:
            self._narrow = narrow
            self._by_itself = True
            self._inspector.set_collapsed(narrow or not self._wanted)
            self._by_itself = False

    def _on_folded(self, folded: bool) -> None:
        if not self._by_itself:
            self._wanted = not folded
            self._settings.inspector_collapsed = folded
        self.widen()

    def _on_moved(self) -> None:
        width = round(self._splitter.sizes()[1] / theme.current().zoom)
        low, high = theme.SIZE["inspector_min"], theme.SIZE["inspector_max"]
        if not self._inspector.collapsed and low <= width <= high:
            self._settings.inspector_width = width
