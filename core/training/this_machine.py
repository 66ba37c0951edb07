"""The machine that this program runs on, as a `Device` of the estimates."""

from __future__ import annotations

from core.memory import physical_bytes
from core.training.estimates.devices import Device, recognized
from core.training.sizes import measure_speed

NAME = "this machine"


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
