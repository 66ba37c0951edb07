"""`--self-test` checks a copy of the app: window, panes, three training steps, core's source."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer import theme
from explorer.engine.lookout import Lookout
from explorer.studio.hang_detector import EVERY, QUIET, HangDetector

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from explorer.shell.session import Session
    from explorer.shell.window import MainWindow

PROMPT = "Once upon a time there was a girl named Mira. One day Mira"
STEPS = 3


class Watch:
    """Ends the self-test when it hangs, and says in which part and what that waits for.

    It also sees a window that is blocked; then the process ends with 1.
    """

    def __init__(self, session: Session, quiet: float = QUIET) -> None:
        self._engine = session.engine
        self._part = "the start"
        self._detector = HangDetector(quiet)
        self._lookout = Lookout(self._look, EVERY)
        self._ending = False
        self._loop = asyncio.get_running_loop()
        self._work: asyncio.Task[None] | None = None

    async def run(self, work: asyncio.Task[None]) -> None:
        """Waits for the end of `work`; raises TimeoutError if it hangs."""
        self._work = work
        self._lookout.start()
        try:
            await asyncio.wait([work])
        finally:
            self._lookout.stop()
        if work.cancelled():
            raise TimeoutError(f"{self._part} did not come to an end")
        work.result()

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Names what is being done, and says afterwards that it works."""
        self._part = name
        self._detector.progress()
        yield
        print(f"self-test: {name} works", flush=True)

    def _look(self) -> None:
        reason = self._detector.look()
        if not reason:
            return
        self._detector.progress()
        if self._ending:  # the window's thread does not even end what it does
            if sys.__stderr__ is not None:
                faulthandler.dump_traceback(sys.__stderr__)
            os._exit(1)
        self._ending = True
        print(f"self-test: {self._part} hangs: {reason}", file=sys.stderr)
        print("\n".join(self._awaited()), file=sys.stderr, flush=True)
        assert self._work is not None
        self._loop.call_soon_threadsafe(self._work.cancel)

    def _awaited(self) -> Iterator[str]:
        """Says what the engine does, and where each coroutine stands."""
        doing = [self._engine.activity, *(f"{job.name} ({job.state})" for job in self._engine.jobs)]
        yield f"  the engine: {', '.join(filter(None, doing)) or 'nothing to do'}"
        for task in asyncio.all_tasks(self._loop):
            inner: Any = task.get_coro()
            while getattr(getattr(inner, "cr_await", None), "cr_frame", None) is not None:
                inner = inner.cr_await
            if (frame := getattr(inner, "cr_frame", None)) is not None:
                name = Path(frame.f_code.co_filename).name
                yield f"  waits: {inner.__qualname__} ({name}:{frame.f_lineno})"


async def run(app: QApplication, quiet: float = QUIET) -> int:
    """Prints one line for each part; returns 0 if all of them work. `quiet`: see HangDetector."""
    from explorer.shell.session import Session

    with tempfile.TemporaryDirectory(prefix="llm-explorer-") as scratch:
        session = Session(folder=Path(scratch), runs_folder=Path(scratch) / "runs")
        session.settings.callouts_seen = True
        theme.apply(app, "light", 1.0, "off")
        window = session.open()
        window.show()
        watch = Watch(session, quiet)
        try:
            await watch.run(asyncio.ensure_future(_all(session, window, watch)))
        except Exception:
            traceback.print_exc()
            print("self-test: failed", file=sys.stderr)
            return 1
        finally:
            await session.close()
    print("self-test: all is well")
    return 0


async def _all(session: Session, window: MainWindow, watch: Watch) -> None:
    with watch.part("window"):
        await session.first_paint()
        _check(window.isVisible() and not window.grab().isNull(), "window")
    with watch.part("model"):
        await session.begin()
        _check(session.workspace.model_source is not None, "model")
    for spec in window.specs:
        with watch.part(f"pane {spec.id}"):
            pane = window.show_pane(spec.id)
            if pane is None:
                raise RuntimeError(f"the pane {spec.id} could not be built")
            await pane.settled()
            _check(not pane.grab().isNull(), f"pane {spec.id}")
    with watch.part("code"):
        await _code(session, window)
    with watch.part("backprop"):
        await _backprop(window)
    with watch.part("training"):
        await _training(session)


async def _code(session: Session, window: MainWindow) -> None:
    """Checks that the inspector shows core's source lines, which a frozen app must contain."""
    from core.trace import source
    from explorer.panes.base import Inspection

    model = session.workspace.model_source
    ids = model.tokenizer.encode(PROMPT).ids
    trace: Any = await model.trace_attention(ids, 0, 0)
    step = next(step for step in trace if step.name == "attention.scores")
    window.inspector.set_inspection(Inspection(step=step))
    window.inspector.set_tab("code")
    lines = source(step.code)
    seen = "scores" in lines.lines[lines.marked] and not window.inspector.grab().isNull()
    _check(seen, "code")


async def _backprop(window: MainWindow) -> None:
    """Types a formula, plays it to its end, and checks the gradients."""
    pane: Any = window.show_pane("backprop")
    pane.show_mode("expression")
    mode = pane.mode
    mode.set_text("L = x * y + x")
    mode.move_leaf("x", 0, 3.0)
    mode.move_leaf("y", 0, 4.0)
    pane.player.end()
    await pane.settled()
    leaves = mode.computed.leaves
    found = [float(mode.computed.gradient(leaves[name])) for name in ("x", "y")]
    _check(found == [5.0, 3.0] and not pane.grab().isNull(), "backprop")


async def _training(session: Session) -> None:
    from core.training import RunReader, TrainingConfig
    from core.transformer.config import ModelConfig

    model = session.workspace.model_source
    shape = ModelConfig(
        vocab_size=model.tokenizer.vocab_size, block_size=32, n_layer=1, n_head=2, n_embd=32
    )
    config = TrainingConfig(
        model=shape,
        steps=STEPS,
        batch_size=2,
        warmup_steps=1,
        evaluate_every=0,
        evaluate_batches=1,
        sample_every=0,
        probe_every=0,
        checkpoint_every=0,
    )
    folder = session.runs.new(config, "self-test")
    session.runs.start(folder, "thread")
    job = session.runs.job(folder)
    assert job is not None
    await job.done()
    job.result()
    reader = RunReader(folder)
    _check(reader.step == STEPS and len(reader.steps) == STEPS, "training")


def _check(works: bool, part: str) -> None:
    if not works:
        raise RuntimeError(f"{part} does not work")
