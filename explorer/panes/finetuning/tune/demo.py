"""The states of Tune that a snapshot shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.panes.finetuning.tune.draft import TuneDraft

if TYPE_CHECKING:
    from explorer.panes.finetuning.tune.mode import TuneMode


def views(mode: TuneMode) -> dict[str, Callable[[], Any]]:
    """By name: each callable brings the mode there."""

    def setup(draft: TuneDraft) -> Callable[[], Any]:
        async def bring() -> None:
            mode.draft.begin(draft)
            await mode.settled()

        return bring

    several = TuneDraft(methods=("lora", "full", "bitfit"), targets=("c_attn.v", "h.3.mlp.c_fc"))
    return {
        "first": setup(TuneDraft()),
        "several": setup(several),
        "refused": setup(TuneDraft(methods=("full",), quantize="nf4")),
    }
