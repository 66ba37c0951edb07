r"""A training step as a Trace across ranks: what the ranks do together is one Step.

`RunLanes` builds it from the records of a run's ranks, `estimated_trace` from a step computed from
formulas, both in the same form. Loads no torch.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from core.numbers import format_brief
from core.trace import Step, Trace
from core.training.config import TrainingConfig
from core.training.estimates.communication import COLLECTIVES, Transfer
from core.training.estimates.plan import compute_seconds
from core.training.estimates.step_timeline import (
    STATES,
    Operation,
    Part,
    Shard,
    StepTimeline,
    parts_of,
    shard_bytes,
    shards_of,
)
from core.training.lanes import Lane, LaneReader, straggler
from core.training.phases import phase_step
from core.training.rank_ends import RankEnd, rank_ends
from core.training.reader import RunReader
from core.training.spans import EXCHANGES, KINDS

BAR_DTYPE = np.dtype(
    [
        ("place", "<i4"),  # index of its Step in the trace
        ("rank", "<i4"),
        ("exchange", "?"),  # True: an exchange; False: computation
        ("start", "<f8"),  # seconds since the step began
        ("ready", "<f8"),  # until then the rank only waits, for other ranks or for work
        ("end", "<f8"),
        ("bytes", "<f8"),  # sent
    ]
)
HOLDING_DTYPE = np.dtype(
    [
        ("rank", "<i4"),
        ("state", "<i4"),  # index in STATES
        ("part", "<i4"),  # index of the model's part
        ("left", "<f8"),  # edges of the part, as shares of all weights
        ("right", "<f8"),
        ("begin", "<f8"),  # range that the rank holds, as shares of the part
        ("end", "<f8"),
        ("bytes", "<f8"),
    ]
)
TOLD = 0.05  # share of the step: a shorter wait is not mentioned
SOONER = 1e-9  # share of the step: a shorter wait is only a rounding error of floats
# what happens in a Step; {}: "rank" or "device"
WORDS = {
    "data": "the batch is drawn, and each {} takes its own sequences",
    "forward": "each {} predicts the next tokens of its own sequences",
    "backward": "each {} computes the gradients for its own sequences",
    "optimizer": "each {} moves the weights that it holds",
    "all-reduce": "the {}s add up their gradients, and each gets the sum",
    "all-gather": "each {0} gets the other {0}s' parts of the weights",
    "reduce-scatter": "the {}s add up their gradients, and each keeps its part of the sum",
    "sum": "the {}s add up a few numbers, such as token counts or losses",
}
ESTIMATED_WORDS = {"forward": "each {} computes this part for its own sequences"}
STRATEGY_WORDS = {
    "tensor": {
        "forward": "each {} multiplies its columns and rows of the matrices",
        "backward": "each {} computes the gradients of its columns and rows",
        "all-reduce": "the results of the {}s' columns and rows are added up",
    },
    "pipeline": {
        "forward": "it passes through the layers, stage after stage",
        "backward": "its gradients pass from the last stage back to the first",
        "send": "each stage's output goes to the next stage",
        "send back": "the gradient of each stage's input goes to the stage before",
    },
}
LABELS = {  # of estimated operations; for all others "{kind} of {which}"
    "optimizer": "optimizer",
    "send": "send {which}",
    "send back": "send the gradients of {which} back",
}
FORMULAS = {  # of measured exchanges
    "all-reduce": r"g = \sum_{r} g_r",
    "all-gather": r"\theta = [\, \theta_1, \theta_2, \dots, \theta_N \,]",
    "reduce-scatter": r"g_r = \Big( \sum_{s} g_s \Big)_r",
    "sum": r"n = \sum_{r} n_r",
}
CODE = {
    "all-reduce": "core.training.data_parallel:_add_up#all_reduce",
    "all-gather": "core.training.fully_sharded:Gather.__call__#gather",
    "reduce-scatter": "core.training.fully_sharded:Scatter.__call__#scatter",
    "sum": "core.training.ranks:Ranks.sums#sum",
}
_TIME = r"t = \frac{C}{\mathrm{FLOP/s}}"
_HALF = r"\mathrm{bytes} = \frac{N-1}{N} \, M"
ESTIMATED_FORMULAS = {
    "forward": rf"{_TIME}, \quad C = 2 \, n_{{\mathrm{{weights}}}} \, n_{{\mathrm{{tokens}}}}",
    "backward": rf"{_TIME}, \quad C = 4 \, n_{{\mathrm{{weights}}}} \, n_{{\mathrm{{tokens}}}}",
    "optimizer": _TIME,
    "all-reduce": r"\mathrm{bytes} = 2 \, \frac{N-1}{N} \, M",
    "all-gather": _HALF,
    "reduce-scatter": _HALF,
    "send": r"t = \lambda + \frac{M}{W}",
    "send back": r"t = \lambda + \frac{M}{W}",
}


@dataclass(frozen=True, eq=False)
class LaneTrace:
    """A training step across ranks.

    trace      one Step for each thing that ranks do together, in the order of their starts; its
               `lane` is "compute" or "exchange"
    labels     short label of each Step: "all-reduce 2"
    bars       records of BAR_DTYPE, Step by Step: a rank's part in a Step, in pieces if the rank
               waits in between
    parts      the parts of the model
    shards     the shards of them that each rank holds
    memory     bytes that each rank holds, (ranks,) or (0,): of its process, or of these shards
    cores      cores that each rank keeps busy, (ranks,) or (0,)
    gpu        share of time in which each rank's GPU computes, (ranks,) or (0,)
    straggler  the rank for which the others wait
    number     optimizer step of the run; 0: an estimate, or no step was timed yet
    ends       how the ranks of a failed run ended
    """

    strategy: str
    ranks: int
    estimated: bool
    trace: Trace
    labels: tuple[str, ...]
    bars: np.ndarray
    parts: tuple[Part, ...]
    shards: tuple[Shard, ...]
    memory: np.ndarray
    cores: np.ndarray
    gpu: np.ndarray
    straggler: int | None = None
    number: int = 0
    ends: Mapping[int, RankEnd] = field(default_factory=dict)

    @cached_property
    def seconds(self) -> float:
        """Duration of the step in seconds."""
        return float(self.bars["end"].max(initial=0.0))

    @property
    def computing(self) -> np.ndarray:
        """Seconds in which each rank computes, (ranks,)."""
        return self._sums(self.bars["end"] - self.bars["ready"])

    @property
    def waited(self) -> np.ndarray:
        """Seconds in which each rank only waits instead of computing, (ranks,)."""
        return self._sums(self.bars["ready"] - self.bars["start"])

    @property
    def waiting(self) -> float:
        """The share of the step that the ranks spend waiting, on average; 0 without a step."""
        return float(self.waited.mean()) / self.seconds if self.seconds else 0.0

    def _sums(self, seconds: np.ndarray) -> np.ndarray:
        """Returns the sums over each rank's bars of computation, (ranks,)."""
        computes = ~self.bars["exchange"]
        return np.bincount(self.bars["rank"][computes], seconds[computes], self.ranks)

    @property
    def busy(self) -> np.ndarray:
        """The share of the step in which each rank computes, (ranks,)."""
        return np.clip(self.computing / max(self.seconds, 1e-12), 0.0, 1.0)

    @property
    def sent(self) -> float:
        """Largest number of bytes that a rank sends."""
        sums = np.bincount(self.bars["rank"], self.bars["bytes"], self.ranks)
        return float(sums.max(initial=0.0))

    @property
    def noun(self) -> str:
        """Noun for its ranks: "device" in an estimate, else "rank"."""
        return "device" if self.estimated else "rank"

    @cached_property
    def kinds(self) -> list[str]:
        """Kind of each Step: "forward", "all-reduce"."""
        return [step.name.partition(".")[2] for step in self.trace]

    def words(self, place: int) -> tuple[str, ...]:
        """Returns labels for a Step, longest first: "forward of block 3", "block 3", "3"."""
        label = self.labels[place]
        last = label.rpartition(" ")[2]
        found = (label, label.partition(" of ")[2], last if last.isdecimal() else "")
        return tuple(filter(None, found))

    def of(self, place: int) -> np.ndarray:
        """Returns the bars of a Step."""
        return self.bars[self.bars["place"] == place]

    @cached_property
    def holdings(self) -> np.ndarray:
        """Range of each part with weights that each rank holds, possibly empty: HOLDING_DTYPE."""
        weights = np.array([0, *(part.weights for part in self.parts)])
        edges = np.cumsum(weights) / max(weights.sum(), 1)
        shards = {(one.device, one.state, one.part): one for one in self.shards}
        rows = []
        for rank, state, part in product(range(self.ranks), STATES, range(len(self.parts))):
            shard = shards.get((rank, state, part), Shard(rank, part, state, 0.0, 0.0))
            place, size = (rank, STATES.index(state), part), shard_bytes(shard, self.parts)
            rows.append((*place, edges[part], edges[part + 1], shard.begin, shard.end, size))
        found = np.array(rows, HOLDING_DTYPE)
        return found[found["right"] > found["left"]]

    def by_rank(self, place: int) -> dict[str, np.ndarray]:
        """Returns for each rank of a Step its start, the seconds it waited, the seconds it took
        apart from that, and the bytes that it sent.
        """
        bars = self.of(place)
        ranks, first = np.unique(bars["rank"], return_index=True)
        waited, took = bars["ready"] - bars["start"], bars["end"] - bars["ready"]
        told = {"waited (s)": waited, "took (s)": took, "bytes": bars["bytes"]}
        sums = {name: np.bincount(bars["rank"], told[name])[ranks] for name in told}
        return {"rank": ranks, "start (s)": bars["start"][first], **sums}


