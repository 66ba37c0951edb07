"""The texts of Step. Does not import Qt."""

from __future__ import annotations

import math

import numpy as np

from core.numbers import (
    format_brief,
    format_bytes,
    format_count,
    format_fixed,
    format_number,
    format_percent,
)
from core.training.phases import TITLES, clip_factor, perplexity_of
from core.training.recorded_step import Part, RecordedStep
from core.training.spans import KINDS
from explorer.panes.training.step.scene import Place

NO_RUN = "No run is open. Set one up in Run; its first step will be recorded in detail."
NOT_YET = "No step of this run has been recorded yet. While it trains, you can record the next one."
FOREIGN = "Another program wrote this log, which says nothing about what happens inside a step."
NEVER = "No step of this run was recorded. Resume it in Run; the next step will be recorded."
SHOW_RUN, RECORD = "Show Run", "Record this step"
RECORD_HELP = "Records the next optimizer step from the inside; training goes on as before"
NOT_LIVE = "A step can be recorded only while the run trains; resume it in Run mode"
ASKED = "The next step of this run will be recorded."
RECORDED = "Step {:,} is recorded"
UNREADABLE = "Step {:,} cannot be shown"
SURPRISE = "The stronger a token's color, the more it surprised the model (0 to {:.1f} nats)"
LENGTH = "length of all gradients together; clipping cuts off the hatched part"
SHARES = "each part's share of the squared length"
SIZES = "size of each token's vector (RMS, log scale)"
GRADIENTS = "gradient of each token's vector (RMS, log scale)"
NORMS, EXCHANGES = "gradient norms", "exchanges between ranks"
UPDATES = "all weights: update ÷ weight"
PARTS = {"embedding": "token embedding", "positions": "position embedding", "head": "output head"}
NAMES = {
    "param": "weight before",
    "grad": "gradient",
    "new": "weight after",
    "shrunk": "weight, decayed",
}


def name_of(name: str) -> str:
    """Returns a name of the optimizer's rule in words."""
    words = name.replace("_hat", ", corrected").replace("_", " ").replace(".", " ")
    return NAMES.get(name, words)


def weight_place(place: tuple[int, ...]) -> str:
    """Returns where a weight is in its parameter; "" if unknown."""
    if len(place) == 2:
        return f"row {place[0]:,}, column {place[1]:,}"
    return f"number {place[0]:,}" if len(place) == 1 else ""


def weight_name(recorded: RecordedStep, weight: int) -> str:
    """Returns the name of a recorded weight: its parameter, and its place if that is known."""
    if place := recorded.place_of_weight(weight):
        return f"{recorded.parameter}[{', '.join(map(str, place))}]: {weight_place(place)}"
    return f"weight {weight + 1} of the {len(recorded.kept)} recorded from {recorded.parameter}"


def weights_head(recorded: RecordedStep, weight: int) -> str:
    """Returns the heading of the recorded weights, with the place of the marked one."""
    place = weight_place(recorded.place_of_weight(weight))
    return f"marked: {place}" if place else f"{len(recorded.kept)} of its weights"


