"""The states of Plan in a snapshot."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explorer.panes.training.plan.mode import PlanMode


def views(mode: PlanMode) -> dict[str, Callable[[], Any]]:
    """Returns the functions that bring the mode into each state, by name."""

    def preset(take: Callable[[], None], term: str) -> Callable[[], Any]:
        async def bring() -> None:
            take()
            await mode.settled()
            names = [step.name for step in mode.planned.trace]
            mode.player.seek(names.index(f"plan.{term}"))

        return bring

    return {
        "here": preset(mode.take_bundled, "optimizer"),
        "gpt3": preset(mode.take_gpt3, "memory"),
    }
