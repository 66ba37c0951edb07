"""Trains runs for this mode's snapshots: one seed, in fp16 and in fp32."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.panes.trained_runs import trained
from explorer.panes.training.presets import fp16

if TYPE_CHECKING:
    from explorer.panes.training.precision.mode import PrecisionMode


def views(mode: PrecisionMode) -> dict[str, Callable[[], Any]]:
    """Returns the functions that bring the mode into each state of a snapshot, by name."""
    config = fp16().change({"steps": 60})
    configs = {"precision-fp16": config, "precision-fp32": config.change({"precision": "fp32"})}

    def view(place: int, is_example: bool = False, **choice: Any) -> Callable[[], Any]:
        async def bring() -> None:
            run = None if is_example else str((await trained(mode, configs))[0])
            mode.workspace.set_run(run)
            mode.restore(choice)
            await mode.settled()
            mode.player.seek(place)

        return bring

    return {
        "example": view(0, is_example=True),
        "loss-scale": view(3, tab="scale"),
        "overflow": view(4, scale=20),
        "gradient": view(3, tab="gradient", scale=10, format="fp8 e4m3fn"),
        "weight": view(9, tab="weight", kind="updates", layer="h.1"),
    }
