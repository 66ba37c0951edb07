"""Buttons that say by a name what they do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtWidgets import QPushButton


def named_buttons(
    prefix: str, titles: Mapping[str, tuple[str, str]], pressed: Callable[[str], None]
) -> dict[str, QPushButton]:
    """A button called `prefix.name` for each name with its (title, tooltip)."""
    buttons = {}
    for name, (title, help) in titles.items():
        buttons[name] = button = QPushButton(title)
        button.setObjectName(f"{prefix}.{name}")
        button.setToolTip(help)
        button.clicked.connect(partial(pressed, name))
    return buttons
