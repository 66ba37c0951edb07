"""A recorded step as a Trace: its phases, the blocks inside forward and backward, one parameter
through the optimizer.

Reads the files of `recording`, without torch, from any run folder.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from core.fields import field, from_json
from core.files import names_in, read_json
from core.optimization.optimizer_trace import trace_update
from core.optimization.optimizers import optimizer
from core.tensor_files import read_tensors
from core.trace import Step, Trace
from core.training import records
from core.training.config import TrainingConfig
from core.training.lanes import Lane
from core.training.phases import PHASES, SCALED_PHASES, phase_step
from core.training.rules import rule_settings
from core.training.spans import KINDS

SMALLEST, LARGEST = -40, 8  # k of the histogram that counts updates of size 2^k of their weight
# From names in torch's optimizer state to those in our rules.
_OURS = {
    "exp_avg": "average",
    "exp_avg_sq": "square",
    "square_avg": "square",
    "momentum_buffer": "velocity",
    "sum": "total",
}
_LABELS = {"wte": "embedding", "wpe": "positions", "ln_f": "final norm", "lm_head": "head"}
_TITLES = {
    "embedding": "Embedding: each token becomes a vector",
    "positions": "Positions: each position adds its own vector",
    "final norm": "Final norm: every token's vector gets the same size",
    "head": "Output head: a score for every token that could come next",
}
_FORMULAS = {
    "embed": r"x = E[\mathrm{ids}] + P",
    "block": r"x \leftarrow x + f_{%s}(x)",
    "unembed": r"\mathrm{logits} = W\, \mathrm{norm}(x)",
}
_CODE = {
    "embed": "core.transformer.stack:Stack.run#embed",
    "block": "core.transformer.stack:Stack.run#block",
    "unembed": "core.transformer.gpt:GPT.forward#unembed",
}


@dataclass(frozen=True, kw_only=True)
class PartEvent:
    """A pass of a part of the model within the step. `kind` is forward, backward or recompute;
    times are Unix seconds; `name` is the part, "" for the whole backward pass.
    """

    kind: str
    name: str
    micro_batch: int = field(0, least=0)
    start: float
    end: float
    shape: tuple[int, ...] = field((), least=0, longest=8)
    dtype: str = ""
    bytes: int = field(0, least=0)


@dataclass(frozen=True, kw_only=True)
class Layer:
    """The dtypes of a layer's input, weight and output, and of the gradient of its output; "" if it
    has none.
    """

    name: str
    weight: str
    input: str = ""
    output: str = ""
    gradient: str = ""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter's norm, that of its gradient before clipping and of its update, its gradient's
    largest number, and when the gradient was ready (Unix seconds; 0: unknown).
    """

    shape: tuple[int, ...] = field((), least=0, longest=8)
    dtype: str = ""
    norm: float = field(0.0, endless=True)
    gradient: float = field(0.0, endless=True)
    largest: float = field(0.0, endless=True)
    update: float = field(0.0, endless=True)
    arrived: float = 0.0
    weight_decay: float = field(0.0, least=0)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The contents of rank0.json: the step's record, and lists of recorded events."""

    step: int = field(least=1)
    rank: int = field(0, least=0)
    loss: float = field(endless=True)
    learning_rate: float = field(endless=True)
    grad_norm: float = field(endless=True)
    applied: int = field(0, least=0)
    skipped: int = field(0, least=0)
    loss_scale: float = field(1.0, endless=True)
    tokens: int = field(0, least=0)
    targets: int = field(0, least=0)
    events: tuple[PartEvent, ...] = ()
    layers: tuple[Layer, ...] = ()
    parameters: Mapping[str, Parameter] = field(factory=dict)


@dataclass(frozen=True, eq=False)
class Recording:
    """One rank's recording of a step. `arrays` by name, B sequences of this rank, T tokens:

    batch.0.ids, .targets, .losses            (B, T), of micro-batch 0
    batch.0.likeliest, .probabilities         (B, T, 5)
    batch.0.piece_ids, .piece_bytes, .piece_ends  the bytes of these tokens: see `pieces`
    forward.0.h.3, backward.0.h.3             (B, T): root mean square of block 3's output, and of
                                              its gradient
    output.h.3                                its output, if small enough to record
    weights.NAME.before, .gradient, .after    some numbers of each parameter; also of the
                                              optimizer's state, weights.NAME.exp_avg.before
    places.NAME                               their places in the flattened parameter
    updates                                   number of updates that are 2^k of their weight, k from
                                              SMALLEST to LARGEST
    unmoved                                   number of weights that did not change
    memory.time, memory.bytes                 bytes saved for backward, at each change
    """

    facts: Facts
    arrays: Mapping[str, np.ndarray]

    @property
    def micro_batches(self) -> int:
        """Number of micro-batches in the step."""
        return 1 + max((event.micro_batch for event in self.facts.events), default=0)

    def pieces(self, micro_batch: int = 0) -> dict[int, bytes]:
        """Returns the bytes of every token of a micro-batch, by id; empty if not recorded."""
        batch = f"batch.{micro_batch}.piece"
        if f"{batch}_ids" not in self.arrays:
            return {}
        ids, ends = self.arrays[f"{batch}_ids"], self.arrays[f"{batch}_ends"]
        data = self.arrays[f"{batch}_bytes"].tobytes()
        starts = [0, *ends[:-1].tolist()]
        return {
            int(id): data[start:end]
            for id, start, end in zip(ids, starts, ends.tolist(), strict=True)
        }

    @property
    def backward(self) -> PartEvent:
        """The whole backward pass of the first micro-batch."""
        nothing = PartEvent(kind="backward", name="", start=0.0, end=0.0)
        events = self.facts.events
        return next((e for e in events if e.kind == "backward" and not e.name), nothing)

    def parts(self, kind: str, micro_batch: int = 0) -> list[PartEvent]:
        """Returns the events of a kind in a micro-batch, in order, without the whole backward."""
        return [
            event
            for event in self.facts.events
            if event.kind == kind and event.micro_batch == micro_batch and event.name
        ]


