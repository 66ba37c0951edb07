"""Devices as their makers describe them: peak arithmetic, memory, links, power.

Peak FLOP/s are those of dense matrix products with sums in fp32; data sheets often print twice as
much, which holds for matrices with every second pair of numbers 0. Sources: NVIDIA's data sheets
and architecture papers of each card, AMD's MI300X data sheet, for TPUs Google's documentation and
Jouppi et al. 2023. Numbers missing in the sources are None, and estimates that need them unknown.
Prices are not included: they change by the week, and `Plan` takes the user's own price.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.files import quoted

GB, TB = 1e9, 1e12
TFLOPS = 1e12


@dataclass(frozen=True, slots=True)
class Device:
    """One accelerator.

    peak        FLOP/s of matrix products by precision: "fp32", "tf32", "fp16", "bf16", "fp8"
    memory      bytes
    bandwidth   bytes a second between memory and arithmetic
    link        bytes a second to another device of the machine, in one direction
    watts       at full load
    known_as    torch's name of it, without "NVIDIA"
    measured    its speed was measured and is not a peak, so a share of the peak is unknown
    shares_memory  the devices of one machine share its memory, as processes on a processor do
    """

    name: str
    peak: Mapping[str, float]
    memory: float
    bandwidth: float
    link: float | None
    watts: float | None
    known_as: str = ""
    measured: bool = False
    shares_memory: bool = False

    def peak_flops(self, precision: str) -> float | None:
        """Returns FLOP/s of matrix products in a precision, or None if unsupported or unknown."""
        return self.peak.get(precision)


def _device(
    name: str,
    known_as: str,
    memory: float,
    bandwidth: float,
    link: float | None,
    watts: float | None,
    *,
    fp32: float | None = None,
    tf32: float | None = None,
    fp16: float | None = None,
    bf16: float | None = None,
    fp8: float | None = None,
) -> Device:
    """Returns a device; memory and link in GB, bandwidth in GB/s, as in data sheets."""
    known = {"fp32": fp32, "tf32": tf32, "fp16": fp16, "bf16": bf16, "fp8": fp8}
    return Device(
        name,
        {precision: number * TFLOPS for precision, number in known.items() if number is not None},
        memory * GB,
        bandwidth * GB,
        None if link is None else link * GB,
        watts,
        known_as,
    )


# NVLink's data sheets add both directions; here it is half of that. PCIe 4.0 x16 carries 32 GB/s in
# one direction, 5.0 64 GB/s.
_ALL = (
    _device("B200 SXM", "B200", 180, 8000, 900, 1000, bf16=2250, fp16=2250, fp8=4500),
    _device("H200 SXM", "H200", 141, 4800, 450, 700,
            fp32=67, tf32=494, bf16=989, fp16=989, fp8=1979),
    _device("H100 NVL", "H100 NVL", 94, 3900, 300, 400,
            fp32=60, tf32=417.5, bf16=835.5, fp16=835.5, fp8=1671),
    _device("H100 PCIe", "H100 PCIe", 80, 2000, 64, 350,
            fp32=51, tf32=378, bf16=756, fp16=756, fp8=1513),
    _device("H100 SXM", "H100 80GB HBM3", 80, 3350, 450, 700,
            fp32=67, tf32=494, bf16=989, fp16=989, fp8=1979),
    _device("A100 PCIe 80GB", "A100 80GB PCIe", 80, 1935, 32, 300,
            fp32=19.5, tf32=156, bf16=312, fp16=312),
    _device("A100 PCIe 40GB", "A100-PCIE-40GB", 40, 1555, 32, 250,
            fp32=19.5, tf32=156, bf16=312, fp16=312),
    _device("A100 SXM 80GB", "A100-SXM4-80GB", 80, 2039, 300, 400,
            fp32=19.5, tf32=156, bf16=312, fp16=312),
    _device("A100 SXM 40GB", "A100-SXM4-40GB", 40, 1555, 300, 400,
            fp32=19.5, tf32=156, bf16=312, fp16=312),
    _device("V100 SXM 32GB", "Tesla V100-SXM2-32GB", 32, 900, 150, 300, fp32=15.7, fp16=125),
    _device("V100 SXM 16GB", "Tesla V100-SXM2-16GB", 16, 900, 150, 300, fp32=15.7, fp16=125),
    _device("T4", "Tesla T4", 16, 320, 16, 70, fp32=8.1, fp16=65),
    _device("L40S", "L40S", 48, 864, 32, 350, fp32=91.6, tf32=183, bf16=362, fp16=362, fp8=733),
    _device("L4", "L4", 24, 300, 32, 72, fp32=30.3, tf32=60, bf16=121, fp16=121, fp8=242.5),
    _device("A10", "A10", 24, 600, 32, 150, fp32=31.2, tf32=62.5, bf16=125, fp16=125),
    _device("RTX A6000", "RTX A6000", 48, 768, 32, 300,
            fp32=38.7, tf32=77.4, bf16=154.8, fp16=154.8),
    _device("RTX 4090", "GeForce RTX 4090", 24, 1008, 32, 450,
            fp32=82.6, tf32=82.6, bf16=165.2, fp16=165.2, fp8=330.3),
    _device("RTX 3090", "GeForce RTX 3090", 24, 936, 32, 350,
            fp32=35.6, tf32=35.6, bf16=71, fp16=71),
    _device("MI300X", "AMD Instinct MI300X", 192, 5300, None, 750,
            fp32=163.4, tf32=653.7, bf16=1307.4, fp16=1307.4, fp8=2614.9),
    _device("TPU v4", "", 32, 1200, None, None, bf16=275),
    _device("TPU v5p", "", 95, 2765, None, None, bf16=459),
)  # fmt: skip
DEVICES: Mapping[str, Device] = {device.name: device for device in _ALL}


def device(name: str) -> Device:
    """Returns the device of that name in the table. Raises ValueError, listing all, for another."""
    for known in _ALL:
        if known.name.lower() == name.strip().lower():
            return known
    raise ValueError(f"device {quoted(name)} is not in the table; use {', '.join(DEVICES)}")


def recognized(name: str) -> Device | None:
    """Returns the device that torch calls `name` ("NVIDIA A100-SXM4-80GB"), or None.

    Only the whole name matches: a laptop's card or a later one may have a similar name.
    """
    plain = name.removeprefix("NVIDIA ").strip()
    return next((known for known in _ALL if plain and plain == known.known_as), None)
