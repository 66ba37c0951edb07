"""Every sentence of Tune. Knows no Qt."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.finetuning.settings import FABLES, FINETUNING, QUESTIONS, STORIES
from core.numbers import (
    format_bytes,
    format_count,
    format_estimate,
    format_fixed,
    format_number,
    format_percent,
    format_share,
)
from core.tokenization.telling import listed
from explorer.panes.finetuning.tune.compute import Method, Planned
from explorer.panes.finetuning.tune.scene import TITLES, Curves, end_of
from explorer.widgets.matrix_kinds import kind_words

if TYPE_CHECKING:
    from core.finetuning.held_out_answers import Asked
    from explorer.runs.run_data import RunData

MEANINGS = {
    "lora": "Beside each chosen matrix W, two thin matrices learn; their product B A is added",
    "full": "Every number of the model learns",
    "last-layers": "The last layers learn, and the norm after them",
    "head": "Only the matrix that turns the last vector into logits learns",
    "bitfit": "The biases learn; where the model has none, they begin at 0",
    "bottleneck": "Small new layers between the model\u2019s own learn",
    "prompt": "Only a few tokens in front of each text learn; the model itself stays as it is",
}
# Series, the same wherever a method is drawn; those that are often compared are told apart best.
COLORS: dict[str, int | str] = {
    "lora": 0,
    "full": 1,
    "bitfit": 2,
    "bottleneck": 3,
    "head": 4,
    "last-layers": 5,
    "prompt": "text",
}
SENTENCES = re.compile(r'(?<=[.!?"])\s')
COLUMNS = ("Method", "learns", "takes")
PLACES = {  # of what is chosen among files, what is known by name
    "base": [(STORIES, "Bundled"), ("smollm2", "SmolLM2")],
    "data": [(QUESTIONS, "Questions"), (FABLES, "Fables")],
    "base_data": [(STORIES, "Our stories"), ("", "Nothing")],
}
SKILLS = {
    QUESTIONS: "teach the model to answer \u201cWho is it about?\u201d",
    FABLES: "teach the model to tell the moral of a story",
}
QUANTIZE = [("none", "32 bits"), ("nf4", "4 bits (NF4)")]
VARIANTS = [("lora", "LoRA"), ("rslora", "rsLoRA"), ("dora", "DoRA")]
BROKEN = [("stop", "Stop"), ("skip", "Skip them")]
GET_HELP = "A real model of 135 million parameters, by Hugging Face"
SAME_AGAIN = "These are the settings that failed: change what the error names, then start"
RECORDED = "Bundled"
WORKS_OUT = "Working out what that takes\u2026"
MOST_LISTED = 3  # runs by name in a sentence
START, ANOTHER = "Start", "Another question"
START_HELP = "Trains with each chosen method, in a run of its own"
LOSS_AXIS = "loss (nats per token)"
EXACT_AXIS = "exact answers to held-out prompts (%)"
DASHED = "dashed: on what the base could do"
NO_CURVE = "The first losses come in a moment"


def inks(curves: Sequence[Curves]) -> list[int | str]:
    """Of each run its method's color; where a method was trained again, one that is free."""
    used, found = {COLORS[one.method] for one in curves}, list[int | str]()
    for one in curves:
        own, free = COLORS[one.method], [ink for ink in COLORS.values() if ink not in used]
        found.append(free[0] if own in found and free else own)
        used.add(found[-1])
    return found


def method_tip(method: Method) -> str:
    """What it is, and what it takes."""
    told, found = f"{MEANINGS[method.name]}.", method.estimate
    if found is None:
        return f"{told}\n{method.error}"
    return (
        f"{told}\n{format_count(found.trainable)} numbers learn, {format_share(found.share)} of "
        f"the model\u2019s. A checkpoint takes {format_bytes(found.bytes_saved)}.\n"
        f"Memory: {format_bytes(found.bytes_peak)} at most, {format_bytes(found.bytes_optimizer)} "
        f"of it for the optimizer.\nAbout {format_estimate(found.seconds)} on this machine."
    )


def matrix_tip(name: str, layer: int | None, is_chosen: bool) -> str:
    """Of a cell, a row (`layer` None) or a column (`name` "")."""
    which = kind_words(name)[0] if name else "all matrices"
    where = "all layers" if layer is None else f"layer {layer}"
    told = "LoRA changes this" if is_chosen else "not changed"
    return f"{which[:1].upper()}{which[1:]} of {where}: {told}. Click to switch"