def recorded_steps(run: str | Path) -> list[int]:
    """Returns the recorded steps of a run, in order."""
    folder = Path(run) / records.RECORDINGS
    found = (
        records.step_of(name)
        for name in names_in(folder)
        if not name.startswith(".") and os.path.isfile(folder / name / "rank0.json")
    )
    return sorted(step for step in found if step is not None)


def recorded_ranks(run: str | Path, step: int) -> dict[int, int]:
    """Returns the ranks that have recorded a step, with the file's time in nanoseconds: a resumed
    run may record the step again.
    """
    files = records.recording_folder(Path(run), step).glob("rank*.json")
    named = ((file.stem.removeprefix("rank"), file) for file in files)
    ranks = {int(rank): file for rank, file in named if rank.isdecimal()}
    return {rank: file.stat().st_mtime_ns for rank, file in sorted(ranks.items())}


def open_recording(run: str | Path, step: int, rank: int = 0) -> Recording:
    """Raises ValueError or OSError, with a remedy, for a missing or damaged recording."""
    folder = records.recording_folder(Path(run), step)
    facts = from_json(
        Facts, read_json(folder / f"rank{rank}.json"), "recorded step", records.FORMAT, some=True
    )
    path = folder / f"rank{rank}.safetensors"
    arrays = read_tensors(path)
    shapes = {name: array.shape for name, array in arrays.items()}
    for name in shapes:
        if not _fits(name, shapes, facts):
            raise ValueError(
                f"{path} is damaged: {name} does not fit its other arrays; record a step anew"
            )
    return Recording(facts, arrays)


def _fits(name: str, shapes: Mapping[str, tuple[int, ...]], facts: Facts) -> bool:
    """Returns whether an array's shape fits those of the arrays that it belongs with."""
    shape, (owner, _, what) = shapes[name], name.rpartition(".")
    if owner.startswith("batch."):
        tokens, pieces = shapes.get(f"{owner}.ids", ()), shapes.get(f"{owner}.piece_ids", ())
        match what:
            case "likeliest" | "probabilities":
                return shape[:-1] == tokens and shape == shapes.get(f"{owner}.likeliest")
            case "piece_ids" | "piece_ends":
                return shape == pieces and len(shape) == 1 and f"{owner}.piece_bytes" in shapes
            case "piece_bytes":
                return len(shape) == 1
            case _:
                return shape == tokens and len(shape) == 2
    if owner.startswith("weights."):
        whole = owner.removeprefix("weights.")
        parameter = whole if whole in facts.parameters else whole.rpartition(".")[0]
        return shape == shapes.get(f"weights.{parameter}.before") and len(shape) == 1
    if name.startswith("places."):
        sampled = shapes.get(f"weights.{name.removeprefix('places.')}.before")
        return len(shape) == 1 and shape == sampled
    if owner == "memory" or name == "updates":
        return len(shape) == 1 and shape == shapes.get("memory.time" if owner else name)
    return True


def step_trace(
    recording: Recording,
    config: TrainingConfig,
    scaled: bool = False,
    parameter: str = "",
    lane: Lane | None = None,
) -> Trace:
    """Traces the phases of a recorded step; inside forward and backward a step for each part of the
    model, inside the optimizer one for each line of its rule.

    scaled      whether the run scales its loss
    parameter   the parameter whose sampled numbers the optimizer's lines have; "": no lines
    lane        the phases of this rank over time; None: unknown

    Each step has its rank as its lane, and begins and ends in Unix seconds.
    """
    facts, times = recording.facts, phase_times(recording, lane)
    rank = f"rank {facts.rank}"
    names = ("loss", "learning_rate", "grad_norm", "applied", "skipped", "loss_scale", "targets")
    record = {name: getattr(facts, name) for name in names}
    trace = Trace({"recording": recording, "config": config})
    for phase in SCALED_PHASES if scaled else PHASES:
        start, end = times.get(phase, (None, None))
        made = phase_step(phase, config, facts.step, record)
        place = trace.append(replace(made, lane=rank, start=start, end=end))
        if phase == "forward":
            for event in recording.parts("forward"):
                trace.append(_forward_step(recording, event, place))
        elif phase == "backward":
            for event in recording.parts("backward"):
                trace.append(_backward_step(recording, event, place))
        elif phase == "optimizer" and parameter and not facts.skipped:
            for line in optimizer_trace(recording, config, parameter) or ():
                trace.append(replace(line, parent=place, lane=rank))
    return trace.finish()


