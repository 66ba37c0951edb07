"""`--self-test` checks a copy of the app: window, panes, three training steps, core's source."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer import theme

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from explorer.shell.session import Session
    from explorer.shell.window import MainWindow

PATIENCE = 120.0
PROMPT = "Once upon a time there was a girl named Mira. One day Mira"
STEPS = 3


async def run(app: QApplication) -> int:
    """Prints one line for each part; returns 0 if all of them work."""
    from explorer.shell.session import Session

    with tempfile.TemporaryDirectory(prefix="llm-explorer-") as scratch:
        session = Session(folder=Path(scratch), runs_folder=Path(scratch) / "runs")
        session.settings.callouts_seen = True
        theme.apply(app, "light", 1.0, "off")
        window = session.open()
        window.show()
        try:
            async with asyncio.timeout(PATIENCE):
                await _all(session, window)
        except Exception:
            traceback.print_exc()
            print("self-test: failed", file=sys.stderr)
            return 1
        finally:
            await session.close()
    print("self-test: all is well")
    return 0


async def _all(session: Session, window: MainWindow) -> None:
    await session.first_paint()
    _say("window", window.isVisible() and not window.grab().isNull())
    await session.begin()
    _say("model", session.workspace.model_source is not None)
    await _panes(window)
    await _code(session, window)
    await _backprop(window)
    await _training(session)


async def _panes(window: MainWindow) -> None:
    for spec in window.specs:
        pane = window.show_pane(spec.id)
        if pane is None:
            raise RuntimeError(f"the pane {spec.id} could not be built")
        await pane.settled()
        _say(f"pane {spec.id}", not pane.grab().isNull())


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
    _say("code", "scores" in lines.lines[lines.marked] and not window.inspector.grab().isNull())


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
    _say("backprop", found == [5.0, 3.0] and not pane.grab().isNull())


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
    _say("training", reader.step == STEPS and len(reader.steps) == STEPS)


def _say(part: str, works: bool) -> None:
    if not works:
        raise RuntimeError(f"{part} does not work")
    print(f"self-test: {part} works")