class RunLanes:
    """The steps of a run as LaneTraces, read while the run grows.

    Raises ValueError if `folder` is not a run folder, or if one of its files is invalid.
    """

    def __init__(self, folder: str | Path) -> None:
        self.lanes = LaneReader(folder)
        self.runs: list[RunReader] = []

    def read(self, step: int = 0) -> LaneTrace:
        """Reads the run's new records and returns a step; 0: the newest that all have recorded."""
        self.lanes.refresh()
        for run in self.runs:
            run.refresh()
        while len(self.runs) < max(self.lanes.ranks, 1):
            self.runs.append(RunReader(self.lanes.folder, len(self.runs)))
        newest = self.lanes.last_step
        shown = min(step, newest) if step else newest
        records = [_record(run.steps, shown) for run in self.runs]
        lanes = self.lanes.step(shown) if shown else []
        made = measured_trace(lanes, self.runs[0].config, shown, records, self.lanes.ranks)
        return replace(made, ends=rank_ends(self.runs[: self.lanes.ranks]))


def _record(steps: np.ndarray, step: int) -> dict[str, float]:
    """Returns a rank's record of a step, or {} if there is none."""
    at = bisect_left(range(len(steps)), step, key=lambda row: int(steps[row]["step"]))
    if at == len(steps) or steps[at]["step"] != step:
        return {}
    return {name: float(steps[at][name]) for name in steps.dtype.names or ()}


