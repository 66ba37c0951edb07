"""Estimates as tables of text: what `python -m core.training --estimate` prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from core.numbers import format_bytes, format_count, format_duration, format_number, format_percent
from core.training.config import TrainingConfig
from core.training.estimates.activations import step_memory
from core.training.estimates.memory import ZERO_STAGES, numbers_remembered
from core.training.estimates.plan import CURRENCY, DAY, Plan, Setup, link_of
from core.training.estimates.plan import plan as found
from core.training.sizes import PROCESS_BYTES, Estimate, sequences_per_rank
from core.transformer.parameters import ParameterCount, parameters

UNKNOWN = "n/a"
YEAR = 365.25 * DAY
STAGES = ("DDP", "ZeRO-1", "ZeRO-2", "ZeRO-3, FSDP")
PROCESS_NOTE = f"and about {format_bytes(PROCESS_BYTES)} for Python and PyTorch"
Row = tuple[str, str] | tuple[str, str, str]


def plan_table(setup: Setup, plan: Plan) -> str:
    """Returns a plan for a cluster, with its assumptions."""
    name = "unknown devices" if setup.device is None else setup.device.name
    tokens = format_count(round(setup.tokens))
    best_parameters, best_tokens = plan.best
    utilization = UNKNOWN if plan.utilization is None else f"{100 * plan.utilization:.1f} %"
    sections: list[tuple[str, list[Row]]] = [
        (
            "Memory of each device",
            [
                ("weights", format_bytes(plan.state.weights)),
                ("gradients", format_bytes(plan.state.gradients)),
                ("optimizer states", format_bytes(plan.state.optimizer), setup.optimizer),
                ("master weights", format_bytes(plan.state.master)),
                ("activations", format_bytes(plan.activations), _activations_note(setup)),
                ("together", format_bytes(plan.bytes), _fits_note(setup, plan)),
            ],
        ),
        (
            "One step",
            [
                (
                    "arithmetic",
                    time_text(plan.compute),
                    f"{format_percent(setup.efficiency)} of the peak, assumed",
                ),
                *_pipeline_rows(setup, plan),
                ("sent by each device", format_bytes(plan.sent.bytes), f"ZeRO stage {setup.stage}"),
                ("communication", time_text(plan.communication), _link_note(setup)),
                ("step", time_text(plan.step), "the longer of the two"),
                ("MFU", utilization),
            ],
        ),
        (
            "The whole training run",
            [
                ("tokens", tokens, f"{format_count(plan.steps)} steps of {setup.batch_size:,}"),
                ("FLOPs", format_number(plan.flops), f"{_flops(plan.flops_per_token)} a token"),
                ("time", time_text(plan.seconds)),
                ("energy", energy_text(plan.energy), "of the devices alone"),
                ("cost", cost_text(plan.cost), _price_note(setup)),
            ],
        ),
        (
            "Scaling law (Besiroglu et al. 2024)",
            [
                ("loss", f"{plan.loss:.3f}", "nats per token of MassiveText"),
                (
                    "best for these FLOPs",
                    f"{format_count(round(best_parameters))} parameters",
                    f"on {format_count(round(best_tokens))} tokens",
                ),
            ],
        ),
    ]
    title = f"{setup.devices:,} x {name}, {setup.precision}, ZeRO stage {setup.stage}"
    title += f", {setup.pipeline} pipeline stages" if setup.pipeline > 1 else ""
    head = _table([("Parameters", _parameter_rows(plan.parameters))])
    stages = [found(replace(setup, stage=stage)) for stage in ZERO_STAGES]
    return f"{title}\n{verdict(setup, stages)}.\n\n{head}\n{_table(sections)}"


def verdict(setup: Setup, stages: Sequence[Plan]) -> str:
    """Returns in a sentence whether training fits, its time and cost; if it does not fit, a remedy.

    stages  the plan of each stage of ZeRO
    """
    found = stages[setup.stage]
    if setup.device is None or not setup.memory:
        return f"Each device needs {format_bytes(found.bytes)}"
    name = setup.device.name
    many = f"{setup.devices:,} \u00d7 {name}" if setup.devices > 1 else name
    if not found.fits:
        remedy = _remedy(setup, stages)
        return f"Training does not fit on {many}: it needs {format_bytes(found.bytes)}{remedy}"
    told = [f"takes {time_text(found.seconds)}"] if found.seconds is not None else []
    if found.cost is not None:
        told.append(f"costs {cost_text(found.cost)} at {price_text(setup)}")
    fits = f"Training fits on {many}"
    return f"{fits}{', ' if len(told) > 1 else ' and '}{' and '.join(told)}" if told else fits


def _remedy(setup: Setup, stages: Sequence[Plan]) -> str:
    """Returns the first ZeRO stage under which it fits, else other remedies."""
    for name, one in zip(STAGES, stages, strict=True):
        if one.fits:
            return f", but it fits with {name}"
    if setup.recompute != "full":
        return "; recompute activations, or use more devices"
    return "; use more devices with ZeRO-3, or larger ones"


def run_table(config: TrainingConfig, estimate: Estimate, speed: float) -> str:
    """Returns the table of a run of this program on the machine's own processor."""
    model, precision = config.model, config.precision
    sequences, many = sequences_per_rank(config), config.ranks > 1
    sections: list[tuple[str, list[Row]]] = [
        ("Parameters", _parameter_rows(parameters(model))),
        (
            "Memory of each rank" if many else "Memory",
            [
                ("weights", format_bytes(estimate.bytes_model)),
                ("gradients", format_bytes(estimate.bytes_gradients)),
                ("optimizer states", format_bytes(estimate.bytes_optimizer), config.optimizer),
                (
                    "activations",
                    format_bytes(estimate.bytes_activations),
                    f"{sequences} sequences, {precision}",
                ),
                ("tensors", format_bytes(estimate.bytes), PROCESS_NOTE),
                *_peak_rows(config),
            ],
        ),
        (
            "Time",
            [
                ("arithmetic", f"{_flops(estimate.flops_per_token)} a token"),
                ("this machine", f"{speed:.2g} FLOP/s", "fp32 matrix products, measured now"),
                *(
                    [("sent by each rank", format_bytes(estimate.sent), _SENT[config.parallel])]
                    * many
                ),
                ("step", time_text(estimate.seconds_per_step)),
                ("run", time_text(estimate.seconds), f"{config.steps:,} steps"),
            ],
        ),
    ]
    ranks = f"{config.ranks} ranks ({config.parallel}), " if many else ""
    return f"this machine, {ranks}{precision}, {config.optimizer}\n\n{_table(sections)}"


