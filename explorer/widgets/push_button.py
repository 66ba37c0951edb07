"""A push button with its help, in a look of the style sheet."""

from __future__ import annotations

from PySide6.QtWidgets import QPushButton

from explorer.widgets.base import set_look


def push_button(title: str, help: str = "", look: str = "") -> QPushButton:
    """`look`: "primary", "quiet", or "" for the usual one."""
    button = QPushButton(title)
    button.setToolTip(help)
    if look:
        set_look(button, look)
    return button
