"""The texts of Tune. Does not import Qt."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from core.finetuning.settings import FABLES, FINETUNING, QUESTIONS, STORIES
from core.finetuning.skill import LEVELS, equal_loss, equal_share, step_at
from core.numbers import (
    format_bytes,
    format_count,
    format_estimate,
    format_fixed,
    format_general,
    format_number,
    format_percent,
    format_share,
    typeset,
)
from core.tokenization.telling import listed, sentence
from explorer.panes.finetuning.tune.compute import Method, Planned
from explorer.panes.finetuning.tune.draft import USUAL, TuneDraft
from explorer.panes.finetuning.tune.methods import METHOD_TEXTS
from explorer.panes.finetuning.tune.scene import Curves, end_of
from explorer.widgets.matrix_kinds import kind_words

if TYPE_CHECKING:
    from core.finetuning.held_out_answers import Asked
    from core.finetuning.trainable_parameters import LoRACount
    from explorer.runs.run_data import RunData

SENTENCES = re.compile(r'(?<=[.!?"])\s')
COLUMNS = ("Method", "parameters", "rate", "time")
PLACES = {  # choices known by name, in addition to files
    "base": [(STORIES, "Bundled"), ("smollm2", "SmolLM2")],
    "data": [(QUESTIONS, "Questions"), (FABLES, "Fables")],
    "base_data": [(STORIES, "Our stories"), ("", "Nothing")],
}
SKILLS = {
    QUESTIONS: "teach {} to answer \u201cWho is it about?\u201d",
    FABLES: "teach {} to tell the moral of a story",
}
METHODS_THAT_LEARN = {
    QUESTIONS: {"lora", "full", "bitfit", "bottleneck", "prompt"},
    FABLES: {"lora"},
}
QUANTIZE = [("none", "32 bits"), ("nf4", "4 bits (NF4)")]
VARIANTS = [("lora", "LoRA"), ("rslora", "rsLoRA"), ("dora", "DoRA")]
BROKEN = [("stop", "Stop"), ("skip", "Skip them")]
GET_HELP = "A real model of 135 million parameters, by Hugging Face"
RECORDED = "Bundled LoRA"
RECORDED_NOTE = "trained with replay {:g}"
FAILED = "{} failed at step {:,}: {}"
WORKS_OUT = "Estimating memory and time\u2026"
MOST_LISTED = 3  # runs listed by name in a sentence
START, ANOTHER = "Start", "Another question"
START_HELP = "Start a training run for each chosen method"
LOSS_AXIS = "loss (nats per token)"
EXACT_AXIS = "right answers to held-out prompts (%)"
DASHED = "dashed: on what the base could do"
NO_CURVE = "The first losses will appear in a moment"


def inks(curves: Sequence[Curves]) -> list[int | str]:
    """Returns the color of each run: its method's, or a free one for a repeated method."""
    own = [METHOD_TEXTS[one.method].color for one in curves]
    free = [one.color for one in METHOD_TEXTS.values() if one.color not in own]
    return [free.pop(0) if ink in own[:at] and free else ink for at, ink in enumerate(own)]


def method_tip(method: Method) -> str:
    """Returns what a method is, and its costs."""
    about, found = METHOD_TEXTS[method.name], method.estimate
    told = f"{sentence(about.phrase)} trains {about.trains}."
    if found is None:
        return f"{told}\n{method.error}"
    return (
        f"{told}\n{format_count(found.trainable)} parameters are trained, "
        f"{format_share(found.share)} of all. A checkpoint takes {format_bytes(found.bytes_saved)}."
        f"\nTraining needs at most {format_bytes(found.bytes_peak)} of memory, "
        f"{format_bytes(found.bytes_optimizer)} of it for the optimizer.\n"
        f"It takes about {format_estimate(found.seconds)} on this machine.\n"
        f"Its learning rate is {format_general(method.rate)}."
    )


def count_sum(counts: Sequence[LoRACount]) -> str:
    """Returns how LoRA's number of parameters adds up: r x (in + out) for each matrix."""
    if not counts:
        return ""
    total, r = sum(one.total for one in counts), counts[0].r
    lengths = " + out" if counts[0].dora else ""
    if len(counts) > 1:
        matrices = sum(one.layers for one in counts)
        sums = f"{r} \u00d7 (in + out){lengths} numbers in each of {matrices:,} matrices"
        return f"A and B: {sums}, together {total:,}"
    (one,) = counts
    sums = f"{r} \u00d7 ({one.width:,} + {one.out:,}){f' + {one.out:,}' if one.dora else ''}"
    return f"A and B of {_called(one)}: {sums} numbers; in {one.layers:,} layers {one.total:,}"


