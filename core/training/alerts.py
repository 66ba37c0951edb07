"""Alerts: what of a run needs a person, told while it happens. Loads no torch.

A loss that is no number and a rank that died end a run, which then says so itself (its `message`);
here is what goes on.
"""

from __future__ import annotations

import math
import time

import numpy as np

from core.numbers import format_number
from core.training import records
from core.training.reader import RunReader

RECENT = 20  # steps that tell where the loss is now
RISEN = 1.1  # times the first loss: more than batches differ by
NEVER_FELL = 1.3  # the same, of a loss that had not fallen before
LEAST = 0.1  # nats: near 0, losses differ by many times
LEARNED = 0.9  # times the first loss: from here on it had learned something
SKIPS = 3  # in a row: the loss scale does not find a place to stay
SILENT = 15.0  # seconds without a sign of life; a rank gives one at least each second
MOST_RANKS = 256  # that are looked at


def alerts(run: RunReader) -> list[str]:
    """One sentence each, with the remedy; none for a run that nobody trains."""
    if run.state not in ("running", "paused"):
        return []
    found = (diverges(run), scale_collapses(run), silence(run))
    return [sentence for sentence in found if sentence]


def diverges(run: RunReader) -> str:
    """The loss has risen above where it began, whether or not it had fallen before.

    A run that begins where another had learned, as a branch does, has nothing to fall by: its loss
    goes up and down with the batches, which is why one that never fell must have risen further.
    """
    losses = np.asarray(run.steps["loss"], np.float64)
    losses = losses[np.isfinite(losses)]
    if len(losses) < 3 * RECENT:
        return ""
    first = float(np.median(losses[:RECENT]))
    if int(run.steps["step"][0]) == 1:  # of weights at random, which a few steps may have spoilt
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
    """The last steps were all skipped, though the loss scale went down each time."""
    if "skipped" not in (run.steps.dtype.names or ()):
        return ""
    skipped = np.asarray(run.steps["skipped"][-200:]) > 0
    in_a_row = len(skipped) if skipped.all() else int(np.argmin(skipped[::-1]))
    if in_a_row < SKIPS or not skipped.any():
        return ""
    if in_a_row == len(run.steps) and in_a_row < 20:
        return ""  # a run begins so: the scale comes down to where gradients fit
    return (
        f"the last {in_a_row} steps were skipped: gradients overflow whatever the loss scale; "
        "lower the learning rate, or use bf16"
    )


def silence(run: RunReader) -> str:
    """Ranks that train and have given no sign of life for a while."""
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
    # Who waits in an exchange is silent as well, but has come to one that the others have not.
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
