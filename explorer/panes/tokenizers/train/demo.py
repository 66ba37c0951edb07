"""The states of Train in a snapshot: the setup, midway with all algorithms, and the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.panes.tokenizers.train.draft import TrainDraft

if TYPE_CHECKING:
    from explorer.panes.tokenizers.train.mode import TrainMode

MIDWAY = 220  # common steps


def views(mode: TrainMode) -> dict[str, Callable[[], Any]]:
    async def setup() -> None:
        mode.new_training()
        await mode.settled()

    async def midway() -> None:
        mode.new_training()
        mode.draft.begin(TrainDraft())
        mode.start(until=MIDWAY)
        await _until(mode, lambda: len(mode.trainer.recording or ()) >= MIDWAY)
        await mode.settled()
        mode.player.end()
        await mode.settled()

    async def finished() -> None:
        if mode.trainer.recording is None:
            mode.start()
        mode.trainer.hurry()
        await _until(mode, lambda: mode.trainer.state == "done")
        mode.player.end()
        await mode.settled()

    return {"setup": setup, "midway": midway, "finished": finished}


async def _until(mode: TrainMode, come: Callable[[], bool]) -> None:
    for _ in range(6000):
        if come():
            return
        if mode.trainer.state == "failed":
            raise ValueError(mode.trainer.error)
        await asyncio.sleep(0.02)
    raise TimeoutError("the demo training did not come to its end")