def count_rows(counts: Sequence[LoRACount]) -> list[str]:
    """Returns the sum of each kind of matrix."""
    return [
        f"{_called(one)}: {one.layers:,} \u00d7 "
        + (f"({one.r} \u00d7 ({one.width:,} + {one.out:,}) + {one.out:,})" if one.dora
           else f"{one.r} \u00d7 ({one.width:,} + {one.out:,})")
        + f" = {one.total:,}"
        for one in counts
    ]  # fmt: skip


def _called(one: LoRACount) -> str:
    """Returns the name of a kind of matrix; one for queries, keys and values is a single matrix."""
    name = one.end.rpartition(".")[2] if one.end.endswith(("c_attn", "c_kv")) else ""
    return f"{name} (queries, keys and values)" if name else kind_words(one.end)[0]


def matrix_tip(name: str, layer: int | None, is_chosen: bool, is_joined: bool = False) -> str:
    """Returns the tooltip of a cell, a row (`layer` None) or a column (`name` ""); `is_joined`:
    it is drawn as one with others.
    """
    which = kind_words(name)[0] if name else "all matrices"
    where = "all layers" if layer is None else f"layer {layer}"
    told = "LoRA changes this" if is_chosen else "LoRA does not change this"
    click = f"Click to switch it {'off' if is_chosen else 'on'}."
    if name.startswith("attn.c_attn.") and is_joined:
        click = f"{click} Queries, keys and values are one matrix, c_attn, so they share one A."
    elif name.startswith("attn.c_attn.") and is_chosen and layer is not None:
        click = f"{click} Chosen without the rest of c_attn, it has its own A and B."
    return f"{which[:1].upper()}{which[1:]} of {where}: {told}. {click}"


def costs(planned: Planned) -> str:
    """Returns the total costs of the chosen methods, above Start."""
    if not planned.estimates or planned.errors:
        return ""
    memory, time = format_bytes(planned.bytes_peak), format_estimate(planned.seconds)
    return f"Needs {memory} of memory and about {time}"


def ready(planned: Planned, data: str) -> str:
    """Returns the headline before a run; it promises a skill for the usual settings only."""
    found = planned.estimates
    if not found:
        return "Choose what to train, then press Start."
    whom = "the model" if len(found) == 1 else "a copy of the model"
    taught = SKILLS[data].format(whom) if data in SKILLS else f"adapt {whom} to {Path(data).name}"
    phrases = [METHOD_TEXTS[one].phrase for one in planned.configs]
    names = listed(phrases) if len(phrases) <= MOST_LISTED else f"{len(phrases)} methods"
    begins = f"In about {format_estimate(planned.seconds)}"
    if not is_promised(planned.draft):
        verb, shares = "train" if len(phrases) > 1 else "trains", [one.share for one in found]
        of = listed(list(dict.fromkeys(map(format_share, shares))))
        if len(phrases) > MOST_LISTED:
            of = f"{format_share(min(shares))} to {format_share(max(shares))}"
        return f"{begins}, {names} {verb} {of} of the model\u2019s parameters on {Path(data).name}."
    if len(found) > 1:
        return f"{begins} altogether, {names} can each {taught}."
    share = format_share(found[0].share)
    return f"{begins}, {names} can {taught} by training {share} of its parameters."


def is_promised(draft: TuneDraft | None) -> bool:
    """Whether each run of a draft is known to learn its skill: the bundled model, with the usual
    settings and a method that suffices.
    """
    if draft is None or draft.data not in SKILLS:
        return False
    usual = TuneDraft(data=draft.data, methods=draft.methods, replay=draft.replay)
    taught = METHODS_THAT_LEARN[draft.data]
    return draft == replace(usual, **USUAL[draft.data]) and set(draft.methods) <= taught


