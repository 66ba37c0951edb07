"""Optimizers in the backprop pane: how fast a race is run again, its map drawn, a frame played."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.frames import application
from tests.benchmarks.harness import Report, percentile

TIMES = 100
STEPS = 200


def fast(report: Report) -> None:
    import qasync

    app = application()
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
        found = runner.run(_driven())
    for what, limit in (("frame while nine race", 8.0), ("rate of one to its way", 250.0)):
        report.at_most(f"{what}, median", 1e3 * percentile(found[what], 0.5), limit, "ms")
    for what, waits in found.items():
        report.tell(f"{what}, 95th percentile", 1e3 * percentile(waits, 0.95), "ms")


async def _driven() -> dict[str, list[float]]:
    from core.optimization.optimizers import OPTIMIZERS
    from explorer.panes.backprop.optimizers.draft import OptimizersDraft
    from explorer.panes.backprop.pane import BackpropPane
    from explorer.shell.session import Session

    with tempfile.TemporaryDirectory(prefix="llm-explorer-") as scratch:
        session = Session(
            folder=Path(scratch), runs_folder=Path(scratch) / "runs", with_torch=False
        )
        session.settings.callouts_seen = True
        window = session.open()
        window.resize(1440, 900)
        window.show()
        await session.begin()
        pane = window.show_pane("backprop")
        assert isinstance(pane, BackpropPane)
        try:
            pane.show_mode("optimizers")
            mode: Any = pane.modes["optimizers"]
            mode.draft.change(OptimizersDraft(racers=tuple(OPTIMIZERS), steps=STEPS), "Nine race")
            await pane.settled()
            return {
                "frame while nine race": await _play(mode),
                "rate of one to its way": await _change(mode),
                "map of the surface": await _draw(mode),
            }
        finally:
            await session.close()


async def _play(mode: Any) -> list[float]:
    """Seconds of this thread from the cursor's move until map and bars are painted."""
    waits = []
    for turn in range(TIMES):
        began = time.thread_time()
        mode.player.seek(60 + turn * 0.24)
        mode.view.map.repaint()
        mode.view.moments.repaint()
        waits.append(time.thread_time() - began)
        await asyncio.sleep(0.002)
    return waits


async def _change(mode: Any) -> list[float]:
    """Seconds from another learning rate until the new way is there."""
    waits = []
    for turn in range(10):
        before, began = mode.recording, time.perf_counter()
        mode.set_value("adam", "learning_rate", 0.1 + 0.01 * turn)
        while mode.recording is before:
            await asyncio.sleep(0.002)
        waits.append(time.perf_counter() - began)
        await mode.settled()
    return waits


async def _draw(mode: Any) -> list[float]:
    """Seconds from a move of the plane until the map is drawn anew."""
    waits = []
    for _ in range(10):
        began = time.perf_counter()
        mode.view.map.zoom_by(1.02)
        await mode.settled()
        waits.append(time.perf_counter() - began)
    return waits
