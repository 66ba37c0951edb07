"""Pipeline parallelism: layers on several stages, micro-batches passing through, idle time.

`schedule` is the order of work on each stage; `timeline` simulates it, with waiting times for the
neighbors' results. The formula of the bubble agrees with the simulated schedules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.files import quoted

SCHEDULES = ("gpipe", "1f1b", "interleaved")


def bubble(stages: int, micro_batches: int, chunks: int = 1) -> float:
    """Returns the idle time of a stage as a share of its working time: (p - 1) / (v m).

    GPipe and 1F1B alike (Huang et al. 2019, section 2.3; Narayanan et al. 2021, section 2.2). With
    v chunks of layers a stage, interleaved, it is v times smaller, and a stage sends v times as
    often. As a share of all the time, b / (1 + b). 4 stages and 8 micro-batches: 37.5 % of the
    working time, 27.3 % of all.
    """
    _check(stages, micro_batches, chunks)
    return (stages - 1) / (chunks * micro_batches)


class Work(NamedTuple):
    """One pass of one micro-batch through one chunk of layers."""

    backward: bool
    micro_batch: int
    chunk: int


@dataclass(frozen=True, slots=True)
class Span:
    """A pass, with its stage and times."""

    stage: int
    work: Work
    start: float
    end: float


def schedule(kind: str, stages: int, micro_batches: int, chunks: int = 1) -> list[list[Work]]:
    """Returns the order of work on each stage.

    gpipe        all forward passes, then all backward passes (Huang et al. 2019, figure 2)
    1f1b         from the first backward pass on, one forward, one backward in turn (Narayanan et
                 al. 2019, figure 4)
    interleaved  1f1b with several chunks of layers a stage: chunk c of stage s holds the layers
                 after those of stage s - 1 (Narayanan et al. 2021, figure 4)

    Raises ValueError for another kind, and for numbers that do not fit it.
    """
    if kind not in SCHEDULES:
        raise ValueError(f"schedule {quoted(kind)} is unknown; use {' or '.join(SCHEDULES)}")
    _check(stages, micro_batches, chunks)
    if kind != "interleaved":
        if chunks != 1:
            raise ValueError(f"{kind} has one chunk a stage; use 'interleaved' for {chunks}")
        return [_plain(kind, stage, stages, micro_batches) for stage in range(stages)]
    if micro_batches % stages:
        raise ValueError(
            f"interleaving needs a multiple of {stages} micro-batches, not {micro_batches}; "
            f"use {micro_batches - micro_batches % stages + stages}"
        )
    return [_interleaved(stage, stages, micro_batches, chunks) for stage in range(stages)]


def _plain(kind: str, stage: int, stages: int, micro_batches: int) -> list[Work]:
    forward = [Work(False, number, 0) for number in range(micro_batches)]
    backward = [Work(True, number, 0) for number in range(micro_batches)]
    ahead = micro_batches if kind == "gpipe" else min(stages - stage, micro_batches)
    return _in_turn(forward, backward, ahead)


def _interleaved(stage: int, stages: int, micro_batches: int, chunks: int) -> list[Work]:
    """Passes groups of p micro-batches through chunk after chunk; backward from the last chunk."""
    order = [
        (first + number, chunk)
        for first in range(0, micro_batches, stages)
        for chunk in range(chunks)
        for number in range(stages)
    ]
    forward = [Work(False, number, chunk) for number, chunk in order]
    backward = [Work(True, number, chunks - 1 - chunk) for number, chunk in order]
    ahead = min(2 * (stages - 1 - stage) + (chunks - 1) * stages + 1, len(order))
    return _in_turn(forward, backward, ahead)


def _in_turn(forward: Sequence[Work], backward: Sequence[Work], ahead: int) -> list[Work]:
    """Returns `ahead` forward passes, then backward and forward in turn, then the rest."""
    order = list(forward[:ahead])
    for index, work in enumerate(backward):
        order.append(work)
        order += forward[ahead + index : ahead + index + 1]
    return order


def timeline(
    order: Sequence[Sequence[Work]],
    forward: float = 1.0,
    backward: float = 2.0,
    sending: float = 0.0,
) -> list[Span]:
    """Returns the spans of all work on each stage; a pass through a whole stage takes `forward` or
    `backward` seconds, a chunk its share, and sending its output to the next stage `sending`.

    A forward pass waits for the chunk before it, a backward pass for the one after it; the last
    chunk's waits for its own forward pass.
    """
    chunks = 1 + max(work.chunk for works in order for work in works)
    stages = len(order)
    last = stages * chunks - 1
    ended: dict[tuple[bool, int, int], float] = {}  # by pass, micro-batch and place in the pipeline
    free, done = [0.0] * stages, [0] * stages
    spans: list[Span] = []
    while len(spans) < sum(map(len, order)):
        before = len(spans)
        for stage, works in enumerate(order):
            while done[stage] < len(works):
                work = works[done[stage]]
                place = work.chunk * stages + stage
                ready = _ready(ended, work, place, last, sending)
                if ready is None:
                    break
                start = max(free[stage], ready)
                end = start + (backward if work.backward else forward) / chunks
                ended[work.backward, work.micro_batch, place] = free[stage] = end
                spans.append(Span(stage, work, start, end))
                done[stage] += 1
        if len(spans) == before:
            raise ValueError("the stages wait for one another; use the order of `schedule`")
    return sorted(spans, key=lambda span: (span.start, span.stage))


def _ready(
    ended: dict[tuple[bool, int, int], float], work: Work, place: int, last: int, sending: float
) -> float | None:
    """Returns when the input of the work is ready, or None if not yet known."""
    if not work.backward and not place:
        return 0.0
    if work.backward and place == last:
        return ended.get((False, work.micro_batch, place))
    done = ended.get((work.backward, work.micro_batch, place + (1 if work.backward else -1)))
    return None if done is None else done + sending


def _check(stages: int, micro_batches: int, chunks: int) -> None:
    if min(stages, micro_batches, chunks) < 1:
        raise ValueError("a pipeline needs at least one stage, one micro-batch and one chunk")
