"""Spans: the times of a rank's phases and exchanges in a step, to the microsecond; shown as lanes.

    rank0.spans     (attempt, step, kind, index, start, end, bytes), one fixed-width record a span

A phase of the loop is a span, and so is each exchange between ranks that runs in parallel to it:
the all-reduce of a bucket of gradients in DDP, the gathering and scattering of a block's parameters
and gradients in FSDP2. Times are Unix seconds of the rank's own clock; the event "clock" records
the difference between the clocks of two machines.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

# Kinds are stored as their index in this list: append new ones.
STEP_PHASES = ("data", "forward", "loss", "backward", "unscale", "clip", "optimizer", "schedule")
EXCHANGES = ("all-reduce", "all-gather", "reduce-scatter", "sum")
KINDS = (*STEP_PHASES, *EXCHANGES)

SPAN_FIELDS: tuple[tuple[str, str], ...] = (
    ("attempt", "<i4"),
    ("step", "<i8"),
    ("kind", "<i2"),  # of KINDS
    ("index", "<i2"),  # of several of a kind in a step, from 0: a micro-batch, a bucket
    ("start", "<f8"),
    ("end", "<f8"),
    ("bytes", "<i8"),  # sent by this rank; 0 for a phase
)
SPAN_DTYPE = np.dtype(list(SPAN_FIELDS))


# step, kind, start, end, bytes
_Span = tuple[int, str, Any, Any, int]


class Spans:
    """The spans of the current step, recorded as they end.

    Strategies add exchanges, also from the threads in which these end; the loop adds phases. On a
    GPU a phase ends when its kernels do: its marks are events of the device, which are read after
    they have happened, without waiting.
    """

    def __init__(self, cuda: bool = False) -> None:
        self.step = 0  # current step; 0 between steps: evaluations and samples have no spans
        self.exchanges = 0  # reached by this rank so far
        self.tell: Callable[[int], None] = lambda count: None  # records their number
        self._epoch = time.time() - time.perf_counter()
        self._ended: list[_Span] = []
        self._counted: dict[tuple[int, str], int] = {}
        self._cuda = cuda
        self._reference: tuple[Any, float] | None = None  # the first event, and its time

    def count_exchange(self) -> None:
        """Counts an exchange of this rank. All ranks reach the same ones in the same order."""
        self.exchanges += 1
        self.tell(self.exchanges)

    def exchange(self) -> Any:
        """Counts an exchange and returns its start, as a mark."""
        self.count_exchange()
        return self.mark()

    def mark(self) -> Any:
        """Returns the current time: seconds of the performance counter, or a device event."""
        if not self._cuda:
            return time.perf_counter()
        if self._reference is None:  # not earlier: the rank's own device must be the current one
            self._reference = (self._event(), time.perf_counter())
            self._reference[0].synchronize()
        return self._event()

    @staticmethod
    def _event() -> Any:
        import torch

        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def add(self, kind: str, start: Any, end: Any, size: int = 0) -> None:
        """Adds a span of the current step; `size` in bytes."""
        if self.step:
            self._ended.append((self.step, kind, start, end, size))

    def take(self, attempt: int) -> np.ndarray:
        """Returns the spans that ended since the last call, as records of SPAN_DTYPE."""
        ended, self._ended = self._ended, []
        ready: list[_Span] = []
        pending: list[_Span] = []
        for span in ended:
            (ready if self._has_happened(span[3]) else pending).append(span)
        self._ended = pending + self._ended
        records = np.empty(len(ready), SPAN_DTYPE)
        for place, (step, kind, start, end, size) in enumerate(ready):
            index = self._counted[step, kind] = self._counted.get((step, kind), -1) + 1
            times = self._epoch + self._seconds(start), self._epoch + self._seconds(end)
            records[place] = (attempt, step, KINDS.index(kind), index, *times, size)
        newest = max((step for step, *_ in ready), default=0)
        self._counted = {key: n for key, n in self._counted.items() if key[0] >= newest - 1}
        return records

    def _has_happened(self, mark: Any) -> bool:
        return isinstance(mark, float) or bool(mark.query())

    def _seconds(self, mark: Any) -> float:
        if isinstance(mark, float):
            return mark
        assert self._reference is not None
        event, began = self._reference
        return began + float(event.elapsed_time(mark)) / 1000.0
