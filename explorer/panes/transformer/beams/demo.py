"""The states of Beams in a snapshot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from explorer.panes.transformer.beams.draft import BeamsDraft


def views(mode: Any) -> dict[str, Callable[[], Any]]:
    """Returns the functions that bring the mode into each state, by name."""

    def at(step: int, **settings: int) -> Callable[[], Any]:
        draft = BeamsDraft(**settings)
        return mode.brought(draft, lambda: mode.player.seek(step % mode.player.length))

    steps = {"first": at(-1), "score": at(6), "choose": at(7), "prune": at(8)}
    return {**steps, "deep": at(-1, beams=8, depth=20)}