def headline(curves: Sequence[Curves], data: str) -> str:
    """Returns what runs have learned of this data, and forgotten; of several, what they had
    forgotten when they had learned equally much.
    """
    told = [one for one in curves if one.data == data and len(one.new[1])]
    if not told:
        return "First, the base model itself is measured."
    if asked := all(len(one.exact[1]) for one in told):
        level = equal_share([one.exact for one in told])
    else:  # losses of models with different tokenizers say nothing of one another
        told = [one for one in told if one.base == told[0].base]
        level = equal_loss([one.new for one in told])
    if len(told) == 1:
        return f"{told[0].name} {_learned(told[0])}; {_forgot(told[0])}."
    step = max(set.intersection(*(set(one.new[0].tolist()) for one in told)), default=0)
    if math.isnan(level):
        write = format_percent if asked else format_number
        until = [(one.name, one.until(step)) for one in told]
        each = [(name, end_of(one.exact if asked else one.new)) for name, one in until]
        learned = f"share of right answers to {_held_out(data)}" if asked else f"loss on {data}"
        waits = f"get {format_percent(LEVELS[-1])} right" if asked else "have learned something"
        return (
            f"At step {step:,.0f}, the {learned} is {_each(each, write)}. What they forget can be "
            f"compared once all {waits}."
        )
    skill = level if asked else -level
    reached = [(one.name, step_at(one.skill, skill)) for one in told]
    when = _each(reached, lambda at: f"step {at:,.0f}")
    right = f"{format_percent(level)} of the {_held_out(data)} right"
    begins = f"With {right if asked else f'a loss of {format_number(level)} on {data}'} ({when})"
    where = told[0].base, told[0].base_data
    alike = [one for one in told if (one.base, one.base_data) == where]
    then = _lost([(one.name, one.forgotten_at(skill)) for one in alike])
    if not then:
        return f"{begins}, nothing is known of what they have forgotten."
    now = _lost([(one.name, one.until(step).forgotten) for one in alike])
    later = f" By step {step:,.0f}, the change is {now}." if now != then else ""
    is_later = step >= max(at for _, at in reached)
    return f"{begins}, the loss on {where[1]} has changed by {then}.{later if is_later else ''}"


def _lost(numbers: Sequence[tuple[str, float]]) -> str:
    """Lists the changes of a loss that were measured; "" if none was."""
    known = [(name, change) for name, change in numbers if math.isfinite(change)]
    return _each(known, lambda change: typeset(f"{round(change, 2) + 0:+,.2f}")) if known else ""


def _each(numbers: Sequence[tuple[str, float]], write: Callable[[float], str]) -> str:
    """Lists the number of each run, by name; for many runs, their range."""
    if len(numbers) <= MOST_LISTED:
        return listed([f"{write(number)} for {name}" for name, number in numbers])
    (first, least), (last, most) = (end(numbers, key=itemgetter(1)) for end in (min, max))
    if write(least) == write(most):
        return f"{write(most)} for all {len(numbers)} runs"
    return f"{write(least)} for {first} to {write(most)} for {last} ({len(numbers)} runs)"


def _learned(curves: Curves) -> str:
    if len(curves.exact[1]):
        return f"gets {format_percent(end_of(curves.exact))} of the {_held_out(curves.data)} right"
    if not math.isfinite(end_of(curves.new)):
        return f"has no finite loss on {curves.data}"
    return f"has a loss of {format_number(end_of(curves.new))} on {curves.data}"


def _held_out(data: str) -> str:
    return f"held-out {data}" if data in SKILLS else f"held-out examples of {data}"


def _forgot(curves: Curves) -> str:
    lost = curves.forgotten
    if not math.isfinite(lost):
        return "what it forgets is not measured"
    if round(lost, 2) == 0:
        return f"its loss on {curves.base_data} stays at {format_fixed(end_of(curves.old))}"
    verb, now = "rose" if lost >= 0 else "fell", format_fixed(end_of(curves.old))
    return f"its loss on {curves.base_data} {verb} by {format_fixed(abs(lost))}, to {now}"


def question(asked: Asked, data: str) -> str:
    """Returns a question's number, its answer, and its end, which asks; `data`: its data set."""
    *story, asks = asked.prompt.strip().split("\n")
    last = SENTENCES.split(" ".join(story))[-1]
    right = f" (answer: {asked.right.strip()})" if asked.right.strip() else ""
    which = f"{asked.number + 1:,}{f' of {data}' if data else ''}"
    return f"Example {which}{right}: \u2026 {f'{last} {asks}'.strip()}"


def why_not(data: RunData) -> str:
    """Returns why a run is not drawn here, or ""."""
    is_tuning = data.config.task == FINETUNING
    return "" if is_tuning else f"{data.name} is not a fine-tuning run; open it in Training"


def said_at(step: int, said: str | None, data: str) -> str:
    """Returns a run's answer at a checkpoint; None: it has learned from other data."""
    if said is None:
        return f"not asked, as it learned from {data}"
    return f"step {step:,}: {said.strip()}"
