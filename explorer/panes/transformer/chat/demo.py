"""The states of Chat that a snapshot shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.panes.transformer.chat import text

if TYPE_CHECKING:
    from explorer.panes.transformer.chat.mode import ChatMode


def views(mode: ChatMode) -> dict[str, Callable[[], Any]]:
    """By name: each callable brings the mode there."""
    return {"first": lambda: mode.type(text.FIRST)}
