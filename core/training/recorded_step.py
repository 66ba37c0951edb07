"""A recorded step, opened for display: its parts, tokens, gradients and weights.

Together with the trace of the step, it holds all data for the step's pictures; loads no torch.

B  sequences of this rank      T  tokens      K  sampled weights of a parameter
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from core.trace import Step, Trace
from core.training.config import TrainingConfig
from core.training.lanes import LANE_DTYPE, Lane, LaneReader
from core.training.spans import KINDS
from core.training.step_trace import (
    SMALLEST,
    PartEvent,
    Recording,
    label_of,
    lane_zero,
    open_recording,
    parameters_of,
    step_trace,
)


@dataclass(frozen=True, eq=False)
class Part:
    """A part of the model in the forward or backward pass.

    event   the recorded event: when the part ran, shape and dtype of its output
    sizes   root mean square of each token's numbers: (B, T), of the positions (T,)
    output  the part's output in the forward pass, if it was small enough to record
    came    seconds from the beginning of the phase until the output existed
    norms   of its parameters' gradients, by name; empty in the forward pass
    """

    event: PartEvent
    sizes: np.ndarray
    output: np.ndarray
    came: float
    norms: Mapping[str, float]

    @property
    def label(self) -> str:
        """The part's name in the interface: "block 3"."""
        return label_of(self.event.name)

    @property
    def size(self) -> float:
        """Root mean square of all its numbers; NaN if they were not recorded."""
        return math.sqrt(np.square(self.sizes).mean()) if self.sizes.size else math.nan


@dataclass(frozen=True, eq=False)
class WeightRow:
    """A name in the optimizer's rule with its numbers (K,). `line` is the line of the rule that
    computes them; -1: they existed before the step.
    """

    name: str
    values: np.ndarray
    line: int = -1


@dataclass(frozen=True, eq=False)
class Table:
    """Values (rows, columns), with the names of rows and columns."""

    rows: Sequence[str]
    columns: Sequence[str]
    values: np.ndarray


