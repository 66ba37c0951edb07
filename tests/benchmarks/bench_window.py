"""Frames of the attention pane's animation while a run trains in the background."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.benchmarks.frames import application
from tests.benchmarks.harness import Report, percentile

SECONDS = 12.0
PATIENCE = 60.0


def fast(report: Report) -> None:
    import qasync

    app = application()
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
        quiet, _ = runner.run(_frames(training=False))
        busy, rate = runner.run(_frames(training=True))
    report.tell("frame while nothing trains, 99th percentile", 1e3 * percentile(quiet, 0.99), "ms")
    report.tell("frame while training, median", 1e3 * statistics.median(busy), "ms")
    limit = 1e3 * percentile(busy, 0.99)
    report.at_most("frame while training, 99th percentile", limit, 20, "ms")
    report.tell("steps trained meanwhile", rate, "1/s")


async def _frames(*, training: bool) -> tuple[list[float], float]:
    """Seconds between frames of the playing animation, paint included; training steps a second."""
    from core.training import RunReader, TrainingConfig
    from core.transformer.config import ModelConfig
    from explorer.shell.session import Session

    with tempfile.TemporaryDirectory() as scratch:
        session = Session(folder=Path(scratch), runs_folder=Path(scratch) / "runs")
        session.settings.callouts_seen = True
        window = session.open()
        window.resize(1440, 900)
        window.show()
        await session.begin()
        pane: Any = window.show_pane("attention")
        await pane.settled()
        folder = None
        if training:
            shape = ModelConfig(vocab_size=1, block_size=64, n_layer=4, n_head=4, n_embd=128)
            config = TrainingConfig(model=shape, steps=100_000, batch_size=12)
            folder = session.runs.new(config, "frames")
            session.runs.start(folder)
            async with asyncio.timeout(PATIENCE):
                while RunReader(folder).step < 5:
                    await asyncio.sleep(0.1)
        before = RunReader(folder).step if folder else 0
        stamps: list[float] = []
        player = pane.player
        player._timer.timeout.connect(lambda: stamps.append(time.perf_counter()))
        player.playingChanged.connect(lambda playing: None if playing else player.play())
        player.start()
        player.play()
        await asyncio.sleep(SECONDS)
        player.playingChanged.disconnect()
        player.pause()
        rate = (RunReader(folder).step - before) / SECONDS if folder else 0.0
        await session.close()
    return [later - earlier for earlier, later in pairwise(stamps)], rate
