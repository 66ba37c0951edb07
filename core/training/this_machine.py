"""The machine that this program runs on: what it has to train with, and as a `Device` of the
estimates.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from core.memory import physical_bytes
from core.training.estimates.devices import Device, recognized
from core.training.sizes import measure_speed

NAME = "this machine"


@dataclass(frozen=True, slots=True)
class Machine:
    """What a machine has to train with.

    cores     of its processor
    gpus      how many CUDA devices torch can use
    gpu       what torch calls the first of them; "": none, or not measured
    has_mps   it is a Mac with a GPU that torch can use
    has_bf16  its processor has bf16 arithmetic
    speed     FLOP/s of its processor's fp32 matrix products, on `threads` threads; 0: not measured
    """

    cores: int
    gpus: int = 0
    gpu: str = ""
    has_mps: bool = False
    has_bf16: bool = False
    speed: float = 0.0
    threads: int = 1

    def measured(self, seconds: float = 0.06) -> Machine:
        """Its speed measured for so long; the best counts, for it may have been busy before."""
        import torch

        speed = max(self.speed, measure_speed(seconds))
        gpu = torch.cuda.get_device_name(0) if self.gpus else ""
        return replace(self, speed=speed, threads=torch.get_num_threads(), gpu=gpu)

    def peak(self, threads: int) -> float:
        """FLOP/s of fp32 products that so many threads reach together; 0: not measured. More of
        them than cores take turns.
        """
        return self.speed * min(threads, self.cores) / self.threads

    def refusal(self, device: str, ranks: int = 1) -> str:
        """Why so many ranks cannot compute here on a device of a config, with the remedy; "" where
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
    """What is here, not measured. Loads torch."""
    import torch

    from core.training.precision import bf16_is_fast

    return Machine(
        os.cpu_count() or 1,
        gpus=torch.cuda.device_count() if torch.cuda.is_available() else 0,
        has_mps=torch.backends.mps.is_available(),
        has_bf16=bf16_is_fast(),
    )


def processor(speed: float | None = None) -> Device:
    """Its processor, with the machine's memory; `speed`: FLOP/s in fp32, where measured."""
    peak = {} if speed is None else {"fp32": speed}
    memory = float(physical_bytes())
    return Device(NAME, peak, memory, 0.0, None, None, measured=True, shares_memory=True)


def measured_device() -> Device:
    """The GPU where there is one: the table's, or one of which the memory alone is known. Else the
    processor, with its speed measured now. Loads torch.
    """
    import torch

    if not torch.cuda.is_available():
        return processor(measure_speed())
    name = torch.cuda.get_device_name()
    memory = float(torch.cuda.get_device_properties(0).total_memory)
    return recognized(name) or Device(name, {}, memory, 0.0, None, None)
