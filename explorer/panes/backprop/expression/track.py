"""The player's track: one step for each moment of a formula."""

from __future__ import annotations

from explorer.panes.backprop.expression.compute import Computed
from explorer.panes.backprop.expression.text import title
from explorer.state.tracks import Track


class MomentTrack(Track):
    """`computed` can be replaced by the same formula with other values; the position stays."""

    def __init__(self, computed: Computed) -> None:
        self.computed = computed

    @property
    def length(self) -> int:
        return len(self.computed.plan)

    def title(self, index: int) -> str:
        return title(self.computed, index)

    @property
    def marks(self) -> dict[int, str]:
        return {self.computed.plan.seed: "The backward pass begins"}

    def item(self, index: int) -> object:
        return self.computed.step(index)
