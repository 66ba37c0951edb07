"""The texts of Run: the headline above the picture, texts of empty places, texts of the setup.

Does not import Qt. The card's texts are in card_text.py.
"""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.numbers import format_bytes, format_number, format_percent
from core.training.head_birth import FORMED, best_head
from core.training.sizes import PROCESS_BYTES
from explorer.panes.training.run.card_text import ended, loss_words
from explorer.panes.training.run.compute import Cost
from explorer.runs.backend_choice import SLOW_STEP
from explorer.runs.run_data import RunData, skip_text, was_skipped

if TYPE_CHECKING:
    from core.training.config import TrainingConfig
    from core.training.head_birth import HeadBirth
    from core.training.this_machine import Machine
    from explorer.panes.training.run.track import Moment

RISEN = 1.1  # times the first loss: more than the variation between batches
STILL = 0.01  # of the first loss: a smaller change is no more than batches differ
FASTER = 1.2  # speed of bf16 relative to fp32 from which it is recommended
EARLY = 20  # steps of a branch whose median is its first loss
SPACE, MOST_SPACES = "\u2423", 8  # for a text that is only whitespace
FILES = "Texts (*.txt *.md *.csv *.json *.py *.html);;All files (*)"
MEMORY = (
    "Memory is that of weights, gradients, optimizer and activations; Python and PyTorch take "
    f"about {format_bytes(PROCESS_BYTES)} more"
)
SETUP = "Choose a text and a size, then start: training begins right away."
WHY_COPYING = (
    "Random tokens that repeat can be predicted only by looking back, so heads learn to copy "
    "(Olsson et al. 2022). Then more and more text is mixed in."
)
PHASE_WORDS = {
    "data": "a batch of sequences is drawn",
    "forward": "the model predicts every next token of the batch",
    "loss": "the loss is the model's average surprise at the tokens that really came next",
    "backward": "the gradient shows in which direction to move each weight to lower the loss",
    "unscale": "the loss scale is divided out of the gradients",
    "clip": "a gradient longer than the limit is shortened",
    "optimizer": "the optimizer works out from the gradients how to move each weight a little",
    "schedule": "how far the weights moved was set by the learning rate, which follows a schedule",
}

SKIPPED_WORDS = {
    "unscale": "after dividing by the loss scale, not every gradient is finite",
    "clip": "the gradient cannot be shortened, because its length is not finite",
    "optimizer": "the step is skipped, and no weight moves",
    "schedule": "the learning rate stays as it is, because only applied steps count",
}


def machine_text(here: Machine | None) -> str:
    """Describes this machine's cores and GPUs; only its cores until PyTorch is loaded."""
    cores = here.cores if here is not None else os.cpu_count() or 1
    counted = "1 core" if cores == 1 else f"{cores} cores"
    if here is None:
        return counted
    if not here.gpus:
        return f"{counted}, a Mac's GPU" if here.has_mps else f"{counted}, no GPU"
    kind = here.gpu.removeprefix("NVIDIA ") or "GPU"
    return f"{counted}, {kind}" if here.gpus == 1 else f"{counted}, {here.gpus} \u00d7 {kind}"


def where_text(config: TrainingConfig, here: Machine | None) -> str:
    """Returns a sentence on the devices and the precision of a run."""
    ranks = config.ranks
    gpus = here.gpus if here is not None else 0
    on_gpu = config.device == "cuda" or (config.device == "auto" and gpus >= ranks)
    if config.device == "mps":
        place = "the Mac's GPU"
    elif on_gpu:
        place = "the GPU" if ranks == 1 else "a GPU each"
    else:
        place = "the CPU"
    precision = config.precision
    if precision == "tf32" and not on_gpu:  # as the note on the precision says
        precision = "fp32"
    if ranks == 1:
        return f"The run computes in {precision} on {place}."
    held = "the whole model (DDP)" if config.parallel == "ddp" else "its part of it (FSDP2)"
    told = f"{ranks} processes share each batch, in {precision} on {place}; each holds {held}"
    if here is not None and not on_gpu and ranks * config.threads > here.cores:
        told = f"{told}. They take turns, because there are only {here.cores} cores"
    return f"{told}."


def cost_note(config: TrainingConfig, cost: Cost, run_in: str) -> str:
    """Returns further facts about a run before it starts."""
    found = cost.estimate
    said = [f"Each step reads {config.tokens_per_step:,} tokens"]
    if config.copying_steps:
        said.append(
            f"The first {config.copying_steps:,} steps are a lesson in copying: short random "
            "sequences that repeat, then more and more text"
        )
    if config.repeated_fraction:
        share = format_percent(config.repeated_fraction)
        if config.copying_steps:
            said.append(f"After that, {share} of the sequences still repeat random tokens")
        else:
            why = "random tokens, repeated once, so that the model learns to copy"
            said.append(f"{share} of the sequences are not text but {why}")
    said.append(MEMORY)
    if config.ranks > 1:
        said.append(f"Each rank sends {format_bytes(found.sent)} per step")
    has_bf16 = cost.machine.relative.get("bf16", 0.0) >= FASTER
    fast = has_bf16 and config.precision == "fp32" and config.model.n_embd >= 256
    if note := cost.precision or ("bf16 would be faster here" if fast else ""):
        said.append(note)
    if found.seconds_per_step > SLOW_STEP and run_in == "thread":
        said.append("With steps this long, training is better run in its own process")
    elif found.seconds_per_step > SLOW_STEP:
        said.append(
            "With steps this long, training gets its own process so that the window stays quick"
        )
    return f"{'. '.join(said)}."


