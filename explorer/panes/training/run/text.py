"""What the pane says about a run: the card's text and the headline. Knows no Qt."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.numbers import format_fixed, format_number
from explorer.runs.run_data import ACTIVE, skip_text, was_skipped
from explorer.widgets.run_card_text import AGAIN, CardText

if TYPE_CHECKING:
    from core.training.config import TrainingConfig
    from core.training.this_machine import Machine
    from explorer.panes.training.run.moments import Moment
    from explorer.runs.run_data import RunData

RISEN = 1.1  # times the first loss: more than batches differ by
EARLY = 20  # steps of a branch that tell where its loss began
SAME = 0.015  # of the training loss: a smaller gap tells nothing
MANY = 100.0  # from here on thousandths of a loss say nothing
SPACE, MOST_SPACES = "\u2423", 8  # how a text of white space alone is shown
SETUP = "Choose a text and a size, then start: training begins at once."
PHASE_WORDS = {
    "data": "a batch of sequences is drawn",
    "forward": "the model predicts every next token of the batch",
    "loss": "its average surprise at the right tokens is the loss",
    "backward": "which way must every weight go for the loss to fall?",
    "unscale": "the loss scale is divided out of the gradients",
    "clip": "a gradient longer than the limit is shortened",
    "optimizer": "every weight moves a little, against its gradient",
    "schedule": "the learning rate for the next step is set",
}

SKIPPED_WORDS = {
    "unscale": "after dividing by the loss scale, not every gradient is finite",
    "clip": "there is nothing to shorten, for the gradient's length is not finite",
    "optimizer": "the step is skipped, and no weight moves",
    "schedule": "the learning rate stays, since only applied steps count",
}


def card_text(
    data: RunData,
    state: str,
    moment: Moment | None,
    replaying: bool,
    looked_at: int | None = None,
    likeness: str = "",
    refused: str = "",
) -> CardText:
    """`state` is as a person asked for it; `moment` is what the cursor looks at, `looked_at` the
    optimizer step that it is inside of; `likeness` compares a branch with its parent; `refused` is
    why this machine cannot train such a run.
    """
    step = moment.step if moment is not None and replaying else data.step
    step = step if looked_at is None else looked_at
    told = _alarm(data), _watched(data)
    return CardText(
        name=data.name,
        state="new" if prepares(data, state) else state,
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
    """What of a run that goes on needs a person, as sentences."""
    return " ".join(f"{one[:1].upper()}{one[1:].rstrip('.')}." for one in data.alerts)


def opening(name: str) -> CardText:
    """Before the first look at a run."""
    return CardText(name=name, state="new", step=0, steps=0, numbers=NO_NUMBERS)


def buttons(
    data: RunData, state: str, moment: Moment | None, replaying: bool, refused: str = ""
) -> tuple[str, ...]:
    """The ids of the card's buttons, from left to right."""
    shown = ["take"] if data.controller else []
    if data.log:
        return ()  # nobody here can train it on
    if moment is not None and (replaying or data.finished):
        shown.append("branch")
    if state in ("new", "running"):
        shown += ["pause", "stop"]
    elif state == "paused":
        shown += ["resume", "stop"]
    elif state != "finished" and not data.finished:
        shown += ways_on(data, state, refused)
    return tuple(name for name in ORDER if name in shown)


def ways_on(data: RunData, state: str, refused: str = "") -> tuple[str, ...]:
    """How a run that nobody trains can go on. Where nothing was kept it begins anew, which after a
    loss that is no number would end as before; whatever else made it fail is mended in a new run or
    outside of it. One that this machine cannot train (`refused`) is only set up anew.
    """
    if refused and data.state not in ACTIVE:
        return ("anew",)
    if data.checkpoints or data.state in ACTIVE:  # one that is about to stop keeps its last step
        return ("lower", "continue") if data.not_finite else ("continue",)
    if data.not_finite:
        return ("slower",)
    return ("anew", "again") if state == "failed" else ("again",)