def _told(records: Sequence[Mapping[str, float]], field: str) -> np.ndarray:
    """Returns a field of all ranks' records, (ranks,); (0,) if unknown for one or 0 for all."""
    told = np.array([record.get(field, np.nan) for record in records])
    return told if np.isfinite(told).all() and told.any() else np.zeros(0)


def measured_trace(
    lanes: Sequence[Lane],
    config: TrainingConfig,
    number: int,
    records: Sequence[Mapping[str, float]] = (),
    ranks: int = 0,
) -> LaneTrace:
    """Returns the LaneTrace of a trained step.

    number   optimizer step of the run
    records  each rank's record of the step
    ranks    number of ranks, for a step that none has recorded
    """
    ranks = len(lanes) or ranks
    found: dict[tuple[str, int], list[Any]] = {}
    for lane in lanes:
        counted: Counter[str] = Counter()  # spans of each kind so far, in the order of their starts
        for exchange, spans in ((False, lane.phases), (True, lane.exchanges)):
            for span in spans:
                kind = KINDS[span["kind"]]
                sent = sent_bytes(kind, float(span["bytes"]), ranks)
                times = float(span["start"]), float(span["ready"]), float(span["end"])
                counted[kind] += 1
                for piece in [times] if exchange else lane.pieces(span):
                    bar = (lane.rank, exchange, *piece, sent)
                    found.setdefault((kind, counted[kind]), []).append(bar)
    groups = _in_order(found)
    count = Counter(kind for kind, _ in found)
    length = max((lane.end for lane in lanes), default=0.0)
    strategy = config.parallel if ranks > 1 else "ddp"
    steps, labels = [], []
    for (kind, number_of_kind), bars in groups:
        label, words = kind, WORDS.get(kind, "").format("rank")
        label += f" {number_of_kind}" if count[kind] > 1 else ""
        if kind in EXCHANGES:
            step = Step(f"ranks.{kind}", "", FORMULAS[kind], CODE[kind], {})
        else:
            step = phase_step(kind, config, number, records[0] if records else None)
            words = words or step.title.partition(": ")[2]
        labels.append(label)
        steps.append(replace(step, title=f"{_title(label, words)}{_wait(bars, length)}"))
    return LaneTrace(
        strategy=strategy,
        ranks=ranks,
        estimated=False,
        trace=_trace(steps, groups),
        labels=tuple(labels),
        bars=_joined(groups),
        parts=parts_of(config.model),
        shards=shards_of(strategy, len(parts_of(config.model)), ranks),
        memory=_told(records, "memory"),
        cores=_told(records, "cpu"),
        gpu=_told(records, "gpu"),
        straggler=straggler(lanes),
        number=number,
    )


