"""A small run, really trained, for the pictures of this pane: setup, live, replay, one step."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.training.config import TrainingConfig
from core.transformer.config import ModelConfig
from explorer.panes.training.run.moments import nearest

if TYPE_CHECKING:
    from explorer.panes.training.run.mode import TrainingPane

STEPS = 240  # trained, of
OF = 400


def demo_config(steps: int = OF) -> TrainingConfig:
    """Tiny: a step takes a few milliseconds."""
    shape = ModelConfig(vocab_size=1536, block_size=64, n_layer=4, n_head=4, n_embd=64)
    return TrainingConfig(
        model=shape,
        steps=steps,
        batch_size=8,
        learning_rate=4e-3,
        min_learning_rate=4e-4,
        warmup_steps=20,
        repeated_fraction=0.1,
        evaluate_every=20,
        evaluate_batches=2,
        sample_every=60,
        sample_tokens=48,
        checkpoint_every=60,
        probe_every=4,
    )


def views(pane: TrainingPane) -> dict[str, Callable[[], Any]]:
    """The states that a snapshot shows, by name."""

    async def setup() -> None:
        pane.new_run()
        await pane.settled()

    async def live() -> None:
        await _demo(pane)
        pane.player.end()
        await pane.settled()

    async def replay() -> None:
        await _demo(pane)
        pane.player.seek(nearest(pane.track.moments, STEPS / 2))
        await pane.settled()

    async def inside() -> None:
        await replay()
        pane.enter_phase(4)
        await pane.settled()

    async def data() -> None:
        await replay()
        pane.enter_phase(0)
        await pane.settled()

    async def branch() -> None:
        await replay()
        pane.driver.branch_here()
        pane.branching.change("learning_rate", "0.001")
        await pane.settled()

    return {
        "setup": setup,
        "live": live,
        "replay": replay,
        "one-step": inside,
        "one-step-data": data,
        "branch": branch,
    }


async def _demo(pane: TrainingPane) -> None:
    """Looks at the demo run; trains it to STEPS the first time, and pauses it there."""
    made = getattr(pane, "_demo_folder", None)
    if made is None:
        runs = pane.context.runs
        made = await pane.engine.io(runs.new, demo_config(), "stories")
        pane._demo_folder = made  # type: ignore[attr-defined]
        runs.start(made, "thread", paused=True)
        await pane.engine.io(runs.control(made).step, STEPS)
        runs.wake(made)
    while pane.player.leave():
        pass
    if pane.workspace.run != str(made):
        pane.workspace.set_run(str(made))
    await _until_paused(pane, Path(made))


async def _until_paused(pane: TrainingPane, folder: Path) -> None:
    """Returns when the pane shows the run as it stands after its last step."""
    for _ in range(600):
        data = pane.follower.data
        if data is not None and data.folder == folder and data.state not in ("new", "running"):
            return
        pane.follower.look()
        await asyncio.sleep(0.1)  # each look has the pane drawn, while the run wants to go on
    raise TimeoutError("the demo run did not come to its pause; look at its folder for the reason")
