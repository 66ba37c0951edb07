"""The training pane: how soon Start shows something, and how fast long runs are drawn."""

import asyncio
import math
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.frames import application
from tests.benchmarks.harness import Report, percentile, seconds, timed

STEPS = 100_000
GROWS = 25  # times that the long run has grown
PATIENCE = 60.0  # seconds for the first sample


def fast(report: Report) -> None:
    import qasync

    app = application()
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
        runner.run(_growing(report))


async def _start(app: Any, backend: str) -> tuple[float, float]:
    """Seconds from Start, with the defaults, until a loss and a sample are on the screen."""
    from explorer.shell.session import Session

    with tempfile.TemporaryDirectory() as scratch:
        session = Session(folder=Path(scratch), runs_folder=Path(scratch) / "runs")
        session.settings.callouts_seen = True
        window = session.open()
        window.show()
        await session.begin()
        mode: Any = window.show_pane("training").modes["run"]
        await mode.settled()
        mode.setup.change("where", backend)
        begin = time.perf_counter()
        mode.start_run()

        def losses() -> bool:
            return any(len(line) for line in mode.view.charts.loss.displayed().values())

        loss = await _when(losses, begin)
        sample = await _when(lambda: bool(mode.view.samples.samples), begin)
        await session.close()
    return loss, sample


async def _when(condition: Any, begin: float) -> float:
    while not condition():
        if time.perf_counter() - begin > PATIENCE:
            return math.inf
        await asyncio.sleep(0.005)
    return time.perf_counter() - begin


async def _growing(report: Report) -> None:
    """A run of 100,000 steps and 500 pictures of its heads, while a step more is being written."""
    from PySide6.QtGui import QPixmap

    from core.training.writer import RunWriter
    from explorer.shell.session import Session

    with tempfile.TemporaryDirectory() as scratch:
        folder = _long_folder(Path(scratch))
        session = Session(folder=Path(scratch), with_torch=False)
        session.settings.callouts_seen = True
        window = session.open()
        window.resize(1440, 900)
        window.show()
        session.engine.start()
        pane: Any = window.show_pane("training")
        mode = pane.modes["run"]
        writer = RunWriter(folder, STEPS)
        session.open_run(folder)
        await _when(lambda: mode.follower.data is not None, time.perf_counter())
        await mode.settled()
        times: dict[str, list[float]] = {"data": [], "losses": [], "pane": []}

        def take(data: Any) -> None:
            times["data"].append(seconds(lambda: mode.on_data(data)))
            for name, widget in (("losses", mode.view.charts.loss), ("pane", pane)):
                pixmap = QPixmap(widget.size())
                times[name].append(seconds(lambda w=widget, p=pixmap: w.render(p)))

        mode.follower.changed.disconnect(mode.on_data)
        mode.follower.changed.connect(take)
        for count in range(1, GROWS + 1):
            writer.step({"step": STEPS + count, "loss": 2.0, "tokens": 512, "seconds": 0.01})
            mode.follower.look()
            await _when(lambda: len(times["data"]) >= count, time.perf_counter())  # noqa: B023
        assert len(mode.track.moments) > 500
        writer.close()
        await session.close()
    middle = {name: 1e3 * percentile(found, 0.5) for name, found in times.items()}
    named = f"{STEPS:,} steps and 500 moments"
    report.at_most(f"a step more of {named}, median", middle["data"], 16, "ms")
    report.at_most("its losses drawn anew, median", middle["losses"], 16, "ms")
    report.tell("then the whole pane drawn, median", middle["pane"], "ms")


def _long_folder(scratch: Path) -> Path:
    """The folder of a long run as core would have left it."""
    from core.training import new_run_folder
    from core.training.records import step_name, steps_file
    from core.training.writer import RunWriter
    from explorer.panes.training.presets import small_run

    data = _long_run()
    folder = new_run_folder(scratch / "runs", "long", small_run(steps=2 * STEPS))
    writer = RunWriter(folder)
    data.steps["attempt"] = writer.attempt
    data.steps.tofile(steps_file(folder))
    for row in data.evaluations:
        values = {"train": 2.0, "validation": float(row["validation"])}
        writer.event("evaluate", int(row["step"]), values)
    heads = np.random.default_rng(0).integers(0, 256, (4, 4, 64, 64), np.uint8)
    first = writer.probe(STEPS // 500, {"attention": heads}).read_bytes()
    for at in range(2, 501):
        (folder / "probes" / f"{step_name(at * STEPS // 500)}.safetensors").write_bytes(first)
    for at in range(1, 11):
        (folder / "checkpoints" / step_name(at * STEPS // 10)).mkdir()
    writer.close()
    return folder


def _lines(report: Report) -> None:
    """All five plots of a run of 100,000 steps: new data and a full repaint."""
    from PySide6.QtGui import QPixmap

    from explorer.panes.training.run.charts import Charts

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
    from explorer.panes.training.presets import small_run
    from explorer.runs.run_data import RunData

    random = np.random.default_rng(0)
    steps = np.zeros(STEPS, STEP_DTYPE)
    steps["step"] = steps["applied"] = np.arange(1, STEPS + 1)
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
        config=small_run(steps=STEPS),
        step=STEPS,
        steps=steps,
        evaluations=evaluations,
        samples=(),
        probes={},
        checkpoints={},
        parent=None,
        parameters=0,
    )
