"""What stands where: the likeliest tokens at every step of the choice. Plain numbers, no Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.numbers import format_fixed, format_share
from explorer.panes.transformer.generate.compute import Choice

CUTS = ("top_k", "top_p", "min_p")


@dataclass(frozen=True, eq=False)
class Scene:
    """n tokens below one another, likeliest first, then all others in one row, at S steps.

    names          of the steps
    pieces         what the tokens say
    lengths        (S, n + 1) of the bars, 0 to 1
    words          (S, n + 1) beside them
    cut            (S, n + 1) bool: a cut has taken the token by then
    came           the row of the token that came
    boundaries     (name, row below which it cuts), of each cut
    segments       (n, 2) where each token lies among all of them side by side, as they are drawn
    drawn          the number that falls, 0 to 1; None: the token stands in the text already
    probabilities  (n,) before the cuts
    likeliest      what the token says that the model finds likeliest
    shares         its probability by the model, and what the settings make of it
    """

    names: tuple[str, ...]
    ids: tuple[int, ...]
    pieces: tuple[bytes, ...]
    lengths: np.ndarray
    words: tuple[tuple[str, ...], ...]
    cut: np.ndarray
    came: int
    boundaries: tuple[tuple[str, int], ...]
    segments: np.ndarray
    drawn: float | None
    probabilities: np.ndarray
    likeliest: bytes
    shares: tuple[float, float]

    def step(self, position: float) -> int:
        return min(max(int(position), 0), len(self.names) - 1)

    def lengths_at(self, position: float) -> np.ndarray:
        """Between two steps each bar grows from one length to the next."""
        step = self.step(position)
        before, after = self.lengths[step], self.lengths[self.step(step + 1)]
        return before + (after - before) * (position - step)

    def came_at(self, step: int) -> int | None:
        """The row of the token that came, once it has."""
        has_come = self.drawn is None or self.names[step] in ("draw", "append")
        return self.came if has_come else None


def scene_of(choice: Choice, piece: Callable[[int], bytes]) -> Scene:
    """`piece`: the bytes of a token."""
    from core.inference.sampling_trace import stages

    found, ids = stages(choice.trace), list(choice.shown)
    lengths, words, boundaries = [], [], []
    for stage in found:
        mine = stage.values[ids]
        if stage.is_scores:  # from the smallest that is shown; the others have no one score
            span = np.ptp(mine) or 1.0
            lengths.append(np.append(0.05 + 0.95 * (mine - mine.min()) / span, 0.0))
            words.append((*map(format_fixed, mine), f"{len(stage.values) - len(ids):,} more"))
        else:
            mine = np.append(mine, max(stage.values.sum() - mine.sum(), 0.0))
            lengths.append(mine / (mine.max() or 1.0))
            words.append(tuple(map(format_share, mine)))
        if stage.name in CUTS:
            setting = getattr(choice.trace.about["sampling"], stage.name)
            label = f"{stage.name[:3]}-{stage.name[4:]} {setting:g}"
            boundaries.append((label, int(stage.kept[ids].sum())))
    told = choice.trace.about["next"]
    kept = told.kept.numpy()
    reaches = kept.cumsum()
    model = told.logits.double().softmax(-1)  # whatever the settings are
    first = int(model.argmax())
    return Scene(
        names=tuple(stage.name for stage in found),
        ids=choice.shown,
        pieces=tuple(map(piece, ids)),
        lengths=np.array(lengths),
        words=tuple(words),
        cut=np.array([np.append(~stage.kept[ids], False) for stage in found]),
        came=ids.index(choice.token),
        boundaries=tuple(boundaries),
        segments=np.stack([reaches - kept, reaches], axis=1)[ids],
        drawn=choice.trace.about["drawn"],
        probabilities=told.probabilities.numpy()[ids],
        likeliest=piece(first),
        shares=(float(model[first]), float(told.probabilities[first])),
    )
