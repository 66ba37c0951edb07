"""Faults on request: a rank that is slow, computes nonsense, hangs or dies, to see what follows.

What happens on a cluster once a week happens here when a person asks for it, through the command
`fault`: the run deals with it as with any other.
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

    kind     "slow": from now on each step takes `seconds` more; "nan": one weight becomes NaN, as
             by a defect of memory; "hang": it stops without a word; "kill": its process ends at
             once; "none": it is slow no more
    rank     which rank
    seconds  of "slow"
    """

    kind: str = field(choices=KINDS)
    rank: int = field(0, least=0)
    seconds: float = field(0.1, least=0, most=60, remedy="0.1 is usual")


class Faults:
    """What is wrong with this rank now."""

    def __init__(self, rank: int) -> None:
        self.rank = rank
        self.delay = 0.0  # seconds

    def take(self, fault: Fault, ranks: int, parameters: Sequence[Tensor]) -> None:
        """A fault has been asked for. Raises ValueError, with the remedy, for a rank that is not
        there, and for a hang or an end of the only one.
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
        """Where the rank computes: it takes as much longer as was asked."""
        if self.delay:
            time.sleep(self.delay)


@torch.no_grad()
def set_nan(parameter: Tensor) -> None:
    """Makes the first number of a parameter, or of this rank's part of it, NaN."""
    own_part(parameter).view(-1)[:1] = torch.nan
