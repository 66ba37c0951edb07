"""The playground: how fast a small network learns while it is drawn, and how even frames are."""

import asyncio
import math
import tempfile
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.benchmarks.frames import application
from tests.benchmarks.harness import Report, percentile

FRAME = 16  # ms: 60 Hz
SECONDS = 6.0
WIDE = (8,) * 6  # the largest network that can be set up


def fast(report: Report) -> None:
    import qasync

    app = application()
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
        _, still, _ = runner.run(_learning(learns=False))
        rate, frames, paints = runner.run(_learning())
        large, slower, longer = runner.run(_learning(hidden=WIDE))
    report.tell("frame to frame while nothing learns, 99th percentile", _ms(still, 0.99), "ms")
    report.at_least("2-8-8-1, batch 32, while drawn at 60 Hz", rate, 300, "steps/s")
    report.tell("frame to frame while it learns, median", _ms(frames, 0.5), "ms")
    report.at_most("frame to frame while it learns, 99th percentile", _ms(frames, 0.99), 20, "ms")
    report.at_most(
        "the GUI thread's own work to paint, 99th percentile", _ms(paints, 0.99), 8, "ms"
    )
    report.tell("six hidden layers of 8", large, "steps/s")
    report.tell("then frame to frame, 99th percentile", _ms(slower, 0.99), "ms")
    report.tell("then the GUI thread's own work to paint, 99th percentile", _ms(longer, 0.99), "ms")


def _ms(values: list[float], share: float) -> float:
    return 1e3 * percentile(values, share)


async def _learning(learns: bool = True, **changes: Any) -> tuple[float, list[float], list[float]]:
    """Steps a second at the speed "max"; seconds from one beat of the 60 Hz clock to the next,
    where each beat paints the drawing and all that has changed, and the next is late when that took
    too long; and seconds of the GUI thread's work that the drawing took.
    """
    from PySide6.QtCore import Qt, QTimer

    from explorer.shell.session import Session

    with tempfile.TemporaryDirectory() as scratch:
        session = Session(folder=Path(scratch), runs_folder=Path(scratch) / "runs")
        session.settings.callouts_seen = True
        window = session.open()
        window.resize(1440, 900)
        window.show()
        await session.begin()
        pane: Any = window.show_pane("backprop")
        pane.show_mode("network")
        await pane.settled()
        mode = pane.modes["network"]
        mode.draft.change(replace(mode.draft.value, **changes), "Change the network")
        await pane.settled()
        drawing = mode.view.network
        times: list[float] = []
        paints: list[float] = []
        draw = drawing.draw

        def drawn(painter: Any) -> None:
            before = time.thread_time()
            draw(painter)
            paints.append(time.thread_time() - before)

        def frame() -> None:
            times.append(time.perf_counter())
            drawing.update()

        drawing.draw = drawn
        if learns:
            timer = mode.frames.clock
        else:
            timer = QTimer(interval=FRAME)
            timer.setTimerType(Qt.TimerType.PreciseTimer)
        pane.player.set_speed(math.inf)
        if learns:
            pane.player.play()
        await asyncio.sleep(1.0)  # until it is warm
        timer.timeout.connect(frame)
        timer.start()
        learner = mode.runner.training.learner
        first, begin = learner.step, time.perf_counter()
        await asyncio.sleep(SECONDS)
        rate = (learner.step - first) / (time.perf_counter() - begin)
        timer.stop()
        pane.player.pause()
        await pane.settled()
        await session.close()
    frames = [after - before for before, after in pairwise(times)]
    return rate, frames, paints
