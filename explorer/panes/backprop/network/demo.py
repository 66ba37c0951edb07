"""The states of Network in a snapshot: training, one point on its way back, presets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explorer.panes.backprop.network.mode import NetworkMode

MIDWAY = 150  # optimizer steps


def views(mode: NetworkMode) -> dict[str, Callable[[], Any]]:
    async def begin(name: str, steps: int) -> None:
        mode.show_preset(name)
        await mode.settled()
        await mode.runner.steps(steps)
        await mode.settled()

    async def learning() -> None:
        await begin("moons", MIDWAY)

    async def sample() -> None:
        await begin("moons", MIDWAY)
        mode.follow(3)
        await mode.settled()
        found = mode.sample
        assert found is not None
        mode.player.seek(found.seed + (len(found) - found.seed) * 0.72)
        await mode.settled()

    async def vanishing() -> None:
        await begin("vanishing", 60)

    async def dead() -> None:
        await begin("dead", 120)

    async def overfit() -> None:
        await begin("overfit", 300)

    return {
        "learning": learning,
        "sample": sample,
        "vanishing": vanishing,
        "dead": dead,
        "overfit": overfit,
    }
