"""A real run of two ranks for the pictures of this mode: a view for each phase."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.training.config import TrainingConfig
from core.transformer.config import ModelConfig

if TYPE_CHECKING:
    from explorer.panes.training.step.mode import StepMode

STEPS = 40
PATIENCE = 120.0  # seconds


def demo_config() -> TrainingConfig:
    """Four layers on our stories; a gradient that is longer than its limit at first."""
    shape = ModelConfig(vocab_size=1536, block_size=64, n_layer=4, n_head=4, n_embd=64)
    return TrainingConfig(
        model=shape,
        steps=STEPS,
        batch_size=8,
        learning_rate=4e-3,
        min_learning_rate=4e-4,
        warmup_steps=10,
        evaluate_every=0,
        sample_every=0,
        checkpoint_every=0,
        probe_every=0,
        clip=0.5,
        ranks=2,
    )


def views(mode: StepMode) -> dict[str, Callable[[], Any]]:
    """The states that a snapshot shows, by name."""

    def at(phase: int, inner: int | None = None) -> Callable[[], Any]:
        async def bring() -> None:
            mode.workspace.set_run(str(await _trained(mode)))
            mode.look()
            await mode.settled()
            mode.go_to(phase)
            if inner is not None:
                mode.go_inside(inner)
            mode.choose_token(0, 12)

        return bring

    async def empty() -> None:
        mode.workspace.set_run(None)
        await mode.settled()

    return {
        "data": at(0),
        "forward": at(1, 3),
        "loss": at(2),
        "backward": at(3),
        "clip": at(4),
        "optimizer": at(5, 3),
        "schedule": at(6),
        "empty": empty,
    }


async def _trained(mode: StepMode) -> Path:
    """Trained once for all pictures."""
    runs = mode.context.runs
    folder = runs.folder() / "two-ranks-inside"
    if not folder.exists():
        folder = runs.new(demo_config(), folder.name)
        runs.start(folder, "process")
        waited = 0.0
        while runs.running_here(folder) and waited < PATIENCE:
            await asyncio.sleep(0.1)
            waited += 0.1
    return folder
