"""The states of Attention in a snapshot."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from explorer.panes.attention.scene import PREDICT, STEPS
from explorer.runs.sources import BundledSource, FolderSource
from explorer.runs.tuned_models import BUNDLED as TUNED

if TYPE_CHECKING:
    from explorer.panes.attention.pane import AttentionPane


def views(pane: AttentionPane) -> dict[str, Callable[[], Any]]:
    """Returns the views: heat map, arcs, comparisons, each step when settled, and variants of the
    last.
    """

    def chosen(mode: str, **changes: Any) -> Callable[[], None]:
        def bring() -> None:
            pane.choose(**changes)
            pane.set_mode(mode)

        return bring

    def step(place: int) -> None:
        pane.set_mode("steps")
        pane.player.seek(place)

    async def tuned(layout: str) -> None:
        source = FolderSource(pane.engine, TUNED)
        await pane.workspace.open_model(source)
        pane.choose(compared=layout)
        pane.compare_with_base()
        await pane.settled()

    async def bundled() -> None:
        await pane.workspace.open_model(BundledSource(pane.engine))
        await pane.settled()
        pane.set_mode("map")

    async def heads_off() -> None:
        for head in (1, 0):
            pane.workspace.select(head=head)
            await pane.settled()
            pane.toggle_head()
            await pane.settled()
        step(PREDICT)

    async def earlier() -> None:
        pane.reader.all_on()
        pane.workspace.select(token=5)
        await pane.settled()
        step(PREDICT)

    return {
        "heat-map": chosen("map"),
        "sorted": chosen("map", sorted=True, least=0.1, hide_first=True),
        "arcs": chosen("arcs", sorted=False, least=0.0, hide_first=False),
        "compare": chosen("compare", compared="difference"),
        "compare-sides": chosen("compare", compared="sides"),
        **{f"step-{at}-{name}": partial(step, at - 1) for at, name in enumerate(STEPS, 1)},
        "heads-off": heads_off,
        "token-that-came": earlier,
        "fine-tuning": partial(tuned, "difference"),
        "fine-tuning-sides": partial(tuned, "sides"),
        "before-fine-tuning": bundled,
    }
