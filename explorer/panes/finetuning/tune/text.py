"""Every sentence of Tune. Knows no Qt."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
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
from explorer.panes.finetuning.tune.scene import TITLES, Curves, Points
from explorer.widgets.matrix_kinds import kind_words
from explorer.widgets.run_card_text import CardText

if TYPE_CHECKING:
    from core.finetuning.held_out_answers import Asked
    from explorer.runs.run_data import RunData

MEANINGS = {
    "lora": "Two thin matrices beside each chosen matrix W are trained; their product B A is added "
    "to W",
    "full": "Every parameter of the model is trained",
    "last-layers": "The last layers and the norm after them are trained",
    "head": "Only the output head is trained: the matrix that turns the last vector into logits",
    "bitfit": "Only the biases are trained; a model without biases gets new ones, which start at 0",
    "bottleneck": "Small new layers are trained between the model\u2019s own layers",
    "prompt": "Only a few new tokens in front of each text are trained; the model does not change",
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
COLUMNS = ("Method", "parameters", "time")
PLACES = {  # of what is chosen among files, what is known by name
    "base": [(STORIES, "Bundled"), ("smollm2", "SmolLM2")],
    "data": [(QUESTIONS, "Questions"), (FABLES, "Fables")],
    "base_data": [(STORIES, "Our stories"), ("", "Nothing")],
}
SKILLS = {
    QUESTIONS: "teach {} to answer \u201cWho is it about?\u201d",
    FABLES: "teach {} to tell the moral of a story",
}
NAMES = {  # of the methods, in a sentence
    **TITLES,
    "full": "full fine-tuning",
    "last-layers": "tuning the last layers",
    "head": "tuning the head",
    "bottleneck": "a bottleneck adapter",
    "prompt": "prompt tuning",
}
QUANTIZE = [("none", "32 bits"), ("nf4", "4 bits (NF4)")]
VARIANTS = [("lora", "LoRA"), ("rslora", "rsLoRA"), ("dora", "DoRA")]
BROKEN = [("stop", "Stop"), ("skip", "Skip them")]
GET_HELP = "A real model of 135 million parameters, by Hugging Face"
SAME_AGAIN = "These settings have failed; change what the error names before you start again"
RECORDED = "Bundled"
WORKS_OUT = "Estimating memory and time\u2026"
START, ANOTHER = "Start", "Another question"
START_HELP = "Start a training run for each chosen method"
LOSS_AXIS = "loss (nats per token)"
EXACT_AXIS = "exact answers to held-out prompts (%)"
NO_CURVE = "The first losses will appear in a moment"


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
        f"{told}\n{format_count(found.trainable)} parameters are trained, "
        f"{format_share(found.share)} of all. A checkpoint takes {format_bytes(found.bytes_saved)}."
        f"\nTraining needs at most {format_bytes(found.bytes_peak)} of memory, "
        f"{format_bytes(found.bytes_optimizer)} of it for the optimizer.\n"
        f"It takes about {format_estimate(found.seconds)} on this machine."
    )


def matrix_tip(name: str, layer: int | None, is_chosen: bool) -> str:
    """Of a cell, a row (`layer` None) or a column (`name` "")."""
    which = kind_words(name)[0] if name else "all matrices"
    where = "all layers" if layer is None else f"layer {layer}"
    told = "LoRA changes this" if is_chosen else "LoRA does not change this"
    click = f"Click to switch it {'off' if is_chosen else 'on'}."
    return f"{which[:1].upper()}{which[1:]} of {where}: {told}. {click}"


def costs(planned: Planned) -> str:
    """What all that is chosen takes together, above Start."""
    if not (found := planned.estimates) or planned.errors:
        return ""
    memory = sum(one.bytes_peak for one in found)
    return f"Needs {format_bytes(memory)} of memory and about {format_estimate(_seconds(planned))}"


def _seconds(planned: Planned) -> float:
    return sum(one.seconds for one in planned.estimates)


def ready(planned: Planned, data: str) -> str:
    """The headline before a run."""
    found = planned.estimates
    if not found:
        return "Choose what to train, then press Start."
    whom = "the model" if len(found) == 1 else "a copy of the model"
    taught = SKILLS[data].format(whom) if data in SKILLS else f"adapt {whom} to {Path(data).name}"
    names = listed([NAMES[one] for one in planned.configs])
    begins = f"In about {format_estimate(_seconds(planned))}, {names}"
    if len(found) > 1:
        return f"{begins} can each {taught}."
    return f"{begins} can {taught} by training {format_share(found[0].share)} of its parameters."


def headline(curves: Sequence[Curves], data: str) -> str:
    """What runs learned of this data, and forgot; of several, at the last step that all have."""
    told = [one for one in curves if one.data == data and len(one.new[1])]
    if not told:
        return "First, the base model itself is measured."
    if len(told) == 1:
        return f"{told[0].name} {_learned(told[0])}; {_forgot(told[0])}."
    step = max(set.intersection(*(set(one.new[0].tolist()) for one in told)), default=0)
    told = [one.until(step) for one in told]
    asked = all(len(one.exact[1]) for one in told)
    write = format_percent if asked else format_number
    said = listed(
        [f"{_last(one.exact if asked else one.new, write)} for {one.name}" for one in told]
    )
    learned, base_data = "share of exact answers" if asked else "loss", told[0].base_data
    alike = [one for one in told if one.base_data == base_data]
    lost = listed([f"{_signed(one.forgotten)} for {one.name}" for one in alike])
    forgot = f" The loss on {base_data} has changed by {lost}." if base_data else ""
    return f"At step {step:,.0f}, the {learned} on {data} is {said}.{forgot}"


def _learned(curves: Curves) -> str:
    if len(curves.exact[1]):
        own = curves.data in SKILLS
        what = f"held-out {curves.data}" if own else f"held-out examples of {curves.data}"
        return f"gets {_last(curves.exact, format_percent)} of the {what} right"
    return f"has a loss of {_last(curves.new)} on {curves.data}"


def _forgot(curves: Curves) -> str:
    lost = curves.forgotten
    if math.isnan(lost):
        return "what it forgets is not measured"
    if round(lost, 2) == 0:
        return f"its loss on {curves.base_data} stays at {_last(curves.old, format_fixed)}"
    verb, now = "rose" if lost >= 0 else "fell", _last(curves.old, format_fixed)
    return f"its loss on {curves.base_data} {verb} by {format_fixed(abs(lost))}, to {now}"


def _signed(number: float) -> str:
    return f"{'+' if number >= 0 else ''}{format_fixed(number)}"


def failed(curves: Curves, data: RunData) -> str:
    return f"{curves.name} failed at step {data.step:,}: {data.message}"


def recorded(replay: float) -> str:
    """Above the curves of the bundled adapter."""
    return f"from the training of the bundled adapter (replay {replay:g})"


def recorded_row(curves: Curves) -> CardText:
    return CardText(curves.name, "finished", curves.steps, curves.steps)


def _last(points: Points, write: Callable[[float], str] = format_number) -> str:
    return write(float(points[1][-1])) if len(points[1]) else "\u2013"


def question(asked: Asked, data: str) -> str:
    """Which one, its right answer, and its end, which asks; `data` that it is of."""
    *story, asks = asked.prompt.strip().split("\n")
    sentence = SENTENCES.split(" ".join(story))[-1]
    right = f" (answer: {asked.right.strip()})" if asked.right.strip() else ""
    which = f"{asked.number + 1:,}{f' of {data}' if data else ''}"
    return f"Example {which}{right}: \u2026 {f'{sentence} {asks}'.strip()}"


def why_not(data: RunData) -> str:
    """Why a run is not drawn here; "" where it is."""
    is_tuning = data.config.task == FINETUNING
    return "" if is_tuning else f"{data.name} is not a fine-tuning run; open it in Training"


def said_at(step: int, said: str | None, data: str) -> str:
    """What a run answered at a checkpoint; None: it has learned from other data."""
    return (
        f"not asked, as it learned from {data}"
        if said is None
        else f"step {step:,}: {said.strip()}"
    )
