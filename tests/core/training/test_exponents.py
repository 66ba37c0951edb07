"""Exponent histograms, and what a format loses: held against counting and casting one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from core.training.exponents import (
    EXAMPLE,
    HIGHEST,
    LOWEST,
    ExponentHistogram,
    exponent_histogram,
    folded_shares,
    normal_histogram,
    powers,
    sampling_stride,
    share_lost,
)
from core.training.number_formats import FORMATS


def normal(std: float, count: int = 1 << 20) -> torch.Tensor:
    return torch.randn(count, generator=torch.Generator().manual_seed(0)) * std


def test_each_value_is_counted_at_its_power_of_two() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 1 << 32, 100_000, dtype=np.uint32).view(np.float32)
    values = np.concatenate([values, np.float32([0.0, -0.0, 2.0**-149, -(2.0**-140), 3e-39, 1.0])])
    found = exponent_histogram(torch.from_numpy(values), sample=len(values))
    number = np.isfinite(values) & (values != 0)
    with np.errstate(all="ignore"):
        _, above = np.frexp(values[number].astype(np.float64))
    wanted = np.bincount(above - 1 - LOWEST, minlength=len(found.counts))
    np.testing.assert_array_equal(found.counts, wanted)
    assert found.zeros == (values == 0).sum() and found.not_finite == (~np.isfinite(values)).sum()
    assert found.total == number.sum()


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_values_of_any_format_are_counted(dtype: torch.dtype) -> None:
    values = torch.tensor([[0.5, 0.75], [-3.0, 0.0]], dtype=dtype).T
    found = exponent_histogram(values)
    assert dict(zip(powers(), found.counts, strict=True))[-1] == 2 and found.zeros == 1
    assert found.counts[1 - LOWEST] == 1 and found.total == 3


def test_several_tensors_are_counted_together_each_by_its_size() -> None:
    large, small = torch.full((3000, 100), 1.0), torch.full((1000, 100), 4.0)
    found = exponent_histogram([large, small], sample=4000)
    assert 3600 < found.total <= 4000
    assert found.counts[0 - LOWEST] / found.total == pytest.approx(0.75, abs=0.01)
    nothing = exponent_histogram([])
    assert nothing.total == nothing.zeros == 0


def test_a_sample_comes_to_every_column() -> None:
    """Also of a matrix whose width is a multiple of the share."""
    columns = 2.0 ** torch.arange(48).float().repeat(4096, 1)
    found = exponent_histogram(columns, sample=4096)
    assert (found.counts[0 - LOWEST : 48 - LOWEST] > 0).all()
    assert sampling_stride(100, 100) == 1 and sampling_stride(48 * 4096, 4096) == 49


@pytest.mark.parametrize(
    ("scale", "zero"), [(0, 0.024), (3, 0.003), (10, 0.0)], ids=["S=1", "S=8", "S=1024"]
)
def test_small_gradients_vanish_in_fp16_until_they_are_scaled(scale: int, zero: float) -> None:
    """N(0, 1e-6): what is below 2^-25 becomes 0."""
    lost = share_lost(exponent_histogram(normal(1e-6), 1 << 20), FORMATS["fp16"], scale)
    assert lost.zero == pytest.approx(zero, abs=6e-4)
    cast = (normal(1e-6) * 2.0**scale).half()
    assert lost.zero == pytest.approx((cast == 0).float().mean().item(), abs=1e-6)


DTYPES = {
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
    "fp8 e5m2": torch.float8_e5m2,
    "fp8 e4m3fn": torch.float8_e4m3fn,
}


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("scale", [-30, -12, 0, 9, 24])
def test_shares_are_those_of_casting_every_value(name: str, scale: int) -> None:
    """Sizes over many powers of two, so that each format loses something at each end."""
    rng, format = np.random.default_rng(1), FORMATS[name]
    values = rng.normal(size=200_000) * 2.0 ** rng.integers(-40, 25, 200_000)
    tensor = torch.from_numpy(values).float()
    lost = share_lost(exponent_histogram(tensor, len(values)), format, scale)
    scaled = (tensor * 2.0**scale).abs()
    cast = scaled.to(DTYPES[name]).float()
    assert lost.zero == pytest.approx((cast == 0).float().mean().item(), abs=1e-4)
    small = (cast > 0) & (scaled < format.smallest_normal)
    assert lost.subnormal == pytest.approx(small.float().mean().item(), abs=1e-4)
    too_large = (scaled >= format.overflow).float().mean().item()
    assert lost.overflow == pytest.approx(too_large, abs=2e-3)
    assert sum(lost) <= 1 + 1e-12


def test_nothing_is_lost_of_nothing() -> None:
    empty = ExponentHistogram(np.zeros(len(powers()), np.int64), zeros=5)
    assert share_lost(empty, FORMATS["fp16"]) == (0, 0, 0)


def test_fp32_loses_nothing_of_a_usual_gradient() -> None:
    assert share_lost(exponent_histogram(normal(1e-6)), FORMATS["fp32"], 16) == (0, 0, 0)


def test_a_computed_example_is_what_a_normal_distribution_gives() -> None:
    """P(|x| < 2^-25) of N(0, 1e-6): what is below rounds to 0 in fp16."""
    example = normal_histogram(1e-6)
    assert example.total == pytest.approx(EXAMPLE, abs=20)
    drawn = exponent_histogram(normal(1e-6), 1 << 20)
    np.testing.assert_allclose(
        example.counts / example.total, drawn.counts / drawn.total, atol=2e-3
    )
    lost = share_lost(example, FORMATS["fp16"])
    assert lost.zero == pytest.approx(math.erf(2.0**-25 / 1e-6 / math.sqrt(2)), abs=1e-5)
    assert lost.zero == pytest.approx(0.024, abs=5e-4) and lost.overflow == 0


def test_a_quantile_lies_where_so_many_are_below() -> None:
    example = normal_histogram(1e-6)
    power = example.quantile(0.01)
    below = example.counts[powers() < power].sum() / example.total
    assert below < 0.01 <= below + example.counts[power - LOWEST] / example.total
    assert ExponentHistogram(np.zeros(len(powers()), np.int64)).quantile(0.5) == LOWEST


@pytest.mark.parametrize("format", ["fp32", "bf16", "fp16", "fp8 e5m2", "fp8 e4m3fn"])
@pytest.mark.parametrize("scale", [0, 10, 30])
def test_folded_shares_add_up_to_what_is_lost(format: str, scale: int) -> None:
    example = normal_histogram(1e-6)
    shares, *lost = folded_shares(example, FORMATS[format], scale, -40, 16)
    wanted = share_lost(example, FORMATS[format], scale)
    np.testing.assert_allclose([one.sum() for one in lost], wanted, atol=1e-12)
    assert shares.sum() == pytest.approx(1) and len(shares) == 57
    assert (sum(lost) <= shares + 1e-12).all()


def test_scaling_moves_the_shares_and_the_ends_hold_what_lies_beyond() -> None:
    counts = np.zeros(len(powers()), np.int64)
    counts[[0, -20 - LOWEST, -1]] = 1, 2, 1
    still, moved = (
        folded_shares(ExponentHistogram(counts), FORMATS["fp16"], k, -40, 16)[0] for k in (0, 8)
    )
    assert still[[0, -20 + 40, 56]].tolist() == [0.25, 0.5, 0.25]
    assert moved[-12 + 40] == 0.5 and moved[0] == 0.25
    nothing = ExponentHistogram(np.zeros_like(counts))
    assert not folded_shares(nothing, FORMATS["fp16"]).any()
    assert folded_shares(nothing, FORMATS["fp16"]).shape == (4, HIGHEST - LOWEST + 1)


@pytest.mark.gpu
def test_a_gpu_counts_as_a_cpu_does() -> None:
    values = normal(1e-38) * 2.0 ** torch.arange(1 << 20).remainder(40)
    here, there = (exponent_histogram(one, 1 << 20) for one in (values, values.cuda()))
    np.testing.assert_array_equal(there.counts, here.counts)
    assert (there.zeros, there.not_finite) == (here.zeros, here.not_finite)
