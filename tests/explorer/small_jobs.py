"""Jobs of a known length for the engine to run."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass
class Moment:
    """What a run yields, as far as the engine reads it."""

    step: int
    safe: bool = False
    idle: float = 0.0


def counting(number, log=None, pause=0.002):
    for index in range(number):
        time.sleep(pause)
        if log is not None:
            log.append(index)
        yield index
    return number
