"""This mode's snapshots: a race, a step line by line, a typed surface, a divergence."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.panes.backprop.optimizers.draft import TYPED, OptimizersDraft

if TYPE_CHECKING:
    from explorer.panes.backprop.optimizers.mode import OptimizersMode


def views(mode: OptimizersMode) -> dict[str, Callable[[], Any]]:
    """Returns the functions that bring the mode into each state, by name."""

    async def show(one: OptimizersDraft, step: float, chosen: str) -> None:
        mode.draft.change(one, "Show an example")
        await mode.settled()
        mode.choose(chosen)
        mode.player.seek(step)

    async def midway() -> None:
        await show(
            OptimizersDraft(racers=("sgd", "momentum", "adagrad", "adam", "lion")), 60, "adam"
        )

    async def explained() -> None:
        await show(OptimizersDraft(racers=("sgd", "momentum", "adam")), 12, "adam")
        mode.go_into()
        mode.player.seek(4)

    async def typed() -> None:
        racers = ("sgd", "nesterov", "rmsprop", "adamw", "muon")
        text = "(x**2 + y**2) / 4 + 2*sin(2*x)*cos(y)"
        await show(OptimizersDraft(TYPED, text, (0.95, 0.3), racers), 60, "adamw")

    async def lost() -> None:
        one = OptimizersDraft(surface="beale", racers=("momentum", "adam"))
        await show(one.with_setting("momentum", "learning_rate", 0.5), 40, "momentum")

    return {"race": midway, "step": explained, "typed": typed, "lost": lost}
