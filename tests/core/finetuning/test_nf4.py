"""NF4: the published levels, the nearest of them for each weight, and what the bytes give back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from core.finetuning.nf4 import (
    BLOCK,
    code_book,
    dequantize,
    nf4_bytes,
    quantize,
    quantize_blocks,
    to_blocks,
)
from core.finetuning.nf4_trace import trace_quantization
from core.trace import Step
from tests.core.test_trace import MarkedLines

# QLoRA, appendix E; as bitsandbytes has them, to the last digit of fp32.
PUBLISHED = [
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
    -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725,
    0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
    0.7229568362236023, 1.0,
]  # fmt: skip


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * 0.02


def test_the_levels_are_the_published_ones_to_the_last_digit() -> None:
    assert code_book().tolist() == PUBLISHED


def test_each_weight_gets_the_nearest_level() -> None:
    blocks = to_blocks(normal(40, 32))
    absmax, scaled, codes = quantize_blocks(blocks)
    assert torch.equal(absmax[:, 0], blocks.abs().max(1).values)
    distances = (scaled[..., None] - torch.tensor(PUBLISHED)).abs()
    assert torch.equal(codes.long(), distances.argmin(-1))


def test_levels_come_back_as_they_are() -> None:
    """A matrix of levels times one absmax loses nothing: then all absmaxes are their mean."""
    levels = code_book().repeat(8, 8)  # 8 rows of 128: each block has -1 and 1 in it
    assert torch.equal(dequantize(quantize(0.5 * levels)), 0.5 * levels)


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (64, 1), (7, 13), (48, 96), (260, 64)])
def test_any_shape_comes_back_within_half_the_widest_gap(shape: tuple[int, int]) -> None:
    weight = normal(*shape)
    matrix = quantize(weight)
    assert matrix.nbytes == nf4_bytes(weight.numel())
    restored = dequantize(matrix)
    assert restored.shape == weight.shape
    lost = to_blocks(restored - weight).abs().max(1).values
    absmax = to_blocks(weight).abs().max(1).values
    widest = np.diff(PUBLISHED).max()
    # An absmax may be 1/32 of its distance from the mean off, an 8-bit float's last digit.
    slack = (absmax - absmax.mean()).abs() / 16 + 1e-6
    assert (lost <= absmax * widest / 2 + slack).all()


def test_a_block_of_zeros_stays_one_and_an_outlier_spoils_no_other_block() -> None:
    weight = normal(500, BLOCK)
    weight[3] = 0
    assert not dequantize(quantize(weight))[3].any()
    assert not dequantize(quantize(torch.zeros(3, 5))).any()
    usual = dequantize(quantize(weight))
    weight[0, 0] = 5.0  # a hundred times as large as the largest one was
    rest = (dequantize(quantize(weight))[4:] - usual[4:]).norm() / usual[4:].norm()
    assert rest < 0.05


def test_double_quantization_costs_little_beside_the_codes() -> None:
    weight = normal(512, 256)
    absmax, _, codes = quantize_blocks(to_blocks(weight))
    single = (code_book()[codes] * absmax).view_as(weight)
    lost = (single - weight).norm() / weight.norm()
    twice = (dequantize(quantize(weight)) - weight).norm() / weight.norm()
    assert lost < 0.095 and twice < 1.005 * lost


def test_bytes_are_those_of_the_paper() -> None:
    n = 4096 * 4096
    assert 8 * nf4_bytes(n) / n == pytest.approx(4 + 8 / 64 + 32 / (64 * 256), abs=1e-5)
    assert nf4_bytes(n) <= 0.14 * 4 * n


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="take an earlier checkpoint"):
        quantize(torch.tensor([[1.0, wrong]]))


def steps_of_a_block() -> list[Step]:
    return list(trace_quantization(normal(40, 32), block=7))


def test_the_marked_lines_computed_what_the_steps_show() -> None:
    with MarkedLines() as lines:
        steps = steps_of_a_block()
    assert len(steps) == 11
    for step in steps:
        lines.left(step)


def test_the_trace_of_a_block_ends_in_its_part_of_the_matrix() -> None:
    weight = normal(300, 64)
    weight[1] = 0
    restored = dequantize(quantize(weight))
    for block in (0, 1, -1, 260):
        trace = trace_quantization(weight, block)
        last = {step.name: step for step in trace}["nf4.restore"]
        assert np.array_equal(last.value("weights")[0], restored[block].numpy())
        assert trace.about["blocks"] == 300
    with pytest.raises(ValueError, match="blocks 0 to 299"):
        trace_quantization(weight, 300)
