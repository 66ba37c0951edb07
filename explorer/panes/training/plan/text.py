"""The texts of Plan. Does not import Qt."""

from __future__ import annotations

import math

from core.numbers import format_bytes, format_count, format_number, format_percent
from core.training.estimates.memory import RECOMPUTATIONS
from core.training.estimates.plan import PRECISIONS, Setup
from core.training.estimates.plan_trace import Planned
from core.training.estimates.report import (
    STAGES,
    UNKNOWN,
    cost_text,
    energy_text,
    price_text,
    time_text,
)
from core.training.estimates.scaling_law import SMALLEST
from core.training.sizes import PROCESS_BYTES, slow_note
from core.training.this_machine import NAME
from core.transformer.parameters import parameter_count
from core.transformer.presets import PRESETS
from explorer.panes.training.plan.draft import BUNDLED, HERE, RUN
from explorer.runs.run_data import RunData

STAGE_WORDS = (
    "each device holds everything",
    "each device holds a part of the optimizer states and master weights",
    "each device also holds only a part of the gradients",
    "each device also holds only a part of the weights",
)
PRECISION_TITLES = [(one, f"{one}, mixed" if "16" in one else one) for one in PRECISIONS]
RECOMPUTE_TITLES = [(one, one.capitalize()) for one in RECOMPUTATIONS]
STAGE_HELP = (
    "At stage 0 each device holds everything. Stage 1 splits the optimizer states among the "
    "devices, stage 2 also the gradients, and stage 3 also the weights"
)
ALONE = "ZeRO needs at least two devices"
PARTS = {
    "weights": "weights",
    "gradients": "gradients",
    "optimizer": "optimizer states",
    "master": "master weights",
    "activations": "activations",
}
GPT3 = "GPT-3 on 1,024 GPUs"
BUNDLED_HERE = "The bundled model on this machine"
THIS_RUN = "This run"
_FAMILIES = {"gpt1": "GPT-1", "gpt2": "GPT-2", "gpt3": "GPT-3"}


def model_titles() -> list[tuple[str, str]]:
    """Returns (name, title) of all models."""
    presets = [
        (name, f"{_FAMILIES[name[:4]]}, {format_count(parameter_count(one))}")
        for name, one in PRESETS.items()
    ]
    return [(BUNDLED, "Bundled model"), (RUN, "This run's"), *presets]


def device_titles(names: list[str]) -> list[tuple[str, str]]:
    return [(HERE, "This machine"), *((name, name) for name in names)]


def bar_title(place: int, bars: int) -> str:
    """Returns the title of a bar; a single bar belongs to one device, which shares nothing."""
    return STAGES[place] if bars > 1 else "1 device"


def capacity(size: float, is_shown: bool) -> str:
    """Returns the label of the capacity, with a hint if its line is out of view."""
    return f"capacity {format_bytes(size)}" + ("" if is_shown else ", beyond the right edge \u2192")


def no_model(name: str) -> str:
    return f"{name} is a log that does not describe its model"


def missing(planned: Planned) -> str:
    """Returns what is unknown, and what to enter; "" if nothing is."""
    setup, plan = planned.setup, planned.plan
    name = "the device" if setup.device is None else setup.device.name
    told = []
    if plan.compute is None:
        known = [one for one in (setup.device.peak if setup.device else ()) if one != "tf32"]
        remedy = f"choose {' or '.join(known)} under More" if known else "choose another device"
        told.append(f"The speed of {name} in {setup.precision} is not known: {remedy}.")
    if plan.communication is None:
        told.append("The link between the devices is not known: enter it under More.")
    if plan.compute is not None and setup.device is not None and name == NAME:
        peak = setup.device.peak
        if note := slow_note(setup.precision, peak[setup.precision] / peak["fp32"]):
            told.append(f"{note}.")
        told.append("The speed of this machine was measured just now.")
    return " ".join(told)


