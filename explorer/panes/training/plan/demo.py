"""The states of Plan that a snapshot shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.panes.training.plan import presets, text

if TYPE_CHECKING:
    from explorer.panes.training.plan.mode import PlanMode


def views(mode: PlanMode) -> dict[str, Callable[[], Any]]:
    """By name: each callable brings the mode there."""

    def preset(draft: Any, title: str, term: str) -> Callable[[], Any]:
        async def bring() -> None:
            mode.take_preset(draft, title)
            await mode.settled()
            names = [step.name for step in mode.planned.trace]
            mode.player.seek(names.index(f"plan.{term}"))

        return bring

    return {
        "here": preset(presets.BUNDLED, text.BUNDLED_HERE, "optimizer"),
        "gpt3": preset(presets.GPT3, text.GPT3, "memory"),
    }
