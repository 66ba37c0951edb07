"""Jobs: generators that yield while they work, so that they can be watched and stopped."""

from collections.abc import Generator
from typing import Any, TypeVar

Result = TypeVar("Result")


def to_the_end(steps: Generator[Any, None, Result]) -> Result:
    """Runs a job without looking at what it yields; returns its result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