def facts(planned: Planned, run: RunData | None = None) -> list[tuple[str, str, str]]:
    """Returns (number, title, help) of memory, time and cost, then of the small facts. If a run is
    planned, the titles also contain its measurements.
    """
    setup, plan = planned.setup, planned.plan
    told = plan.parameters.total >= SMALLEST
    known = {} if run is None else measured(setup, run)
    rows = (
        (format_bytes(plan.bytes), _room(setup, planned.plan.fits), "memory"),
        (time_text(plan.seconds), _for_steps(plan.steps), "time"),
        (cost_text(plan.cost), _price(setup), "cost"),
        (format_count(plan.parameters.total), "parameters", ""),
        (time_text(plan.step), "step time", "step"),
        (_share(plan.utilization), "MFU", "mfu"),
        (time_text(plan.compute), "arithmetic", ""),
        (time_text(plan.communication), "communication", ""),
        (format_percent(setup.bubble), "bubble", "bubble"),
        (energy_text(plan.energy), "energy", "energy"),
        (format_number(plan.loss) if told else UNKNOWN, "expected loss", "loss"),
        (format_count(round(plan.best[0])) if told else UNKNOWN, "compute-optimal size", "size"),
    )
    return [
        (number, f"{title}; {known[about]}" if about in known else title,
         FACT_HELP.get(about, "") if about not in known else MEASURED_HELP[about])
        for number, title, about in rows
    ]  # fmt: skip


MEASURED_HELP = {
    "memory": "The prediction counts tensors alone; a process also holds Python and PyTorch",
    "step": "The prediction counts arithmetic alone; a small model also waits for Python",
    "mfu": "Both are shares of the same peak",
}
FACT_HELP = {
    "memory": "Weights, gradients, optimizer states, master weights and activations. The process "
    f"needs about {format_bytes(PROCESS_BYTES)} more for Python and PyTorch",
    "step": "Arithmetic and communication overlap, so the longer one sets the time",
    "mfu": "Model FLOPs utilization: the model's FLOPs as a share of what the devices could do in "
    "the same time",
    "bubble": "Idle time of the pipeline's stages, as a share of their working time. "
    "Set the number of stages under More",
    "energy": "Energy of the devices alone, without cooling and the rest of the machines",
    "loss": "The loss that the Chinchilla scaling law predicts, in nats per token of its own data "
    "(MassiveText). Use it only to compare models of 70 M parameters or more",
    "size": "The model size with the lowest loss for the same FLOPs, according to the scaling law",
}


def measured(setup: Setup, run: RunData) -> dict[str, str]:
    """Returns the known measurements of a run's newest steps."""
    device = None if setup.device is None or setup.device.measured else setup.device
    mfu = run.utilization(device.peak_flops(setup.precision) if device is not None else None)
    memory, seconds = run.last("memory"), run.step_seconds
    return {
        **({} if math.isnan(memory) else {"memory": f"the process: {format_bytes(memory)}"}),
        **({} if math.isnan(seconds) else {"step": f"measured: {time_text(seconds)}"}),
        **({} if mfu is None else {"mfu": f"measured: {format_percent(mfu)}"}),
    }


def _share(share: float | None) -> str:
    return UNKNOWN if share is None else format_percent(share)


def _room(setup: Setup, fits: bool | None) -> str:
    there = setup.memory
    if not there:
        return "memory per device"
    each = "" if setup.devices == 1 else " per device"
    return f"of {format_bytes(there)}{each}: {'fits' if fits else 'does not fit'}"


def _for_steps(steps: int) -> str:
    return "for 1 step" if steps == 1 else f"for {format_count(steps)} steps"


def _price(setup: Setup) -> str:
    if setup.price is None:
        return "cost: enter a price"
    return f"cost at {price_text(setup)}"


def part_tip(stage: int, shared: bool, part: str, size: float) -> str:
    """Returns a tooltip of the bars."""
    told = f"{PARTS[part][:1].upper()}{PARTS[part][1:]}: {format_bytes(size)}"
    return f"{STAGES[stage]}: {STAGE_WORDS[stage]}\n{told}\nClick to choose" if shared else told