def phase_times(recording: Recording, lane: Lane | None) -> dict[str, tuple[float, float]]:
    """Returns the start and end of each phase, of several micro-batches the first, in Unix seconds
    of the recording's clock.
    """
    if lane is None:
        return {}
    zero = lane_zero(recording, lane)
    first = reversed(lane.phases[["kind", "start", "end"]].tolist())
    return {KINDS[kind]: (zero + start, zero + end) for kind, start, end in first}


def lane_zero(recording: Recording, lane: Lane) -> float:
    """Returns the Unix second at which a lane's time begins, by the clock of the recording: both
    contain the start of backward.
    """
    backward = lane.phases[lane.phases["kind"] == KINDS.index("backward")]
    return recording.backward.start - float(backward["start"][0]) if len(backward) else 0.0


def _forward_step(recording: Recording, event: PartEvent, parent: int) -> Step:
    stage, number = _stage(event.name)
    label, formula = label_of(event.name), _FORMULAS[stage]
    block = f"Block {number}: attention and MLP each add something to every token's vector"
    title = _TITLES.get(label, block)
    made = {"embed": "x", "block": "x", "unembed": "logits"}[stage]
    output = recording.arrays.get(f"output.{event.name}")
    whole = output is not None and event.name not in ("wte", "wpe", "ln_f")  # not the line's result
    return Step(
        f"training.forward.{event.name}",
        title,
        formula % number if "%s" in formula else formula,
        _CODE[stage],
        {made: output} if whole and output is not None else {},
        parent,
        {made: event.dtype} if whole and event.dtype == "bfloat16" else {},
        f"rank {recording.facts.rank}",
        event.start,
        event.end,
    )


def _backward_step(recording: Recording, event: PartEvent, parent: int) -> Step:
    stage, number = _stage(event.name)
    index = f"_{{{number}}}" if number else ""
    where = f"block {number}" if stage == "block" else f"the {label_of(event.name)}"
    return Step(
        f"training.backward.{event.name}",
        f"Backward: the gradient has reached {where}",
        rf"\frac{{\partial L}}{{\partial x{index}}}",
        "core.training.attempt:Attempt._one_step#backward",
        {},
        parent,
        {},
        f"rank {recording.facts.rank}",
        event.start,
        event.end,
    )


def label_of(name: str) -> str:
    """Returns the name of a part of the model in the interface: "block 3" for "h.3"."""
    stage, number = _stage(name)
    return f"block {number}" if stage == "block" else _LABELS.get(name, name)


def _stage(name: str) -> tuple[str, str]:
    """Returns the kind of a part of the model, and its number: ("block", "3") for "h.3"."""
    head, _, number = name.rpartition(".")
    if head:
        return "block", number
    return ("embed", "") if name in ("wte", "wpe") else ("unembed", "")


def parameters_of(recording: Recording) -> list[str]:
    """Returns the parameters with sampled numbers, in the model's order."""
    return [
        name for name in recording.facts.parameters if f"weights.{name}.before" in recording.arrays
    ]


def optimizer_trace(recording: Recording, config: TrainingConfig, name: str) -> Trace | None:
    """Traces the rule of the run's optimizer on the sampled numbers of a parameter, line by line.

    None for a rule that needs the whole matrix. Raises ValueError for a parameter without sampled
    numbers.
    """
    rule = optimizer(config.optimizer)
    if rule.matrices_only:
        return None
    kept = f"weights.{name}."
    if f"{kept}gradient" not in recording.arrays:
        raise ValueError(f"the recording has no numbers of {name!r}; choose another parameter")
    remembered = {}
    for key, array in recording.arrays.items():
        if key.startswith(kept) and key.endswith(".before") and key != f"{kept}before":
            theirs = key.removeprefix(kept).removesuffix(".before")
            remembered[_OURS.get(theirs, theirs)] = array.astype(float)
    known = {one.name for one in fields(rule.state)}
    state = rule.state(**{key: value for key, value in remembered.items() if key in known})
    decay = recording.facts.parameters[name].weight_decay
    settings = replace(rule_settings(config, recording.facts.learning_rate), weight_decay=decay)
    before, slope = recording.arrays[f"{kept}before"], recording.arrays[f"{kept}gradient"]
    step = max(1, recording.facts.applied)
    return trace_update(config.optimizer, before, slope, state, step, settings)
