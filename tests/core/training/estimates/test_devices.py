"""The table of devices, and that none is taken for another."""

import pytest

from core.training.estimates.devices import DEVICES, device, recognized


@pytest.mark.parametrize(
    ("name", "precision", "peak"),
    [
        ("H100 SXM", "bf16", 989e12),
        ("A100 SXM 80GB", "bf16", 312e12),
        ("RTX 4090", "bf16", 165.2e12),
    ],
)
def test_the_usual_devices_have_their_peak(name: str, precision: str, peak: float) -> None:
    assert device(name).peak_flops(precision) == peak


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("NVIDIA A100-SXM4-80GB", "A100 SXM 80GB"),
        ("A100-SXM4-40GB", "A100 SXM 40GB"),
        ("NVIDIA H100 80GB HBM3", "H100 SXM"),
        ("NVIDIA H100 PCIe", "H100 PCIe"),
        ("NVIDIA GeForce RTX 4090", "RTX 4090"),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", None),
        ("NVIDIA GH200 480GB", None),
        ("NVIDIA A10G", None),
        ("", None),
    ],
)
def test_a_device_is_recognized_by_its_whole_name(name: str, known: str | None) -> None:
    found = recognized(name)
    assert (found and found.name) == known


def test_what_is_not_known_is_none() -> None:
    assert device("T4").peak_flops("bf16") is None
    assert device("TPU v4").watts is None


def test_another_name_lists_the_table() -> None:
    with pytest.raises(ValueError, match="A100 SXM 80GB.*RTX 4090"):
        device("H1000")
    assert device(" h100 sxm ") is DEVICES["H100 SXM"]


@pytest.mark.parametrize("found", DEVICES.values(), ids=lambda found: found.name)
def test_numbers_are_plausible(found) -> None:
    """Lower precision is never slower; memory, bandwidth and power are in their units."""
    order = [found.peak[name] for name in ("fp32", "tf32", "bf16", "fp8") if name in found.peak]
    assert order == sorted(order) and order
    assert 10e9 < found.memory < 300e9
    assert 2e11 < found.bandwidth < 1e13
    assert found.watts is None or 50 < found.watts < 1500
