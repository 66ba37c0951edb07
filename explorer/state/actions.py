"""Actions as data: menus, the palette, shortcuts and the list of keys all read the same list."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget


def _always() -> bool:
    return True


@dataclass(frozen=True)
class Action:
    """An action of the user.

    shortcut    in Qt's notation ("Ctrl+K"); several are separated by "; "
    title       returns the current name if it changes ("Undo: Learning rate 0.01")
    menu        File, Edit, View, Run, Panes, Help, or "" for the palette only
    global_key  False if the window itself dispatches the key (Space, arrows): no QShortcut
    """

    id: str
    text: str
    run: Callable[[], object]
    shortcut: str = ""
    enabled: Callable[[], bool] = _always
    menu: str = ""
    group: int = 0
    checked: Callable[[], bool] | None = None
    global_key: bool = True
    help: str = ""
    title: Callable[[], str] | None = None

    @property
    def name(self) -> str:
        """The current name."""
        return self.text if self.title is None else self.title()


MENUS = ("File", "Edit", "View", "Run", "Panes", "Help")


@dataclass
class Actions:
    """All current actions, in the order in which they were added."""

    items: dict[str, Action] = field(default_factory=dict)

    def add(self, actions: Iterable[Action]) -> None:
        """Raises ValueError if another action has the same id or global shortcut."""
        for action in actions:
            taken = self._conflict(action)
            if taken is not None:
                raise ValueError(f"action {action.id} clashes with {taken.id}; give it its own key")
            self.items[action.id] = action

    def _conflict(self, action: Action) -> Action | None:
        if action.id in self.items and self.items[action.id] is not action:
            return self.items[action.id]
        keys = set(filter(None, action.shortcut.split("; ")))
        for other in self.items.values():
            shared = keys & set(filter(None, other.shortcut.split("; ")))
            if other.id != action.id and shared and other.global_key and action.global_key:
                return other
        return None

    def remove(self, ids: Iterable[str]) -> None:
        for name in ids:
            self.items.pop(name, None)

    def run(self, name: str) -> bool:
        """Runs an action by its id if it is enabled. Raises ValueError for an unknown id."""
        if name not in self.items:
            raise ValueError(f"no action {name!r}; there are {', '.join(self.items)}")
        action = self.items[name]
        if not action.enabled():
            return False
        action.run()
        return True

    def of_menu(self, menu: str) -> list[Action]:
        found = [action for action in self.items.values() if action.menu == menu]
        return sorted(found, key=lambda action: action.group)

    def search(self, text: str) -> list[Action]:
        """Returns the actions that contain every typed word, those that start with it first."""
        words = text.lower().split()
        found = [a for a in self.items.values() if all(w in a.text.lower() for w in words)]
        return sorted(found, key=lambda a: not a.text.lower().startswith(text.lower().strip()))


def shortcut_text(action: Action) -> str:
    """Returns the keys in the platform's notation."""
    keys = [QKeySequence(key) for key in action.shortcut.split("; ") if key]
    return ", ".join(key.toString(QKeySequence.SequenceFormat.NativeText) for key in keys)


def q_action(action: Action, parent: QWidget) -> QAction:
    """Returns the QAction of an action. `refresh` updates its state and text."""
    result = QAction(action.name, parent)
    result.setObjectName(action.id)
    result.setMenuRole(_role(action.id))
    if action.shortcut and action.global_key:
        result.setShortcuts([QKeySequence(key) for key in action.shortcut.split("; ")])
    if action.help:
        result.setToolTip(action.help)
    result.setCheckable(action.checked is not None)
    result.triggered.connect(lambda _=False: action.run() if action.enabled() else None)
    refresh(action, result)
    return result


def refresh(action: Action, qt: QAction) -> None:
    qt.setEnabled(action.enabled())
    if action.checked is not None:
        qt.setChecked(action.checked())
    if qt.text() != action.name:
        qt.setText(action.name)


def _role(name: str) -> QAction.MenuRole:
    roles = {
        "app.quit": QAction.MenuRole.QuitRole,
        "help.about": QAction.MenuRole.AboutRole,
        "app.settings": QAction.MenuRole.PreferencesRole,
    }
    return roles.get(name, QAction.MenuRole.NoRole)
