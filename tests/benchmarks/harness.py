"""Measures and reports: what every benchmark of this folder is written with.

``bench_<area>.py`` defines ``fast(report)`` and, for what takes minutes, ``full(report)``::

    def fast(report: Report) -> None:
        pair = interleaved(ours, theirs, repeats=200)
        report.at_most("step, ours / theirs", pair.ratio, 1.05, "x")

Times of two implementations are taken in turn and compared as a ratio, because a shared machine
changes its speed from minute to minute; an absolute time is reported beside it.
"""

import contextlib
import gc
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path


def shared_data() -> Path:
    """The folder of public texts and recorded models that some checks read, which may be missing.

    $LLM_EXPLORER_SHARED names the folder that contains it as `data`; unset, that is the folder
    `shared` beside the checkout.
    """
    beside = Path(__file__).resolve().parents[3] / "shared"
    return Path(os.environ.get("LLM_EXPLORER_SHARED") or beside) / "data"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. ``passed`` is None where the figure has no target and is only told."""

    area: str
    name: str
    measured: float
    unit: str
    target: str
    passed: bool | None


@dataclass
class Report:
    """The figures of one run, in the order in which they were measured."""

    rows: list[Row] = field(default_factory=list)
    area: str = ""
    on_row: Callable[[Row], None] | None = None

    def row(
        self,
        name: str,
        measured: float,
        unit: str = "",
        target: str = "",
        passed: bool | None = None,
    ) -> Row:
        """Adds a figure that the benchmark judged itself; ``target`` is the text people read."""
        # A comparison with numpy's numbers is no bool of Python, which JSON asks for.
        verdict = None if passed is None else bool(passed)
        row = Row(self.area, name, float(measured), unit, target, verdict)
        self.rows.append(row)
        if self.on_row is not None:
            self.on_row(row)
        return row

    def at_most(self, name: str, measured: float, limit: float, unit: str = "") -> Row:
        return self.row(name, measured, unit, f"<= {limit:g} {unit}".rstrip(), measured <= limit)

    def at_least(self, name: str, measured: float, limit: float, unit: str = "") -> Row:
        return self.row(name, measured, unit, f">= {limit:g} {unit}".rstrip(), measured >= limit)

    def equal(self, name: str, measured: float, expected: float, unit: str = "") -> Row:
        return self.row(
            name, measured, unit, f"= {expected:g} {unit}".rstrip(), measured == expected
        )

    def tell(self, name: str, measured: float, unit: str = "") -> Row:
        """A figure without a target: a machine's absolute time, a size."""
        return self.row(name, measured, unit)

    @property
    def missed(self) -> list[Row]:
        return [row for row in self.rows if row.passed is False]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two implementations timed in turn, in seconds.

    ``a`` and ``b`` are medians; ``ratio`` is the median of a / b over the pairs.
    """

    a: float
    b: float
    ratio: float
    a_times: tuple[float, ...]
    b_times: tuple[float, ...]


def interleaved(
    a: Callable[[], object], b: Callable[[], object], repeats: int, warm_up: int = 2
) -> Pair:
    """Times ``a`` and ``b`` in turn, swapping who goes first, with the collector at rest."""
    for _ in range(warm_up):
        a()
        b()
    a_times: list[float] = []
    b_times: list[float] = []
    with _no_garbage_collection():
        for repeat in range(repeats):
            if repeat % 2 == 0:
                a_times.append(seconds(a))
                b_times.append(seconds(b))
            else:
                b_times.append(seconds(b))
                a_times.append(seconds(a))
    ratios = [x / y for x, y in zip(a_times, b_times, strict=True)]
    return Pair(
        a=statistics.median(a_times),
        b=statistics.median(b_times),
        ratio=statistics.median(ratios),
        a_times=tuple(a_times),
        b_times=tuple(b_times),
    )


def timed(function: Callable[[], object], repeats: int, warm_up: int = 2) -> list[float]:
    """Seconds of each of ``repeats`` calls, in order."""
    for _ in range(warm_up):
        function()
    with _no_garbage_collection():
        return [seconds(function) for _ in range(repeats)]


def seconds(function: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def percentile(values: list[float] | tuple[float, ...], share: float) -> float:
    """The value below which ``share`` (0 to 1) of ``values`` lie, by the nearest rank."""
    if not values:
        raise ValueError("a percentile needs at least one value")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def machine_line() -> str:
    """One line that says where the figures come from, without importing torch."""
    parts = [
        _processor(),
        f"{os.cpu_count()} CPUs",
        f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "",
        f"Python {platform.python_version()}",
        *(f"{name} {_version(name)}" for name in ("torch", "numpy", "PySide6-Essentials")),
        f"OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'unset')}",
        f"OMP_WAIT_POLICY={os.environ.get('OMP_WAIT_POLICY', 'unset')}",
    ]
    return ", ".join(part for part in parts if part)


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"
