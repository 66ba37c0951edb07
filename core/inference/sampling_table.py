"""The likeliest tokens through all steps of a choice, as a table.

Letters in shapes: S steps, n tokens, V pieces in the vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.inference.sampling import NextToken
from core.trace import Trace

SCORES = ("logits", "penalty", "temperature")  # steps before probabilities
CUTS = ("top_k", "top_p", "min_p")


@dataclass(frozen=True, eq=False)
class SamplingTable:
    """The likeliest tokens, with their values at each step.

    steps          names of the steps: "softmax"
    ids            (n,) the tokens, those with the largest scores first
    model          (n,) their probabilities by the model, independent of the settings
    probabilities  (n,) with the settings, before any cut
    values         (S, n) float64: scores, then, from the softmax on, probabilities
    rest           (S,) the probability of all other tokens together; NaN for scores
    kept           (S, n) bool: no cut has removed the token by then
    segments       (n, 2) the interval between 0 and 1 in which a random number draws the token
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
    """Returns a table of a Trace by `trace_next_token`, with `count` tokens; the chosen token is
    the last of them if its score is smaller.
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
    reaches = found.kept.numpy().cumsum()  # as `draw` lines them up
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
