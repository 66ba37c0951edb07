"""The states of Generate that a snapshot shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from explorer.panes.transformer.generate.draft import GenerateDraft


def views(mode: Any) -> dict[str, Callable[[], Any]]:
    """By name: each callable brings the mode there."""

    def at(
        step: str, tokens: int = 0, side: str = "sampling", forks: int = 0, **settings: Any
    ) -> Callable[[], Any]:
        async def do(deed: Callable[..., None], *arguments: Any, times: int = 1) -> None:
            for _ in range(times):
                deed(*arguments)
                await mode.settled()

        async def bring() -> None:
            mode.view.show_side(side)
            mode.view.more.setChecked("stop_at" in settings)
            mode.draft.begin(GenerateDraft(**settings))
            await do(mode.begin_anew)
            await do(mode.append, times=tokens)
            for fork in range(forks):  # the next likeliest tokens, at places of the text
                await do(mode.look_at, len(mode.prompt_ids) + 2 + 2 * (fork % 3))
                await do(mode.force, mode.choice.scene.table.ids[1 + fork])
                await do(mode.append, times=4)
            await do(mode.go_to, step)
            if "stop_at" in settings:
                await do(mode.toggle_writing)

        return bring

    return {
        "first": at("softmax"),
        "cuts": at("top_p", temperature=1.3, top_k=10, top_p=0.9),
        "draw": at("draw", 12, temperature=0.8),
        "stop": at("softmax", stop_at="."),
        "forks": at("softmax", 8, "forks", 5),
        "cache": at("softmax", 40, "cache"),
    }
