"""The numbers on screen in Ranks, by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from explorer.panes.readings import VIEW, Reading, below, path, run_of

if TYPE_CHECKING:
    from explorer.panes.training.ranks.mode import RanksMode


def readings(mode: RanksMode) -> Iterator[Reading]:
    """Yields the times of the lanes that are drawn, and what each rank holds."""
    lanes = mode.view.lanes.scene
    if lanes is None:
        return
    of = f"estimate:{lanes.strategy}.{lanes.ranks}"
    if not lanes.estimated and mode.folder is not None:
        of = run_of(mode.folder, lanes.number)
    yield path(VIEW, "strategy"), lanes.strategy
    yield from below(of, {"ranks": lanes.ranks, "lanes.seconds": lanes.seconds})
    yield from below(of, {"bytes.sent": lanes.sent, "straggler": lanes.straggler})
    if lanes.ranks and lanes.seconds:
        yield path(of, "waited.mean"), lanes.waiting
        yield from below(of, {"waited.most": lanes.waited.max().item()})
    for rank, (busy, waited) in enumerate(zip(lanes.busy, lanes.waited, strict=True)):
        yield from below(path(of, f"rank:{rank}"), {"busy": float(busy), "waited": float(waited)})
    for rank, size in enumerate(lanes.memory.tolist()):
        yield path(of, f"rank:{rank}", "bytes"), size
