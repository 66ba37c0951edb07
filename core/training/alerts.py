"""Alerts: what of a run needs a person, told while it happens. Loads no torch.

A loss that is no number and a rank that died end a run, which then says so itself (its `message`);
here is what goes on.
"""

from __future__ import annotations

import math
import time

import numpy as np

from core.training import records
from core.training.reader import RunReader

RECENT = 20  # steps that tell where the loss is now
RISEN = 1.1  # times the first loss: more than batches differ by
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
    """The loss had fallen, and has risen above where it began."""
    losses = np.asarray(run.steps["loss"], np.float64)
    losses = losses[np.isfinite(losses)]
    if len(losses) < 3 * RECENT:
        return ""
    first = float(np.median(losses[:RECENT]))
    lowest = float(np.min(np.convolve(losses, np.ones(RECENT) / RECENT, "valid")))
    now = float(np.median(losses[-RECENT:]))
    if not (lowest < LEARNED * first and now > RISEN * first):
        return ""
    return (
        f"the loss has fallen to {lowest:.3g} and risen to {now:.3g}, above where it began: stop, "
        "and resume from an earlier checkpoint with a lower learning rate"
    )


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
    longest = max(silent.values())
    who = ", ".join(f"rank {rank}" for rank in list(silent)[:4])
    more = " and others" if len(silent) > 4 else ""
    have = "has" if len(silent) == 1 else "have"
    which = f"{who}{more} {have}" if ranks > 1 else "it has"
    return f"{which} given no sign of life for {longest:.0f} s: a step is long, or it hangs"