def costs(planned: Planned) -> str:
    """What all that is chosen takes together, above Start."""
    if not (found := planned.estimates) or planned.errors:
        return ""
    memory = sum(one.bytes_peak for one in found)
    return f"{format_bytes(memory)} of memory, about {format_estimate(_seconds(planned))}"


def _seconds(planned: Planned) -> float:
    return sum(one.seconds for one in planned.estimates)


def ready(planned: Planned, data: str) -> str:
    """The headline before a run."""
    found = planned.estimates
    if not found:
        return "Choose what learns, then start."
    taught = SKILLS.get(data, f"train the model on {Path(data).name}")
    titles = [TITLES[one] for one in planned.configs]
    names = listed(titles) if len(titles) <= MOST_LISTED else f"{len(titles)} methods"
    time = format_estimate(_seconds(planned))
    if len(found) > 1:
        return f"{names}, side by side, can {taught} in about {time}."
    share = format_share(found[0].share)
    return f"{names} can {taught} in about {time}, training {share} of its numbers."


def headline(curves: Sequence[Curves], data: str) -> str:
    """What runs learned of this data, and forgot; of several, at the last step that all have."""
    told = [one for one in curves if one.data == data and len(one.new[1])]
    if not told:
        return "First, the answers of the base itself are measured."
    if len(told) == 1:
        return f"{told[0].name} {_learned(told[0])}; {_forgot(told[0])}."
    step = max(set.intersection(*(set(one.new[0].tolist()) for one in told)), default=0)
    told, base_data = [one.until(step) for one in told], told[0].base_data
    asked = all(len(one.exact[1]) for one in told)
    learned, write = ("Exact answers", format_percent) if asked else ("Loss", format_number)
    said = _each({one.name: end_of(one.exact if asked else one.new) for one in told}, write)
    alike = {one.name: one.forgotten for one in told if one.base_data == base_data}
    forgot = f" Change of the loss on {base_data}: {_each(alike, _signed)}." if base_data else ""
    return f"{learned} on {data} at step {step:,.0f}: {said}.{forgot}"


def _each(numbers: Mapping[str, float], write: Callable[[float], str]) -> str:
    """The number of each run; of more than are listed, their range."""
    if len(numbers) <= MOST_LISTED:
        return ", ".join(f"{name} {write(number)}" for name, number in numbers.items())
    least, most = (end(numbers, key=numbers.__getitem__) for end in (min, max))
    ends = (f"{write(numbers[name])} ({name})" for name in (least, most))
    return f"{len(numbers)} runs, {' to '.join(ends)}"


def _learned(curves: Curves) -> str:
    if len(curves.exact[1]):
        own = curves.data in SKILLS
        what = f"held-out {curves.data}" if own else f"held-out examples of {curves.data}"
        return f"gets {format_percent(end_of(curves.exact))} of the {what} right"
    return f"has a loss of {format_number(end_of(curves.new))} on {curves.data}"


def _forgot(curves: Curves) -> str:
    lost = curves.forgotten
    if math.isnan(lost):
        return "what it forgets is not measured"
    if round(lost, 2) == 0:
        return f"its loss on {curves.base_data} stays at {format_fixed(end_of(curves.old))}"
    verb, now = "rose" if lost >= 0 else "fell", format_fixed(end_of(curves.old))
    return f"its loss on {curves.base_data} {verb} by {format_fixed(abs(lost))}, to {now}"


def _signed(number: float) -> str:
    return f"{'+' if number >= 0 else ''}{format_fixed(number)}"


def failed(curves: Curves, data: RunData) -> str:
    return f"{curves.name} failed at step {data.step:,}: {data.message}"


def recorded(replay: float) -> str:
    """Above the curves of the bundled adapter."""
    return f"recorded: the bundled adapter, with Replay {replay:g}"


def question(asked: Asked, data: str) -> str:
    """Which one, its right answer, and its end, which asks; `data` that it is of."""
    *story, asks = asked.prompt.strip().split("\n")
    sentence = SENTENCES.split(" ".join(story))[-1]
    right = f", answer: {asked.right.strip()}" if asked.right.strip() else ""
    which = f"{asked.number + 1:,}{f' of {data}' if data else ''}"
    return f"Held-out {which}{right}. \u2026 {f'{sentence} {asks}'.strip()}"


def why_not(data: RunData) -> str:
    """Why a run is not drawn here; "" where it is."""
    is_tuning = data.config.task == FINETUNING
    return "" if is_tuning else f"{data.name} is not a fine-tuning run; open it in Training"


def said_at(step: int, said: str | None, data: str) -> str:
    """What a run answered at a checkpoint; None: it has learned from other data."""
    return f"not asked: learned from {data}" if said is None else f"step {step:,}: {said.strip()}"
