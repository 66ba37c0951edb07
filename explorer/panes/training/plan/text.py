"""Every sentence of Plan. Knows no Qt."""

from __future__ import annotations

import math

from core.numbers import format_bytes, format_count, format_number, format_percent
from core.training.estimates.plan import Plan, Setup
from core.training.estimates.report import UNKNOWN, cost_text, energy_text, time_text
from core.training.estimates.scaling_law import SMALLEST
from core.training.this_machine import NAME
from core.transformer.parameters import parameter_count
from core.transformer.presets import PRESETS
from explorer.panes.training.plan.compute import Measured, Planned
from explorer.panes.training.plan.draft import BUNDLED, HERE, RUN

STAGES = ("DDP", "ZeRO-1", "ZeRO-2", "ZeRO-3, FSDP")
STAGE_WORDS = (
    "every device holds all of it",
    "each device holds its part of optimizer states and master weights",
    "each device also holds only its part of the gradients",
    "each device also holds only its part of the weights",
)
STAGE_HELP = "What devices share instead of each holding all of it"
ALONE = "ZeRO needs at least two devices"
PARTS = {
    "weights": "weights",
    "gradients": "gradients",
    "optimizer": "optimizer states",
    "master": "master weights",
    "activations": "activations",
}
GPT3 = "GPT-3 on 1,024 GPUs"
BUNDLED_HERE = "The bundled model here"
THIS_RUN = "This run"
_FAMILIES = {"gpt1": "GPT-1", "gpt2": "GPT-2", "gpt3": "GPT-3"}


def model_titles() -> list[tuple[str, str]]:
    """(name, title) of all models."""
    presets = [
        (name, f"{_FAMILIES[name[:4]]}, {format_count(parameter_count(one))}")
        for name, one in PRESETS.items()
    ]
    return [(BUNDLED, "Bundled model"), (RUN, "This run's"), *presets]


def device_titles(names: list[str]) -> list[tuple[str, str]]:
    return [(HERE, "This machine"), *((name, name) for name in names)]


def headline(planned: Planned) -> str:
    """Does it fit, how long, how much?"""
    setup, plan = planned.setup, planned.plan
    device = "" if setup.device is None else setup.device.name
    many = f"{setup.devices:,} \u00d7 {device}" if setup.devices > 1 else device
    fits = f"It fits on {many}" if plan.fits else f"It does not fit on {many}"
    if not setup.memory:
        return f"Each device needs {format_bytes(plan.bytes)}"
    if not plan.fits:
        remedy = _remedy(planned)
        return f"{fits}: {format_bytes(plan.bytes)} are needed{remedy}"
    told = [f"takes {time_text(plan.seconds)}"] if plan.seconds is not None else []
    if plan.cost is not None:
        told.append(f"costs {cost_text(plan.cost)}")
    return f"{fits}{', ' if len(told) > 1 else ' and '}{' and '.join(told)}" if told else fits


def _remedy(planned: Planned) -> str:
    """The first stage of ZeRO under which it fits."""
    for stage, one in enumerate(planned.stages):
        if one.fits:
            return f", but it fits with {STAGES[stage]}"
    if planned.setup.recompute != "full":
        return "; compute activations again (More), or take more devices"
    return "; take more devices with ZeRO-3, or larger ones"


def memory(setup: Setup, plan: Plan) -> tuple[str, str]:
    """The number, and what it is."""
    there = setup.memory
    if not there:
        return format_bytes(plan.bytes), "memory of each device"
    fits, each = "fits" if plan.fits else "does not fit", "" if setup.devices == 1 else " on each"
    return format_bytes(plan.bytes), f"of {format_bytes(there)}{each}: {fits}"


def time(plan: Plan) -> tuple[str, str]:
    return time_text(plan.seconds), f"for {format_count(plan.steps)} steps"


def cost(setup: Setup, plan: Plan) -> tuple[str, str]:
    if setup.price is None:
        return UNKNOWN, "cost: enter a price"
    return cost_text(plan.cost), f"cost, at {setup.price:g} for a device hour"


def missing(setup: Setup, plan: Plan) -> str:
    """What is not known, and what to enter; "" where all is."""
    name = "the device" if setup.device is None else setup.device.name
    told = []
    if plan.compute is None:
        known = list(setup.device.peak) if setup.device is not None else []
        remedy = f"choose {' or '.join(known)} under More" if known else "choose another device"
        told.append(f"The speed of {name} in {setup.precision} is not known: {remedy}.")
    if plan.communication is None:
        told.append(f"What links several of {name} is not known: enter a link under More.")
    if plan.compute is not None and name == NAME:
        told.append("The speed of this machine was measured just now.")
    return " ".join(told)


def facts(plan: Plan) -> list[tuple[str, str]]:
    """(value, title) of what is told in small."""
    share, told = plan.utilization, plan.parameters.total >= SMALLEST
    return [
        (format_count(plan.parameters.total), "parameters"),
        (time_text(plan.step), "a step"),
        (time_text(plan.compute), "arithmetic"),
        (time_text(plan.communication), "communication"),
        (UNKNOWN if share is None else format_percent(share), "MFU"),
        (energy_text(plan.energy), "energy"),
        (format_number(plan.loss) if told else UNKNOWN, "loss expected"),
        (format_count(round(plan.best[0])) if told else UNKNOWN, "best size"),
    ]


FACT_HELP = {
    "a step": "The longer of arithmetic and communication, which run side by side",
    "MFU": "The model's FLOPs, of those that the devices could do in the time",
    "energy": "Of the devices alone",
    "loss expected": "By the scaling law, in nats a token of MassiveText: compare sizes with it. "
    "It was fitted on models of 70 M parameters and more",
    "best size": "Parameters with the least loss for as many FLOPs, by the scaling law",
}


def compared(planned: Planned, run: Measured) -> list[tuple[str, str, str]]:
    """(what, predicted, measured) of a run that is planned."""
    setup, plan = planned.setup, planned.plan
    known = setup.device is not None and not setup.device.measured
    peak = setup.device.peak_flops(setup.precision) if known and setup.device else None
    speed = None if plan.step is None else setup.batch_size * setup.model.block_size / plan.step
    reached = run.utilization(peak)
    return [
        ("memory", format_bytes(plan.bytes), _known(run.memory, format_bytes)),
        ("a step", time_text(plan.step), _known(run.seconds, time_text)),
        ("tokens/s", UNKNOWN if speed is None else format_count(round(speed)),
         _known(run.speed, lambda number: format_count(round(number)))),
        ("MFU", UNKNOWN if plan.utilization is None else format_percent(plan.utilization),
         UNKNOWN if reached is None else format_percent(reached)),
    ]  # fmt: skip


COMPARED_NOTE = "A process also holds Python and PyTorch, which the prediction leaves out."


def _known(number: float, written) -> str:  # type: ignore[no-untyped-def]
    return UNKNOWN if math.isnan(number) else str(written(number))


def part_tip(stage: int, shared: bool, part: str, size: float) -> str:
    """A tooltip of the bars."""
    told = f"{PARTS[part][:1].upper()}{PARTS[part][1:]}: {format_bytes(size)}"
    return f"{STAGES[stage]}: {STAGE_WORDS[stage]}\n{told}\nClick to choose" if shared else told
