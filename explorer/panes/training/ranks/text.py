"""The texts of Ranks. Does not import Qt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.numbers import format_brief, format_bytes, format_count, format_number, format_percent
from core.tokenization.telling import sentence
from core.training.estimates.strategy_step import LINK, SPEED
from core.training.lane_trace import LaneTrace, called
from core.training.rank_ends import cause
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
    "run": "What was measured in the run shown",
    "ddp": "each device holds the whole model and reads its part of the batch",
    "zero1": "as in DDP, but each device keeps only its part of the optimizer's memory",
    "zero2": "as in ZeRO-1, but each device also keeps only its part of the gradients",
    "zero3": "each device holds a part of every matrix and gathers the rest when it needs it",
    "tensor": "each device multiplies its columns of every matrix, for the whole batch",
    "pipeline": "each device holds some of the layers, and parts of the batch (micro-batches) "
    "pass through one device after another",
}
STATES = ("weights", "gradients", "optimizer memory")
FAULTS = {  # title, and effect on "Rank 1"
    "slow": ("Slow it down", "{} takes 0.2 s longer for each step, so the others wait"),
    "none": ("Restore its speed", "{} runs at full speed again"),
    "nan": ("Make a weight NaN", "{} finds that a weight is NaN, as after a memory fault"),
    "kill": ("Kill it", "{} is killed, as when a machine fails"),
    "hang": ("Let it hang", "{} freezes; the others give up after 100 s"),
}
COPY = "Copy cluster command"
COPY_ACTION = "Ranks: copy the cluster command"
COPY_HELP = "Copies the torchrun command that continues this run on machines that share its folder"
COPIED = (
    "Copied. Replace HOST with the name of the first machine; --nnodes is the number of machines, "
    "and --nproc-per-node the number of ranks on each"
)
START = "Start two ranks here"
START_HELP = "Trains a small model in two processes on this machine and shows what each one does"
RESUME = "Resume from the last checkpoint"
AGAIN = "Begin again at step 0"
NEWEST, NEWEST_ACTION = "Newest", "Ranks: show the newest step"
STEP_HELP = "The step of the run to show"
NEWEST_HELP = "Follows the newest step until you move through a step yourself"
NO_SPANS = "No step of this run has been timed yet."
WAITS = "waiting for the first step of all ranks"
NO_MESSAGE = "The run has ended without a message."
SLOWEST = "slowest"
ONE_PROCESS = "This run trains in one process, so no rank waits for another"
ONE_HELP = (
    "Start two ranks here to see what they exchange, or choose a strategy above to see how several "
    "devices would share a step of this model."
)
FOREIGN = "Another program wrote this log, which says nothing about ranks"
SCALING = "scaling efficiency, at most"
FACT_NOTES = {
    SCALING: "The speed of N ranks as a share of N times the speed of one. It cannot be higher "
    "than the share of the step that the ranks spend computing."
}
HOLDINGS = "Who holds what"


def headline(lanes: LaneTrace) -> str:
    """Returns a sentence on a step."""
    if lanes.estimated:
        return f"Estimated, not measured: {IDEAS[lanes.strategy]}"
    if not len(lanes.trace):
        return NO_SPANS
    length = format_brief(lanes.seconds)
    if lanes.straggler is not None:
        wait, slow = format_brief(lanes.waited.max()), lanes.straggler
        who = f"Rank {1 - slow} spends" if lanes.ranks == 2 else "The other ranks spend up to"
        return f"{who} {wait} of this {length} step waiting for rank {slow}"
    share = format_percent(lanes.waiting)
    return f"{lanes.ranks} ranks share a step of {length} and spend {share} of it waiting"


def fate(lanes: LaneTrace, step: int, restarts: bool) -> str:
    """Returns why the ranks ended, or from which step the run restarts."""
    if restarts:
        return f"Restarting from step {step:,}" if step else "Restarting from the beginning"
    return f"{sentence(cause(lanes.ends))} after step {step:,}"


def trouble(died: bool, message: str, alerts: Sequence[str]) -> str:
    """Returns why the run has ended, or its alerts; "" if all is well."""
    told = f"The run needs attention: {'; '.join(alerts)}" if alerts else ""
    return (message or NO_MESSAGE) if died else told


def remedy(devices: int) -> str:
    """Returns the remedy for an impossible strategy: another number of devices, or DDP."""
    return f"Use {devices} devices" if devices else f"Show {TITLES['ddp']}"


def waits(lanes: LaneTrace) -> str:
    """Returns the name of a rank's idle time."""
    return "idle (the bubble)" if lanes.strategy == "pipeline" else "waits"


