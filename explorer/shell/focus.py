"""Keeps the keyboard focus where a person has put it when a widget that has it goes away."""

from __future__ import annotations

import shiboken6
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QWidget


class FocusKeeper(QObject):
    """When a button is hidden or disabled under the keyboard, Qt passes the focus to the next one
    in the chain, and the next Space presses what nobody has chosen. Here what surrounds the button
    gets it: there Space plays, and Tab goes on from the same place.

    Whoever hides a button and knows its heir sets the focus there; that holds.
    """

    def __init__(self, parent: QObject) -> None:
        """For all windows of the app, its popovers too, as long as `parent` lives."""
        super().__init__(parent)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._on_focus_changed)

    def _on_focus_changed(self, old: QWidget | None, new: QWidget | None) -> None:
        if old is None or new is None or not shiboken6.isValid(old):
            return
        window = old.window()
        if new.window() is not window or not window.isVisible():
            return
        if old.isVisible() and old.isEnabled():
            return
        heir = old.parentWidget()
        while heir is not None and not (heir.isVisible() and heir.isEnabled()):
            heir = heir.parentWidget()
        if heir is not None and not (heir is new or new.isAncestorOf(heir)):
            heir.setFocus()
