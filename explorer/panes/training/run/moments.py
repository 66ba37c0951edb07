"""The moments of a run: a checkpoint, a picture of the heads, a skipped step. Knows no Qt and no
torch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Moment:
    """One place of the run. `edge` is the newest one, which moves on as the run does."""

    step: int
    probe: Path | None = None
    checkpoint: Path | None = None
    edge: bool = False


def moments_of(
    step: int,
    probes: dict[int, Path],
    checkpoints: dict[int, Path],
    live: bool = True,
    skips: Iterable[int] = (),
) -> list[Moment]:
    """Every recorded moment up to `step` in order, then the edge where the run is live."""
    last = step - 1 if live else step
    steps = sorted({at for at in (*probes, *checkpoints, *skips) if at <= last})
    found = [Moment(at, probes.get(at), checkpoints.get(at)) for at in steps]
    if live or not found:
        found.append(Moment(step, probes.get(step), checkpoints.get(step), edge=True))
    return found


def nearest(moments: list[Moment], step: float) -> int:
    """The index of the moment nearest to a step."""
    return min(range(len(moments)), key=lambda index: abs(moments[index].step - step), default=0)


def newest_probe(moments: list[Moment], index: int) -> Moment | None:
    """The last moment with a picture of the heads at or before `index`."""
    return next((one for one in reversed(moments[: index + 1]) if one.probe is not None), None)


def around(moments: list[Moment], position: float) -> tuple[Moment | None, Moment | None, float]:
    """Between which two pictures of the heads a position lies, and how far it is between them."""
    low = int(position)
    before, share = newest_probe(moments, low), position - low
    if share <= 1e-6 or low + 1 >= len(moments):
        return before, None, 0.0
    after = newest_probe(moments, low + 1)
    return (before, after, share) if after is not before else (before, None, 0.0)
