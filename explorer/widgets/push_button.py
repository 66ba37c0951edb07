"""Push buttons with tooltips, in a look of the style sheet."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtWidgets import QPushButton

from explorer.widgets.base import set_look


def push_button(title: str, help: str = "", look: str = "") -> QPushButton:
    """Creates a button; `look`: "primary", "quiet", or "" for the usual one."""
    button = QPushButton(title)
    button.setToolTip(help)
    if look:
        set_look(button, look)
    return button


def push_buttons(
    prefix: str, titles: Mapping[str, tuple[str, str]], looks: Mapping[str, str]
) -> dict[str, QPushButton]:
    """Creates a button named `prefix.name` for each name with its (title, help)."""
    buttons = {name: push_button(*about, looks.get(name, "")) for name, about in titles.items()}
    for name, button in buttons.items():
        button.setObjectName(f"{prefix}.{name}")
    return buttons