# Data that a rank sends in a step, by strategy.
_SENT = {
    "ddp": "the gradients of each step, added up over the ranks",
    "fsdp2": "weights for forward and backward, gradients, of each micro-batch",
}


def _peak_rows(config: TrainingConfig) -> list[Row]:
    """Returns the peak memory of a step, if each rank holds the whole model."""
    if config.parallel == "fsdp2" and config.ranks > 1:
        return []
    moments = step_memory(
        config.model,
        sequences_per_rank(config),
        numbers_remembered(config.model, config.optimizer),
        config.precision,
        recompute=config.activation_checkpointing,
        micro_batches=config.micro_batches,
    )
    peak = max(moments, key=lambda name: moments[name])
    return [("peak of a step", format_bytes(moments[peak]), f"at: {peak}")]


def _parameter_rows(count: ParameterCount) -> list[Row]:
    parts = {
        "token embedding": count.token_embedding,
        "positions": count.position_embedding,
        "attention": count.attention,
        "MLP": count.mlp,
        "norms": count.norms,
        "output head": count.output_head,
    }
    rows: list[Row] = [(name, f"{number:,}") for name, number in parts.items() if number]
    return [*rows, ("together", f"{count.total:,}")]


def _table(sections: Iterable[tuple[str, list[Row]]]) -> str:
    """Formats sections of rows: a name, a value, and possibly a note."""
    given = list(sections)
    rows = [row for _, section in given for row in section]
    name = max(len(row[0]) for row in rows)
    value = max(len(row[1]) for row in rows)
    lines: list[str] = []
    for title, section in given:
        lines += [title]
        for row in section:
            note = row[2] if len(row) == 3 else ""
            lines.append(f"  {row[0]:<{name}}  {row[1]:>{value}}  {note}".rstrip())
        lines.append("")
    return "\n".join(lines)


def _activations_note(setup: Setup) -> str:
    how = "" if setup.recompute == "none" else f", {setup.recompute} recomputation"
    return f"{setup.micro_batch} x {setup.model.block_size:,} tokens{how}"


def _pipeline_rows(setup: Setup, plan: Plan) -> list[Row]:
    """Returns what a pipeline adds to a step; its bubble is part of the arithmetic's time."""
    if setup.pipeline == 1:
        return []
    counts = f"{setup.pipeline} stages, {setup.micro_batches:,} micro-batches"
    return [
        ("pipeline bubble", f"{100 * setup.bubble:.1f} %", f"of the working time: {counts}"),
        ("sent between stages", format_bytes(plan.passed.bytes)),
    ]


def _fits_note(setup: Setup, plan: Plan) -> str:
    if setup.memory is None:
        return ""
    return f"{'fits' if plan.fits else 'does not fit'} into {format_bytes(setup.memory)}"


def _link_note(setup: Setup) -> str:
    if setup.devices == 1:
        return "none: a single device"
    link = link_of(setup)
    if link is not None and setup.network is not None and setup.sharing < setup.devices:
        return f"{format_bytes(link.bandwidth)}/s, of a network that {setup.sharing} devices share"
    if setup.link is not None:
        return f"{format_bytes(setup.link.bandwidth)}/s"
    if setup.device is None or setup.device.link is None:
        return "give --link"
    return f"{format_bytes(setup.device.link)}/s; between machines less: give --link"


def _price_note(setup: Setup) -> str:
    return "give --price" if setup.price is None else f"at {price_text(setup)}"


def _flops(number: float) -> str:
    return f"{number:.3g} FLOPs"


def time_text(seconds: float | None) -> str:
    """Formats a duration, from milliseconds to years."""
    if seconds is None:
        return UNKNOWN
    if seconds < 1:
        return f"{1000 * seconds:.3g} ms"
    if seconds < 2 * DAY:
        return format_duration(seconds)
    if seconds < 2 * YEAR:
        return f"{seconds / DAY:,.1f} days"
    return f"{seconds / YEAR:,.1f} years"


def energy_text(joules: float | None) -> str:
    """Formats an energy in kWh."""
    return UNKNOWN if joules is None else f"{format_number(joules / 3.6e6)} kWh"


def price_text(setup: Setup) -> str:
    """Formats a known price with its unit: $2 per device-hour."""
    return f"{CURRENCY}{setup.price:g} per device-hour"


def cost_text(cost: float | None) -> str:
    """Formats a cost with its currency: $0.35, $12,345, $1.92 million."""
    if cost is None:
        return UNKNOWN
    if cost >= 1e12:
        return f"{CURRENCY}{cost:.3g}"
    for size, name in ((1e9, "billion"), (1e6, "million")):
        if cost >= 0.9995 * size:
            return f"{CURRENCY}{cost / size:.3g} {name}"
    return f"{CURRENCY}{cost:,.0f}" if cost >= 99.5 or not cost else f"{CURRENCY}{cost:,.2f}"
