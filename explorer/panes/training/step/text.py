"""Every sentence of Step. Knows no Qt."""

from __future__ import annotations

import math

from core.numbers import (
    format_brief,
    format_bytes,
    format_count,
    format_fixed,
    format_number,
    format_percent,
)
from core.training.step_trace import Happened, Layer
from explorer.panes.training.step.scene import Exchange, Part, Scene

NO_RUN = "No run is open. Set one up in Run: its first step is recorded from the inside."
NOT_YET = "No step of this run is recorded yet. While it trains, you can record the next one."
FOREIGN = "Another program wrote this log, which tells nothing from inside its steps."
NEVER = "No step of this run was recorded. Resume it in Run: the next step is recorded."
SHOW_RUN, RECORD = "Show Run", "Record this step"
RECORD_HELP = "Records the next optimizer step from the inside; training goes on as before"
NOT_LIVE = "Only a run that is training can record a step: resume it in Run"
ASKED = "The next step of this run will be recorded."
NAMES = {
    "param": "weight before",
    "grad": "gradient",
    "new": "weight after",
    "shrunk": "weight, decayed",
    "before": "weight before",
    "after": "weight after",
}
SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def name_of(name: str) -> str:
    """A name of the optimizer's rule, in words."""
    words = name.replace("_hat", ", corrected").replace("_", " ").replace(".", " ")
    return NAMES.get(name, words)


def power(exponent: int) -> str:
    """A power of two: 2⁻¹⁰."""
    return "2" + str(exponent).translate(SUPERSCRIPTS)


def headline(scene: Scene, phase: str, inner: int | None) -> str:
    """One sentence about what is seen."""
    facts = scene.recording.facts
    step = f"Step {facts.step:,}"
    match phase:
        case "data":
            count, length = scene.batch("ids").shape
            if not count:
                return f"{step} draws a batch; this task shows none of it"
            return f"{step} reads {count} sequences of {length} tokens; each predicts the next one"
        case "forward":
            part = scene.forward[-1 if inner is None else inner] if scene.forward else None
            if part is None:
                return f"{step}: the model predicts every next token"
            said = f"RMS at the output of {_of(part)}: {format_number(part.mean)}"
            through = "The batch has come through the model"
            return _first(said) if inner is not None else f"{through}: {said}"
        case "loss":
            return mean_loss(facts.loss)
        case "backward" | "unscale":
            if not scene.backward:
                return f"{step}: gradients are computed, from the last layer to the first"
            if phase == "unscale":
                return f"The gradients are divided by the loss scale, {facts.loss_scale:,.0f}"
            if inner is None:
                length = format_brief(scene.backward_span[1] - scene.backward_span[0])
                count = len(scene.exchanges)
                meanwhile = f", and ranks add them up in {count} exchanges" if count else ""
                return f"In {length} gradients come back to the embedding{meanwhile}"
            part = scene.backward[inner]
            when = format_brief(max(part.came, 0.0))
            return f"The gradient reaches {_of(part)} {when} after backward began"
        case "clip":
            return clip(facts.grad_norm, scene.config.clip)
        case "optimizer":
            if facts.skipped:
                return f"{step} was skipped: a gradient overflowed, so no weight moved"
            total = int(scene.updates[1].sum()) + scene.unmoved
            if not total:
                return f"{step} moves every weight a little"
            still = f"{format_percent(scene.unmoved / total)} of them stay exactly where they were"
            still = still if scene.unmoved else "not one stays exactly where it was"
            return f"{format_count(total)} weights move a little; {still}"
        case _:
            return f"{step} moves weights at learning rate {format_number(facts.learning_rate)}"


def _first(words: str) -> str:
    return words[:1].upper() + words[1:]


def _of(part: Part) -> str:
    return part.label if part.label.startswith("block") else f"the {part.label}"


def surprise(most: float) -> str:
    """What the colors of the text say."""
    return f"The stronger a token's color, the more surprising it was: 0 to {most:.1f} nats"


def mean_loss(loss: float) -> str:
    """What a loss means."""
    if not math.isfinite(loss):
        return "The loss is not finite"
    among = format_number(round(math.exp(min(loss, 50))))
    return f"On average {format_fixed(loss)} nats per token: as unsure as among {among} tokens"


def clip(norm: float, limit: float) -> str:
    """What clipping does to a gradient of this length."""
    if not math.isfinite(norm):
        return "The gradient's length is not finite, so there is nothing to shorten"
    if not limit:
        return f"Gradient norm {format_number(norm)}; this run does not clip"
    if norm <= limit:
        return f"Gradient norm {format_number(norm)}, under the limit of {limit:g}: unchanged"
    share = format_percent(limit / norm)
    return f"The gradient is {format_number(norm)} long: shortened to {limit:g}, {share} of it"


def memory(most: float) -> str:
    """Above the line of memory."""
    return f"kept for backward: at most {format_bytes(most)}"


def part_tip(part: Part) -> str:
    """A part of the model, in a tooltip."""
    lines = [f"{_first(part.label)}: {' × '.join(map(str, part.shape))}, {part.dtype}"]
    lines.append(f"size {format_number(part.mean)}, there after {format_brief(max(part.came, 0))}")
    lines += [f"{name}: {format_number(norm)}" for name, norm in part.norms]
    return "\n".join(lines)


def exchange_row(one: Exchange) -> str:
    """An exchange of a bucket, for the inspector."""
    waited = one.ready - one.start
    said = f"{one.label}: {format_bytes(one.bytes)} in {format_brief(one.end - one.ready)}"
    return said + (f", after waiting {format_brief(waited)}" if waited > 0 else "")


def part_rows(scene: Scene, event: Happened, mean: float) -> list[str]:
    """What is known of a part while the cursor is in it."""
    shape = " × ".join(map(str, event.shape))
    rows = [f"{shape} numbers, {event.dtype}, {format_bytes(event.bytes)}"]
    rows.append(f"root mean square {format_number(mean)}")
    if event.end > event.start:
        rows.append(f"computed in {format_brief(event.end - event.start)}")
    of: dict[str, list[str]] = {}
    for layer in scene.recording.facts.layers:
        if layer.name == event.name or layer.name.startswith(f"{event.name}."):
            name = layer.name.removeprefix(f"{event.name}.")
            of.setdefault(_dtypes(layer), []).append(name)
    return [*rows, *(f"{dtypes}: {', '.join(names)}" for dtypes, names in of.items())]


def _dtypes(layer: Layer) -> str:
    """In which format a layer computes."""
    told = {way: getattr(layer, way) for way in ("input", "weight", "output", "gradient")}
    if len(set(told.values())) == 1:
        return f"{layer.weight} throughout"
    return ", ".join(f"{dtype} {way}" for way, dtype in told.items() if dtype)


def empty(has_run: bool, active: bool, foreign: bool) -> tuple[str, str]:
    """Why there is nothing to see, and what the button says."""
    if not has_run or foreign:
        return FOREIGN if foreign else NO_RUN, SHOW_RUN
    return (NOT_YET, RECORD) if active else (NEVER, SHOW_RUN)