def _wait(bars: np.ndarray, length: float) -> str:
    """Returns which rank waits for which, or "" if the wait is too short to mention."""
    longest = float((bars["ready"] - bars["start"]).max())
    if not bars["exchange"].all() or len(bars) < 2 or longest <= TOLD * length:
        return ""
    first, last = (int(bars["rank"][at(bars["start"])]) for at in (np.argmin, np.argmax))
    return f"; rank {first} waits {format_brief(longest)} for rank {last}"


def sent_bytes(kind: str, size: float, ranks: int) -> float:
    """Returns the bytes that a rank sends over a ring in an exchange of its `size` bytes."""
    if kind not in EXCHANGES:
        return 0.0
    whole = size * ranks if kind == "all-gather" else size  # `size` is its part
    return COLLECTIVES["all-reduce" if kind == "sum" else kind](whole, ranks).bytes


def estimated_trace(step: StepTimeline) -> LaneTrace:
    """Returns the LaneTrace of a step computed from formulas."""
    pipeline = step.strategy == "pipeline"
    free = [0.0] * step.devices  # when each device ended its last computation
    last: dict[int, tuple[Any, ...]] = {}  # the key of that computation
    found: dict[tuple[Any, ...], list[Any]] = {}
    first: dict[tuple[Any, ...], Operation] = {}
    counted: Counter[tuple[Any, ...]] = Counter()
    for one in sorted(step.operations, key=lambda one: one.start):
        key: tuple[Any, ...] = (one.kind, -1 if pipeline else one.part, one.micro_batch)
        counted[one.device, *key] += 1  # a block of tensor parallelism exchanges twice
        key = (*key, counted[one.device, *key])
        first.setdefault(key, one)
        start = one.start
        if not one.is_exchange:
            idle = one.start - free[one.device] > SOONER * step.seconds
            start = free[one.device] if idle else start
            free[one.device], last[one.device] = one.end, key
        bar = (one.device, one.is_exchange, start, one.start, one.end, one.bytes)
        found.setdefault(key, []).append(bar)
    for device, key in last.items():
        if step.seconds - free[device] > SOONER * step.seconds:
            bar = (device, False, free[device], step.seconds, step.seconds, 0.0)
            found[key].append(bar)
    groups = _in_order(found)
    words = WORDS | ESTIMATED_WORDS | STRATEGY_WORDS.get(step.strategy, {})
    steps, labels = [], []
    for key, _ in groups:
        one = first[key]
        which = f"micro-batch {one.micro_batch + 1}" if pipeline else step.parts[one.part].name
        label = LABELS.get(one.kind, "{kind} of {which}").format(kind=one.kind, which=which)
        code, values = _line(one, step)
        title = _title(label.replace(which, called(which)), words[one.kind].format("device"))
        labels.append(label)
        steps.append(Step(f"ranks.{one.kind}", title, ESTIMATED_FORMULAS[one.kind], code, values))
    devices = range(step.devices)
    return LaneTrace(
        strategy=step.strategy,
        ranks=step.devices,
        estimated=True,
        trace=_trace(steps, groups),
        labels=tuple(labels),
        bars=_joined(groups),
        parts=step.parts,
        shards=step.shards,
        memory=np.array([step.held_bytes(device) for device in devices]),
        cores=np.zeros(0),
        gpu=np.zeros(0),
    )


