"""Alerts: problems of a training run that need the user's attention. Loads no torch.

A loss that is NaN and a rank that died end the run, which reports them itself (its `message`);
the alerts here concern runs that continue.
"""

from __future__ import annotations

import math
import time

import numpy as np

from core.numbers import format_number
from core.training import records
from core.training.reader import RunReader

RECENT = 20  # steps over which the current loss is estimated
RISEN = 1.1  # times the first loss: more than batches differ by
NEVER_FELL = 1.3  # the same, for a loss that has never fallen
LEAST = 0.1  # nats: near 0, losses differ by large factors
LEARNED = 0.9  # times the first loss: below this, the model has learned something
SKIPS = 3  # in a row: the loss scale does not settle
SILENT = 15.0  # seconds without a heartbeat; a rank writes one at least every second
MOST_RANKS = 256  # whose heartbeats are checked


def alerts(run: RunReader) -> list[str]:
    """Returns one sentence per alert, with the remedy; none for a run that is not training."""
    if run.state not in ("running", "paused"):
        return []
    found = (diverges(run), scale_collapses(run), silence(run))
    return [sentence for sentence in found if sentence]


def diverges(run: RunReader) -> str:
    """Returns an alert if the loss has risen above its first value, else "".

    A run that continues from learned weights, as a branch does, may have little left to learn: its
    loss fluctuates with the batches. So a loss that never fell must rise further for an alert. The
    losses of a first lesson and of the text are not compared.
    """
    steps, losses = run.steps["step"], np.asarray(run.steps["loss"], np.float64)
    after = steps > run.config.copying_steps
    alike = after if after.any() else ~after
    steps, losses = steps[alike], losses[alike]
    losses = losses[np.isfinite(losses)]
    if len(losses) < 3 * RECENT:
        return ""
    first = float(np.median(losses[:RECENT]))
    if int(steps[0]) == 1:  # of random weights; a few steps may have made it worse
        first = min(first, float(losses[0]))
    lowest = float(np.min(np.convolve(losses, np.ones(RECENT) / RECENT, "valid")))
    now = float(np.median(losses[-RECENT:]))
    if lowest < LEARNED * first and now > RISEN * first:
        return (
            f"the loss has fallen to {format_number(lowest)} and risen to {format_number(now)}, "
            "above where it began: stop, and resume from an earlier checkpoint with a lower "
            "learning rate"
        )
    if now > NEVER_FELL * first and now - first > LEAST:
        return (
            f"the loss has risen from {format_number(first)} to {format_number(now)} and never "
            "fell: stop, and begin again with a lower learning rate"
        )
    return ""


def scale_collapses(run: RunReader) -> str:
    """Returns an alert if the last steps were all skipped despite a falling loss scale, else ""."""
    if "skipped" not in (run.steps.dtype.names or ()):
        return ""
    skipped = np.asarray(run.steps["skipped"][-200:]) > 0
    in_a_row = len(skipped) if skipped.all() else int(np.argmin(skipped[::-1]))
    if in_a_row < SKIPS or not skipped.any():
        return ""
    if in_a_row == len(run.steps) and in_a_row < 20:
        return ""  # normal at the start: the scale falls until gradients fit
    return (
        f"the last {in_a_row} steps were skipped: gradients overflow whatever the loss scale; "
        "lower the learning rate, or use bf16"
    )


def silence(run: RunReader) -> str:
    """Returns an alert if ranks have written no heartbeat for a while, else ""."""
    attempts = run.manifest["attempts"]
    ranks = min(int(attempts[-1].get("ranks", 1)) if attempts else 1, MOST_RANKS)
    now = time.time()
    silent = {}
    for rank in range(ranks):
        try:
            age = now - records.heartbeat_file(run.folder, rank).stat().st_mtime
        except OSError:
            continue
        if age > SILENT and math.isfinite(age):
            silent[rank] = age
    if not silent:
        return ""
    # A rank that waits in an exchange is silent, too, but has begun one that others have not.
    came = {rank: records.exchanges(run.folder, rank) for rank in range(ranks)}
    absent = {rank: age for rank, age in silent.items() if came[rank] < max(came.values())}
    blamed = absent or silent
    longest = max(blamed.values())
    who = ", ".join(f"rank {rank}" for rank in list(blamed)[:4])
    more = " and others" if len(blamed) > 4 else ""
    have = "has" if len(blamed) == 1 else "have"
    which = f"{who}{more} {have}" if ranks > 1 else "it has"
    wait = " while the others wait for it" if len(absent) == 1 else ""
    told = f"{which} given no sign of life for {longest:.0f} s{wait}"
    return f"{told}: the step is long, or the run hangs"
