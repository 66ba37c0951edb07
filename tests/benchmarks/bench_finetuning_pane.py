"""The fine-tuning pane: frames while a fine-tuning run trains on the engine's thread.

Inside plays its steps; in Try the strength is dragged, a little with each frame, while both models
write.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.benchmarks.frames import application, moving_frames, painted_frames
from tests.benchmarks.harness import Report, percentile

SECONDS = 20.0
SIZE = (1280, 720)
FRAME = 16  # ms
PATIENCE = 90.0  # seconds for the first steps of the run
Frames = tuple[list[float], list[float]]


def fast(report: Report) -> None:
    import qasync

    app = application()
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
        runner.run(_measure(report))


async def _measure(report: Report) -> None:
    from core.training import RunReader
    from explorer.shell.session import Session

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        session = Session(folder=folder / "config", runs_folder=folder / "runs")
        session.settings.callouts_seen = True
        window = session.open()
        window.resize(*SIZE)
        window.show()
        await session.begin()
        pane: Any = window.show_pane("finetuning")
        for trains in (False, True):
            reader = None
            if trains:
                run = session.runs.new(_tuning(), "bench")
                session.runs.start(run, "thread")
                reader = RunReader(run)
                await _trains(reader)
            for what, measure in (("steps of Inside", _play), ("strength dragged", _drag)):
                before, begin = reader.step if reader else 0, time.perf_counter()
                frames, work = await measure(pane)
                _tell(report, f"{what}{', tuning' if trains else ''}", frames, work, trains)
                if reader:
                    reader.refresh()
                    speed = (reader.step - before) / (time.perf_counter() - begin)
                    report.tell(f"{what}, the run beside it", speed, "steps/s")
        await session.close()


def _tell(report: Report, what: str, frames: list[float], work: list[float], trains: bool) -> None:
    name, figure = f"{what}, frame, 99th percentile", 1e3 * percentile(frames, 0.99)
    if trains:
        report.at_most(name, figure, 20, "ms")
    else:
        report.tell(name, figure, "ms")
    report.tell(f"{what}, frame, median", 1e3 * percentile(frames, 0.5), "ms")
    worked = 1e3 * percentile(work, 0.99)
    report.tell(f"{what}, GUI thread's own work, 99th", worked, "ms")


def _tuning() -> Any:
    """What Tune starts, with LoRA on the bundled model and the questions, but with no end."""
    from core.finetuning.run_config import finetuning_config

    return finetuning_config(changes={"steps": 100_000})


async def _trains(reader: Any) -> None:
    end = time.perf_counter() + PATIENCE
    while reader.step < 3:
        if time.perf_counter() > end:
            raise TimeoutError(f"the run has made {reader.step} steps in {PATIENCE:.0f} s")
        await asyncio.sleep(0.1)
        reader.refresh()


async def _shown(pane: Any, name: str) -> Any:
    pane.request_mode(name, None)
    await pane.settled()
    assert pane.mode.view.body.state == "ready"
    return pane.mode


async def _play(pane: Any) -> Frames:
    mode = await _shown(pane, "inside")
    return await moving_frames(pane.player, mode.view.passage, SECONDS)


async def _drag(pane: Any) -> Frames:
    """The slider is held, and moved to and fro: the frames are its own, as a hand sees them."""
    from PySide6.QtCore import Qt, QTimer
    from PySide6.QtWidgets import QSlider

    mode = await _shown(pane, "try")
    slider = mode.view.settings.widgets["strength"].findChild(QSlider)
    assert slider is not None
    low, high = slider.minimum(), slider.maximum()
    values = itertools.cycle([*range(low, high), *range(high, low, -1)])

    def move() -> None:
        slider.setValue(next(values))

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(move)
    slider.setSliderDown(True)
    with painted_frames(slider, slider.value) as painted:
        timer.start(FRAME)
        await asyncio.sleep(SECONDS)
        timer.stop()
    slider.setSliderDown(False)
    await pane.settled()
    pairs = [(one, next_) for one, next_ in pairwise(painted) if one[2] != next_[2]]
    return [b[0] - a[0] for a, b in pairs], [b[1] - a[1] for a, b in pairs]