def _line(one: Operation, step: StepTimeline) -> tuple[str, dict[str, Any]]:
    """Returns the line of code that computes an operation's time or bytes, and its values."""
    here = "core.training.estimates"
    if not one.is_exchange:
        values = {"work": one.amount, "peak": step.speed, "efficiency": 1.0, "devices": 1}
        compute = compute_seconds(one.amount, step.speed)
        return f"{here}.plan:compute_seconds#compute", {**values, "compute": compute}
    if one.kind == "all-reduce":
        half = COLLECTIVES["reduce-scatter"](one.amount, step.devices).bytes
        values = {"there": half, "back": half, "sent": half + half}
        return f"{here}.communication:all_reduce#all_reduce", values
    if one.kind in COLLECTIVES:
        values = {"size": one.amount, "ranks": step.devices, "sent": one.bytes}
        return f"{here}.communication:_half#half", values
    link, sent = step.link, Transfer(one.amount, 1)
    values = {"steps": 1, "latency": link.latency, "sent": sent.bytes, "bandwidth": link.bandwidth}
    values["seconds"] = sent.seconds(link)
    return f"{here}.communication:Transfer.seconds#seconds", values


def _in_order(found: Mapping[Any, Sequence[Any]]) -> list[tuple[Any, np.ndarray]]:
    """Sorts the keys by the start of their first bar; returns the bars as BAR_DTYPE records."""

    def begins(bar: Any) -> tuple[float, bool]:
        _, exchange, start, ready, *_ = bar
        return start if exchange else ready, exchange

    ordered = sorted(found.items(), key=lambda one: min(map(begins, one[1])))
    return [
        (key, np.array([(place, *bar) for bar in bars], BAR_DTYPE))
        for place, (key, bars) in enumerate(ordered)
    ]


def _joined(groups: Sequence[tuple[Any, np.ndarray]]) -> np.ndarray:
    return np.concatenate([np.zeros(0, BAR_DTYPE), *(bars for _, bars in groups)])


def called(part: str) -> str:
    """Returns a part's name as used in a sentence: "the head", but "block 2"."""
    return part if part[-1].isdecimal() else f"the {part}"


def _title(label: str, words: str) -> str:
    return f"{label[:1].upper()}{label[1:]}: {words}"


def _trace(steps: Sequence[Step], groups: Sequence[tuple[Any, np.ndarray]]) -> Trace:
    """Returns a Trace of the Steps with the times of their bars."""
    trace = Trace()
    for step, (_, bars) in zip(steps, groups, strict=True):
        lane = "exchange" if bars["exchange"][0] else "compute"
        begins = bars["start"] if lane == "exchange" else bars["ready"]
        works = bars["end"][bars["end"] > bars["ready"]] if lane == "compute" else bars["end"]
        start, end = float(begins.min()), float(works.max(initial=begins.min()))
        trace.append(replace(step, lane=lane, start=start, end=end))
    return trace.finish()
