"""The backprop pane's Transformer: 32 tokens through the bundled model and back, step by step.

What a step costs is the GUI thread's own time: the engine, and whoever else is on the machine, do
not count.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.frames import application
from tests.benchmarks.harness import Report, percentile

TEXT = (
    "Once upon a time, Mira found a red kite. One day, Mira went to the park with her mom and the "
    "red kite. It was very windy and the kite flew high."
)


def fast(report: Report) -> None:
    import qasync

    app = application()
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
        runner.run(_measured(app, report))


async def _measured(app: Any, report: Report) -> None:
    from explorer.shell.session import Session

    with tempfile.TemporaryDirectory(prefix="llm-explorer-") as scratch:
        session = Session(folder=Path(scratch), runs_folder=Path(scratch) / "runs")
        session.settings.callouts_seen = True
        window = session.open()
        window.resize(1440, 900)
        window.show()
        try:
            await session.begin()
            pane: Any = window.show_pane("backprop")
            pane.show_mode("gpt")
            session.workspace.set_prompt(TEXT)
            await pane.settled()
            mode = pane.modes["gpt"]
            _asked_again(mode, report)
            await _stepped(app, mode, report)
            _painted(mode, report)
        finally:
            await session.close()


def _asked_again(mode: Any, report: Report) -> None:
    from core import load
    from core.jobs import to_the_end
    from explorer.panes.backprop.gpt.compute import work_out_steps

    model, worked = load("stories").model, mode.worked
    began = time.perf_counter()
    to_the_end(work_out_steps(model, worked.example, "bundled", None))
    report.tell("an example of 32 tokens worked out", 1e3 * (time.perf_counter() - began), "ms")
    report.at_most("difference to torch's gradients", worked.explained.disagreement, 1e-10)


async def _stepped(app: Any, mode: Any, report: Report) -> None:
    """Every step once to get to know it, and once more."""
    waits: list[float] = []
    for counts in (False, True):
        for step in range(mode.player.length):
            began = time.thread_time()
            mode.player.seek(step)
            app.processEvents()
            if counts:
                waits.append(1e3 * (time.thread_time() - began))
            await asyncio.sleep(0)
    report.at_most("a step, whole window, median", percentile(waits, 0.5), 16, "ms")
    report.at_most("a step, whole window, 95th percentile", percentile(waits, 0.95), 16, "ms")


def _painted(mode: Any, report: Report) -> None:
    """The stage: its first frame of a step, and those of the transition."""
    first, moving = [], []
    for step in range(1, mode.player.length):
        mode.player.seek(step - 0.5)
        for waits in (first, moving):
            began = time.thread_time()
            mode.view.stage.repaint()
            waits.append(1e3 * (time.thread_time() - began))
            mode.view.stage.set_share(0.3)
    report.at_most("first frame of a step, median", percentile(first, 0.5), 8, "ms")
    report.at_most("frame of a transition, 95th percentile", percentile(moving, 0.95), 8, "ms")
