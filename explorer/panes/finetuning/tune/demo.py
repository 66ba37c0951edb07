"""The states of Tune in a snapshot."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.panes import trained_runs
from explorer.panes.finetuning.tune.draft import TuneDraft, config_of
from explorer.panes.finetuning.tune.methods import METHOD_TEXTS

if TYPE_CHECKING:
    from explorer.panes.finetuning.tune.mode import TuneMode


def views(mode: TuneMode) -> dict[str, Callable[[], Any]]:
    """Returns the functions that bring the mode into each state, by name."""

    def setup(draft: TuneDraft) -> Callable[[], Any]:
        async def bring() -> None:
            for folder in mode.runs.folders:
                mode.runs.dismiss(folder)
            mode.draft.begin(draft)
            await mode.settled()

        return bring

    async def trained() -> None:
        """Trains two methods, once for all pictures."""
        draft = TuneDraft(methods=("lora", "full"), steps="24")
        await setup(draft)()
        configs = {METHOD_TEXTS[method].title: config_of(draft, method) for method in draft.methods}
        for folder in await trained_runs.trained(mode, configs):
            mode.runs.add(str(folder))
        await mode.settled()

    return {
        "first": setup(TuneDraft()),
        "values": setup(TuneDraft(methods=("lora", "bitfit"), targets=("c_attn.v", "3.mlp.c_fc"))),
        "refused": setup(TuneDraft(methods=("full",), quantize="nf4")),
        "trained": trained,
    }
