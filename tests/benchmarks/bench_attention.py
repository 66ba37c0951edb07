"""The attention pane: frames while a model trains in the background, and the time to a picture, of
a model as large as GPT-2, too.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.frames import application, moving_frames
from tests.benchmarks.harness import Report, percentile

SECONDS = 24.0
SIZE = (1280, 720)
EDITS = 7  # of a prompt; the first of them warms up
TOKENS = 64


def fast(report: Report) -> None:
    import qasync

    app = application()
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
        runner.run(_measure(report))
        runner.run(_measure_gpt2(report))


async def _measure(report: Report) -> None:
    from core.training import RunReader
    from explorer.shell.session import Session
    from tests.explorer.demo import save_tiny_model

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        model = save_tiny_model(folder / "model", block_size=256, n_layer=4, n_head=6, n_embd=192)
        session = Session(folder=folder / "config", runs_folder=folder / "runs")
        window = session.open()
        window.resize(*SIZE)
        window.show()
        session.engine.start()
        await session.open_model(model)
        pane = window.show_pane("attention")
        assert pane is not None
        await pane.settled()
        start = time.perf_counter()
        session.workspace.set_prompt(f"{session.workspace.prompt} sang")
        await pane.settled()
        report.tell("text to heads, 4 x 6 heads", (time.perf_counter() - start) * 1e3, "ms")
        report.tell("one frame of the steps, paint", 1e3 * _paint(pane), "ms")
        quiet, _ = await _frames(pane)
        report.tell("frame to frame, no training, 99th percentile", _p99(quiet), "ms")
        run = session.runs.new(_training(), "bench")
        session.workspace.set_run(str(run))
        session.runs.start(run, "thread")
        reader = RunReader(run)
        while reader.step < 3:
            await asyncio.sleep(0.1)
            reader.refresh()
        before, begin = reader.step, time.perf_counter()
        frames, work = await _frames(pane)
        reader.refresh()
        steps = (reader.step - before) / (time.perf_counter() - begin)
        report.tell("training beside it", steps, "steps/s")
        report.tell("frame to frame while training, median", percentile(frames, 0.5) * 1e3, "ms")
        report.at_most("frame to frame while training, 99th percentile", _p99(frames), 20, "ms")
        report.tell("the GUI thread's own work a frame, 99th percentile", _p99(work), "ms")
        await session.close()


async def _measure_gpt2(report: Report) -> None:
    """A prompt of 64 tokens is edited; its heads are drawn by a model of GPT-2's smallest size."""
    from explorer.shell.session import Session
    from tests.benchmarks.stall_watch import Stalls, StallWatch

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        session = Session(folder=folder / "config", runs_folder=folder / "runs")
        window = session.open()
        window.resize(*SIZE)
        window.show()
        session.engine.start()
        await session.open_model(_save_gpt2(folder / "model"))
        pane = window.show_pane("attention")
        assert pane is not None
        await pane.settled()
        text = _text_of(session.workspace.tokenizer)
        watch, stalls = StallWatch(), Stalls()
        times: dict[str, list[float]] = {"map": [], "steps": [], "forward": []}
        words = itertools.cycle(("a", "red", "kite"))  # an edit that changes nothing draws nothing
        for mode in ("map", "steps"):
            pane.set_mode(mode)
            for _ in range(EDITS):
                before = pane.view.panel.mosaic.displayed()["maps"]
                session.workspace.set_prompt(f"{text} {next(words)}")
                with watch.watching(stalls):
                    start = time.perf_counter()
                    await _drawn(pane, session.workspace.prompt, before)
                    times[mode].append(time.perf_counter() - start)
                    await pane.settled()
                start = time.perf_counter()
                await session.workspace.model_source.ask(_forward, pane.reader.prompt.ids)
                times["forward"].append(time.perf_counter() - start)
        watch.close()
        assert pane.reader.heads.attention.shape == (12, 12, TOKENS, TOKENS)
        name = "prompt edit to redrawn heads, GPT-2 124M, 64 tokens"
        report.at_most(name, percentile(times["map"][1:], 0.5) * 1e3, 400, "ms")
        forward = percentile(times["forward"][1:], 0.5) * 1e3
        report.tell("of which the model's own forward pass", forward, "ms")
        name = "the same to the likeliest next tokens"
        report.tell(name, percentile(times["steps"][1:], 0.5) * 1e3, "ms")
        report.at_most("longest wait of the GUI meanwhile", stalls.longest * 1e3, 250, "ms")
        await session.close()


def _save_gpt2(folder: Path) -> Path:
    """Random weights in the shape of GPT-2's smallest model, and a smaller tokenizer."""
    import shutil

    import torch

    from core.resources import resource
    from core.transformer import preset
    from core.transformer.gpt import GPT
    from core.transformer.weights import save_model

    folder.mkdir()
    save_model(folder, GPT(preset("gpt2"), torch.Generator().manual_seed(0)))
    shutil.copy(resource("models", "stories", "tokenizer.json"), folder / "tokenizer.json")
    return folder


def _text_of(tokenizer: Any) -> str:
    """A text of TOKENS - 1 tokens: a word of one token makes it whole."""
    words = ["Mira", "found", "a", "red", "kite", "by", "the", "sea", "and", "Tom", "saw", "it"]
    text = words[0]
    for place in range(1, 10 * TOKENS):
        longer = f"{text} {words[place % len(words)]}"
        if len(tokenizer.encode_ids(longer)) > TOKENS - 1:
            break
        text = longer
    while len(tokenizer.encode_ids(text)) < TOKENS - 1:
        text += "."
    return text


def _forward(model: Any, ids: tuple[int, ...]) -> None:
    import torch

    with torch.no_grad():
        model(torch.tensor([ids]))


async def _drawn(pane: Any, prompt: str, before: Any) -> None:
    """Returns once the picture of this text has been painted, and other maps of all heads than
    those `before`: the steps need their Trace, too.
    """
    maps = pane.view.panel.mosaic.displayed
    while pane.reader.heads.prompt.text != prompt or maps()["maps"] is before:
        await asyncio.sleep(0.001)
    if pane.settings.mode == "steps":
        await pane.settled()
    for picture in (pane.view.head.stack.currentWidget(), pane.view.panel.mosaic):
        picture.repaint()


def _p99(frames: list[float]) -> float:
    return percentile(frames, 0.99) * 1e3


def _paint(pane: Any) -> float:
    """Seconds of the dearest of a trace's frames, each the median of five."""
    from PySide6.QtGui import QPixmap

    pane.set_mode("steps")
    stage = pane.view.head.steps
    pixmap = QPixmap(stage.size())
    worst = 0.0
    for place in range(4 * (pane.player.length - 1) + 1):
        pane.player.seek(place / 4)
        times = []
        for _ in range(5):
            begin = time.perf_counter()
            stage.render(pixmap)
            times.append(time.perf_counter() - begin)
        worst = max(worst, percentile(times, 0.5))
    pane.player.seek(0)
    return worst


async def _frames(pane: Any) -> tuple[list[float], list[float]]:
    """See `moving_frames`: those of the picture of a head, while its steps are played."""
    pane.set_mode("steps")
    return await moving_frames(pane.player, pane.view.head.steps, SECONDS)


def _training() -> Any:
    from core.training import TrainingConfig
    from core.transformer.config import ModelConfig

    shape = ModelConfig(vocab_size=1, block_size=64, n_layer=4, n_head=4, n_embd=128)
    return TrainingConfig(
        model=shape,
        steps=100_000,
        batch_size=12,
        evaluate_every=0,
        sample_every=0,
        checkpoint_every=0,
        probe_every=20,
    )