def branch_rate(now: float, before: float) -> str:
    """Returns a branch's first learning rate, compared with that of its run."""
    same = math.isclose(now, before, rel_tol=1e-6)
    was = "as in the run" if same else f"without changes: {format_number(before)}"
    return f"Continues with learning rate {format_number(now)} ({was})."


def likeness(data: RunData, other: RunData | None) -> str:
    """Returns up to which step a branch coincides with its parent, if that is the overlay; "" for
    other runs, and before a common step. Losses are compared bit for bit, because an unchanged
    branch reproduces them exactly.
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
        return f"differs from {other.name} from step {int(steps[apart[0]]):,} on"
    return f"coincides with {other.name} up to step {int(steps[-1]):,}"


def headline(
    data: RunData | None,
    state: str,
    moment: Moment | None,
    replaying: bool,
    smoothed: float | None = None,
) -> str:
    """Returns a sentence on what is visible now. `smoothed` is the last smoothed training loss in
    the chart, if smoothing is on; the loss of the last step may differ from it considerably.
    """
    if data is None:
        return SETUP
    if replaying and moment is not None:
        row = data.numbers.row(moment.step)
        if row is not None and was_skipped(row):
            return skip_text(moment.step, data.skips.get(moment.step))
        kept = ", which has a checkpoint" if moment.checkpoint else ""
        born = data.birth
        if born is not None and born.rise[0] <= moment.step <= born.rise[1]:
            return f"You are at step {moment.step:,}{kept}. {birth_sentence(born)}"
        lesson = ", in the first lesson" if data.in_first_lesson(moment.step) else ""
        return f"You are at step {moment.step:,}{lesson}{kept}. Play shows what the heads did."
    if not len(data.steps):
        return _beginning(data, state)
    step, now = data.step, data.last("loss") if smoothed is None else smoothed
    loss = "the loss" if smoothed is None else "the smoothed loss"
    _, losses = data.series("loss")
    if not len(losses):
        steps = "1 step was" if len(data.steps) == 1 else f"{len(data.steps):,} steps were"
        return f"The run begins: {steps} skipped while the loss scale came down."
    if not math.isfinite(losses[-1]):  # smoothing skips it
        loss, now = "the loss", math.nan
    if data.in_first_lesson(data.step):
        loss = f"{loss} of the first lesson, copying,"
    first = first_loss(data, losses)
    told = _movement(loss, first, now, data.parent is not None)
    grows = now > RISEN * first
    if grows:
        told += "; try a lower learning rate"
    match state:
        case "running":
            verb = "does not learn" if grows else "learns" if _has_fallen(first, now) else "trains"
            opening = "The run needs attention" if data.alerts else f"The model {verb}"
            return f"{opening}: {_steps(data, 'after')} {told}.{_birth(data)}"
        case "paused":
            return f"Paused after step {step:,}: {told}. Press Space to continue."
        case "finished":
            if data.log:
                span = f"from step {int(data.steps['step'][0]):,} to {step:,}"
                return f"Read from {data.log}: {span} {told}."
            return f"Finished: {_steps(data, 'in')} {told}.{_birth(data) or _no_birth(data)}"
        case "failed" | "dead":
            if data.checkpoints:
                return f"The run ended at step {step:,}; everything it wrote is kept."
            then = "" if data.not_finite else ": training would begin again at step 0"
            return f"The run ended at step {step:,} without a checkpoint{then}."
        case _:
            goes_on = "continue" if data.checkpoints else "begin again at step 0"
            return f"Stopped after step {step:,}: {told}. Press Space to {goes_on}."


def birth_sentence(birth: HeadBirth) -> str:
    """Returns what one head of this run did, from what was measured."""
    (start, end), (low, high) = birth.rise, birth.scores
    told = (
        f"Head {birth.head} of layer {birth.layer} began to copy near step {birth.step:,}: between "
        f"steps {start:,} and {end:,} its induction score rose from {low:.2f} to {high:.2f}"
    )
    if birth.losses is not None:
        before, after = birth.losses
        way = "fell" if after < before else "went"
        told += f" while the loss on repeats {way} from {before:.1f} to {after:.1f}"
    return f"{told}, and was lost again (now {birth.now:.2f})." if birth.lost else f"{told}."


def _birth(data: RunData) -> str:
    """Returns the sentence on the head that formed, after a space; "" if there is none."""
    return "" if data.birth is None else f" {birth_sentence(data.birth)}"


def _no_birth(data: RunData) -> str:
    """Returns that no head of the run copies, after a space; "" if the heads were not scored, or
    one copied from the beginning.
    """
    steps, scores = data.head_scores.get("induction", (np.empty(0), np.empty(0)))
    if not len(steps) or scores[-1].max() >= FORMED:
        return ""
    layer, head = best_head(scores[-1])
    best = f"{scores[-1].max():.2f} (head {head} of layer {layer})"
    return f" No head learned to copy: the best induction score is {best}."


def _steps(data: RunData, preposition: str) -> str:
    """Returns the number of steps that this run has trained: a branch counts from its parent's
    checkpoint on.
    """
    begun = int(data.parent["step"]) if data.parent is not None else 0
    steps = "1 step" if data.step - begun == 1 else f"{data.step - begun:,} steps"
    return f"{preposition} {steps}" + ("" if data.parent is None else " since the branch")


def first_loss(data: RunData, losses: np.ndarray) -> float:
    """Returns the loss at the beginning of the curve: that of the first step, or, after a first
    lesson in copying, that of the text as it was evaluated before it. A branch begins with
    trained weights, so that its losses vary more between batches than they fall: its beginning is
    the median of its first steps, and NaN until there are more than these.
    """
    lesson, (steps, _) = data.config.copying_steps, data.series("loss")
    if data.parent is None and 0 < lesson < data.step:  # the first lesson was no text
        return float(data.evaluations["train"][0]) if len(data.evaluations) else math.nan
    if data.parent is None:
        return float(losses[0])
    alike = losses[(steps > lesson) == (data.step > lesson)]
    return float(np.median(alike[:EARLY])) if len(alike) > EARLY else math.nan


def _has_fallen(first: float, now: float) -> bool:
    return now < (1 - STILL) * first


def _movement(loss: str, first: float, now: float, is_median: bool) -> str:
    """Returns the change of the loss from `first` to `now` in words; `is_median`: `first` is not
    one point of the curve.
    """
    same = loss_words(first) == loss_words(now)
    if same or not (math.isfinite(first) and math.isfinite(now)):
        return f"{loss} is {loss_words(now)}"
    whence = loss_words(first)
    whence += f" (median of its first {EARLY} steps)" if is_median else ""
    if abs(now - first) <= STILL * abs(first):
        return f"{loss} is {loss_words(now)}, hardly changed from {whence}"
    way = "has fallen" if now < first else "has risen"
    return f"{loss} {way} from {whence} to {loss_words(now)}"


def _beginning(data: RunData, state: str) -> str:
    if state in ("failed", "dead", "stopped"):
        return "The run ended before its first step."
    if data.prepares(state):
        return f"Preparing: {data.preparing or 'training is about to start'}."
    if data.parent:
        origin = Path(str(data.parent.get("run", ""))).name
        return f"The run continues from step {data.step:,} of {origin}."
    if not data.vocabulary:
        return "The run begins: its first loss comes in a moment."
    guess = math.log(data.vocabulary)
    return f"The run begins: a model that knows nothing has a loss near {guess:.1f}."


def why_none(data: RunData, state: str, what: str, every: int, steps: Collection[int] = ()) -> str:
    """Returns the text shown instead of missing `what`, such as samples. every: steps between two
    of them; 0 if none are wanted. steps: the steps that have some.
    """
    if data.log:
        return f"Another program wrote this log, and it holds no {what}."
    if not every:
        return f"This run was set up without {what}."
    if steps:
        return f"The first {what} are from step {min(steps):,}."
    if over := ended(data, state):
        return f"The run {over.split()[0]} before it had any {what}."
    if data.prepares(state) or not data.step:
        return f"The first {what} come in a moment."
    due = min((data.step // every + 1) * every, data.config.steps)
    return f"The first {what} come at step {due:,}."


def heads_title(read: str, step: int | None) -> str:
    """Returns the title of the heads: the text that they read, and their step. It must be short,
    because there is little room.
    """
    quoted = read.lstrip() or SPACE * min(len(read), MOST_SPACES)
    on = f" reading \u201c{quoted}\u201d" if read else ""
    return f"Heads{on}{f', step {step:,}' if step is not None else ''}"


def phase_headline(
    phases: Sequence[str], index: int, step: int, skipped: bool, lesson: bool = False
) -> str:
    """Returns the headline for a phase of an optimizer step; `lesson`: of the first lesson."""
    name = phases[index]
    words = SKIPPED_WORDS.get(name, PHASE_WORDS[name]) if skipped else PHASE_WORDS[name]
    of = " of the first lesson, copying" if lesson else ""
    return f"Inside step {step:,}{of}, phase {index + 1} of {len(phases)}: {words}."
