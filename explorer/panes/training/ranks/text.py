"""Every sentence of Ranks. Knows no Qt."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from core.numbers import format_brief, format_bytes, format_count, format_percent
from core.training.place import NEW_STORE
from explorer.panes.training.ranks.scene import Bar, Event, Scene

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
    "ddp": "every device holds the whole model and reads its part of the batch",
    "fsdp2": "every device holds its part of each matrix and gathers the rest when it computes",
    "zero1": "as DDP, but each device keeps only its part of the optimizer's memory",
    "zero2": "as ZeRO-1, and each device keeps only its part of the gradients",
    "zero3": "every device holds its part of each matrix and gathers the rest when it computes",
    "tensor": "every device multiplies its columns of each matrix, for the whole batch",
    "pipeline": "every device holds some of the layers, and small batches pass through",
}
STATES = {"weights": "weights", "gradients": "gradients", "optimizer": "optimizer memory"}
COMPUTED_WORDS = {
    "forward": "each device predicts the next tokens of its own sequences",
    "backward": "each device computes the gradients of its own sequences",
    "optimizer": "each device moves the weights that it holds",
}
STRATEGY_WORDS = {
    "tensor": {
        "forward": "each device multiplies its columns and rows of the matrices",
        "backward": "each device computes the gradients of its columns and rows",
        "all-reduce": "what the devices have made of their columns and rows is added up",
    },
    "pipeline": {
        "forward": "a small batch passes through the layers, stage after stage",
        "backward": "its gradients come back, from the last stage to the first",
        "send": "what a stage has made goes to the next one",
    },
}
WORDS = {
    "data": "the batch is drawn; each rank takes its rows",
    "forward": "each rank predicts the next tokens of its own rows",
    "loss": "each rank adds up the surprise of its rows",
    "backward": "gradients are computed, from the last layer to the first",
    "unscale": "the loss scale is divided out of the gradients",
    "clip": "the norm of all gradients is limited",
    "optimizer": "weights move, on every rank by the same gradient",
    "schedule": "the next learning rate is set",
    "all-reduce": "gradients are added up over the ranks, and each gets the sum",
    "all-gather": "the parts of a matrix come together on every rank",
    "reduce-scatter": "gradients are added up, and each rank keeps its part of the sum",
    "sum": "a few numbers are added up over the ranks",
}
FORMULAS = {
    "all-reduce": r"g = \sum_{r} g_r",
    "all-gather": r"\theta = [\, \theta_1, \theta_2, \dots, \theta_N \,]",
    "reduce-scatter": r"g_r = \Big( \sum_{s} g_s \Big)_r",
    "sum": r"n = \sum_{r} n_r",
}
FAULTS = {
    "slow": ("Slow it down", "Each step of this rank takes 0.2 s more: the others wait"),
    "none": ("As fast as before", "Runs at full speed again"),
    "nan": ("Spoil a weight", "One weight of this rank becomes NaN, as by a defect of memory"),
    "kill": ("Kill it", "Kills the process, as when a machine fails"),
    "hang": ("Let it hang", "Freezes it; the other ranks give up after 100 s"),
}
COPY = "Copy for a cluster"
COPY_HELP = "The command that trains this run by torchrun, on machines that share its folder"
COPIED = "Copied. Replace HOST with the first machine's name"
START = "Start two ranks here"
START_HELP = "Trains a small model in two processes of this machine, and shows their lanes"
NO_SPANS = "No step of this run was timed yet."


def headline(scene: Scene, strategy: str) -> str:
    """One sentence about a step."""
    if scene.computed:
        return f"Computed, not measured: {IDEAS[strategy]}"
    if not scene.events:
        return NO_SPANS
    length = format_brief(scene.seconds)
    if scene.straggler is not None:
        wait, slow = format_brief(max(scene.waited, default=0.0)), scene.straggler
        who = f"Rank {1 - slow} waits" if scene.ranks == 2 else "The others wait"
        return f"{who} {wait} of {length} for rank {slow}"
    if scene.ranks == 1:
        return f"One process alone: the step takes {length}, and nobody waits"
    share = sum(scene.waited) / max(len(scene.waited) * scene.seconds, 1e-12)
    return f"{scene.ranks} ranks share a step of {length}; they wait {format_percent(share)} of it"


def words_of(kind: str, strategy: str, computed: bool) -> str:
    """What happens in an event."""
    told = {**WORDS, **(COMPUTED_WORDS if computed else {}), **STRATEGY_WORDS.get(strategy, {})}
    return told.get(kind, kind)


def event_title(event: Event, scene: Scene, strategy: str = "") -> str:
    """Of a step of the track: what happens, and who waits for whom."""
    label = event.label[:1].upper() + event.label[1:]
    title = f"{label}: {words_of(event.kind, strategy, scene.computed)}"
    if not scene.computed and scene.ranks > 1 and event.waited > 0.05 * scene.seconds:
        title += f"; rank {event.first} waits {format_brief(event.waited)} for rank {event.last}"
    return title


def facts(
    scene: Scene, strategy: str, speed: float, memory: Sequence[float], idle: float, sent: float
) -> list[tuple[str, str]]:
    """(title, value) beside the lanes. `speed` in tokens a second, `memory` in bytes a rank."""
    told = [("a step", format_brief(scene.seconds))]
    if speed:
        told.append(("tokens/s", format_count(round(speed))))
    told.append(("idle", format_percent(idle)))
    told.append(("a rank sends", format_bytes(sent)))
    if memory:
        whose = "a device holds" if scene.computed else "memory of a process"
        told.append((whose, format_bytes(max(memory))))
    return told


def rank_notes(memory: Sequence[float], busy: Sequence[float]) -> tuple[str, ...]:
    """Of each rank: the bytes that it holds, and the share of the step in which it computes."""
    return tuple(
        f"{format_bytes(size)}, computes {format_percent(share)} of the step"
        for size, share in zip(memory, busy, strict=False)
    )


def bar_tip(bar: Bar) -> str:
    """A bar's tooltip."""
    lines = [f"Rank {bar.rank}: {bar.label}", WORDS.get(bar.kind, "")]
    lines.append(f"from {format_brief(bar.start)} to {format_brief(bar.end)}")
    if bar.ready > bar.start:
        lines.append(f"waits {format_brief(bar.ready - bar.start)} until the last rank has come")
    if bar.bytes:
        lines.append(f"sends {format_bytes(bar.bytes)}")
    return "\n".join(filter(None, lines))


def held_tip(rank: int, state: str, part: str, share: float, size: float) -> str:
    """What a rank holds of a part of the model."""
    held = "nothing" if not share else "all" if share >= 1 else format_percent(share)
    return f"Rank {rank} holds {held} of the {STATES[state]} of {part} ({format_bytes(size)})"


def cluster_command(folder: str, name: str) -> str:
    """For a shell on each of two machines of four GPUs; HOST is the first one."""
    return (
        f"{NEW_STORE}=1 torchrun --nnodes 2 --nproc-per-node 4 --rdzv-backend c10d "
        f"--rdzv-id {shlex.quote(name)} "
        "--rdzv-endpoint HOST:29400 --max-restarts 3 -m core.training "
        f"--run-folder {shlex.quote(folder)} --resume"
    )


def assumptions(speed: float, bandwidth: float, devices: int) -> str:
    """By what a computed step was computed."""
    return (
        f"computed for {devices} devices of {speed / 1e9:.0f} GFLOP/s, linked by "
        f"{format_bytes(bandwidth)}/s"
    )
