"""What the player moves over: the steps at which some run has kept what it learned."""

from __future__ import annotations

from explorer.state.tracks import Track


class CheckpointTrack(Track):
    caption = "checkpoints"

    def __init__(self) -> None:
        self.steps: list[int] = []

    @property
    def length(self) -> int:
        return len(self.steps)

    def title(self, index: int) -> str:
        return f"step {self.steps[index]:,}"

    def item(self, index: int) -> int:
        return self.steps[index]
