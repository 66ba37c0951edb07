"""The likeliest tokens through all steps of a choice, as a table.

Letters in shapes: S steps, n tokens, V pieces in the vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.inference.sampling import NextToken
from core.trace import Trace

SCORES = ("logits", "penalty", "temperature")  # steps before there are probabilities
CUTS = ("top_k", "top_p", "min_p")


@dataclass(frozen=True, eq=False)
class SamplingTable:
    """
    steps          names of the steps: "softmax"
    ids            (n,) the tokens, those with the largest scores first
    model          (n,) their probabilities by the model, whatever the settings are
    probabilities  (n,) by the settings, before anything is cut
    values         (S, n) float64: scores, and from the softmax on probabilities
    rest           (S,) the probability of all other tokens together; NaN where there are scores
    kept           (S, n) bool: no cut has taken the token by then
    segments       (n, 2) from where to where between 0 and 1 a number draws the token
    """

    steps: tuple[str, ...]
    ids: tuple[int, ...]
    model: np.ndarray
    probabilities: np.ndarray
    values: np.ndarray
    rest: np.ndarray
    kept: np.ndarray
    segments: np.ndarray


def sampling_table(trace: Trace, count: int = 16) -> SamplingTable:
    """Of a Trace of `trace_next_token`, so many tokens; the one that came is the last of them where
    it has a smaller score.
    """
    found: NextToken = trace.about["next"]
    ids = found.penalized.sort(descending=True, stable=True).indices[:count].tolist()
    if (came := trace.about["token"]) not in (None, *ids):
        ids[-1] = came
    steps = tuple(step.name.removeprefix("sampling.") for step in trace)
    made = {
        "logits": found.logits.double().numpy(),
        "penalty": found.penalized.numpy(),
        "greedy": found.probabilities.numpy(),
        "softmax": found.probabilities.numpy(),
        "rescale": found.kept.numpy(),
    }
    values, rest, kept = [], [], []
    now, is_kept = made["logits"], np.ones(found.logits.numel(), bool)
    for name, step in zip(steps, trace, strict=True):
        if name == "temperature":
            now = step.value("scaled")
        elif name in CUTS:
            is_kept = is_kept & getattr(found, name).numpy()
        else:
            now = made.get(name, now)
        mine = now[ids]
        values.append(mine)
        rest.append(np.nan if name in SCORES else max(now.sum() - mine.sum(), 0.0))
        kept.append(is_kept[ids])
    reaches = found.kept.numpy().cumsum()  # as `draw` lays them side by side
    segments = np.stack([reaches - found.kept.numpy(), reaches], axis=1)[ids]
    return SamplingTable(
        steps=steps,
        ids=tuple(ids),
        model=found.logits.double().softmax(-1).numpy()[ids],
        probabilities=found.probabilities.numpy()[ids],
        values=np.array(values),
        rest=np.array(rest),
        kept=np.array(kept),
        segments=segments,
    )
