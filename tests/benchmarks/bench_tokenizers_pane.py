"""The tokenizers pane: from a keystroke to the new splits of six tokenizers, idle and training."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

from tests.benchmarks.frames import application
from tests.benchmarks.harness import Report, percentile

SIZE = 2_000  # bytes of text
KEYS = 120
PAUSE = 0.12  # seconds between two keys: eight a second
PATIENCE = 60.0
WELL_KNOWN = ("gpt2", "bert", "o200k", "mistral", "j2", "llama3", "qwen", "cl100k", "albert")
PROSE = (
    "Every morning the baker opens her shop before the sun rises, and 27 children walk by. "
    "Am Abend schließt sie die Tür und liest ein Buch. Никто не знает, сколько историй. "
)


def fast(report: Report) -> None:
    import qasync

    app = application()
    for name, text in (("words", "the cat sat on the mat, " * 42_000), ("no space", "a" * 10**6)):
        waits = _keys_in_one_line(app, text[: 10**6])
        title = f"a key in one line of 1 MB, {name}, shown by the editor, 95th percentile"
        report.at_most(title, _ms(waits, 0.95), 50, "ms")
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
        first, columns = runner.run(_first_window())
        report.equal("columns of Compare on a fresh home without a network", columns, 4)
        report.at_most("until they stand there, from choosing the pane", first, 1.5, "s")
        for training, limit in ((False, 50), (True, 150)):
            waits, own, known, rate = runner.run(_typing(training=training))
            state = "while training" if training else "idle"
            if not training:
                report.tell("well-known tokenizers among the six", known)
            report.tell(f"keystroke to six new splits, {state}, median", _ms(waits, 0.5), "ms")
            name = f"the window's own processor time for a keystroke, {state}, median"
            report.tell(name, _ms(own, 0.5), "ms")
            name = f"keystroke to six new splits, {state}, 95th percentile"
            report.at_most(name, _ms(waits, 0.95), limit, "ms")
            if training:
                report.tell("steps trained meanwhile", rate, "1/s")


def _keys_in_one_line(app: Any, text: str) -> list[float]:
    """Seconds from each key until the editor has painted it, in the middle of one long line."""
    from PySide6.QtTest import QTest

    from explorer.panes.tokenizers.draft import LONGEST_TEXT
    from explorer.widgets.text_input import TextInput

    editor = TextInput(LONGEST_TEXT)
    editor.resize(900, 90)
    editor.show()
    editor.set_text(text)
    cursor = editor.textCursor()
    cursor.setPosition(len(text) // 2)
    editor.setTextCursor(cursor)
    app.processEvents()
    waits = []
    for _ in range(40):
        began = time.perf_counter()
        QTest.keyClick(editor, "x")
        app.processEvents()
        waits.append(time.perf_counter() - began)
    editor.hide()
    editor.deleteLater()
    return waits


def _ms(waits: list[float], share: float) -> float:
    return 1e3 * (statistics.median(waits) if share == 0.5 else percentile(waits, share))


async def _first_window() -> tuple[float, int]:
    """Seconds from choosing the pane until all its columns are painted, on a home that holds
    nothing; and how many columns these are."""
    from explorer.shell.session import Session

    with tempfile.TemporaryDirectory() as scratch:
        empty = dict.fromkeys(("LLM_EXPLORER_DATA", "HF_HUB_CACHE", "TIKTOKEN_CACHE_DIR"), scratch)
        with mock.patch.dict(os.environ, empty):
            session = Session(folder=Path(scratch), runs_folder=Path(scratch) / "runs")
            session.settings.callouts_seen = True
            window = session.open()
            window.resize(1280, 720)
            window.show()
            await session.begin()
            await window.show_pane("attention").settled()
            start = time.perf_counter()
            pane: Any = window.show_pane("tokenizers")
            mode = pane.modes["compare"]
            async with asyncio.timeout(PATIENCE):
                while not (ids := mode.shown_ones.ids) or any(
                    one not in mode.splits for one in ids
                ):
                    await asyncio.sleep(0.005)
            for column in mode.view.columns:
                column.repaint()
            seconds = time.perf_counter() - start
            count = len(mode.view.columns)
            await session.close()
    return seconds, count


async def _typing(*, training: bool) -> tuple[list[float], list[float], int, float]:
    """Seconds from each key until six splits are painted; those that the GUI's thread worked; real
    tokenizers; training steps a second."""
    from PySide6.QtCore import QCoreApplication, QEvent, Qt
    from PySide6.QtTest import QTest

    from core.training import RunReader
    from explorer.shell.session import Session

    with tempfile.TemporaryDirectory() as scratch:
        session = Session(folder=Path(scratch), runs_folder=Path(scratch) / "runs")
        session.settings.callouts_seen = True
        window = session.open()
        window.resize(1440, 900)
        window.show()
        await session.begin()
        pane: Any = window.show_pane("tokenizers")
        await pane.settled()
        mode = pane.modes["compare"]
        pane.show_mode("compare")
        known = _choose_six(pane, mode)
        text = (PROSE * SIZE).encode()[:SIZE].decode(errors="ignore")
        mode.set_text(text)
        await pane.settled()
        assert len(mode.splits) == 6, mode.shown_ones.errors
        folder = await _train(session) if training else None
        before = RunReader(folder).step if folder else 0
        began = time.perf_counter()
        editor = mode.view.editor
        editor.setFocus()
        editor.moveCursor(editor.textCursor().MoveOperation.End)
        waits: list[float] = []
        own: list[float] = []
        whole = asyncio.Event()
        mode.runner.came.connect(lambda _: whole.set() if len(mode.splits) == 6 else None)
        for key in range(KEYS):
            await asyncio.sleep(PAUSE)
            whole.clear()
            start, worked = time.perf_counter(), time.thread_time()
            if key % 4 == 3:
                QTest.keyClick(editor, Qt.Key.Key_Backspace)
            else:
                QTest.keyClicks(editor, "abc xyz"[key % 7])
            async with asyncio.timeout(PATIENCE):
                await whole.wait()
            # Painting is a part of what a person waits for, once.
            QCoreApplication.sendPostedEvents(window, QEvent.Type.UpdateRequest.value)
            waits.append(time.perf_counter() - start)
            own.append(time.thread_time() - worked)
        steps = RunReader(folder).step - before if folder else 0
        rate = steps / (time.perf_counter() - began)
        await session.close()
    return waits, own, known, rate


def _choose_six(pane: Any, mode: Any) -> int:
    """The model's and five well-known ones; where those are not here, some trained on the text."""
    from core.tokenization import train_tokenizer
    from explorer.panes.tokenizers.catalogue import MODEL

    here = [f"known:{name}" for name in WELL_KNOWN]
    here = [one for one in here if (entry := pane.catalogue.entry(one)) and entry.here][:5]
    chosen = [MODEL, *here]
    while len(chosen) < 6:
        size = 280 + 20 * len(chosen)
        trained = train_tokenizer("bpe", [PROSE * 20], size)
        chosen.append(pane.catalogue.add_trained(f"of {size} pieces", trained))
    mode.draft.begin({"tokenizers": tuple(chosen)})
    return len(here)


async def _train(session: Any) -> Path:
    """A run as the pane begins them, once it makes steps."""
    from core.training import RunReader, TrainingConfig
    from core.transformer.config import ModelConfig

    shape = ModelConfig(vocab_size=1, block_size=64, n_layer=4, n_head=4, n_embd=128)
    config = TrainingConfig(model=shape, steps=100_000, batch_size=12)
    folder: Path = session.runs.new(config, "typing")
    session.runs.start(folder)
    async with asyncio.timeout(PATIENCE):
        while RunReader(folder).step < 5:
            await asyncio.sleep(0.1)
    return folder
