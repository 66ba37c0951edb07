"""Snapshot views: a neuron midway through backward, a fan-out, gradient steps, matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explorer.panes.backprop.expression.mode import ExpressionMode


def views(mode: ExpressionMode) -> dict[str, Callable[[], Any]]:
    async def show(example: str, share: float = 1.0, phase: str = "", leaf: str = "") -> None:
        """Shows the last moment of a phase, or a fraction of all steps."""
        mode.choose(-1, -1)
        if example != "entropy":
            mode.draft.begin({"checks": False})
        mode.show_example(example)
        await mode.settled()
        assert mode.computed is not None
        places = mode.computed.plan.places
        of_phase = [at for at, place in enumerate(places) if place and place.phase == phase]
        mode.player.seek(of_phase[-1] if of_phase else round(share * (len(places) - 1)))
        if leaf:
            mode.try_leaf(leaf)
        await mode.settled()

    async def neuron() -> None:
        await show("neuron", 14 / 15)

    async def twice() -> None:
        await show("twice", phase="accumulate")

    async def learning() -> None:
        await show("error", leaf="w")
        mode.step_downhill(4)

    async def checked() -> None:
        mode.draft.begin({"checks": True})
        await show("entropy")

    async def matrices() -> None:
        await show("matrices", 0.86)

    async def micrograd() -> None:
        await show("micrograd", 0.6)

    async def infinite() -> None:
        await show("infinite")

    return {
        "neuron": neuron,
        "fan-out": twice,
        "learning": learning,
        "checked": checked,
        "matrices": matrices,
        "micrograd": micrograd,
        "infinite": infinite,
    }
