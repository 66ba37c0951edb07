"""Real ranks for the pictures of this mode: two processes of this machine, by both strategies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.panes.training.ranks.start import two_ranks_config

if TYPE_CHECKING:
    from explorer.panes.training.ranks.mode import RanksMode

STEPS = 12
PATIENCE = 120.0  # seconds


def views(mode: RanksMode) -> dict[str, Callable[[], Any]]:
    """The states that a snapshot shows, by name."""

    def measured(parallel: str) -> Callable[[], Any]:
        async def bring() -> None:
            folder = await _trained(mode, parallel)
            mode.workspace.set_run(str(folder))
            mode.choose("run")
            mode.look()
            await mode.settled()
            places = [place for place, e in enumerate(mode.scene.events) if "-" in e.kind]
            mode.player.seek(places[len(places) // 2] if places else 0)

        return bring

    def computed(strategy: str, place: int) -> Callable[[], Any]:
        async def bring() -> None:
            mode.workspace.set_run(None)
            mode.choose_devices(4)
            mode.choose(strategy)
            await mode.settled()
            mode.player.seek(place)

        return bring

    return {
        "ddp": measured("ddp"),
        "fsdp2": measured("fsdp2"),
        "computed": computed("zero3", 14),
        "pipeline": computed("pipeline", 9),
    }


async def _trained(mode: RanksMode, parallel: str) -> Path:
    """A run of STEPS steps on two ranks, trained once for all pictures."""
    runs = mode.context.runs
    folder = runs.folder() / f"two-ranks-{parallel}"
    if not folder.exists():
        folder = runs.new(
            two_ranks_config(parallel, STEPS).change({"warmup_steps": 4}), folder.name
        )
        runs.start(folder, "process")
        waited = 0.0
        while runs.running_here(folder) and waited < PATIENCE:
            await asyncio.sleep(0.1)
            waited += 0.1
    return folder
