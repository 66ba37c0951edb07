"""Lanes: what every rank of a run did in a step, side by side, and which rank waited for which.

An exchange between ranks begins when the last of them joins it. So a rank's exchange has two
parts: it waits until the last one has joined (`ready`), then bytes move. The rank for which the
others wait is the straggler.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from core.fields import from_json
from core.files import MEGABYTE, mapped
from core.training import records
from core.training.reader import JsonLines
from core.training.spans import EXCHANGES, KINDS, SPAN_DTYPE, STEP_PHASES

MOST_SPAN_BYTES = 2048 * MEGABYTE  # per rank: fifty million spans
LANE_DTYPE = np.dtype(
    [
        ("kind", "<i2"),  # index in spans.KINDS
        ("index", "<i2"),
        ("start", "<f8"),  # seconds since the first rank began the step
        ("ready", "<f8"),  # of an exchange: when the last rank joined; of a phase: its start
        ("end", "<f8"),
        ("bytes", "<i8"),
    ]
)
_EXCHANGE_KINDS = [KINDS.index(kind) for kind in EXCHANGES]
_BACKWARD, _ALL_REDUCE = KINDS.index("backward"), KINDS.index("all-reduce")
_PHASE_KINDS = [KINDS.index(kind) for kind in STEP_PHASES]


@dataclass(frozen=True, eq=False)
class Lane:
    """A rank's step: `phases` and `exchanges`, records of LANE_DTYPE sorted by start."""

    rank: int
    phases: np.ndarray
    exchanges: np.ndarray

    @cached_property
    def waits(self) -> np.ndarray:
        """Intervals in which the rank only waited for others, without overlap, (n, 2) in seconds.

        During DDP's all-reduces, backward continues until its last bucket is sent: from then on,
        nothing is left to compute. Any other exchange makes the rank wait from its start.
        """
        starts = self.exchanges["start"].copy()
        for phase in self.phases[self.phases["kind"] == _BACKWARD]:
            beside = self.exchanges["kind"] == _ALL_REDUCE
            beside &= (starts >= phase["start"]) & (starts < phase["end"])
            starts[beside] = starts[beside].max(initial=0.0)
        return union(starts, self.exchanges["ready"])

    @property
    def waited(self) -> float:
        """Seconds in which the rank only waited."""
        return length(self.waits)

    @property
    def exchanged(self) -> float:
        """Seconds in which the rank's bytes moved, often while it computed."""
        return length(union(self.exchanges["ready"], self.exchanges["end"]))

    def pieces(self, phase: np.void) -> list[tuple[float, float, float]]:
        """Returns a phase as pieces of (start, ready, end): the rank only waits until `ready`,
        then computes.
        """
        start, end = float(phase["start"]), float(phase["end"])
        waits = np.clip(self.waits, start, end)
        edges = [(start, start), *waits[waits[:, 1] > waits[:, 0]].tolist(), (end, end)]
        pieces = [(*edge, after) for edge, (after, _) in itertools.pairwise(edges)]
        return [piece for piece in pieces if piece[2] > piece[0]] or [(start, start, end)]

    @property
    def computing(self) -> float:
        """Seconds in which the rank computed: its phases without the time in which it only waited.
        Time in which bytes move during a phase counts as computation, though it may be none.
        """
        return sum(end - ready for phase in self.phases for _, ready, end in self.pieces(phase))

    @property
    def bytes(self) -> int:
        """Bytes that the rank contributed to exchanges."""
        return int(self.exchanges["bytes"].sum())

    @property
    def end(self) -> float:
        """The end of the rank's step."""
        ends = [part["end"].max() for part in (self.phases, self.exchanges) if len(part)]
        return float(max(ends, default=0.0))


