"""The backprop pane: how fast a formula's graph is laid out, dragged, played and typed."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.frames import application
from tests.benchmarks.harness import Report, percentile

PAIRS = 40  # 199 nodes
CHAIN = " + ".join(f"tanh(w{number} * x{number})" for number in range(PAIRS))
WEB = "\n".join(f"v{n} = tanh(a * v{n - 1} + b) * v{n // 2}" for n in range(1, 50))
FORMULAS = {"a sum of 40 terms": CHAIN, "with fan-outs": f"v0 = c * 2\n{WEB}"}
LONG = "99 terms"
TYPED = {
    LONG: " + ".join(f"x{number}" for number in range(99)),  # 197 nodes
    "200 nodes with fan-outs": FORMULAS["with fan-outs"] + " + x1",
}
TIMES = 100
LETTERS = 24  # every third is taken back
PATIENCE = 10.0  # seconds that a letter may take
FRAMES = 16  # ms
TWO_FRAMES = 33  # ms; a graph is another with each letter
FRAME = 0.053  # of a transition, at twice the usual speed


def fast(report: Report) -> None:
    import qasync

    for name, text in FORMULAS.items():
        nodes, milliseconds = _laid_out(text)
        report.at_most(f"layout of {nodes} nodes, {name}", milliseconds, 100, "ms")
    app = application()
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
        for name, text in FORMULAS.items():
            dragged, played, worked = runner.run(_driven(text, _dragged_and_played))
            for what, waits in (("drag to redraw", dragged), ("frame while playing", played)):
                figure = 1e3 * percentile(waits, 0.5)
                report.at_most(f"{what}, {name}, median", figure, 16, "ms")
                worst = 1e3 * percentile(waits, 0.95)
                report.tell(f"{what}, {name}, 95th percentile", worst, "ms")
            what = f"frame while playing, {name}, time of the processor, 95th percentile"
            report.at_most(what, 1e3 * percentile(worked, 0.95), FRAMES, "ms")
        for name, text in TYPED.items():
            holds, waits, works = runner.run(_driven(text, _typed))
            what = f"typing a letter at {name}"
            figure = 1e3 * percentile(holds, 0.5)
            held = f"{what}, longest hold of the GUI thread"
            if name == LONG:
                report.at_most(held, figure, TWO_FRAMES, "ms")
            else:  # the engine works meanwhile, on another web
                report.tell(held, figure, "ms")
            work = 1e3 * percentile(works, 0.5)
            report.at_most(f"{what}, the same, time of the processor", work, FRAMES, "ms")
            report.tell(f"{what}, the same, 95th percentile", 1e3 * percentile(holds, 0.95), "ms")
            report.tell(f"{what}, letter to redraw", 1e3 * percentile(waits, 0.5), "ms")


def _laid_out(text: str) -> tuple[int, float]:
    """How many nodes, and milliseconds of one layout (the middle of five)."""
    from explorer.panes.backprop.expression.compute import compute, with_names
    from explorer.panes.backprop.expression.layout import arranged, plot_of

    graph = compute(text, with_names(text, {})).graph
    waits = []
    for _ in range(5):
        began = time.perf_counter()
        arranged(plot_of(graph), (935.0, 382.0))  # what a window of 1440 x 900 has
        waits.append(time.perf_counter() - began)
    return len(graph.nodes), 1e3 * percentile(waits, 0.5)


Times = tuple[list[float], list[float], list[float]]


async def _driven(text: str, measure: Callable[[Any, Any], Awaitable[Times]]) -> Times:
    """What `measure` finds at the pane and its mode, which show a formula."""
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
            pane.show_mode("expression")
            mode: Any = pane.modes["expression"]
            mode.set_text(text)
            await pane.settled()
            return await measure(pane, mode)
        finally:
            await session.close()


async def _dragged_and_played(pane: Any, mode: Any) -> Times:
    """Seconds from each drag until the graph is painted, and of each frame while it plays: as they
    pass, and those that the GUI thread works.
    """
    return await _drag(mode), *await _play(pane, mode)


async def _drag(mode: Any) -> list[float]:
    graph, waits = mode.view.graph, []
    graph.fit()
    mode.player.end()
    name = next(iter(mode.computed.leaves))
    for turn in range(TIMES):
        began = time.perf_counter()
        mode.move_leaf(name, 0, 0.5 + 0.01 * turn)
        graph.repaint()
        waits.append(time.perf_counter() - began)
        await asyncio.sleep(0.016)
    mode.draft.end_merge()
    return waits


async def _play(pane: Any, mode: Any) -> tuple[list[float], list[float]]:
    waits, works = [], []
    for turn in range(TIMES):
        began, worked = time.perf_counter(), time.thread_time()
        pane.player.seek(pane.player.length // 2 + turn * FRAME)
        mode.view.graph.repaint()
        waits.append(time.perf_counter() - began)
        works.append(time.thread_time() - worked)
        await asyncio.sleep(0.002)
    return waits, works


async def _typed(pane: Any, mode: Any) -> Times:
    """For each letter typed at the end of the formula: the longest time in which the GUI thread got
    to nothing else, the seconds until the new graph is painted, and the longest that the thread
    worked at a stretch.
    """
    from PySide6.QtGui import QTextCursor
    from PySide6.QtTest import QTest

    field, graph = mode.view.editor.field, mode.view.graph
    holds, waits, works = [], [], []
    for turn in range(LETTERS):
        field.moveCursor(QTextCursor.MoveOperation.End)
        began = last = time.perf_counter()
        worked = time.thread_time()
        if turn % 3 == 2:
            field.textCursor().deletePreviousChar()
        else:
            QTest.keyClick(field, "1")
        hold, wait, work = 0.0, 0.0, 0.0
        while not wait:
            if (
                mode.runner.has_solved(mode.draft.value)
                and mode.computed.text == field.toPlainText()
            ):
                graph.repaint()
                wait = time.perf_counter() - began
            await asyncio.sleep(0.001)  # not busy: the engine's thread needs the interpreter
            now = time.perf_counter()
            hold, last = max(hold, now - last), now
            work, worked = max(work, time.thread_time() - worked), time.thread_time()
            if now - began > PATIENCE:
                raise TimeoutError("a letter that was typed has changed no graph")
        holds.append(hold)
        waits.append(wait)
        works.append(work)
        await pane.settled()
    return holds, waits, works
