"""The states of Generate in a snapshot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from explorer.panes.transformer.generate.draft import GenerateDraft

PLAYED = " played with a tiny scarf at the farm."
FORKS = (" played with an orange key at the farm.", " played with an orange key on Monday",
         " played with three round stones", PLAYED)  # fmt: skip


def views(mode: Any) -> dict[str, Callable[[], Any]]:
    """Returns the functions that bring the mode into each state, by name."""

    def at(
        step: str, *texts: str, side: str = "sampling", more: bool = False, **settings: Any
    ) -> Callable[[], Any]:
        """Returns a function that writes `texts` and goes to a step; `more` keeps writing."""

        async def bring() -> None:
            mode.view.show_side(side)
            mode.view.more.setChecked(more)
            mode.draft.begin(GenerateDraft(**settings))
            mode.forget()
            await mode.encode()
            for text in ("", *texts):
                mode.go_on_from(tuple(mode.source.tokenizer.encode_ids(text)))
            await mode.settled()
            mode.go_to(step)
            if more:
                mode.toggle_writing()
            await mode.settled()

        return bring

    return {
        "first": at("softmax"),
        "cuts": at("top_p", temperature=1.3, top_k=10, top_p=0.9),
        "draw": at("draw", PLAYED, temperature=0.8),
        "stop": at("softmax", more=True, stop_at="."),
        "forks": at("softmax", *FORKS, side="forks"),
        "cache": at("softmax", 4 * PLAYED, side="cache"),
    }