def headline(recorded: RecordedStep, place: Place) -> str:
    """Returns a sentence on the visible place; the phase's title if too little was recorded."""
    facts, parts, inner = recorded.recording.facts, recorded.parts(place.phase), place.inner
    part, step = parts[-1 if inner is None else inner] if parts else None, f"Step {facts.step:,}"
    match place.phase:
        case "data" if (ids := recorded.batch("ids")).size:
            count, length = ids.shape
            batch = recorded.config.batch_size
            read = f"{step} reads" if count == batch else f"{step}: this rank reads {count} of the"
            read = f"{read} {batch} sequences of {length} tokens"
            return f"{read}; after each token, the model predicts the next"
        case "forward" if part is not None:
            size = f"a typical size (root mean square) of {format_number(part.size)}"
            if inner is not None:
                what = "scores" if part.label == "head" else "output"
                return f"The {what} of {_of(part)} {'have' if what == 'scores' else 'has'} {size}"
            return f"The batch has passed through the model; its output scores have {size}"
        case "loss":
            return mean_loss(facts.loss)
        case "backward" if part is not None and inner is not None:
            when = format_brief(max(part.came, 0.0))
            return f"The gradient reaches {_of(part)} {when} after the backward pass began"
        case "backward" if part is not None:
            whole, count = recorded.recording.backward, len(recorded.exchanges)
            many = f"; the ranks add up their gradients in {count} exchange{'s' * (count != 1)}" * (
                count > 0
            )
            return f"The backward pass takes {format_brief(whole.end - whole.start)}{many}"
        case "unscale":
            return f"The gradients are divided by the loss scale, {facts.loss_scale:,.0f}"
        case "clip":
            return clip(facts.grad_norm, recorded.config.clip)
        case "optimizer" if facts.skipped:
            return f"{step} was skipped: a gradient overflowed, so no weight moved"
        case "optimizer" if total := int(recorded.updates[1].sum()) + recorded.unmoved:
            if not recorded.unmoved:
                return f"All {format_count(total)} weights move a little"
            still = f"{format_percent(recorded.unmoved / total)} stay exactly where they were"
            return f"Of {format_count(total)} weights, {still}; the others move a little"
        case "schedule":
            rate = format_number(facts.learning_rate)
            return f"{step} moves the weights with a learning rate of {rate}"
    return TITLES[place.phase]


def _of(part: Part) -> str:
    label = PARTS.get(part.label, part.label)
    return label if label.startswith("block") else f"the {label}"


def mean_loss(loss: float) -> str:
    """Explains a loss."""
    if not math.isfinite(loss):
        return "The loss is not finite"
    among = format_number(perplexity(loss))
    told = f"The loss is {format_fixed(loss)} nats per token"
    return f"{told}: the model is as unsure as if it were guessing among {among} tokens"


def perplexity(loss: float) -> int:
    """Returns among how many tokens a guess would be as unsure."""
    return round(perplexity_of(min(loss, 50)))


def clip(norm: float, limit: float) -> str:
    """Explains the effect of clipping on a gradient of this length."""
    if not math.isfinite(norm):
        return "The gradient's length is not finite, so the gradient cannot be shortened"
    if not limit:
        return f"The gradient has length {format_number(norm)}; this run does not clip gradients"
    if norm <= limit:
        told = f"The gradient has length {format_number(norm)}"
        return f"{told}, which is below the limit of {limit:g}, so it stays as it is"
    share = format_percent(clip_factor(norm, limit))
    told = f"The gradient has length {format_number(norm)}"
    return f"{told}; clipping shortens it to {limit:g}, {share} of its length"


def _shape(part: Part) -> str:
    return " × ".join(f"{size:,}" for size in part.event.shape)


def part(one: Part) -> str:
    """Returns the text after a part's bars: size, shape, dtype and time of its output."""
    shape, came = _shape(one), format_brief(max(one.came, 0.0))
    return f"{format_number(one.size)}   {shape}  {one.event.dtype}   +{came}"


def part_rows(part: Part) -> list[str]:
    """Returns the facts on the part under the cursor."""
    event = part.event
    rows = [f"{_shape(part)} numbers, {event.dtype}, {format_bytes(event.bytes)}"]
    rows.append(f"root mean square {format_number(part.size)}")
    if event.end > event.start:
        rows.append(f"computed in {format_brief(event.end - event.start)}")
    return rows + [f"|gradient of {name}| = {format_number(n)}" for name, n in part.norms.items()]


def exchange_rows(exchanges: np.ndarray) -> list[str]:
    """Returns a row for each exchange of a rank (records of LANE_DTYPE)."""
    rows = []
    for one in exchanges:
        waited, took = one["ready"] - one["start"], one["end"] - one["ready"]
        name, size = KINDS[one["kind"]], format_bytes(int(one["bytes"]))
        later = f", after waiting {format_brief(waited)}" if waited > 0 else ""
        rows.append(f"{name}: {size} in {format_brief(took)}{later}")
    return rows


def empty(has_run: bool, active: bool, foreign: bool) -> tuple[str, str]:
    """Returns why there is nothing to show, and the text of the button."""
    if not has_run or foreign:
        return FOREIGN if foreign else NO_RUN, SHOW_RUN
    return (NOT_YET, RECORD) if active else (NEVER, SHOW_RUN)
