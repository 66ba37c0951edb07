"""The text and buttons of the run's card. Does not import Qt."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from core.numbers import format_estimate, format_fixed, format_number
from explorer.runs.run_data import ACTIVE, RECENT, RunData, was_skipped
from explorer.widgets.run_card_text import AGAIN, CardText

if TYPE_CHECKING:
    from explorer.panes.training.run.track import Moment

MANY = 100.0  # from here on thousandths of a loss mean nothing
# Placeholders before the first step, so that the card does not change its height.
BATCH_LOSS = "loss of its batch"  # the headline and the curve may show the smoothed loss
NO_NUMBERS = ((BATCH_LOSS, "\u2013"), ("learning rate", "\u2013"))
NOTHING_KEPT = (
    "No checkpoint has been written yet. Once the cause is fixed, begin the run again at step 0, "
    "or start a new run with changed settings."
)
ASK_AGAIN = (
    "There is no checkpoint: training would begin again at step 0, and new curves would replace "
    "these. Press once more to do that"
)
SAME_END = (
    "No checkpoint has been written yet, and the run would end in the same way if it began again."
)


def card_text(
    data: RunData,
    state: str,
    moment: Moment | None,
    replaying: bool,
    looked_at: int | None = None,
    likeness: str = "",
    refused: str = "",
) -> CardText:
    """Returns the card's content. `state` is the one that the user requested; `moment` is under
    the cursor, which may be inside the optimizer step `looked_at`; `likeness` compares a branch
    with its parent; `refused` is why this machine cannot train such a run.
    """
    step = moment.step if moment is not None and replaying else data.step
    step = step if looked_at is None else looked_at
    told = _alarm(data), _watched(data)
    return CardText(
        name=data.name,
        state="new" if data.prepares(state) else state,
        step=data.step,
        steps=data.config.steps,
        note=_note(data, state, likeness),
        numbers=_numbers(data, step, replaying or looked_at is not None, state),
        buttons=buttons(data, state, moment, replaying, refused),
        message=failure(data, state, refused) or " ".join(filter(None, told)),
        refusals=_refusals(data, moment),
        alarming=bool(data.alerts),
    )


def _alarm(data: RunData) -> str:
    """Returns the run's current alerts as sentences."""
    return " ".join(f"{one[:1].upper()}{one[1:].rstrip('.')}." for one in data.alerts)


def opening(name: str) -> CardText:
    """Returns the card shown before the run has been read."""
    return CardText(name=name, state="new", step=0, steps=0, numbers=NO_NUMBERS)


def buttons(
    data: RunData, state: str, moment: Moment | None, replaying: bool, refused: str = ""
) -> tuple[str, ...]:
    """Returns the ids of the card's buttons, from left to right."""
    shown = ["take"] if data.controller else []
    if data.log:
        return ()  # the app cannot continue another program's run
    if moment is not None and (replaying or data.finished):
        shown.append("branch")
    if state in ("new", "running"):
        shown += ["pause", "stop"]
    elif state == "paused":
        shown += ["resume", "stop"]
    elif state != "finished" and not data.finished:
        shown += ways_on(data, state, refused)
    return tuple(shown)


def ways_on(data: RunData, state: str, refused: str = "") -> tuple[str, ...]:
    """Returns the buttons that continue an inactive run. Without a checkpoint it can only start
    again, which after a non-finite loss would fail in the same way; any other failure needs a new
    run or a remedy outside the app. A run that this machine cannot train (`refused`) can only be
    the template of a new one.
    """
    if refused and data.state not in ACTIVE:
        return ("anew",)
    if data.checkpoints or data.state in ACTIVE:  # a run that is about to stop saves its last step
        return ("lower", "continue") if data.not_finite else ("continue",)
    if data.not_finite:
        return ("slower",)
    return ("anew", "again") if state == "failed" else ("again",)


