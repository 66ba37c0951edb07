"""Mixed precision: the matrix products of a step in 16 bits, and what training then needs.

    fp32   everything in 32 bits
    tf32   matrix products read 19 of the 32 bits; on NVIDIA GPUs from Ampere on (2020)
    bf16   matrix products in 16 bits, with the range of fp32 but only 2 decimal digits
    fp16   matrix products in 16 bits, with 3 digits but a small range: the loss is scaled, see
           `core.training.scaler`

`core.training.number_formats` describes the bits of these numbers.

In every precision the weights, their gradients and the optimizer's state stay in fp32: an update is
often too small to change a 16-bit weight at all (Micikevicius et al. 2018, section 3.1). Norms,
softmax and loss sum many numbers and would lose digits; `core.transformer` computes them in fp32.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch

from core.training.config import TrainingConfig
from core.training.scaler import LossScaler
from core.training.sizes import slow_note

CPU = torch.device("cpu")
HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}
AMPERE = 8  # major version of the first GPUs with TF32 and bf16 arithmetic


def precision_context(precision: str, device: torch.device = CPU) -> AbstractContextManager[Any]:
    """Returns a context in which matrix products run in a precision, for a forward pass."""
    if precision in HALF:
        return torch.autocast(device.type, HALF[precision])
    return backward_context(precision, device)


def backward_context(precision: str, device: torch.device = CPU) -> AbstractContextManager[Any]:
    """Returns a context for a backward pass. It does nothing in 16 bits: each product's gradient is
    computed in the format of the product.
    """
    if precision == "tf32" and device.type == "cuda":
        return _tensor_float_32()
    return nullcontext()


@contextmanager
def _tensor_float_32() -> Iterator[None]:
    """Lets CUDA's matrix products round their inputs to TF32; restores the setting at the end."""
    settings = torch.backends.cuda.matmul
    # Torch 2.9 renamed the setting, and refuses to mix the two names.
    name, value = ("fp32_precision", "tf32") if _has_precision() else ("allow_tf32", True)
    before = getattr(settings, name)
    setattr(settings, name, value)
    try:
        yield
    finally:
        setattr(settings, name, before)


def _has_precision() -> bool:
    try:
        return bool(torch.backends.cuda.matmul.fp32_precision)
    except AttributeError:
        return False


def build_scaler(config: TrainingConfig) -> LossScaler | None:
    """Returns the config's loss scaler, or None: only fp16 has too small a range to do without."""
    if config.precision != "fp16":
        return None
    return LossScaler(config.loss_scale, growth_interval=config.loss_scale_growth_interval)


def bf16_is_fast() -> bool:
    """Returns whether this CPU has bf16 arithmetic; False if this torch version cannot tell."""
    ask = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return ask is not None and bool(ask())


def precision_note(
    precision: str, device: torch.device = CPU, relative: Mapping[str, float] | None = None
) -> str:
    """Returns a note for the user on a precision on a device, or "". `relative`: the processor's
    speed in each precision relative to fp32, if measured.
    """
    is_cuda = device.type == "cuda"
    is_old = is_cuda and torch.cuda.get_device_capability(device)[0] < AMPERE
    match precision:
        case "tf32" if not is_cuda:
            return f"tf32 needs an NVIDIA GPU: on {device.type} this run computes in fp32"
        case "tf32" if is_old:
            return "tf32 needs a GPU from Ampere on (2020): here this run computes in fp32"
        case "bf16" if is_old:
            return "This GPU has no bf16 arithmetic: fp16 is faster here"
        case "bf16" | "fp16" if device.type == "cpu" and relative and precision in relative:
            return slow_note(precision, relative[precision])
        case "bf16" if device.type == "cpu" and not bf16_is_fast():
            return "This CPU has no bf16 arithmetic: bf16 is about 10 times slower than fp32"
        case "fp16" if device.type == "cpu":
            return (
                "fp16 on a CPU is for learning how it works: it is 10 to 20 times slower than fp32"
            )
    return ""
