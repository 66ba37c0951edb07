"""The menu bar, built from the list of actions."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow, QMenu

from explorer.state.actions import MENUS, Action, Actions, q_action, refresh, shortcut_text
from explorer.widgets.palette import Entry


class Menus:
    """One menu per name in MENUS; an action without a menu keeps its shortcut."""

    def __init__(self, window: QMainWindow) -> None:
        self._window = window
        self._shown: list[tuple[Action, QAction]] = []
        self._menus: list[QMenu] = []
        self._open = False

    def build(self, actions: Actions) -> None:
        """Replaces all menus."""
        bar = self._window.menuBar()
        bar.clear()
        for menu in self._menus:
            menu.deleteLater()
        for _, qt in self._shown:
            self._window.removeAction(qt)
            qt.deleteLater()
        self._shown, self._menus = [], []
        for name in MENUS:
            found = actions.of_menu(name)
            if found:
                menu = QMenu(name, self._window)  # a wrapper of Qt's can become invalid
                bar.addMenu(menu)
                menu.setObjectName(f"menu.{name}")
                self._menus.append(menu)
                menu.aboutToShow.connect(lambda: self._set_open(True))
                menu.aboutToHide.connect(lambda: self._set_open(False))
                self._fill(menu, found)
        for action in actions.of_menu(""):
            if action.shortcut and action.global_key:
                self._window.addAction(self._add(action))

    def refresh(self) -> None:
        """Updates state and text of the actions while a menu is open; opening one does the same."""
        if self._open:
            for action, qt in self._shown:
                refresh(action, qt)

    def _set_open(self, is_open: bool) -> None:
        self._open = is_open
        self.refresh()
        if not is_open:
            for _, qt in self._shown:
                qt.setEnabled(True)

    def _fill(self, menu: QMenu, actions: Sequence[Action]) -> None:
        group = actions[0].group
        for action in actions:
            if action.group != group:
                menu.addSeparator()
                group = action.group
            menu.addAction(self._add(action))

    def _add(self, action: Action) -> QAction:
        """Adds an action that is grayed out only while a menu is open: Qt ignores the key of a
        disabled action, and there is no signal when it becomes enabled. Keys ask the action.
        """
        qt = q_action(action, self._window)
        qt.setEnabled(True)
        self._shown.append((action, qt))
        return qt


def palette_entries(actions: Actions) -> list[Entry]:
    """Returns all actions for the palette, except the one that opens it."""
    return [
        Entry(action.id, action.name, shortcut_text(action), action.enabled())
        for action in actions.items.values()
        if action.id != "app.palette"
    ]
