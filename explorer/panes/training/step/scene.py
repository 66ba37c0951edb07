"""What stands in the pictures of a recorded step, as plain numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.trace import Trace
from core.training.config import TrainingConfig
from core.training.lanes import Lane
from core.training.spans import EXCHANGES, KINDS
from core.training.step_trace import Happened, Recording, label_of

SMALLEST = -40  # the first exponent of the histogram of updates
BARS = 64  # of a part
NONE = "\N{EN DASH}"  # in the place of a target that no loss is computed for
MOVED = ("param", "grad", "new")  # what the rules call a weight, its gradient, the weight after


@dataclass(frozen=True, eq=False)
class Part:
    """A part of the model, forward or backward, in the order in which it happened.

    sizes   root mean square of each token's numbers in the first sequence; of a long one the
            largest of neighbors
    mean    of all tokens
    came    seconds since the phase began, when it was there
    norms   (parameter, norm of its gradient)
    """

    name: str
    label: str
    sizes: np.ndarray
    mean: float
    shape: tuple[int, ...]
    dtype: str
    came: float
    norms: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """Ranks add up a bucket of gradients: seconds since backward began; `ready`: all have come."""

    label: str
    start: float
    ready: float
    end: float
    bytes: int


@dataclass(frozen=True, eq=False)
class Row:
    """A name of the optimizer's rule with its kept numbers. `place`: the line that makes it; -1:
    it was there before.
    """

    name: str
    values: np.ndarray
    place: int


@dataclass(frozen=True, eq=False)
class Scene:
    """All that is shown of a recorded step."""

    recording: Recording
    config: TrainingConfig
    trace: Trace
    parameter: str = ""
    lane: Lane | None = None

    @cached_property
    def phases(self) -> list[str]:
        return [self.trace[at].name.partition(".")[2] for at in self.trace.children()]

    def batch(self, what: str) -> np.ndarray:
        """ "ids", "targets", "losses", ... of the first micro-batch; empty where not recorded."""
        return self.recording.arrays.get(f"batch.0.{what}", np.zeros((0, 0)))

    @cached_property
    def pieces(self) -> Mapping[int, bytes]:
        return self.recording.pieces()

    def piece(self, id: int) -> bytes:
        """A token's bytes; its number where they were not recorded, a dash for none."""
        return self.pieces.get(int(id), str(id).encode()) if id >= 0 else NONE.encode()

    def likeliest(self, sequence: int, place: int) -> list[tuple[int, float, bool]]:
        """(id, probability, whether it came) of the likeliest next tokens; the one that came is
        last where it is none of them.
        """
        if not self.batch("likeliest").size:
            return []
        at = sequence, place
        ids, shares = self.batch("likeliest")[at].tolist(), self.batch("probabilities")[at].tolist()
        came = int(self.batch("targets")[at])
        found = [(id, share, id == came) for id, share in zip(ids, shares, strict=True)]
        if came >= 0 and came not in ids:
            found.append((came, math.exp(-float(self.batch("losses")[at])), True))
        return found

    @cached_property
    def forward(self) -> tuple[Part, ...]:
        events = self.recording.parts("forward")
        begun = min((event.start for event in events), default=0.0)
        return tuple(self._part(event, event.end - begun) for event in events)

    @cached_property
    def backward(self) -> tuple[Part, ...]:
        events = self.recording.parts("backward")
        norms: dict[str, list[tuple[str, float]]] = {}
        for name, told in self.recording.facts.parameters.items():
            of = max((e.name for e in events if name.startswith(f"{e.name}.")), key=len, default="")
            norms.setdefault(of, []).append((name, told.gradient))
        begun = self.backward_span[0]
        return tuple(
            self._part(event, event.start - begun, tuple(norms.get(event.name, ())))
            for event in events
        )

    def _part(
        self, event: Happened, came: float, norms: tuple[tuple[str, float], ...] = ()
    ) -> Part:
        sizes = self.recording.arrays.get(f"{event.kind}.0.{event.name}", np.zeros(0))
        first = np.atleast_1d(sizes[0] if sizes.ndim > 1 else sizes)
        pooled = [
            one.max() for one in np.array_split(first, min(len(first), BARS) or 1) if len(one)
        ]
        mean = float(sizes.mean()) if sizes.size else math.nan
        label = label_of(event.name)
        return Part(
            event.name, label, np.array(pooled), mean, event.shape, event.dtype, came, norms
        )

    @cached_property
    def backward_span(self) -> tuple[float, float]:
        """Unix seconds of the first micro-batch's backward."""
        whole = [e for e in self.recording.facts.events if e.kind == "backward" and not e.name]
        return (whole[0].start, whole[0].end) if whole else (0.0, 0.0)

    @cached_property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Of this rank, from the beginning of backward on."""
        if self.lane is None:
            return ()
        backward = self.lane.phases[self.lane.phases["kind"] == KINDS.index("backward")]
        if not len(backward):
            return ()
        begun, counted, found = float(backward["start"][0]), dict.fromkeys(EXCHANGES, 0), []
        for one in self.lane.exchanges:
            kind = KINDS[one["kind"]]
            if kind in ("sum", "broadcast") or one["end"] < begun:
                continue
            counted[kind] += 1
            times = (float(one[name]) - begun for name in ("start", "ready", "end"))
            found.append(Exchange(f"{kind} {counted[kind]}", *times, int(one["bytes"])))
        return tuple(found)

    @cached_property
    def clip_shares(self) -> list[tuple[str, float]]:
        """Each part's share of the gradient's squared length, the largest first."""
        squares = [(part.label, sum(norm**2 for _, norm in part.norms)) for part in self.backward]
        total = sum(square for _, square in squares)
        if not total or not math.isfinite(total):
            return []
        return sorted(((name, s / total) for name, s in squares if s), key=lambda one: -one[1])

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The kept numbers of the chosen parameter: before, line by line, after."""
        found: dict[str, Row] = {}
        for place, step in enumerate(self.lines):
            made, *reads = step.values
            for name in (*reads, made):
                values = step.value(name)
                if values.ndim and values.size == len(self.kept) and name not in found:
                    found[name] = Row(name, values.reshape(-1), place if name == made else -1)
        first = {name: found[name] for name in MOVED[:2] if name in found}
        before = {name: row for name, row in found.items() if row.place < 0}
        return tuple(({**first, **before, **found} or self._as_kept()).values())

    def _as_kept(self) -> dict[str, Row]:
        """Of a rule without lines for single weights: what was before, and what came of it."""
        kept = {
            key.removeprefix(f"weights.{self.parameter}."): values
            for key, values in self.recording.arrays.items()
            if self.parameter and key.startswith(f"weights.{self.parameter}.")
        }
        names = {"before": "param", "gradient": "grad", "after": "new"}
        last = {"before": 0, "gradient": 1, "after": 3}
        order = sorted(sorted(kept, reverse=True), key=lambda name: last.get(name, 2))
        return {name: Row(names.get(name, name), kept[name], -1) for name in order}

    @property
    def kept(self) -> np.ndarray:
        return self.recording.arrays.get(f"weights.{self.parameter}.before", np.zeros(0))

    @cached_property
    def lines(self) -> list:  # type: ignore[type-arg]
        """The steps inside the optimizer."""
        if "optimizer" not in self.phases:
            return []
        parent = self.trace.children()[self.phases.index("optimizer")]
        return [self.trace[at] for at in self.trace.children(parent)]

    @cached_property
    def updates(self) -> tuple[int, np.ndarray]:
        """The histogram of |update| / |weight|: the first exponent of 2, and counts without the
        empty ends.
        """
        counts = self.recording.arrays.get("updates", np.zeros(0, np.int64))
        there = np.flatnonzero(counts)
        if not len(there):
            return 0, np.zeros(0, np.int64)
        return SMALLEST + int(there[0]), counts[there[0] : there[-1] + 1]

    @property
    def unmoved(self) -> int:
        return int(np.sum(self.recording.arrays.get("unmoved", 0)))

    @cached_property
    def memory(self) -> tuple[np.ndarray, np.ndarray]:
        """Seconds since the first part began, and the bytes that are kept from then on."""
        times = self.recording.arrays.get("memory.time", np.zeros(0))
        kept = self.recording.arrays.get("memory.bytes", np.zeros(0))
        return times - self.begun, kept

    @cached_property
    def begun(self) -> float:
        return min((event.start for event in self.recording.facts.events), default=0.0)

    def moment(self, phase: int, inner: int | None) -> float:
        """Seconds since the first part began, at a phase or a step inside it."""
        name = self.phases[phase]
        kind = {"data": "", "forward": "forward", "loss": "forward"}.get(name, "backward")
        events: Sequence[Happened] = self.recording.parts(kind) if kind else ()
        if inner is not None and name in ("forward", "backward") and inner < len(events):
            return events[inner].end - self.begun
        if kind == "backward":
            return self.backward_span[1] - self.begun
        return events[-1].end - self.begun if events else 0.0