def why_no_branch(data: RunData, moment: Moment | None) -> str:
    """Why "Resume from here" is not possible at a moment, and where it is; "" where it is."""
    if moment is None or moment.checkpoint is not None:
        return ""
    if not data.checkpoints:
        every = data.config.checkpoint_every
        due = (data.step // every + 1) * every if every else data.config.steps
        return f"No checkpoint yet: the first comes at step {min(due, data.config.steps):,}"
    first = min(data.checkpoints)
    if moment.step < first:
        return f"There is no checkpoint before step {first:,}, the first one (Ctrl+PgDown)"
    near = min(data.checkpoints, key=lambda step: abs(step - moment.step))
    return f"There is no checkpoint here: the nearest is at step {near:,} (Ctrl+PgUp, Ctrl+PgDown)"


def machine_text(here: Machine | None) -> str:
    """What this machine has to train with; before PyTorch has said it, its cores."""
    cores = here.cores if here is not None else os.cpu_count() or 1
    counted = "1 core" if cores == 1 else f"{cores} cores"
    if here is None:
        return counted
    if not here.gpus:
        return f"{counted}, a Mac's GPU" if here.has_mps else f"{counted}, no GPU"
    kind = here.gpu.removeprefix("NVIDIA ") or "GPU"
    return f"{counted}, {kind}" if here.gpus == 1 else f"{counted}, {here.gpus} \u00d7 {kind}"


def where_text(config: TrainingConfig, here: Machine | None) -> str:
    """What computes a run, and in which numbers."""
    ranks = config.ranks
    gpus = here.gpus if here is not None else 0
    on_gpu = config.device == "cuda" or (config.device == "auto" and gpus >= ranks)
    if config.device == "mps":
        place = "the Mac's GPU"
    elif on_gpu:
        place = "the GPU" if ranks == 1 else "a GPU each"
    else:
        place = "the CPU"
    if ranks == 1:
        return f"It computes in {config.precision} on {place}."
    held = "the whole model (DDP)" if config.parallel == "ddp" else "its part of it (FSDP2)"
    told = (
        f"{ranks} processes share each batch, in {config.precision} on {place}; each holds {held}"
    )
    if here is not None and not on_gpu and ranks * config.threads > here.cores:
        told = f"{told}. They take turns, as there are only {here.cores} cores"
    return f"{told}."


def _refusals(data: RunData, moment: Moment | None) -> tuple[tuple[str, str], ...]:
    """Which of the card's buttons cannot be used now, each with the reason."""
    found = [("branch", why)] if (why := why_no_branch(data, moment)) else []
    if data.controller:
        found += [(name, _watched(data)) for name in ("pause", "resume", "stop")]
    return tuple(found)


def _watched(data: RunData) -> str:
    """Who controls a run that is only watched here, with the remedy; "" for any other."""
    if not data.controller:
        return ""
    who = data.controller
    return f"{who[:1].upper()}{who[1:]} controls this run. Take over to pause or stop it here."


# Before the first step, so that the card has its height from the beginning.
NO_NUMBERS = (("loss", "\u2013"), ("learning rate", "\u2013"))
ORDER = (
    "branch",
    "pause",
    "resume",
    "lower",
    "slower",
    "anew",
    "continue",
    "again",
    "take",
    "stop",
)
NOTHING_KEPT = (
    "No checkpoint was written yet. Once the cause is fixed, the run can begin again at step 0; or "
    "start a new run with its settings, changed as needed."
)
SAME_END = "No checkpoint was written yet, and started again it would end in the same way."


def failure(data: RunData, state: str, refused: str = "") -> str:
    """Why the run ended by itself, and the remedy; "" when it did not."""
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
            what = f"{AGAIN}; its curves replace these."
        else:
            where = f"from the checkpoint of step {kept:,}"
            what = f"What was written is intact; resuming continues {where}."
        return (
            f"The process that trained this run ended at step {data.step:,}: killed, out of "
            f"memory, or the machine went down. {what}"
        )
    return ""


def likeness(data: RunData, other: RunData | None) -> str:
    """How far a branch is its parent, which lies over it; "" for another run, and before there is
    a step of both. Bit for bit: where nothing was changed, every loss is the same number.
    """
    if other is None or data.parent is None:
        return ""
    if Path(str(data.parent["run"])).resolve() != other.folder.resolve():
        return ""
    (own, losses), (others, its) = data.series("loss"), other.series("loss")
    steps, here, there = np.intersect1d(own, others, assume_unique=True, return_indices=True)
    if not len(steps):
        return ""
    apart = np.flatnonzero(losses[here] != its[there])
    if len(apart):
        return f"parts from {other.name} at step {int(steps[apart[0]]):,}"
    return f"coincides with {other.name} up to step {int(steps[-1]):,}"


def _note(data: RunData, state: str, likeness: str) -> str:
    if prepares(data, state):
        return data.preparing
    said = []
    if state == "running" and not data.alerts and (left := data.seconds_left) >= 1:
        said.append(f"about {about(left)} left")
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
        found.append(("looking at step", f"{step:,}"))
    if row is not None:
        loss = float(row["loss"])
        told = "skipped" if was_skipped(row) and not math.isfinite(loss) else _loss(loss)
        found.append(("loss", told))
    validation = validation_at(data, step)
    if validation is not None:
        found.append(("validation", _loss(validation)))
    if row is not None and "learning_rate" in row.dtype.names:
        found.append(("learning rate", format_number(float(row["learning_rate"]))))
    if not replaying and (speed := data.speed()):
        found.append(("mean tokens/s", f"{speed:,.0f}"))
    elif row is not None and "grad_norm" in row.dtype.names:
        found.append(("gradient norm", format_number(float(row["grad_norm"]))))
    return tuple(found[:5]) or NO_NUMBERS


def validation_at(data: RunData, step: int) -> float | None:
    """The last validation loss measured up to a step."""
    known = data.evaluations[data.evaluations["step"] <= step]
    return float(known["validation"][-1]) if len(known) else None


def gap(data: RunData, step: int) -> list[str]:
    """What the distance between training and validation loss says, measured last up to a step: the
    losses, then what follows; nothing before the first step.
    """
    found = _evaluation(data, step)
    if found is None:
        return []
    at, train, validation = found
    told = [f"step {at:,}: training {_loss(train)}, validation {_loss(validation)}"]
    apart, verdict = validation - train, _verdict(train, validation)
    if verdict == "above" and data.config.corpus == "stories":
        easy = "half of the training sequences begin with a story, the easiest part of it"
        told.append(f"Validation is higher by {apart:.3f}: {easy}.")
    elif verdict == "above":
        told.append(
            f"Validation is higher by {apart:.3f}: it predicts text it has read better than text "
            "it has not."
        )
    elif verdict == "below":
        told.append(
            f"Validation is lower by {-apart:.3f}: its text is easier, or too little of it was "
            "measured."
        )
    elif validation < float(data.evaluations["validation"][0]):
        told.append("There is no gap: what it has learned also holds for new text.")
    else:
        told.append("There is no gap, and nothing learned: it began with no higher loss.")
    if data.config.model.dropout:
        told.append("Both are measured without dropout, unlike the line of the training loss.")
    if data.config.repeated_fraction:
        told.append(
            "The training line lies higher: it also counts the random sequences that repeat."
        )
    return told


def gap_note(data: RunData) -> str:
    """The gap in a few words, for the losses' plot; "" before there is one to speak of."""
    found = _evaluation(data, data.step)
    if found is None:
        return ""
    _, train, validation = found
    verdict = _verdict(train, validation)
    if not verdict:
        return "evaluated: validation as good as training"
    return f"evaluated: validation {abs(validation - train):.2f} {verdict} training"


def _evaluation(data: RunData, step: int) -> tuple[int, float, float] | None:
    """Step, training and validation loss of the last evaluation up to a step, of a model that has
    learned something.
    """
    known = data.evaluations
    known = known[(known["step"] <= step) & (known["step"] > 0)]
    if not len(known):
        return None
    last = known[-1]
    found = int(last["step"]), float(last["train"]), float(last["validation"])
    return found if math.isfinite(found[1]) and math.isfinite(found[2]) else None


def _verdict(train: float, validation: float) -> str:
    """Where validation lies: "above", "below", or "" where that is too little to say anything."""
    apart = validation - train
    if abs(apart) <= SAME * abs(train):
        return ""
    return "above" if apart > 0 else "below"


def headline(
    data: RunData | None,
    state: str,
    moment: Moment | None,
    replaying: bool,
    smoothed: float | None = None,
) -> str:
    """One sentence: what you see now. `smoothed` is where the chart's line of the training loss
    ends, where it is smoothed: the last step's own loss may be far from it.
    """
    if data is None:
        return SETUP
    if replaying and moment is not None:
        row = data.numbers.row(moment.step)
        if row is not None and was_skipped(row):
            return skip_text(moment.step, data.skips.get(moment.step))
        kept = " There is a checkpoint here." if moment.checkpoint else ""
        return f"This is step {moment.step:,}: play shows how the heads form.{kept}"
    if not len(data.steps):
        return _beginning(data, state)
    step, now = data.step, data.last("loss") if smoothed is None else smoothed
    loss = "the loss" if smoothed is None else "the smoothed loss"
    _, losses = data.series("loss")
    if not len(losses):
        steps = "1 step was" if len(data.steps) == 1 else f"{len(data.steps):,} steps were"
        return f"It begins: {steps} skipped while the loss scale comes down."
    first = _first(data, losses)
    told = _movement(loss, first, now)
    grows = now > RISEN * first
    if grows:
        told += "; try a lower learning rate"
    match state:
        case "running":
            opening = "It does not learn" if grows else "It learns" if now < first else "It trains"
            opening = "It needs attention" if data.alerts else opening
            return f"{opening}: after {step:,} steps {told}."
        case "paused":
            return f"Paused after step {step:,}: {told}. Space continues training."
        case "finished":
            if data.log:
                return f"Read from {data.log}: in {step:,} steps {told}."
            return f"Finished: in {step:,} steps {told}. Play shows how the heads formed."
        case "failed" | "dead":
            if data.checkpoints:
                return f"The run ended at step {step:,}; nothing written is lost."
            then = "" if data.not_finite else ": training begins again at step 0"
            return f"The run ended at step {step:,} without a checkpoint{then}."
        case _:
            goes_on = "continues training" if data.checkpoints else "begins again at step 0"
            return f"Stopped after step {step:,}: {told}. Space {goes_on}."


def _first(data: RunData, losses: np.ndarray) -> float:
    """Where the training loss began. A branch begins with weights that know the text, so that the
    loss of its batches differs from one to the next and from an evaluation's, which reads no random
    sequences.
    """
    if data.parent is not None:
        return float(np.median(losses[:EARLY]))
    return float(data.evaluations["train"][0] if len(data.evaluations) else losses[0])


def _movement(loss: str, first: float, now: float) -> str:
    """Where the loss has come to, and from where."""
    if not math.isfinite(first) or _loss(first) == _loss(now):
        return f"{loss} is {_loss(now)}"
    way = "fell" if now < first else "rose"
    return f"{loss} {way} from {_loss(first)} to {_loss(now)}"


def _beginning(data: RunData, state: str) -> str:
    if state in ("failed", "dead", "stopped"):
        return "The run ended before its first step."
    if prepares(data, state):
        return f"Preparing: {data.preparing or 'training is about to start'}."
    if data.parent:
        origin = Path(str(data.parent.get("run", ""))).name
        return f"It continues from step {data.step:,} of {origin}."
    if not data.vocabulary:
        return "It begins: its first loss comes in a moment."
    guess = math.log(data.vocabulary)
    return f"It begins: a model that knows nothing has a loss near {guess:.1f}."


def prepares(data: RunData, state: str) -> bool:
    """Before the first step: the trainer starts, the text is read, the model is built."""
    return state in ("new", "running") and not data.parameters and not len(data.steps)


def ended(data: RunData, state: str) -> str:
    """The state of a run that nobody trains, in words; "" while somebody does."""
    after = f" after step {data.step:,}" if data.step else ""
    words = {"failed": f"failed{after}", "dead": f"ended{after}"}
    return words.get(state, state if state in ("stopped", "finished") else "")


def no_sample(data: RunData, state: str, step: float) -> str:
    """What stands in the place of the samples while there is none up to `step`."""
    every = data.config.sample_every
    if data.log:
        return "A log of another program holds no samples."
    if not every:
        return "This run writes no samples: it was set up without them."
    if data.samples:
        first = data.samples[0].step
        return f"There was no sample yet at step {int(step):,}; the first is from step {first:,}."
    if over := ended(data, state):
        verb = over.split()[0]
        return f"The run {verb} before its first sample, at step {data.step:,}."
    if prepares(data, state) or not data.step:
        return "The first sample comes in a moment."
    due = min((data.step // every + 1) * every, data.config.steps)
    return f"The first sample comes at step {due:,}."


def no_loss(data: RunData, state: str) -> str:
    """What stands in the plot of the losses while there is none."""
    if over := ended(data, state):
        what = "a loss" if len(data.steps) else "its first step"
        return f"The run {over.split()[0]} before {what} was recorded."
    return "The first loss comes in a moment."


def no_heads(data: RunData, state: str) -> str:
    """Why there is no picture of the heads and none will come by itself; "" where one may."""
    if data.log:
        return "A log of another program holds no heads."
    if not data.config.probe_every:
        return "This run records no heads: it was set up without them."
    over = ended(data, state)
    if not over or data.probes:
        return ""
    return f"The run {over.split()[0]} before its heads were recorded."


def heads_title(read: str, step: int | None) -> str:
    """Which text the heads on the screen read, and from which step they are. Short, for there is
    little room.
    """
    quoted = read.lstrip() or SPACE * min(len(read), MOST_SPACES)
    on = f" on \u201c{quoted}\u201d" if read else ""
    return f"Heads{on}{f', step {step:,}' if step is not None else ''}"


def about(seconds: float) -> str:
    """A span that nobody can know exactly, after "about": 40 s, 5 min, 2 h 30 min."""
    if seconds < 55:
        return f"{max(1, round(seconds)) if seconds < 10 else 5 * round(seconds / 5)} s"
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(round(minutes / 10) * 10, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def checkpoint_text(step: int) -> str:
    """What a checkpoint's mark says, on the scrubber as on the losses."""
    return f"checkpoint, step {step:,}"


def phase_headline(phases: Sequence[str], index: int, step: int, skipped: bool) -> str:
    """Where in an optimizer step the cursor is, and what happens there."""
    name = phases[index]
    words = SKIPPED_WORDS.get(name, PHASE_WORDS[name]) if skipped else PHASE_WORDS[name]
    end = "" if words.endswith("?") else "."
    return f"Inside step {step:,}, {index + 1} of {len(phases)}: {words}{end}"


def _loss(value: float) -> str:
    if not math.isfinite(value):
        return "not finite"
    return format_fixed(value, 3) if abs(value) < MANY else format_number(value)
