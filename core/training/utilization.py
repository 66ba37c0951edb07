"""Utilization of the processor and the GPU by a rank.

The numbers are measured once a second, or more rarely if the driver is slow to answer, so that
measuring takes less than a thousandth of the time; the steps in between repeat them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import torch

INTERVAL = 1.0  # seconds between two measurements, at least
SHARE = 1e-3  # of the time that measuring may take


class Utilization:
    """Measures when `values` is called, once a step.

    cpu         processor seconds of this process in a second: 2 keeps two cores busy
    gpu         share of the driver's last sampling period (up to a second) in which a kernel ran,
                as `nvidia-smi` shows it; it does not show how well the kernel used the GPU, as the
                MFU does
    gpu_memory  used bytes of the GPU, of all processes

    Unknown numbers are NaN: without a GPU, without the package nvidia-ml-py, or if the driver does
    not report them (a GPU divided by MIG).
    """

    def __init__(
        self,
        device: torch.device,
        clock: Callable[[], float] = time.perf_counter,
        processor: Callable[[], float] = time.process_time,
    ) -> None:
        self.device = device
        self._clock, self._processor = clock, processor
        self._looked, self._used = clock(), processor()
        self._next = -math.inf
        self._values = {"cpu": math.nan, "gpu": math.nan, "gpu_memory": math.nan}

    def values(self) -> dict[str, float]:
        """Returns the newest numbers."""
        now = self._clock()
        if now >= self._next and now > self._looked:
            used = self._processor()
            share = (used - self._used) / (now - self._looked)
            self._values = {"cpu": share, **_gpu(self.device)}
            self._looked, self._used = now, used
            self._next = now + max(INTERVAL, (self._clock() - now) / SHARE)
        return self._values


def _gpu(device: torch.device) -> dict[str, float]:
    """Returns the driver's numbers of a GPU."""
    if device.type != "cuda":
        return {"gpu": math.nan, "gpu_memory": math.nan}
    free, whole = torch.cuda.mem_get_info(device)
    try:
        share = torch.cuda.utilization(device) / 100  # by NVML
    except Exception:  # its package is missing, or one of the driver's own errors
        share = math.nan
    return {"gpu": share, "gpu_memory": float(whole - free)}
