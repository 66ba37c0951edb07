"""The states of Generate that a snapshot shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.panes.transformer.generate.draft import GenerateDraft

if TYPE_CHECKING:
    from explorer.panes.transformer.generate.mode import GenerateMode


def views(mode: GenerateMode) -> dict[str, Callable[[], Any]]:
    """By name: each callable brings the mode there."""

    def at(
        step: str, tokens: int = 0, side: str = "sampling", forks: int = 0, **settings: float
    ) -> Callable[[], Any]:
        async def written(tokens: int) -> None:
            for _ in range(tokens):
                mode.append()
                await mode.settled()

        async def bring() -> None:
            mode.begin_anew()
            mode.view.show_side(side)
            mode.draft.begin(GenerateDraft(**settings))
            await mode.settled()
            await written(tokens)
            for fork in range(forks):  # the next likeliest tokens, at places of the text
                mode.look_at(len(mode.prompt_ids) + 2 + 2 * (fork % 3))
                await mode.settled()
                mode.force(mode.scene.ids[1 + fork])
                await mode.settled()
                await written(4)
            mode.go_to(step)
            await mode.settled()

        return bring

    return {
        "first": at("softmax"),
        "logits": at("logits"),
        "cuts": at("top_p", temperature=1.3, top_k=10, top_p=0.9),
        "draw": at("draw", 12, temperature=0.8),
        "forks": at("softmax", 8, "forks", 5),
        "cache": at("softmax", 40, "cache"),
    }
