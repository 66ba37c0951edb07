"""Every sentence of Tune. Knows no Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.finetuning.settings import METHODS, QUESTIONS, STORIES
from core.numbers import (
    format_bytes,
    format_count,
    format_duration,
    format_fixed,
    format_number,
    format_percent,
    format_share,
)
from explorer.panes.finetuning.tune.scene import Asked, Curves, MethodRow, Points
from explorer.widgets.run_card_text import CardText

if TYPE_CHECKING:
    from explorer.runs.run_data import RunData

TITLES = dict(zip(METHODS, (
    "LoRA", "Full", "Last layers", "Head", "BitFit", "Bottleneck", "Prompt",
), strict=True))  # fmt: skip
MEANINGS = dict(zip(METHODS, (
    "Beside each chosen matrix W a product B A of two thin ones learns; W stays as it is",
    "Every number of the model learns",
    "The last layers learn, as they are, and the norm after them",
    "Only the matrix that makes logits of the last vector learns",
    "Only the biases learn; where the model has none, they begin at 0",
    "Small layers between the model's own learn: down to a few numbers, and up again",
    "Some tokens that stand before each text learn, and nothing of the model",
), strict=True))  # fmt: skip
KINDS = {
    "attn.c_attn.q": "queries",
    "attn.c_attn.k": "keys",
    "attn.c_attn.v": "values",
    "attn.c_proj": "attention out",
    "mlp.c_fc": "MLP in",
    "mlp.c_gate": "MLP gate",
    "mlp.c_proj": "MLP out",
}
BASES = [(STORIES, "Bundled model"), ("smollm2", "SmolLM2 135M")]
BASE_DATA = [(STORIES, "Our stories"), ("", "Nothing")]
DATA = [(QUESTIONS, "\u201cWho is it about?\u201d")]
CHOOSE = "choose"
QUANTIZE = [("none", "32 bits"), ("nf4", "4 bits (NF4)")]
VARIANTS = [("lora", "LoRA"), ("rslora", "rsLoRA"), ("dora", "DoRA")]
BROKEN = [("stop", "Stop"), ("skip", "Skip them")]
RECORDED = "Bundled"
START, ANOTHER = "Start", "Another question"
START_HELP = "Trains each chosen method, as a run of its own"
EXACT_AXIS = "exact answers to held-out questions (%)"
LOSS_AXIS = "loss on the new skill and the old (nats per token)"
LEARNS, TAKES = "learns", "takes"
NO_CURVE = "The first losses come in a moment"
OPEN_FILE = "A file with examples (.jsonl: prompt and answer, or messages) or any text"
NEW, OLD = "new", "old"


def color_of(color: int) -> int | str:
    """Of a series: there is one method more than colors."""
    return color if color < len(METHODS) - 1 else "text"


def kind_title(kind: str) -> str:
    return KINDS.get(kind, kind)


def base_title(base: str) -> str:
    return dict(BASES).get(base, Path(base).name or base)


def data_title(data: str) -> str:
    return dict([*DATA, *BASE_DATA]).get(data, Path(data).name or data)


def run_name(method: str) -> str:
    """How a new run's folder begins."""
    return f"tune-{method}"


def row_tip(row: MethodRow) -> str:
    """What a method is, and what it takes."""
    told = f"{TITLES[row.method]}: {MEANINGS[row.method][:1].lower()}{MEANINGS[row.method][1:]}."
    if row.error:
        return f"{told}\n{row.error}"
    return (
        f"{told}\n{format_count(row.trainable)} numbers learn, {format_share(row.share)} of the "
        f"model; what a checkpoint saves takes {format_bytes(row.bytes_saved)}.\nMemory at most "
        f"{format_bytes(row.bytes_peak)}, of which the optimizer takes "
        f"{format_bytes(row.bytes_optimizer)}.\nAbout {format_duration(row.seconds)} on this "
        "machine."
    )


def target_tip(kind: str, layer: int | None, chosen: bool) -> str:
    """Of a cell, a row (`layer` None) or a column (`kind` "")."""
    where = "all layers" if layer is None else f"layer {layer}"
    which = f"{kind_title(kind)[:1].upper()}{kind_title(kind)[1:]}" if kind else "All matrices"
    return f"{which} of {where}: {'LoRA changes it' if chosen else 'stays as it is'}. Click to turn"


