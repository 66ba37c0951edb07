"""What stands where in the lanes: of a measured step or of a computed one, in the same numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from core.training.estimates.communication import all_gather, all_reduce, reduce_scatter
from core.training.estimates.step_timeline import Held, Part, StepTimeline
from core.training.lanes import Lane
from core.training.spans import EXCHANGES, KINDS

COMPUTE, EXCHANGE = 0, 1  # the two rows of a lane


@dataclass(frozen=True, slots=True)
class Bar:
    """From `start` to `end` (seconds) a rank does something; up to `ready` it waits for others.

    `event` is the step of the track that it belongs to.
    """

    rank: int
    row: int
    kind: str
    label: str
    start: float
    ready: float
    end: float
    bytes: float
    event: int = 0

    @property
    def short(self) -> str:
        """Its label where there is little room: the number of its block or small batch."""
        last = self.label.rpartition(" ")[2]
        return last if last.isdecimal() else self.label


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens on several ranks at about the same time: one step of the track."""

    kind: str
    label: str
    bars: tuple[Bar, ...]

    @property
    def start(self) -> float:
        return min(bar.start for bar in self.bars)

    @property
    def end(self) -> float:
        return max(bar.end for bar in self.bars)

    @property
    def waited(self) -> float:
        """The longest wait of a rank in it."""
        return max(bar.ready - bar.start for bar in self.bars)

    @property
    def first(self) -> int:
        """The rank that came first, and waits the longest."""
        return min(self.bars, key=lambda bar: bar.start).rank

    @property
    def last(self) -> int:
        """The rank that came last, for which the others waited."""
        return max(self.bars, key=lambda bar: bar.start).rank

    @property
    def bytes(self) -> float:
        """That one rank gives."""
        return max(bar.bytes for bar in self.bars)


@dataclass(frozen=True, eq=False)
class Scene:
    """All lanes of a step. `held` and `parts`: what each rank holds of which part of the model;
    `notes`: a few words about each rank.
    """

    ranks: int
    events: tuple[Event, ...]
    seconds: float
    computed: bool
    straggler: int | None = None
    parts: tuple[Part, ...] = ()
    held: tuple[Held, ...] = ()
    waited: tuple[float, ...] = ()  # seconds a rank, in the step
    held_up: tuple[float, ...] = ()  # of these, those in which it did nothing else
    notes: tuple[str, ...] = ()
    bars: tuple[Bar, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "bars", tuple(bar for event in self.events for bar in event.bars))

    def event_at(self, seconds: float) -> int:
        """The last event that has begun by then."""
        begun = [place for place, event in enumerate(self.events) if event.start <= seconds]
        return begun[-1] if begun else 0

    def time_at(self, position: float) -> float:
        """When the cursor at a place of the track is: it moves from an event's start to the next
        one's.
        """
        if not self.events:
            return 0.0
        place = min(max(int(position), 0), len(self.events) - 1)
        start = self.events[place].start
        after = (
            self.events[place + 1].start if place + 1 < len(self.events) else self.events[place].end
        )
        return start + (after - start) * (position - place)


def measured_scene(
    lanes: Sequence[Lane],
    straggler: int | None = None,
    parts: Sequence[Part] = (),
    held: Sequence[Held] = (),
) -> Scene:
    """Of the lanes of a step that was trained."""
    bars: dict[tuple[str, int], list[Bar]] = {}
    for lane in lanes:
        kinds = lane.exchanges["kind"].tolist()
        for row, part in ((COMPUTE, lane.phases), (EXCHANGE, lane.exchanges)):
            for one in part:
                kind, index = KINDS[one["kind"]], int(one["index"])
                several = kinds.count(int(one["kind"])) > 1
                label = f"{kind} {index + 1}" if several and kind in EXCHANGES else kind
                times = (float(one[name]) for name in ("start", "ready", "end"))
                sent = sent_bytes(kind, float(one["bytes"]), len(lanes))
                bar = Bar(lane.rank, row, kind, label, *times, sent)
                bars.setdefault((kind, index), []).append(bar)
    return Scene(
        ranks=len(lanes),
        events=_in_order(bars.values()),
        seconds=max((lane.end for lane in lanes), default=0.0),
        computed=False,
        straggler=straggler,
        parts=tuple(parts),
        held=tuple(held),
        waited=tuple(lane.waited for lane in lanes),
        held_up=tuple(lane.held_up for lane in lanes),
    )


def sent_bytes(kind: str, size: float, ranks: int) -> float:
    """What a rank sends over a ring in an exchange to which it gives so many bytes."""
    if kind in ("all-reduce", "sum"):
        return all_reduce(size, ranks).bytes
    if kind == "reduce-scatter":
        return reduce_scatter(size, ranks).bytes
    if kind == "all-gather":  # it gives its part of the whole
        return all_gather(size * ranks, ranks).bytes
    return 0.0


def computed_scene(step: StepTimeline) -> Scene:
    """Of a step that was computed from formulas."""
    bars: dict[tuple[object, ...], list[Bar]] = {}
    counted: dict[tuple[object, ...], int] = {}
    pipeline = step.strategy == "pipeline"
    for doing in step.doings:
        name = step.parts[doing.part].name
        label = f"{doing.kind} {name}"
        if pipeline and not doing.is_exchange:
            label = (
                f"{doing.kind} {doing.micro_batch + 1}" if doing.kind != "optimizer" else doing.kind
            )
        elif doing.kind == "optimizer":
            label = doing.kind
        key: tuple[object, ...] = (doing.kind, "" if pipeline else doing.part, doing.micro_batch)
        nth = counted[doing.device, *key] = counted.get((doing.device, *key), -1) + 1
        row = EXCHANGE if doing.is_exchange else COMPUTE
        bar = Bar(
            doing.device, row, doing.kind, label, doing.start, doing.start, doing.end, doing.bytes
        )
        bars.setdefault((*key, nth), []).append(bar)
    return Scene(
        step.devices, _in_order(bars.values()), step.seconds, True, None, step.parts, step.held
    )


def _in_order(groups: Iterable[list[Bar]]) -> tuple[Event, ...]:
    """Events by when they begin; each of their bars knows its place."""
    ordered = sorted(groups, key=lambda bars: (min(bar.start for bar in bars), bars[0].row))
    events = []
    for place, bars in enumerate(ordered):
        known = tuple(
            Bar(b.rank, b.row, b.kind, b.label, b.start, b.ready, b.end, b.bytes, place)
            for b in bars
        )
        events.append(Event(known[0].kind, known[0].label, known))
    return tuple(events)


def held_by(strategy: str, parts: Sequence[Part], ranks: int) -> tuple[Held, ...]:
    """What each rank of a run holds: all of it under "ddp", its part under "fsdp2"."""
    return tuple(
        Held(rank, part, state, *share)
        for rank in range(ranks)
        for part in range(len(parts))
        for state in ("weights", "gradients", "optimizer")
        for share in [(rank / ranks, (rank + 1) / ranks) if strategy == "fsdp2" else (0.0, 1.0)]
    )
