"""Precision: what each switches on, puts back, and tells a person."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.training.precision import (
    backward_context,
    bf16_is_fast,
    precision_context,
    precision_note,
)
from tests.core.training.small import finish, losses, moments, small_config, torch_state

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [
        ("fp32", torch.float32),
        ("tf32", torch.float32),
        ("bf16", torch.bfloat16),
        ("fp16", torch.float16),
    ],
)
def test_matrix_products_alone_are_in_the_precision(precision: str, dtype: torch.dtype) -> None:
    weight = torch.ones(2, 2, requires_grad=True)
    before = torch_state()
    with precision_context(precision, CPU):
        product = weight @ weight
        assert product.dtype == dtype and (weight + weight).dtype == torch.float32
    assert torch_state() == before
    product.sum().backward()
    assert weight.grad is not None and weight.grad.dtype == torch.float32


def tf32() -> tuple[bool, bool]:
    """Whether CUDA's matrix products may round to TF32, and whether convolutions may."""
    matmul = torch.backends.cuda.matmul
    try:
        return matmul.fp32_precision == "tf32", torch.backends.cudnn.allow_tf32
    except AttributeError:
        return matmul.allow_tf32, torch.backends.cudnn.allow_tf32


@pytest.mark.parametrize("context", [precision_context, backward_context])
def test_tf32_is_put_back_even_after_an_error(context) -> None:  # type: ignore[no-untyped-def]
    before = tf32()
    with pytest.raises(KeyError), context("tf32", CUDA):
        assert tf32() == (True, before[1])
        raise KeyError
    assert tf32() == before
    with context("tf32", CPU):
        assert tf32() == before


def test_tf32_does_not_leak_over_a_yield(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a GPU, that is: here the loop is made to believe in one."""
    seen, before = [], tf32()

    def there(precision: str, device: torch.device = CPU):  # type: ignore[no-untyped-def]
        seen.append(precision)
        return backward_context(precision, CUDA)

    monkeypatch.setattr("core.training.attempt.precision_context", there)
    monkeypatch.setattr("core.training.attempt.backward_context", there)
    for moment in moments(small_config(tmp_path, steps=2, precision="tf32"), tmp_path / "run"):
        assert tf32() == before, moment.phase
    assert seen == ["tf32"] * 4


def test_tf32_on_a_cpu_is_fp32_and_says_so(tmp_path: Path) -> None:
    run = finish(small_config(tmp_path, steps=3, precision="tf32"), tmp_path / "run")
    notes = [event["message"] for event in run.events if event["event"] == "note"]
    assert notes == ["tf32 needs an NVIDIA GPU: on cpu this run computes in fp32"]
    plain = finish(small_config(tmp_path, steps=3), tmp_path / "plain")
    assert losses(run) == losses(plain)


def test_bf16_is_a_note_where_torch_does_not_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The question is private to torch: a version without it is taken for a CPU without bf16."""
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported", raising=False)
    run = finish(small_config(tmp_path, steps=1, precision="bf16"), tmp_path / "run")
    notes = [event["message"] for event in run.events if event["event"] == "note"]
    assert len(notes) == 1 and "no bf16 arithmetic" in notes[0]
    assert not bf16_is_fast()
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False)
    assert bf16_is_fast()


@pytest.mark.parametrize(
    ("precision", "major", "note"),
    [
        ("fp32", 7, ""),
        ("tf32", 7, "Ampere"),
        ("tf32", 8, ""),
        ("bf16", 7, "fp16 is faster"),
        ("bf16", 9, ""),
        ("fp16", 7, ""),
    ],
)
def test_an_old_gpu_has_a_note(
    precision: str, major: int, note: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (major, 0))
    told = precision_note(precision, CUDA)
    assert (note in told) if note else told == ""


@pytest.mark.gpu
@pytest.mark.parametrize(
    ("precision", "digits"), [("fp32", 1e-6), ("tf32", 1e-3), ("bf16", 8e-3), ("fp16", 1e-3)]
)
def test_on_a_gpu_each_precision_rounds_as_it_says(precision: str, digits: float) -> None:
    """What a product reads is rounded: 1 + 2^-12 becomes 1 where the mantissa has 10 bits."""
    left = torch.full((64, 64), 1 + 2.0**-12, device="cuda")
    with precision_context(precision, CUDA):
        product = left @ torch.eye(64, device="cuda")
    assert (product[0, 0] == left[0, 0]).item() == (precision == "fp32")
    assert abs(float(product[0, 0]) - float(left[0, 0])) <= digits