def facts(lanes: LaneTrace, tokens: float) -> dict[str, str]:
    """Returns the facts below the lanes, by title. `tokens` that all ranks read in the step; 0:
    unknown.
    """
    if not len(lanes.trace):
        return {}
    told = {"step time": format_brief(lanes.seconds)}
    if speed := tokens / lanes.seconds if lanes.seconds else 0.0:
        told["tokens/s of this step"] = format_count(round(speed))
    if (bound := efficiency_bound(lanes.busy)) is not None:
        told[SCALING] = format_percent(bound)
    told[f"sent per {lanes.noun}"] = format_bytes(lanes.sent)
    if len(lanes.memory):
        whose = "memory per device" if lanes.estimated else "memory per process"
        told[whose] = format_bytes(lanes.memory.max())
    if lanes.estimated:
        told[waits(lanes)] = format_percent(lanes.waiting)
    return told


def rank_notes(lanes: LaneTrace) -> list[list[str]]:
    """Returns for each rank its memory, its share of the step without waiting for others, and its
    use of the processor, which is measured over a second: a rank may be at work without getting a
    core, because other programs have it.
    """
    shares = lanes.waited / max(lanes.seconds, 1e-12)
    columns = (
        map(format_bytes, lanes.memory),
        (f"waits {format_percent(share)} of this step" for share in shares),
        (f"GPU {format_percent(share)}" for share in lanes.gpu),
        (f"{format_number(count, 2)} cores in the last second" for count in lanes.cores),
    )
    told = [list(column) for column in columns]
    return [[column[rank] for column in told if column] for rank in range(lanes.ranks)]


def rank_row(noun: str, rank: int, took: float, waited: float, size: float) -> str:
    """Returns the inspector's row on a rank's part in a Step."""
    words = f"{noun} {rank}: {format_brief(took)}"
    if waited:
        words += f", after waiting {format_brief(waited)}"
    return f"{words}, {format_bytes(size)}" if size else words


def bar_tip(lanes: LaneTrace, place: int) -> str:
    """Returns the tooltip of a bar."""
    bar = lanes.bars[place]
    step = lanes.trace[int(bar["place"])]
    lines = [f"{lanes.noun.capitalize()} {bar['rank']}: {lanes.labels[bar['place']]}"]
    lines.append(step.title.partition(": ")[2].partition(";")[0])
    lines.append(f"from {format_brief(bar['start'])} to {format_brief(bar['end'])}")
    if bar["ready"] > bar["start"]:
        wait = format_brief(bar["ready"] - bar["start"])
        until = f"until the last {lanes.noun} has come" if bar["exchange"] else "in between"
        lines.append(f"waits {wait} {until}")
    if bar["bytes"]:
        lines.append(f"sends {format_bytes(bar['bytes'])}")
    return "\n".join(lines)


def held_tip(lanes: LaneTrace, one: np.void) -> str:
    """Returns the tooltip on a rank's share of a part of the model."""
    share = one["end"] - one["begin"]
    held = "nothing" if not share else "all" if share >= 1 else format_percent(share)
    who, state = f"{sentence(lanes.noun)} {one['rank']}", STATES[one["state"]]
    part, size = lanes.parts[one["part"]].name, format_bytes(one["bytes"])
    return f"{who} holds {held} of the {state} of {called(part)} ({size})"


def run_note(lanes: LaneTrace, name: str, state: str, steps: int) -> str:
    """Returns the name, strategy, state and step of the visible run."""
    return f"{name}, {NAMES[lanes.strategy]}, {state}, step {lanes.number:,} of {steps:,}"


def assumptions(devices: int) -> str:
    """Returns the assumptions of an estimated step."""
    each, link = f"{SPEED / 1e9:.0f} GFLOP/s", f"{format_bytes(LINK.bandwidth)}/s"
    return f"{devices} devices of {each} each, linked at {link}"
