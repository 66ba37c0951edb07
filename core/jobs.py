"""Jobs: generators that yield during their work, to report progress and to allow a stop."""

import time
from collections.abc import Callable, Generator
from typing import Any, TypeVar

Result = TypeVar("Result")
Item = TypeVar("Item")
Told = TypeVar("Told")

PAUSE = 0.03  # seconds of work between two yields


class Pace:
    """Tells a job when to yield; time spent elsewhere in the meantime does not count as work."""

    def __init__(self) -> None:
        self.go_on()

    def go_on(self) -> None:
        """Restarts the clock: call it after each yield."""
        self._begun = time.perf_counter()

    def is_due(self) -> bool:
        """Returns True after PAUSE seconds of work."""
        return time.perf_counter() - self._begun > PAUSE


def to_the_end(steps: Generator[Any, None, Result]) -> Result:
    """Runs a job to its end, ignoring the yielded values; returns its result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def retold(
    steps: Generator[Item, None, Result], tell: Callable[[Item], Told]
) -> Generator[Told, None, Result]:
    """Runs a job, yielding `tell(item)` for each item that it yields."""
    try:
        while True:
            try:
                item = next(steps)
            except StopIteration as end:
                return end.value
            yield tell(item)
    finally:
        steps.close()
