"""The states of Beams that a snapshot shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from explorer.panes.transformer.beams.draft import BeamsDraft


def views(mode: Any) -> dict[str, Callable[[], Any]]:
    """By name: each callable brings the mode there."""

    def at(step: int, **settings: int) -> Callable[[], Any]:
        draft = BeamsDraft(**settings)
        return mode.brought(draft, lambda: mode.player.seek(step % mode.player.length))

    steps = {"first": at(-1), "score": at(6), "choose": at(7), "prune": at(8)}
    return {**steps, "deep": at(-1, beams=8, depth=20)}
