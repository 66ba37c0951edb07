"""The machine that this program runs on: its hardware for training, also as a `Device` of the
estimates.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from core.memory import physical_bytes
from core.training.estimates.devices import Device, recognized
from core.training.sizes import MOST_RELATIVE, measure_relative, measure_speed

NAME = "this machine"


@dataclass(frozen=True, slots=True)
class Machine:
    """The hardware of a machine for training.

    cores     of its processor
    gpus      number of CUDA devices that torch can use
    gpu       torch's name of the first of them; "": none, or not measured
    has_mps   whether it is a Mac with a GPU that torch can use
    speed     FLOP/s of its processor's fp32 matrix products, on `threads` threads; 0: not measured
    relative  its processor's speed in other precisions relative to fp32; empty: not measured
    """

    cores: int
    gpus: int = 0
    gpu: str = ""
    has_mps: bool = False
    speed: float = 0.0
    threads: int = 1
    relative: Mapping[str, float] = field(default_factory=dict)

    def measured(
        self,
        seconds: float = 0.06,
        relative: Callable[[], Mapping[str, float]] = measure_relative,
    ) -> Machine:
        """Returns it with the better of its old speed and a new measurement of `seconds`; its
        `relative` speeds are measured once.
        """
        import torch

        speed = max(self.speed, measure_speed(seconds))
        gpu = torch.cuda.get_device_name(0) if self.gpus else ""
        known = self.relative or relative()
        threads = torch.get_num_threads()
        return replace(self, speed=speed, threads=threads, gpu=gpu, relative=known)

    def peak(self, threads: int) -> float:
        """Returns FLOP/s of fp32 products on so many threads together; 0: not measured. Threads
        beyond the number of cores add nothing.
        """
        return self.speed * min(threads, self.cores) / self.threads

    def refusal(self, device: str, ranks: int = 1) -> str:
        """Returns why so many ranks cannot compute on a config's device here, with a remedy; "" if
        they can.
        """
        if device == "mps" and (ranks > 1 or not self.has_mps):
            return "mps is the GPU of one Mac, and serves one process; use device cpu, or auto"
        if device != "cuda" or self.gpus >= ranks:
            return ""
        if not self.gpus:
            return "this machine has no GPU that torch can use; use device cpu, or auto"
        return (
            f"{ranks} ranks need a GPU each, and this machine has {self.gpus}; use fewer ranks, or "
            "device cpu"
        )


def this_machine() -> Machine:
    """Returns this machine, not measured. Loads torch."""
    import torch

    return Machine(
        os.cpu_count() or 1,
        gpus=torch.cuda.device_count() if torch.cuda.is_available() else 0,
        has_mps=torch.backends.mps.is_available(),
    )


def processor(speed: float | None = None, relative: Mapping[str, float] | None = None) -> Device:
    """Returns its processor, with the machine's memory; `speed`: FLOP/s in fp32, if measured, which
    is also that in tf32; `relative`: the speed in other precisions relative to it.
    """
    peak = {} if speed is None else {"fp32": speed, "tf32": speed}
    for precision, share in (relative or {}).items():
        if speed is not None:
            peak[precision] = speed * min(share, MOST_RELATIVE)
    memory = float(physical_bytes())
    return Device(NAME, peak, memory, 0.0, None, None, measured=True, shares_memory=True)


def measured_device() -> Device:
    """Returns the GPU if there is one: from the table, or with only its memory known. Else the
    processor, with its speed measured now. Loads torch.
    """
    import torch

    if not torch.cuda.is_available():
        return processor(measure_speed(), measure_relative())
    name = torch.cuda.get_device_name()
    memory = float(torch.cuda.get_device_properties(0).total_memory)
    return recognized(name) or Device(name, {}, memory, 0.0, None, None)