@dataclass(frozen=True, eq=False)
class RecordedStep:
    """One rank's recording of a step.

    parameter  the parameter whose sampled weights appear in the optimizer's lines; "" for none
    lane       phases and exchanges of this rank over time; None: unknown
    """

    recording: Recording
    config: TrainingConfig
    trace: Trace
    parameter: str = ""
    lane: Lane | None = None

    @cached_property
    def phases(self) -> list[str]:
        """The names of its phases, in order."""
        return [self.trace[at].name.partition(".")[2] for at in self.trace.children()]

    def steps(self, phase: str) -> list[Step]:
        """Returns the trace's steps inside a phase: parts of the model, or lines of the optimizer's
        rule; empty if there is no such phase.
        """
        if phase not in self.phases:
            return []
        parent = self.trace.children()[self.phases.index(phase)]
        return [self.trace[at] for at in self.trace.children(parent)]

    @property
    def parameters(self) -> list[str]:
        """Parameters whose weights can be followed through the optimizer."""
        return parameters_of(self.recording)

    # -- data and loss

    def batch(self, what: str) -> np.ndarray:
        """Returns "ids", "targets", "losses" (B, T), "likeliest", "probabilities" (B, T, 5) of the
        first micro-batch; empty if they were not recorded.
        """
        return self.recording.arrays.get(f"batch.0.{what}", np.zeros((0, 0)))

    @cached_property
    def pieces(self) -> Mapping[int, bytes]:
        """The bytes of the batch's tokens, by id."""
        return self.recording.pieces()

    def piece(self, id: int) -> bytes:
        """Returns a token's bytes; its id as text if they were not recorded, a dash for a target
        without a loss.
        """
        return self.pieces.get(int(id), str(id).encode()) if id >= 0 else "\N{EN DASH}".encode()

    def likeliest(self, sequence: int, place: int) -> list[tuple[int, float, bool]]:
        """Returns the likeliest next tokens after a position: id, probability, and whether it is
        the actual one, which is appended if it is not among them. Empty beyond the batch.
        """
        if not self.batch("likeliest")[sequence:, place:].size:
            return []
        at = sequence, place
        ids, shares = self.batch("likeliest")[at].tolist(), self.batch("probabilities")[at].tolist()
        came = int(self.batch("targets")[at])
        found = [(id, share, id == came) for id, share in zip(ids, shares, strict=True)]
        if came >= 0 and came not in ids:
            found.append((came, math.exp(-float(self.batch("losses")[at])), True))
        return found

    @property
    def guess(self) -> float:
        """The loss of a uniform guess among all V tokens, ln V nats; 0 if V is unknown."""
        head = self.recording.parts("forward")[-1:]
        return math.log(head[0].shape[-1]) if head and head[0].shape else 0.0

    # -- forward and backward

    def parts(self, phase: str) -> tuple[Part, ...]:
        """Returns the parts of the model in the order of a phase."""
        if phase == "forward":
            return self._forward
        return self._backward if phase in ("backward", "unscale") else ()

    @cached_property
    def _forward(self) -> tuple[Part, ...]:
        events = self.recording.parts("forward")
        return tuple(self._part(one, one.end - self.begun, {}) for one in events)

    @cached_property
    def _backward(self) -> tuple[Part, ...]:
        events, begun = self.recording.parts("backward"), self.recording.backward.start
        norms: dict[str, dict[str, float]] = {one.name: {} for one in events}
        for name, parameter in self.recording.facts.parameters.items():
            owner = next((part for part in norms if name.startswith(f"{part}.")), None)
            if owner is not None:
                norms[owner][name.removeprefix(f"{owner}.")] = parameter.gradient
        return tuple(self._part(one, one.start - begun, norms[one.name]) for one in events)

    def _part(self, event: PartEvent, came: float, norms: Mapping[str, float]) -> Part:
        arrays, nothing = self.recording.arrays, np.zeros(0)
        sizes = arrays.get(f"{event.kind}.0.{event.name}", nothing)
        if event.kind != "forward":  # of the scaled loss, shown as the optimizer gets them
            sizes = sizes / (self.recording.facts.loss_scale or 1.0)
        output = arrays.get(f"output.{event.name}", nothing) if event.kind == "forward" else nothing
        return Part(event, sizes, output, came, norms)

    @property
    def dtypes(self) -> Table:
        """The number formats in which each layer computes; "" for those that it lacks."""
        layers, columns = self.recording.facts.layers, ("input", "weight", "output", "gradient")
        told = [[getattr(layer, column) for column in columns] for layer in layers]
        return Table([layer.name for layer in layers], columns, np.array(told))

    @property
    def norms(self) -> Table:
        """Of each parameter: norm and largest number of its gradient before clipping; own norm."""
        parameters = self.recording.facts.parameters
        told = [[one.gradient, one.largest, one.norm] for one in parameters.values()]
        columns = ("gradient norm", "largest", "weight norm")
        return Table(list(parameters), columns, np.array(told))

    @cached_property
    def exchanges(self) -> np.ndarray:
        """This rank's exchanges of gradients and weights from backward on: records of LANE_DTYPE,
        in seconds since backward began.
        """
        if self.lane is None:
            return np.zeros(0, LANE_DTYPE)
        found = self.lane.exchanges.copy()
        shift = lane_zero(self.recording, self.lane) - self.recording.backward.start
        for name in ("start", "ready", "end"):
            found[name] += shift
        return found[(found["kind"] != KINDS.index("sum")) & (found["end"] >= 0)]

    # -- memory

    @property
    def begun(self) -> float:
        """Unix seconds at which the first part of the model ran."""
        return min((event.start for event in self.recording.facts.events), default=0.0)

    @cached_property
    def memory(self) -> tuple[np.ndarray, np.ndarray]:
        """Seconds since the first part ran, and the bytes saved for backward from then on."""
        times = self.recording.arrays.get("memory.time", np.zeros(0))
        return times - self.begun, self.recording.arrays.get("memory.bytes", np.zeros(0))

    # -- clip and optimizer

    @cached_property
    def gradient_shares(self) -> list[tuple[str, float]]:
        """Each part's share of the gradient's squared norm, the largest first."""
        squares = [(part.label, sum(n**2 for n in part.norms.values())) for part in self._backward]
        total = sum(square for _, square in squares)
        if not total or not math.isfinite(total):
            return []
        shares = [(label, square / total) for label, square in squares if square]
        return sorted(shares, key=lambda one: -one[1])

    @property
    def kept(self) -> np.ndarray:
        """The parameter's sampled weights before the step. (K,)"""
        return self.recording.arrays.get(f"weights.{self.parameter}.before", np.zeros(0))

    def place_of_weight(self, weight: int) -> tuple[int, ...]:
        """Returns the index of a sampled weight in its parameter: row and column of a matrix, from
        0 on. () if it was not recorded, as by an older version, or if ranks share the parameter.
        """
        places = self.recording.arrays.get(f"places.{self.parameter}", np.zeros(0, np.int64))
        if not 0 <= weight < len(places):
            return ()
        shape = self.recording.facts.parameters[self.parameter].shape
        if not 0 <= places[weight] < math.prod(shape):
            return ()
        return tuple(int(one) for one in np.unravel_index(int(places[weight]), shape))

    @cached_property
    def rows(self) -> list[WeightRow]:
        """The sampled weights through the step: the numbers before it, then the result of each
        line. If the rule has no lines for single weights: before and after.
        """
        found: dict[str, WeightRow] = {}
        for line, step in enumerate(self.steps("optimizer")):
            made, *read = step.values
            for name in (*read, made):
                values = step.value(name)
                if values.ndim and values.size == self.kept.size and name not in found:
                    made_by = line if name == made else -1
                    found[name] = WeightRow(name, values.reshape(-1), made_by)
        if not found:
            return self._rows_of_no_rule()
        first = {"param": 0, "grad": 1}
        return sorted(found.values(), key=lambda row: (row.line, first.get(row.name, 2)))

    def _rows_of_no_rule(self) -> list[WeightRow]:
        prefix = f"weights.{self.parameter}."
        names = {"before": "param", "gradient": "grad", "after": "new"}
        last = {"param": 0, "grad": 1, "new": 3}
        kept = [
            WeightRow(names.get(key.removeprefix(prefix), key.removeprefix(prefix)), values)
            for key, values in sorted(self.recording.arrays.items(), reverse=True)
            if self.parameter and key.startswith(prefix)
        ]
        return sorted(kept, key=lambda row: last.get(row.name, 2))

    @cached_property
    def updates(self) -> tuple[int, np.ndarray]:
        """A histogram of all weights: the number updated by 2^k of their own size, with the first
        k; without the empty ends.
        """
        counts = self.recording.arrays.get("updates", np.zeros(0, np.int64))
        there = np.flatnonzero(counts)
        if not len(there):
            return 0, np.zeros(0, np.int64)
        return SMALLEST + int(there[0]), counts[there[0] : there[-1] + 1]

    @property
    def unmoved(self) -> int:
        """Number of all weights that the step did not change."""
        return int(np.sum(self.recording.arrays.get("unmoved", 0)))