def union(starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Returns the union of intervals, (n, 2): those that overlap are merged."""
    found: list[list[float]] = []
    for start, end in sorted(zip(starts.tolist(), ends.tolist(), strict=True)):
        if found and start <= found[-1][1]:
            found[-1][1] = max(found[-1][1], end)
        elif end > start:
            found.append([start, end])
    return np.array(found).reshape(-1, 2)


def length(intervals: np.ndarray) -> float:
    """Returns the total length of intervals that do not overlap."""
    return float((intervals[:, 1] - intervals[:, 0]).sum())


def lanes_of(spans: Sequence[np.ndarray], offsets: Sequence[float] | None = None) -> list[Lane]:
    """Returns the lanes of one step.

    spans    per rank, its records of SPAN_DTYPE of that step
    offsets  per rank, the seconds that its clock is ahead of rank 0's
    """
    offsets = offsets or [0.0] * len(spans)
    begun = [
        float(mine["start"].min()) - ahead
        for mine, ahead in zip(spans, offsets, strict=True)
        if len(mine)
    ]
    zero = min(begun, default=0.0)
    lanes = []
    for mine, ahead in zip(spans, offsets, strict=True):
        lane = np.zeros(len(mine), LANE_DTYPE)
        for name in ("kind", "index", "bytes"):
            lane[name] = mine[name]
        for name in ("start", "end"):
            lane[name] = mine[name] - ahead - zero
        lane["ready"] = lane["start"]
        lanes.append(np.sort(lane, order=("start", "end")))
    _find_ready(lanes)
    return [
        Lane(
            rank,
            lane[np.isin(lane["kind"], _PHASE_KINDS)],
            lane[np.isin(lane["kind"], _EXCHANGE_KINDS)],
        )
        for rank, lane in enumerate(lanes)
    ]


def _find_ready(lanes: Sequence[np.ndarray]) -> None:
    """Sets each exchange's `ready` to the start of the last rank that joined, at most its end."""
    for kind in _EXCHANGE_KINDS:
        mine = [np.flatnonzero(lane["kind"] == kind) for lane in lanes]
        for place in range(min(map(len, mine), default=0)):
            met = [(lane, found[place]) for lane, found in zip(lanes, mine, strict=True)]
            last = max(float(lane["start"][at]) for lane, at in met)
            for lane, at in met:
                lane["ready"][at] = min(max(last, lane["start"][at]), lane["end"][at])


def straggler(lanes: Sequence[Lane], least: float = 0.1) -> int | None:
    """Returns the rank for which the others wait: on average they wait longer than it does, by
    more than the share `least` of the step. Returns None if there is no such rank.
    """
    if len(lanes) < 2:
        return None
    waited = [lane.waited for lane in lanes]
    slowest = int(np.argmin(waited))
    others = (sum(waited) - waited[slowest]) / (len(lanes) - 1)
    seconds = max(lane.end for lane in lanes)
    return lanes[slowest].rank if others - waited[slowest] > least * seconds else None


class LaneReader:
    """The spans of the ranks of a run folder's newest attempt, read while they grow.

    Raises ValueError if `folder` is not a run folder, or if one of its files is invalid.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.ranks = 0
        self._files: list[np.ndarray] = []
        self._clocks: list[JsonLines] = []
        self._told: list[dict[int, dict[int, records.Clock]]] = []  # per rank, attempt, step
        self.refresh()

    def refresh(self) -> None:
        """Reads what has been added."""
        manifest = records.read_manifest(self.folder)
        attempts = manifest["attempts"]
        self._last = records.limits(attempts)
        self.ranks = int(attempts[-1].get("ranks", 1)) if attempts else 0
        self.ranks = min(self.ranks, sum(1 for _ in self.folder.glob("rank*.spans")))
        self._files = [self._open(rank) for rank in range(self.ranks)]
        while len(self._clocks) < self.ranks:
            self._clocks.append(JsonLines(records.events_file(self.folder, len(self._clocks))))
            self._told.append({})
        for lines, told in zip(self._clocks, self._told, strict=True):
            for event in lines.read():
                if event.get("event") == "clock" and records.is_event(event):
                    clock = from_json(records.Clock, event, some=True)
                    told.setdefault(clock.attempt, {})[clock.step] = clock

    def _open(self, rank: int) -> np.ndarray:
        path = records.spans_file(self.folder, rank)
        try:
            return mapped(path, SPAN_DTYPE, MOST_SPAN_BYTES)  # an incomplete last one is read later
        except FileNotFoundError:
            return np.empty(0, SPAN_DTYPE)

    @property
    def last_step(self) -> int:
        """The newest step that every rank has recorded and that no later attempt repeats; 0 before
        the first.
        """
        if not self._files or not all(map(len, self._files)):
            return 0
        newest = [file[-1] for file in self._files]
        attempts = len(self._last) - 1
        ends = (self._last[min(max(int(one["attempt"]), 0), attempts)] for one in newest)
        return min(min(int(one["step"]), int(end)) for one, end in zip(newest, ends, strict=True))

    def step(self, step: int) -> list[Lane]:
        """Returns the lanes of a step, empty if nothing is known about it."""
        found = [_of_step(file, step, self._last) for file in self._files]
        attempts = [int(spans["attempt"][0]) for spans in found if len(spans)]
        attempt = max(attempts, default=0)
        told = [clocks.get(attempt, {}) for clocks in self._told]
        return lanes_of(found, [ahead(*_last_pair(mine, told[0], step)) for mine in told])

    def totals(self, first: int, last: int) -> np.ndarray:
        """Returns the seconds per rank and kind in the steps `first` to `last`: (ranks, kinds)."""
        totals = np.zeros((self.ranks, len(KINDS)))
        for rank, file in enumerate(self._files):
            start, stop = _rows(file, first, last, self._last)
            part = file[start:stop]
            seconds = part["end"] - part["start"]
            known = (part["kind"] >= 0) & (part["kind"] < len(KINDS))
            np.add.at(totals[rank], part["kind"][known], seconds[known])
        return totals


def _last_pair(
    mine: Mapping[int, records.Clock], theirs: Mapping[int, records.Clock], step: int
) -> tuple[records.Clock | None, records.Clock | None]:
    """Returns the clocks of two ranks when they were last compared before a step."""
    both = mine.keys() & theirs.keys()
    at = max((found for found in both if found < step), default=min(both, default=0))
    return mine.get(at), theirs.get(at)


def ahead(clock: records.Clock | None, first: records.Clock | None) -> float:
    """Returns the seconds that a rank's clock is ahead of the first rank's: 0 on one machine.

    Each pair of readings followed a barrier. A rank may not have run right after some of them, so
    the median counts.
    """
    if clock is None or first is None or clock.host == first.host:
        return 0.0
    count = min(len(clock.now), len(first.now))
    pairs = zip(clock.now[:count], first.now[:count], strict=True)
    return float(np.median([mine - theirs for mine, theirs in pairs])) if count else 0.0


def _of_step(file: np.ndarray, step: int, last: np.ndarray) -> np.ndarray:
    start, stop = _rows(file, step, step, last)
    found = np.asarray(file[start:stop])
    sound = (found["kind"] >= 0) & (found["kind"] < len(KINDS)) & (found["step"] == step)
    return found[sound & np.isfinite(found["start"]) & np.isfinite(found["end"])]


def _rows(file: np.ndarray, first: int, last: int, limits: np.ndarray) -> tuple[int, int]:
    """Returns the start and stop of a rank's rows of these steps, in the newest attempt with any.

    Within an attempt, steps only grow, so a binary search finds them among millions.
    """

    def place(name: str, value: int, begin: int = 0, end: int | None = None) -> int:
        """Returns the first row in which a column has reached a value."""
        stop = len(file) if end is None else end
        return bisect_left(range(stop), value, begin, stop, key=lambda row: int(file[row][name]))

    for attempt in range(len(limits) - 1, 0, -1):
        begin, end = place("attempt", attempt), place("attempt", attempt + 1)
        start, stop = place("step", first, begin, end), place("step", last + 1, begin, end)
        if start < stop and first <= limits[attempt]:
            return start, stop
    return 0, 0
