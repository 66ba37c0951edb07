"""A menu of known names and of a folder or file that the user chose, with a last entry to choose
one.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal

from explorer.widgets.fields import MenuField

CHOOSE = "choose"


class PlaceField(MenuField):
    """Emits `askRequested` for the choice of a folder or file; until then nothing changes."""

    askRequested = Signal()

    def __init__(
        self, name: str, title: str, choices: list[tuple[str, str]], hint: str = ""
    ) -> None:
        """Creates the field; `choices` are known names and their texts."""
        self._known, self._chosen = choices, ""
        super().__init__(name, title, choices, hint)
        self.box.activated.disconnect()
        self.box.activated.connect(lambda _: self._on_activated())

    def set_value(self, text: str) -> None:
        """Shows a known name, or a path by its last part."""
        self._chosen = text
        own = [] if text in dict(self._known) else [(text, Path(text).name)]
        self.set_choices([*self._known, *own, (CHOOSE, "Choose\u2026")])
        super().set_value(text)

    def _on_activated(self) -> None:
        if self.value == CHOOSE:
            self.set_value(self._chosen)
            self.askRequested.emit()
        else:
            self.changed.emit(self.value)