def open_recorded_step(
    run: str | Path,
    step: int,
    config: TrainingConfig,
    rank: int = 0,
    parameter: str = "",
    scaled: bool = False,
) -> RecordedStep:
    """Opens a rank's recording of a step.

    parameter  the parameter whose weights are followed through the optimizer; if it was not
               sampled, the first matrix of a block
    scaled     whether the run scales its loss

    Raises ValueError or OSError, with a remedy, for a recording that is missing or damaged.
    """
    recording = open_recording(run, step, rank)
    names = parameters_of(recording)
    chosen = parameter if parameter in names else _first_matrix(recording, names)
    lane = _lane(run, step, rank)
    trace = step_trace(recording, config, scaled, chosen, lane)
    return RecordedStep(recording, config, trace, chosen, lane)


def _lane(run: str | Path, step: int, rank: int) -> Lane | None:
    """Returns this rank's lane, or None if its spans were not recorded."""
    try:
        lanes = LaneReader(run).step(step)
    except (ValueError, OSError):
        return None
    return lanes[rank] if rank < len(lanes) and len(lanes[rank].phases) else None


def _first_matrix(recording: Recording, names: list[str]) -> str:
    """Returns a block's first matrix, else any matrix, else any parameter."""
    matrices = [name for name in names if len(recording.facts.parameters[name].shape) == 2]
    blocks = [name for name in matrices if name.startswith("h.")]
    return next(iter((*blocks, *matrices, *names)), "")
