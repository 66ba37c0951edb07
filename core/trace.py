"""A record of a computation: a Step is one operation of the program, a Trace is the list of them.

Everything the app animates is a Trace. A Step describes the same moment in three ways: `values` for
the picture, `formula` for the math, and `code`, a marker of the exact line of this package that
computed the values. The line of a Step ends with `# step: NAME`; its marker is written
`core.transformer.attention:attend#scores`.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType, ModuleType
from typing import Any

import numpy as np

Value = np.ndarray | Callable[[], np.ndarray]

BUDGET = 256 * 2**20  # bytes that one Trace may hold
MARKER = re.compile(r"^(?P<module>[\w.]+):(?P<function>[\w.]+)#(?P<name>[\w.-]+)$")
MARK_AT_LINE_END = re.compile(r"\s*# step: (?P<name>[\w.-]+)\s*$")


@dataclass(frozen=True, slots=True)
class Step:
    """One operation.

    name     dotted: "attention.scores"
    title    one line for the reader
    formula  LaTeX, symbols only; the actual numbers are in `values`
    code     marker of the line that computed it
    values   local names at that line -> read-only array (a scalar is 0-d), or a callable that
             computes the array
    parent   index of the step that this one is a part of
    dtypes   the true dtype of a value that had to be widened (NumPy has no bfloat16)
    lane, start, end   where it ran, and when, in seconds; only if time matters
    """

    name: str
    title: str
    formula: str
    code: str
    values: Mapping[str, Value]
    parent: int | None = None
    dtypes: Mapping[str, str] = field(default_factory=dict)
    lane: str | None = None
    start: float | None = None
    end: float | None = None

    def __post_init__(self) -> None:
        if not MARKER.match(self.code):
            raise ValueError(
                f"{self.code!r} is no code marker; write 'package.module:function#name'"
            )
        frozen = {name: _read_only(value) for name, value in self.values.items()}
        object.__setattr__(self, "values", MappingProxyType(frozen))
        object.__setattr__(self, "dtypes", MappingProxyType(dict(self.dtypes)))

    def value(self, name: str) -> np.ndarray:
        """Returns the array called `name`, computed now if it was recorded as a callable."""
        if name not in self.values:
            raise ValueError(
                f"step {self.name} has no value {name!r}; it has {', '.join(self.values)}"
            )
        value = self.values[name]
        return _read_only(value()) if callable(value) else value

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays; values not yet computed count as 0."""
        return sum(value.nbytes for value in self.values.values() if isinstance(value, np.ndarray))


def _read_only(value: Any) -> Any:
    """Returns callables unchanged, and anything else as a read-only view of an array."""
    if callable(value):
        return value
    view = np.asarray(value).view()
    view.flags.writeable = False
    return view


class Trace:
    """An append-only, random-access list of Steps; `about` describes its subject (a layer, ...)."""

    def __init__(self, about: Mapping[str, Any] | None = None, budget: int = BUDGET) -> None:
        self.about: Mapping[str, Any] = MappingProxyType(dict(about or {}))
        self.budget = budget
        self.complete = False
        self.nbytes = 0
        self._steps: list[Step] = []
        self._source: Iterator[Step] | None = None

    @classmethod
    def follow(
        cls, steps: Iterator[Step], about: Mapping[str, Any] | None = None, budget: int = BUDGET
    ) -> Trace:
        """Returns a Trace that grows from a generator of Steps: `grow()` pulls one more."""
        trace = cls(about, budget)
        trace._source = steps
        return trace

    def append(self, step: Step) -> int:
        """Adds a step and returns its index.

        Raises ValueError if the trace is complete, if `parent` is not an earlier step, or if it
        would exceed its budget.
        """
        if self.complete:
            raise ValueError("this trace is complete; start a new one to record more steps")
        if step.parent is not None and not 0 <= step.parent < len(self._steps):
            raise ValueError(
                f"step {step.name}: parent {step.parent} is not one of the {len(self)} steps "
                f"before it"
            )
        if self.nbytes + step.nbytes > self.budget:
            raise ValueError(
                f"step {step.name} would take the trace past {self.budget / 2**20:.0f} MB; "
                "trace a shorter text, one head, or give the large value as a callable"
            )
        self._steps.append(step)
        self.nbytes += step.nbytes
        return len(self._steps) - 1

    def grow(self) -> bool:
        """Pulls one more step from the generator; at its end, finishes and returns False."""
        if self.complete or self._source is None:
            return False
        step = next(self._source, None)
        if step is None:
            self.finish()
            return False
        self.append(step)
        return True

    def finish(self) -> Trace:
        """Marks the trace as complete, and returns it."""
        self.complete = True
        self._source = None
        return self

    def children(self, parent: int | None = None) -> list[int]:
        """Returns the indices of steps directly under `parent`; None means the outermost level."""
        return [index for index, step in enumerate(self._steps) if step.parent == parent]

    def __len__(self) -> int:
        return len(self._steps)

    def __getitem__(self, index: int) -> Step:
        return self._steps[index]

    def __iter__(self) -> Iterator[Step]:
        return iter(self._steps)


@dataclass(frozen=True, slots=True)
class Source:
    """The source of a marker: a function's lines as written, and the marked one.

    lines       the function's source, one string a line, with its indentation and its markers
    first_line  number in the file of `lines[0]`, from 1
    marked      index into `lines`
    """

    marker: str
    path: str
    function: str
    first_line: int
    lines: tuple[str, ...]
    marked: int


@functools.lru_cache(maxsize=512)
def source(marker: str) -> Source:
    """Returns the source of `marker`.

    Raises ValueError if the marker is malformed, or names a missing module, function or line.
    """
    match = MARKER.match(marker)
    if match is None:
        raise ValueError(f"{marker!r} is no code marker; write 'package.module:function#name'")
    try:
        target: Any = importlib.import_module(match["module"])
        for part in match["function"].split("."):
            target = getattr(target, part)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"marker {marker} leads nowhere: {error}") from error
    # A decorator (torch.no_grad, lru_cache) wraps the function; the source is that of the original.
    target = _written(target)
    lines, first_line = inspect.getsourcelines(target)
    marked = [index for index, line in enumerate(lines) if _mark(line) == match["name"]]
    if len(marked) != 1:
        raise ValueError(
            f"marker {marker}: {len(marked)} lines end with '# step: {match['name']}', one should"
        )
    path = inspect.getsourcefile(target) or match["module"]
    stripped = tuple(line.rstrip("\n") for line in lines)
    return Source(marker, path, match["function"], first_line, stripped, marked[0])


def _written(member: Any) -> Any:
    """Returns the original function: of a property, or inside a decorator."""
    function: Any = member.fget if isinstance(member, property) else member
    return inspect.unwrap(function)


def _mark(line: str) -> str | None:
    match = MARK_AT_LINE_END.search(line)
    return match["name"] if match else None


def marked_lines(module: ModuleType) -> list[str]:
    """Returns all markers in the functions and methods of a module."""
    markers = []
    for name, member in vars(module).items():
        if getattr(member, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(member):
            functions = {f"{name}.{key}": value for key, value in vars(member).items()}
        else:
            functions = {name: member}
        for function, value in functions.items():
            value = _written(value)
            if not inspect.isfunction(value) or value.__code__.co_filename.startswith("<"):
                continue  # a dataclass writes some of its methods itself; they have no source
            for line in inspect.getsourcelines(value)[0]:
                if mark := _mark(line):
                    markers.append(f"{module.__name__}:{function}#{mark}")
    return markers
