"""The states of Examples that a snapshot shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explorer.panes.transformer.examples.mode import ExamplesMode


def views(mode: ExamplesMode) -> dict[str, Callable[[], Any]]:
    """By name: each callable brings the mode there."""
    return {"all": lambda: mode.player.seek(len(mode.shots) - 1), "none": mode.player.start}
