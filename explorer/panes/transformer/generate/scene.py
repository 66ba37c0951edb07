"""What stands where: the likeliest tokens at every step of the choice. Plain numbers, no Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.numbers import THIN_SPACE, format_fixed, format_percent, format_significant
from explorer.panes.transformer.generate.compute import Chosen

SCORES = ("logits", "penalty", "temperature")  # steps that show scores, not probabilities
CUTS = ("top_k", "top_p", "min_p")


@dataclass(frozen=True, eq=False)
class Stage:
    """One step: how long each token's bar is, what is written beside it, and what is cut by then.

    lengths  (n + 1,) 0..1; the last is of all other tokens together
    words    (n + 1,)
    cut      (n + 1,) bool
    """

    name: str
    lengths: np.ndarray
    words: tuple[str, ...]
    cut: np.ndarray


@dataclass(frozen=True, eq=False)
class Scene:
    """Tokens below one another, likeliest first, then all others in one row.

    pieces   what they say
    stages   one a step of the track
    came     the row of the token that came
    cuts     (name, row below which it cuts): of the cuts that leave a boundary among the rows
    segments (n, 2) where each token lies among all of them side by side, as they are drawn from
    drawn    the number that falls, 0 to 1; None: the token stands in the text already
    """

    ids: tuple[int, ...]
    pieces: tuple[bytes, ...]
    stages: tuple[Stage, ...]
    came: int
    cuts: tuple[tuple[str, int], ...]
    segments: np.ndarray
    drawn: float | None
    probabilities: np.ndarray = field(default_factory=lambda: np.zeros(0))  # (n,), before the cuts

    def stage(self, step: int) -> Stage:
        return self.stages[min(max(step, 0), len(self.stages) - 1)]

    def lengths_at(self, position: float) -> np.ndarray:
        """Between two steps each bar grows from one length to the next."""
        step = int(position)
        before, after = self.stage(step).lengths, self.stage(step + 1).lengths
        return before + (after - before) * (position - step)


def scene_of(found: Chosen, piece: Callable[[int], bytes]) -> Scene:
    """Of a choice; `piece`: the bytes of a token."""
    told, ids = found.trace.about["next"], list(found.shown)
    names = [step.name.removeprefix("sampling.") for step in found.trace]
    by_step = {
        "logits": told.logits.numpy(),
        "penalty": told.penalized.numpy(),
        "temperature": None,
    }
    cut = np.zeros(len(ids) + 1, bool)
    stages, shares = [], told.probabilities.numpy()
    for name, step in zip(names, found.trace, strict=True):
        if name in SCORES:
            values = step.value("scaled") if name == "temperature" else by_step[name]
            stages.append(_scores(name, np.asarray(values, float), ids, cut))
            continue
        if name in CUTS:
            kept = getattr(told, name).numpy()
            cut = cut | np.append(~kept[ids], False)
        if name in ("rescale", "draw", "append"):
            shares = told.kept.numpy()
        stages.append(_shares(name, shares, ids, cut))
    reaches = np.concatenate([[0.0], told.kept.cumsum(-1).numpy()])
    return Scene(
        ids=tuple(ids),
        pieces=tuple(piece(one) for one in ids),
        stages=tuple(stages),
        came=ids.index(found.token),
        cuts=tuple(_boundaries(found, ids)),
        segments=np.array([[reaches[one], reaches[one + 1]] for one in ids]),
        drawn=found.trace.about["drawn"],
        probabilities=told.probabilities.numpy()[ids],
    )


def _scores(name: str, values: np.ndarray, ids: Sequence[int], cut: np.ndarray) -> Stage:
    """From the smallest score that is shown to the largest; the other tokens have no one score."""
    mine = values[list(ids)]
    low, high = float(mine.min()), float(mine.max())
    span = (high - low) or 1.0
    lengths = np.append((mine - low) / span * 0.95 + 0.05, 0.0)
    others = f"{len(values) - len(ids):,} more"
    return Stage(name, lengths, (*(format_fixed(one) for one in mine), others), cut.copy())


def _shares(name: str, shares: np.ndarray, ids: Sequence[int], cut: np.ndarray) -> Stage:
    mine = shares[list(ids)]
    rest = max(float(shares.sum() - mine.sum()), 0.0)
    values = np.append(mine, rest)
    lengths = values / (values.max() or 1.0)
    return Stage(name, lengths, tuple(_written(one) for one in values), cut.copy())


def _written(share: float) -> str:
    """With a digit more where it is small: 33 %, 0.89 %, 0.0017 %."""
    if share >= 0.0995 or not share:
        return format_percent(share)
    return f"{format_significant(100 * share, 2)}{THIN_SPACE}%"


def _boundaries(found: Chosen, ids: Sequence[int]) -> list[tuple[str, int]]:
    """Below which row each cut lies; one that keeps all of the rows, or nothing else, has none."""
    told, sampling = found.trace.about["next"], found.trace.about["sampling"]
    settings = {"top_k": sampling.top_k, "top_p": sampling.top_p, "min_p": sampling.min_p}
    boundaries = []
    for name, setting in settings.items():
        if setting is None:
            continue
        kept = getattr(told, name).numpy()[list(ids)]
        rows = int(kept.argmin()) if not kept.all() else len(ids)
        label = f"{name[:3]}-{name[4:]} {setting:g}"
        boundaries.append((label, rows))
    return boundaries
