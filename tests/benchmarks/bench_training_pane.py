"""The training pane: how soon Start shows something, and how fast long runs are drawn."""

import asyncio
import math
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.harness import Report, percentile, timed

STEPS = 100_000
PATIENCE = 60.0  # seconds for the first sample


def fast(report: Report) -> None:
    import qasync

    from explorer import theme
    from explorer.app import ExplorerApp

    app: Any = ExplorerApp.instance() or ExplorerApp(["bench"])
    theme.apply(app, "light", 1.0, "full")
    _lines(report)
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
        for backend in ("thread", "process"):
            loss, sample = runner.run(_start(app, backend))
            if backend == "thread":
                report.at_most("Start to the first loss", loss, 2.0, "s")
                report.at_most("Start to the first sample", sample, 15.0, "s")
            else:
                report.tell("Start to the first loss, as a process", loss, "s")
                report.tell("Start to the first sample, as a process", sample, "s")


async def _start(app: Any, backend: str) -> tuple[float, float]:
    """Seconds from Start, with the defaults, until a loss and a sample are on the screen."""
    from explorer.session import Session

    with tempfile.TemporaryDirectory() as scratch:
        session = Session(folder=Path(scratch), runs_folder=Path(scratch) / "runs")
        session.settings.callouts_seen = True
        window = session.open()
        window.show()
        await session.begin()
        pane: Any = window.show_pane("training")
        await pane.settled()
        pane.planning.change("run_in", backend)
        begin = time.perf_counter()
        pane.driver.start_run()

        def losses() -> bool:
            return any(len(line) for line in pane.view.charts.loss.displayed().values())

        loss = await _when(losses, begin)
        sample = await _when(lambda: bool(pane.view.samples.samples), begin)
        await session.close()
    return loss, sample


async def _when(condition: Any, begin: float) -> float:
    while not condition():
        if time.perf_counter() - begin > PATIENCE:
            return math.inf
        await asyncio.sleep(0.005)
    return time.perf_counter() - begin


def _lines(report: Report) -> None:
    """All five plots of a run of 100,000 steps: new data and a full repaint."""
    from PySide6.QtGui import QPixmap

    from explorer.panes.training.charts import Charts

    charts = Charts()
    charts.resize(1000, 640)
    data = _long_run()
    charts.set_runs(data)
    pixmap = QPixmap(charts.size())

    def repaint() -> None:
        charts.loss.render(pixmap)

    def renew() -> None:
        charts.set_runs(data)
        charts.render(pixmap)

    report.at_most(
        "plot of 100,000 steps, repaint, median",
        1e3 * percentile(timed(repaint, 30), 0.5),
        16,
        "ms",
    )
    report.tell("all plots, new data and repaint", 1e3 * percentile(timed(renew, 15), 0.5), "ms")
    charts.deleteLater()


def _long_run() -> Any:
    from core.training.reader import EVALUATION_DTYPE
    from core.training.records import STEP_DTYPE
    from explorer.panes.training.demo import demo_config
    from explorer.panes.training.follow import RunData

    random = np.random.default_rng(0)
    steps = np.zeros(STEPS, STEP_DTYPE)
    steps["step"] = np.arange(1, STEPS + 1)
    steps["loss"] = 2 + 5 * np.exp(-steps["step"] / 9000) + 0.2 * random.normal(size=STEPS)
    steps["grad_norm"] = 1 + random.random(STEPS)
    steps["learning_rate"] = np.linspace(1e-3, 1e-4, STEPS)
    steps["tokens"], steps["seconds"], steps["memory"] = 512, 0.01 + random.random(STEPS) / 99, 5e8
    evaluations = np.zeros(STEPS // 100, EVALUATION_DTYPE)
    evaluations["step"] = np.arange(1, STEPS // 100 + 1) * 100
    evaluations["validation"] = 2.1 + 5 * np.exp(-evaluations["step"] / 9000)
    return RunData(
        folder=Path("bench"),
        name="bench",
        state="finished",
        message="",
        config=demo_config(STEPS),
        step=STEPS,
        steps=steps,
        evaluations=evaluations,
        samples=(),
        probes={},
        checkpoints={},
        parent=None,
        parameters=0,
    )
