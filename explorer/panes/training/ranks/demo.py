"""Trains real ranks for this mode's snapshots: two processes, with either strategy."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from explorer.panes.trained_runs import trained
from explorer.panes.training import presets
from explorer.panes.training.ranks.mode import OWN

if TYPE_CHECKING:
    from explorer.panes.training.ranks.mode import RanksMode


def views(mode: RanksMode) -> dict[str, Callable[[], Any]]:
    """Returns the functions that bring the mode into each state of a snapshot, by name."""
    return {
        "ddp": partial(_measured, mode, "ddp"),
        "fsdp2": partial(_measured, mode, "fsdp2"),
        "computed": partial(_estimated, mode, "zero3", 14),
        "pipeline": partial(_estimated, mode, "pipeline", 12, 8),
    }


async def _measured(mode: RanksMode, parallel: str) -> None:
    config = presets.two_ranks().change({"parallel": parallel, "steps": 12, "warmup_steps": 4})
    folder, *_ = await trained(mode, {f"two-ranks-{parallel}": config})
    mode.workspace.set_run(str(folder))
    mode.choose(OWN)
    await mode.settled()
    exchanges = [place for place, step in enumerate(mode.lanes.trace) if step.lane == "exchange"]
    mode.player.seek(exchanges[len(exchanges) // 2])


async def _estimated(mode: RanksMode, strategy: str, place: int, devices: int = 4) -> None:
    mode.workspace.set_run(None)
    mode.choose_devices(devices)
    mode.choose(strategy)
    await mode.settled()
    mode.player.seek(place)
