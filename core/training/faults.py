"""Faults on request: a rank that is slow, computes NaN, hangs or dies, to see the consequences.

The command `fault` causes what happens on a cluster about once a week; the run handles it like any
other fault.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from core.fields import field
from core.training.parallel import own_part

KINDS = ("slow", "nan", "hang", "kill", "none")


@dataclass(frozen=True, slots=True)
class Fault:
    """Arguments of the command `fault`.

    kind     "slow": each step takes `seconds` longer from now on; "nan": one weight becomes NaN, as
             from a memory defect; "hang": the process freezes without a message; "kill": the
             process ends at once; "none": ends "slow"
    rank     the rank that fails
    seconds  delay per step of "slow"
    """

    kind: str = field(choices=KINDS)
    rank: int = field(0, least=0)
    seconds: float = field(0.1, least=0, most=60, remedy="0.1 is usual")


class Faults:
    """The current faults of this rank."""

    def __init__(self, rank: int) -> None:
        self.rank = rank
        self.delay = 0.0  # seconds

    def take(self, fault: Fault, ranks: int, parameters: Sequence[Tensor]) -> None:
        """Applies a fault if it is for this rank. Raises ValueError, with a remedy, if the run has
        no such rank, and for "hang" or "kill" of the only one.
        """
        if fault.rank >= ranks:
            raise ValueError(f"there is no rank {fault.rank}: this run has {ranks}, from 0")
        if ranks == 1 and fault.kind in ("hang", "kill"):
            raise ValueError("this run has one process only, and the app may be in it; use 2 ranks")
        if fault.rank != self.rank:
            return
        match fault.kind:
            case "slow":
                self.delay = fault.seconds
            case "none":
                self.delay = 0.0
            case "nan":
                set_nan(parameters[0])
            case "hang":
                os.kill(os.getpid(), getattr(signal, "SIGSTOP", signal.SIGTERM))
            case "kill":
                os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))

    def delay_step(self) -> None:
        """Delays this rank's step by the requested time."""
        if self.delay:
            time.sleep(self.delay)


@torch.no_grad()
def set_nan(parameter: Tensor) -> None:
    """Makes the first number of a parameter, or of this rank's part of it, NaN."""
    own_part(parameter).view(-1)[:1] = torch.nan
