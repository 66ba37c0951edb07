"""Trains a small run for this mode's snapshots: setup, live, replay, one step."""

from __future__ import annotations

import asyncio
import random
import string
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.panes.trained_runs import trained
from explorer.panes.training.presets import repeats, small_run
from explorer.panes.training.run.charts import RATES
from explorer.panes.training.run.track import nearest

if TYPE_CHECKING:
    from explorer.panes.training.run.mode import RunMode

STEPS = 240  # trained steps, of 400
BORN = 200  # step near which an induction head forms


def views(mode: RunMode) -> dict[str, Callable[[], Any]]:
    """Returns the functions that bring the mode into each state of a snapshot, by name."""

    async def setup() -> None:
        mode.new_run()
        await mode.settled()

    async def at(step: float, phase: int | None = None) -> None:
        await _demo(mode)
        mode.player.seek(nearest(mode.track.moments, step))
        if phase is not None:
            mode.enter_phase(phase)
        await mode.settled()

    async def branch() -> None:
        await at(STEPS / 2)
        mode.branch_here()
        mode.branch.change("learning_rate", "0.001")
        await mode.settled()

    async def induction() -> None:
        """Shows an induction head as it forms, next to the loss."""
        folder = mode.context.runs.folder()
        folder.mkdir(parents=True, exist_ok=True)
        letters = folder / "letters.txt"
        if not letters.exists():
            signs = string.ascii_letters + string.digits + " ."
            letters.write_text("".join(random.Random(0).choices(signs, k=20_000)))
        (made,) = await trained(mode, {"repeats": repeats(letters)})
        mode.cursor.leave()
        mode.open_run(str(made))
        await _until_shown(mode, made)
        mode.view.charts.set_below("induction")
        mode.player.seek(nearest(mode.track.moments, BORN))
        await mode.settled()

    return {
        "setup": setup,
        "live": lambda: at(STEPS),
        "replay": lambda: at(STEPS / 2),
        "one-step": lambda: at(STEPS / 2, 4),
        "one-step-data": lambda: at(STEPS / 2, 0),
        "branch": branch,
        "induction": induction,
    }


async def _demo(mode: RunMode) -> None:
    """Opens the demo run; the first time, trains it up to STEPS and pauses it."""
    made = getattr(mode, "_demo_folder", None)
    if made is None:
        runs = mode.context.runs
        made = await mode.engine.io(runs.new, small_run(), "stories")
        mode._demo_folder = made  # type: ignore[attr-defined]
        runs.start(made, "thread", paused=True)
        await mode.engine.io(runs.control(made).step, STEPS)
        runs.wake(made)
    mode.cursor.leave()
    if mode.workspace.run != str(made):
        mode.workspace.set_run(str(made))
    mode.view.charts.set_below(RATES)
    await _until_shown(mode, Path(made))


async def _until_shown(mode: RunMode, folder: Path) -> None:
    """Waits until the run is shown after its last step."""
    for _ in range(600):
        data = mode.follower.data
        if data is not None and data.folder == folder and data.state not in ("new", "running"):
            return
        mode.follower.look()
        await asyncio.sleep(0.1)  # each poll redraws the picture and slows down training
    raise TimeoutError("the demo run did not come to its pause; look at its folder for the reason")