def why_no_branch(data: RunData, moment: Moment | None) -> str:
    """Returns why "Resume from here" is impossible at a moment, and where it works; else ""."""
    if moment is None or moment.checkpoint is not None:
        return ""
    if not data.checkpoints:
        every = data.config.checkpoint_every
        due = (data.step // every + 1) * every if every else data.config.steps
        return f"No checkpoint yet: the first comes at step {min(due, data.config.steps):,}"
    first = min(data.checkpoints)
    if moment.step < first:
        return f"The first checkpoint is at step {first:,} (Ctrl+PgDown)"
    near = min(data.checkpoints, key=lambda step: abs(step - moment.step))
    return f"There is no checkpoint here: the nearest is at step {near:,} (Ctrl+PgUp, Ctrl+PgDown)"


def _refusals(data: RunData, moment: Moment | None) -> tuple[tuple[str, str], ...]:
    """Returns (button, reason) for each button of the card that is disabled now."""
    found = [("branch", why)] if (why := why_no_branch(data, moment)) else []
    if data.controller:
        found += [(name, _watched(data)) for name in ("pause", "resume", "stop")]
    return tuple(found)


def _watched(data: RunData) -> str:
    """Returns who controls a run that is only watched here, with the remedy; else ""."""
    if not data.controller:
        return ""
    who = data.controller
    return f"{who[:1].upper()}{who[1:]} controls this run. Take over to pause or stop it here."


def _note(data: RunData, state: str, likeness: str) -> str:
    if data.prepares(state):
        return data.preparing
    said = []
    if state == "running" and not data.alerts and (left := data.seconds_left) >= 1:
        said.append(f"about {format_estimate(left)} left")
    if likeness:
        said.append(likeness)
    elif data.parent and not said:
        said.append(f"branched at step {int(data.parent.get('step', 0)):,}")
    if data.controller:
        said.append("watched here")
    elif data.backend == "process" and state in ACTIVE:
        said.append("closing the window does not stop it")
    if data.damaged:
        lines = "line" if data.damaged == 1 else "lines"
        said.append(f"{data.damaged:,} damaged {lines} skipped")
    return ", ".join(said)


def _numbers(data: RunData, step: int, replaying: bool, state: str) -> tuple[tuple[str, str], ...]:
    row = data.numbers.row(step)
    found: list[tuple[str, str]] = []
    if replaying:
        found.append(("step shown", f"{step:,}"))
    if row is not None:
        loss = float(row["loss"])
        told = "skipped" if was_skipped(row) and not math.isfinite(loss) else loss_words(loss)
        lesson = ", copying" if data.in_first_lesson(step) else ""
        found.append((f"{BATCH_LOSS}{lesson}", told))
    if (measured := validation_at(data, step)) is not None:
        at, validation = measured
        title = "validation" if at == step else f"validation, step {at:,}"
        found.append((title, loss_words(validation)))
    if row is not None and "learning_rate" in row.dtype.names:
        found.append(("learning rate", format_number(float(row["learning_rate"]))))
    if not replaying and (speed := data.speed()):
        found.append((f"tokens/s, {_last(min(len(data.steps), RECENT))}", f"{speed:,.0f}"))
    elif row is not None and "grad_norm" in row.dtype.names:
        found.append(("gradient norm", format_number(float(row["grad_norm"]))))
    return tuple(found[:5]) or NO_NUMBERS


def _last(steps: int) -> str:
    return "last step" if steps == 1 else f"last {steps} steps"


def validation_at(data: RunData, step: int) -> tuple[int, float] | None:
    """Returns the last validation loss measured up to a step, and at which step; or None."""
    known = data.evaluations[data.evaluations["step"] <= step]
    return (int(known["step"][-1]), float(known["validation"][-1])) if len(known) else None


def failure(data: RunData, state: str, refused: str = "") -> str:
    """Returns why the run failed, with the remedy; "" if it did not."""
    if refused and state == "failed" and not len(data.steps):
        return f"{refused[0].upper()}{refused[1:]}."
    if state == "failed":
        why = data.message or "The run ended with an error."
        if data.checkpoints:
            return why
        end = "" if why.endswith((".", "?", "\u2026")) else "."
        return f"{why}{end} {SAME_END if data.not_finite else NOTHING_KEPT}"
    if state == "dead":
        kept = max(data.checkpoints, default=None)
        if kept is None:
            what = f"{AGAIN}; the new curves will replace these."
        else:
            where = f"from the checkpoint of step {kept:,}"
            what = f"Everything it wrote is intact; resuming continues {where}."
        return (
            f"The process that trained this run ended at step {data.step:,}: it was killed, had no "
            f"memory left, or the machine went down. {what}"
        )
    return ""


def ended(data: RunData, state: str) -> str:
    """Returns the state of an ended run in words; "" while it is active."""
    after = f" after step {data.step:,}" if data.step else ""
    words = {"failed": f"failed{after}", "dead": f"ended{after}"}
    return words.get(state, state if state in ("stopped", "finished") else "")


def loss_words(value: float) -> str:
    if not math.isfinite(value):
        return "not finite"
    return format_fixed(value, 3) if abs(value) < MANY else format_number(value)