def facts(rows: Sequence[MethodRow]) -> list[tuple[str, str]]:
    """(number, title) of what is chosen, together."""
    chosen = [row for row in rows if row.chosen and not row.error]
    if not chosen:
        return [("\u2013", "numbers learn"), ("\u2013", "memory"), ("\u2013", "about, here")]
    most = max(chosen, key=lambda row: row.bytes_peak)
    learn = chosen[0] if len(chosen) == 1 else max(chosen, key=lambda row: row.trainable)
    several = "" if len(chosen) == 1 else "at most "
    return [
        (format_count(learn.trainable), f"{several}learn, {format_share(learn.share)}"),
        (format_bytes(most.bytes_peak), f"{several}memory" if several else "memory"),
        (format_duration(sum(row.seconds for row in chosen)), "about, here"),
    ]


def ready(rows: Sequence[MethodRow], data: str) -> str:
    """The headline before a run."""
    chosen = [row for row in rows if row.chosen and not row.error]
    if not chosen:
        return "Choose what learns, then start"
    what = "to answer \u201cWho is it about?\u201d" if data == QUESTIONS else data_title(data)
    names = " and ".join(TITLES[row.method] for row in chosen)
    time = format_duration(sum(row.seconds for row in chosen))
    if len(chosen) > 1:
        return f"{names} can learn {what}, side by side, in about {time}"
    share = format_share(chosen[0].share)
    return f"{names} can learn {what} in about {time}: {share} of the model's numbers learn"


def headline(curves: Sequence[Curves], data: Sequence[RunData]) -> str:
    """While runs are looked at: what they learned, and forgot."""
    told = [_learned(one) for one in curves]
    if len(told) == 1:
        one = data[0]
        at = f"Step {one.step:,} of {one.config.steps:,}: " if not one.finished else "Done: "
        return f"{at}{told[0]}"
    return "; ".join(told)


def _learned(curves: Curves) -> str:
    _, losses = curves.new
    if not len(losses):
        return f"{curves.name} begins"
    _, exact = curves.exact
    if len(exact):
        learned = f"answers {format_percent(float(exact[-1]))} of held-out questions"
    else:
        learned = f"new loss {format_number(float(losses[-1]))}"
    lost = curves.forgotten
    if math.isnan(lost):
        return f"{curves.name} {learned}"
    way = "up" if lost > 0 else "down"
    return f"{curves.name} {learned}, old loss {way} {format_fixed(abs(lost))}"


def recorded(curves: Curves) -> str:
    """Above the curves of the bundled adapter."""
    return f"recorded when the bundled adapter was trained, {curves.steps} steps with replay"


def card_text(data: RunData, state: str, curves: Curves, alone: bool) -> CardText:
    """Of a run. `state`: as a person asked for it; `alone`: there is room for numbers."""
    preparing = state in ("new", "running") and not len(data.steps)
    buttons = {"new": ("pause", "stop"), "running": ("pause", "stop"), "paused": ("resume", "stop")}
    ways = buttons.get(state, () if data.finished or state == "failed" else ("continue",))
    note = data.preparing if preparing else ""
    if state == "running" and (left := data.seconds_left) >= 1:
        note = f"about {format_duration(left)} left"
    return CardText(
        name=curves.name,
        state="new" if preparing else state,
        step=data.step,
        steps=data.config.steps,
        note=note,
        numbers=_numbers(curves) if alone else (),
        buttons=(*ways, "open", "dismiss"),
        message=data.message if state == "failed" else "",
    )


def _numbers(curves: Curves) -> tuple[tuple[str, str], ...]:
    rows = [("new loss", curves.new), ("old loss", curves.old)]
    told = [(name, _last(points)) for name, points in rows]
    exact = _last(curves.exact, format_percent)
    return (*told, ("exact answers", exact))


def _last(points: Points, write=format_number) -> str:  # type: ignore[no-untyped-def]
    return write(float(points[1][-1])) if len(points[1]) else "\u2013"


def question(asked: Asked) -> str:
    """The end of the question, which asks."""
    lines = asked.prompt.strip().split("\n")
    told = lines[0].split(". ")
    story = f"\u2026 {told[-1]}" if len(told) > 1 else lines[0]
    return " ".join([story, *lines[1:]])


def answers_title(asked: Asked) -> str:
    where = f"held-out question {asked.number + 1:,} of {asked.count:,}"
    return f"{where}; right: {asked.answer.strip()}" if asked.answer else where


def no_finetuning(name: str) -> str:
    return f"{name} is no fine-tuning; open it in Training"


def tuned_name(address: str, run: str) -> str:
    """What answers beside the base: the bundled adapter, or a checkpoint of a run."""
    if address == QUESTIONS:
        return "bundled"
    step = Path(address).name.rpartition("-")[2]
    return f"{run or 'tuned'}, step {int(step):,}" if step.isdigit() else Path(address).name
