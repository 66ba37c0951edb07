"""The states of Inside in a snapshot."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from core.finetuning.run_config import finetuning_config
from core.finetuning.settings import FinetuningSettings
from core.training.records import checkpoints_of
from explorer.panes import trained_runs
from explorer.panes.finetuning.inside.draft import InsideDraft
from explorer.panes.finetuning.inside.scene import kind_of
from explorer.runs.tuned_models import BUNDLED

if TYPE_CHECKING:
    from explorer.panes.finetuning.inside.mode import InsideMode


def views(mode: InsideMode) -> dict[str, Callable[[], Any]]:
    """Returns the functions that bring the mode into each state, by name."""

    def at(step: str = "", fraction: float = 0.0, address: str = BUNDLED) -> Callable[[], Any]:
        def go() -> None:
            scene = mode.scene
            if scene is not None and step:
                names = [kind_of(one) for one in scene.steps]
                mode.player.seek(names.index(step) + fraction)

        bring = mode.brought(InsideDraft(), go)

        async def with_model() -> None:
            mode.desk.tuned.draft.begin({"address": address})  # type: ignore[attr-defined]
            await mode.parent().settled()
            await bring()

        return with_model

    async def full() -> None:
        """Opens a model with full fine-tuning."""
        config = finetuning_config(FinetuningSettings(method="full"), {"steps": 24})
        (folder,) = await trained_runs.trained(mode, {"Full": config})
        await at(address=str(max(checkpoints_of(folder).items())[1]))()

    return {
        "full": full,  # not the last one: other modes show the bundled model
        "first": at(),
        "product": at("scale", 1.6),
        "backward": at("grad_A"),
    }
