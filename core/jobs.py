"""Jobs: generators that yield while they work, so that they can be watched and stopped."""

import time
from collections.abc import Callable, Generator
from typing import Any, TypeVar

Result = TypeVar("Result")
Item = TypeVar("Item")
Told = TypeVar("Told")

PAUSE = 0.03  # seconds of work between two yields


class Pace:
    """Tells a job when it is time to yield; what others do in the meantime is not its work."""

    def __init__(self) -> None:
        self.go_on()

    def go_on(self) -> None:
        """The work goes on: call it after each yield."""
        self._begun = time.perf_counter()

    def is_due(self) -> bool:
        """Whether it has worked for PAUSE seconds."""
        return time.perf_counter() - self._begun > PAUSE


def to_the_end(steps: Generator[Any, None, Result]) -> Result:
    """Runs a job without looking at what it yields; returns its result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def retold(
    steps: Generator[Item, None, Result], tell: Callable[[Item], Told]
) -> Generator[Told, None, Result]:
    """A job that yields what `tell` makes of each thing that another one yields."""
    try:
        while True:
            try:
                item = next(steps)
            except StopIteration as end:
                return end.value
            yield tell(item)
    finally:
        steps.close()
