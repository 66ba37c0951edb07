"""Number formats, held against torch: limits, every bit pattern, and how values are rounded."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from core.trace import Trace
from core.training.number_formats import FORMATS, NumberFormat, decode, encode, kind_of, rounding
from core.training.rounding_trace import trace_rounded_sum
from tests.core.test_trace import MarkedLines

TORCH = {
    "fp64": torch.float64,
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
    "fp8 e5m2": torch.float8_e5m2,
    "fp8 e4m3fn": torch.float8_e4m3fn,
}
SHORT = ("bf16", "fp16", "fp8 e5m2", "fp8 e4m3fn")
WHOLE = {2: torch.int16, 1: torch.uint8}  # by bytes


@pytest.mark.parametrize("name", TORCH)
def test_limits_are_those_of_torch(name: str) -> None:
    format, limits = FORMATS[name], torch.finfo(TORCH[name])
    assert format.bits == limits.bits
    assert format.largest == limits.max
    assert format.smallest_normal == limits.smallest_normal
    assert format.epsilon == limits.eps


def test_limits_as_they_are_printed() -> None:
    half, tf32 = FORMATS["fp16"], FORMATS["tf32"]
    assert (half.largest, half.smallest_normal, half.smallest_subnormal) == (
        65504,
        2**-14,
        2**-24,
    )
    assert half.overflow == 65520
    assert (tf32.bits, tf32.epsilon, tf32.smallest_normal) == (19, 2**-10, 2**-126)
    assert FORMATS["fp8 e4m3fn"].largest == 448 and FORMATS["fp8 e5m2"].largest == 57344
    assert FORMATS["bf16"].epsilon == 2**-7
    assert half.window[:2] == (-24, -14) and 2**half.window.last == pytest.approx(65504)


def patterns(name: str) -> np.ndarray:
    """Every number of a short format, by its bits, as float64."""
    dtype = TORCH[name]
    bits = torch.arange(1 << FORMATS[name].bits).to(WHOLE[dtype.itemsize])
    return bits.view(dtype).double().numpy()


@pytest.mark.parametrize("name", SHORT)
def test_every_bit_pattern_stands_for_the_number_that_torch_reads(name: str) -> None:
    format, numbers = FORMATS[name], patterns(name)
    bits = np.arange(len(numbers))
    fields = (
        bits >> (format.bits - 1),
        (bits >> format.mantissa_bits) & format.last_exponent,
        bits & (format.parts - 1),
    )
    ours = [decode(*map(int, field), format) for field in zip(*fields, strict=True)]
    np.testing.assert_array_equal(ours, numbers)
    number = ~np.isnan(numbers)
    for mine, theirs in zip(encode(numbers, format), fields, strict=True):
        np.testing.assert_array_equal(mine[number], theirs[number])
    finite = np.abs(numbers[np.isfinite(numbers)])
    assert finite.max() == format.largest
    assert finite[finite > 0].min() == format.smallest_subnormal
    nan = encode(np.nan, format)
    assert kind_of(int(nan.exponent), int(nan.mantissa), format) == "nan"


def edges(format: NumberFormat) -> np.ndarray:
    """Numbers of the format, the middle between each two neighbors, and a bit beside it."""
    rng = np.random.default_rng(1)
    powers = rng.integers(2 - format.bias - format.mantissa_bits, format.bias + 1, 4000)
    parts = rng.integers(0, format.parts, 4000)
    numbers = format.round(2.0**powers * (1 + parts / format.parts))
    made = rounding(numbers, format)
    middle = numbers + made.spacing / 2
    special = [0.0, format.largest, format.overflow, format.smallest_subnormal / 2, np.inf, np.nan]
    special += [np.nextafter(format.overflow, 0), format.overflow * 1.5, format.smallest_normal]
    beside = [np.nextafter(middle, 0), np.nextafter(middle, np.inf)]
    positive = np.concatenate([numbers, middle, *beside, special])
    return np.concatenate([positive, -positive])


def as_torch_casts(values: np.ndarray, name: str) -> np.ndarray:
    if not FORMATS[name].has_infinity:  # torch before 2.12 makes NaN of what is too large
        values = np.clip(values, -FORMATS[name].largest, FORMATS[name].largest)
    return torch.from_numpy(values).to(TORCH[name]).double().numpy()


@pytest.mark.parametrize("name", SHORT)
def test_values_are_rounded_as_torch_casts_them(name: str) -> None:
    """Random ones of every size, ties, subnormals and overflows; as fp32, which torch casts."""
    format, rng = FORMATS[name], np.random.default_rng(0)
    anything = rng.integers(0, 1 << 32, 200_000, dtype=np.uint32).view(np.float32)
    near = rng.normal(size=100_000) * 2.0 ** rng.integers(-30, 20, 100_000)
    with np.errstate(all="ignore"):  # there are NaNs of every kind among them
        values = np.concatenate([anything, near, edges(format)]).astype(np.float32)
    ours = format.round(values)
    np.testing.assert_array_equal(ours, as_torch_casts(values, name))
    number = ~np.isnan(ours)
    np.testing.assert_array_equal(
        np.signbit(ours[number]), np.signbit(as_torch_casts(values, name)[number])
    )


@pytest.mark.parametrize("name", ["fp32", "fp64"])
def test_long_formats_round_fp64_as_torch_casts_it(name: str) -> None:
    rng = np.random.default_rng(0)
    anything = rng.integers(0, 1 << 63, 200_000, dtype=np.uint64).view(np.float64)
    near = rng.normal(size=100_000) * 2.0 ** rng.integers(-160, 130, 100_000)
    values = np.concatenate([anything, near, edges(FORMATS["fp32"])])
    np.testing.assert_array_equal(FORMATS[name].round(values), as_torch_casts(values, name))


def test_tf32_rounds_away_thirteen_bits_of_fp32() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=100_000).astype(np.float32)
    values = np.concatenate([values, edges(FORMATS["tf32"])[:1000].astype(np.float32)])
    bits = values.view(np.uint32)
    up = bits + 0x0FFF + ((bits >> 13) & 1)
    wanted = (up & ~np.uint32(0x1FFF)).view(np.float32)
    np.testing.assert_array_equal(FORMATS["tf32"].round(values), wanted)


def test_an_array_keeps_its_shape() -> None:
    made = rounding(np.ones((2, 3)), FORMATS["fp16"])
    assert all(part.shape == (2, 3) for part in made)
    assert encode(np.ones((2, 3)), FORMATS["fp16"]).mantissa.shape == (2, 3)


# -- the trace of an update


def values(trace: Trace, name: str) -> dict[str, float]:
    step = next(step for step in trace if step.name == name)
    return {key: step.value(key).item() for key in step.values}


def test_an_update_below_half_a_step_is_lost() -> None:
    trace = trace_rounded_sum(1.0, 1e-3, "bf16")
    assert trace.about["lost"] and trace.about["result"] == 1
    assert values(trace, "rounding.spacing")["spacing"] == 2**-7
    assert 128 < values(trace, "rounding.steps")["steps"] < 128.5
    assert values(trace, "rounding.whole")["whole"] == 128
    weight = values(trace, "number.weight")
    assert (weight["sign"], weight["exponent"], weight["mantissa"]) == (0, 127, 0)
    assert values(trace, "number.result") == weight
    assert "has not changed" in trace[-1].title
    kept = trace_rounded_sum(1.0, 1e-3, "fp32")
    assert not kept.about["lost"] and kept.about["result"] == np.float32(1.001)


def test_a_thousand_small_updates_leave_a_bf16_weight_where_it_was() -> None:
    """And double one of fp32."""
    low, full = torch.ones((), dtype=torch.bfloat16), torch.ones(())
    for _ in range(1000):
        low += 1e-3
        full += 1e-3
    assert float(low) == 1 and float(full) == pytest.approx(2, abs=1e-4)
    assert trace_rounded_sum(1.0, 1e-3, "bf16").about["result"] == float(low)


@pytest.mark.parametrize(
    ("format", "weight", "update", "result"),
    [
        ("fp16", 1.0, 2.0**-11, 1.0),  # a tie, to the even one
        ("fp16", 1.0 + 2.0**-10, 2.0**-11, 1.0 + 2.0**-9),  # a tie, up
        ("fp16", 60000.0, 60000.0, math.inf),
        ("fp8 e4m3fn", 448.0, 448.0, 448.0),
        ("fp16", 2.0**-24, -(2.0**-24), 0.0),
        ("fp16", 2.0**-20, -(2.0**-21), 2.0**-21),
        ("bf16", -1.5, 3.0, 1.5),
        ("fp16", math.inf, 1.0, math.inf),
    ],
)
def test_sums_end_where_torch_ends(
    format: str, weight: float, update: float, result: float
) -> None:
    trace = trace_rounded_sum(weight, update, format)
    np.testing.assert_equal(trace.about["result"], result)
    np.testing.assert_equal(values(trace, "number.result")["value"], result)
    names = [step.name for step in trace]
    overflows = abs(weight + update) > FORMATS[format].overflow and math.isfinite(weight)
    assert ("rounding.stored" in names) == overflows
    if format in ("fp16", "bf16"):
        pair = torch.tensor([weight, update], dtype=TORCH[format])
        np.testing.assert_equal((pair[0] + pair[1]).item(), result)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("weight", "update"), [(0.0, 0.0), (0.3, -1e-4), (-2e-8, 3e-8), (440.0, 40.0), (1e30, 1e38)]
)
def test_the_marked_lines_computed_the_values_of_the_trace(
    format: str, weight: float, update: float
) -> None:
    with MarkedLines() as watched:
        trace = trace_rounded_sum(weight, update, format)
    for step in trace:
        watched.left(step)


def test_an_unknown_format_says_which_there_are() -> None:
    with pytest.raises(ValueError, match="'int8'; use one of fp64, fp32"):
        trace_rounded_sum(1.0, 1.0, "int8")
