"""A button that opens a menu."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolButton, QWidget

from explorer import theme
from explorer.theme import icons
from explorer.widgets.base import set_look


class MenuButton(QToolButton):
    """A button that opens a menu; `menuOpening` is emitted first, so that its owner can fill it."""

    menuOpening = Signal()

    def __init__(self, icon: str, text: str, help: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = icon
        self.setText(text)
        self.setToolTip(help)
        self.setAccessibleName(text)
        self.setAccessibleDescription(help)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        set_look(self, "outlined")
        menu = QMenu(self)
        menu.aboutToShow.connect(self.menuOpening)
        self.setMenu(menu)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        now = theme.current()
        self.setFont(now.font("body"))
        self.setIcon(icons.icon(self._icon, "text", 16))
        self.setIconSize(QSize(now.px(16), now.px(16)))
