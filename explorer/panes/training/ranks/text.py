"""Every sentence of Ranks. Knows no Qt."""

from __future__ import annotations

from typing import Any

from core.numbers import format_brief, format_bytes, format_count, format_number, format_percent
from core.training.lane_trace import LaneTrace
from core.training.scaling import efficiency_bound

TITLES = {
    "run": "This run",
    "ddp": "DDP",
    "zero1": "ZeRO-1",
    "zero2": "ZeRO-2",
    "zero3": "ZeRO-3",
    "tensor": "Tensor",
    "pipeline": "Pipeline",
}
NAMES = {**TITLES, "fsdp2": "FSDP2", "zero3": "ZeRO-3 (FSDP)", "tensor": "Tensor parallelism"}
IDEAS = {
    "run": "What was measured of the run that is looked at",
    "ddp": "every device holds the whole model and reads its part of the batch",
    "zero1": "as DDP, but each device keeps only its part of the optimizer's memory",
    "zero2": "as ZeRO-1, and each device keeps only its part of the gradients",
    "zero3": "every device holds its part of each matrix and gathers the rest when it computes",
    "tensor": "every device multiplies its columns of each matrix, for the whole batch",
    "pipeline": "every device holds some of the layers, and small batches pass through",
}
STATES = {"weights": "weights", "gradients": "gradients", "optimizer": "optimizer memory"}
FAULTS = {
    "slow": ("Slow it down", "Each step of this rank takes 0.2 s more: the others wait"),
    "none": ("As fast as before", "Runs at full speed again"),
    "nan": ("Make a weight NaN", "One weight of this rank becomes NaN, as by a defect of memory"),
    "kill": ("Kill it", "Kills the process, as when a machine fails"),
    "hang": ("Let it hang", "Freezes it; the other ranks give up after 100 s"),
}
COPY = "Copy for a cluster"
COPY_ACTION = "Ranks: copy the command for a cluster"
COPY_HELP = "The command that trains this run by torchrun, on machines that share its folder"
COPIED = (
    "Copied. Replace HOST with the first machine's name; --nnodes is how many machines, "
    "--nproc-per-node how many ranks on each"
)
START = "Start two ranks here"
START_HELP = "Trains a small model in two processes of this machine, and shows their lanes"
RESUME = "Resume from the last checkpoint"
OLDER, NEWER = "Ranks: the step before", "Ranks: the step after"
STEP_HELP = "Which step of the run is shown; at its last one, each newer step as it comes"
NO_SPANS = "No step of this run was timed yet."
WAITS = "waiting for the first step of all ranks"
NO_MESSAGE = "The run has ended without a message."
SCALING = "scaling, at most"
FACT_NOTES = {
    SCALING: "Scaling efficiency: the speed of N ranks as a share of N times the speed of one. It "
    "cannot be more than the share of the step in which they compute."
}
HOLDINGS, LANES = "Who holds what", "Who does what, and who waits (hatched)"


def headline(lanes: LaneTrace) -> str:
    """One sentence about a step."""
    if lanes.estimated:
        return f"Computed, not measured: {IDEAS[lanes.strategy]}"
    if not len(lanes.trace):
        return NO_SPANS
    length = format_brief(lanes.seconds)
    if lanes.straggler is not None:
        wait, slow = format_brief(lanes.waited.max()), lanes.straggler
        who = f"Rank {1 - slow} waits" if lanes.ranks == 2 else "The others wait"
        return f"{who} {wait} of {length} for rank {slow}"
    share = format_percent(lanes.waited.mean() / lanes.seconds)
    return f"{lanes.ranks} ranks share a step of {length}; they wait {share} of it"


def facts(lanes: LaneTrace, speed: float) -> dict[str, str]:
    """Values by their titles, below the lanes. `speed` in tokens a second; 0: not told."""
    if not len(lanes.trace):
        return {}
    told = {"a step": format_brief(lanes.seconds)}
    if speed:
        told["tokens/s"] = format_count(round(speed))
    if (bound := efficiency_bound(lanes.busy)) is not None:
        told[SCALING] = format_percent(bound)
    told[f"a {lanes.noun} sends"] = format_bytes(lanes.sent)
    if len(lanes.memory):
        whose = "a device holds" if lanes.estimated else "memory of a process"
        told[whose] = format_bytes(lanes.memory.max())
    return told


def rank_notes(lanes: LaneTrace) -> list[list[str]]:
    """Of each rank what it holds, how much of the step it computes, what it keeps busy."""
    columns = (
        map(format_bytes, lanes.memory),
        (f"busy {format_percent(share)}" for share in lanes.busy),
        (f"GPU {format_percent(share)}" for share in lanes.gpu),
        (f"{format_number(count, 2)} cores" for count in lanes.cores),
    )
    told = [list(column) for column in columns]
    return [[column[rank] for column in told if column] for rank in range(lanes.ranks)]


def bar_row(noun: str, bar: Any) -> str:
    """A rank's part in a Step, in the inspector."""
    words = f"{noun} {bar['rank']}: {format_brief(bar['end'] - bar['ready'])}"
    if bar["ready"] > bar["start"]:
        words += f", after waiting {format_brief(bar['ready'] - bar['start'])}"
    return f"{words}, {format_bytes(bar['bytes'])}" if bar["bytes"] else words


def bar_tip(lanes: LaneTrace, place: int) -> str:
    """A bar's tooltip."""
    bar = lanes.bars[place]
    step = lanes.trace[int(bar["place"])]
    lines = [f"{lanes.noun.capitalize()} {bar['rank']}: {lanes.labels[bar['place']]}"]
    lines.append(step.title.partition(": ")[2].partition(";")[0])
    lines.append(f"from {format_brief(bar['start'])} to {format_brief(bar['end'])}")
    if bar["ready"] > bar["start"]:
        wait = format_brief(bar["ready"] - bar["start"])
        lines.append(f"waits {wait} until the last {lanes.noun} has come")
    if bar["bytes"]:
        lines.append(f"sends {format_bytes(bar['bytes'])}")
    return "\n".join(lines)


def held_tip(owner: str, state: str, part: str, share: float, size: float) -> str:
    """What "rank 1" holds of a part of the model."""
    held = "nothing" if not share else "all" if share >= 1 else format_percent(share)
    who = f"{owner[:1].upper()}{owner[1:]}"
    return f"{who} holds {held} of the {STATES[state]} of {part} ({format_bytes(size)})"


def run_note(lanes: LaneTrace, name: str, state: str, steps: int) -> str:
    """Which step of which run is shown."""
    return f"{name}, {NAMES[lanes.strategy]}, {state}, step {lanes.number:,} of {steps:,}"


def failure(state: str, message: str) -> str:
    """How a run of several ranks failed; "" where it did not."""
    return (message or NO_MESSAGE) if state in ("failed", "dead") else ""


def assumptions(speed: float, bandwidth: float, devices: int) -> str:
    """By what a computed step was computed."""
    return (
        f"computed for {devices} devices of {speed / 1e9:.0f} GFLOP/s, linked by "
        f"{format_bytes(bandwidth)}/s"
    )
