"""Real runs for the pictures of this mode: one seed, in fp16 and in fp32."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.panes.training.precision.start import fp16_config

if TYPE_CHECKING:
    from explorer.panes.training.precision.mode import PrecisionMode

STEPS = 60
PATIENCE = 120.0  # seconds


def views(mode: PrecisionMode) -> dict[str, Callable[[], Any]]:
    """The states that a snapshot shows, by name."""

    def measured(changes: dict[str, Any], place: int = 0) -> Callable[[], Any]:
        async def bring() -> None:
            mode.workspace.set_run(str(await _trained(mode)))
            await mode.settled()
            mode.restore(
                {"kind": "gradients", "format": "fp16", "layer": "", "scale": 0, **changes}
            )
            await mode.settled()
            mode.player.seek(place)

        return bring

    async def example() -> None:
        mode.workspace.set_run(None)
        mode.restore({"kind": "gradients", "format": "fp16", "scale": 0, "tab": "scale"})
        await mode.settled()

    return {
        "example": example,
        "loss-scale": measured({"tab": "scale"}),
        "gradient": measured({"tab": "gradient", "scale": 10, "format": "fp8 e4m3fn"}, 3),
        "weight": measured({"tab": "weight", "kind": "updates", "layer": "h.1"}, 9),
    }


async def _trained(mode: PrecisionMode) -> Path:
    """The run in fp16, trained once for all pictures together with its twin."""
    runs = mode.context.runs
    found = [runs.folder() / f"precision-{name}" for name in ("fp32", "fp16")]
    for folder in found:
        if not folder.exists():
            precision = folder.name.rpartition("-")[2]
            config = fp16_config().change({"precision": precision, "steps": STEPS})
            runs.start(runs.new(config, folder.name), "process")
    waited = 0.0
    while any(map(runs.running_here, found)) and waited < PATIENCE:
        await asyncio.sleep(0.1)
        waited += 0.1
    return found[1]
