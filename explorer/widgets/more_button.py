"""More: a button that shows rarely needed parts and hides them again."""

from __future__ import annotations

from PySide6.QtWidgets import QPushButton, QWidget

from explorer.widgets.base import set_look


class MoreButton(QPushButton):
    """`rest` is hidden until the button is checked; the button then says Less."""

    def __init__(self, name: str, rest: QWidget, title: str = "More") -> None:
        super().__init__(title)
        self.setObjectName(name)
        self.setCheckable(True)
        set_look(self, "quiet")
        rest.hide()
        self.toggled.connect(rest.setVisible)
        self.toggled.connect(lambda on: self.setText("Less" if on else title))
