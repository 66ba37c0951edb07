"""QLoRA: the frozen matrices of a model are stored in 4 bits a number, and a LoRA update learns.

    quantized = core.quantize_model(model)
    adapter = core.add_lora(model)          as with any model
    quantized.bytes_before, .bytes_after    memory of the model
    dequantize_model(model)                 full matrices again, including rounding errors

Source: QLoRA (Dettmers et al. 2023), section 3.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from core.files import quoted_some
from core.finetuning.lora import Adapted
from core.finetuning.lora_config import ALL_LINEAR
from core.finetuning.quantized_linear import QuantizedLinear
from core.finetuning.targets import find_targets
from core.finetuning.wrapped_modules import layered_modules, replace_module
from core.jobs import to_the_end
from core.transformer.architectures import Model
from core.transformer.linear import Linear


@dataclass(frozen=True, slots=True)
class Quantization:
    """The quantized matrices, and their memory.

    names                            of the linear layers, in the model's order
    matrices_before, matrices_after  bytes of these matrices
    bytes_before, bytes_after        bytes of the whole model
    """

    names: tuple[str, ...]
    matrices_before: int
    matrices_after: int
    bytes_before: int
    bytes_after: int


def model_bytes(model: nn.Module) -> int:
    """Returns the bytes of all parameters and buffers; shared ones count once."""
    tensors = {id(one): one for one in (*model.parameters(), *model.buffers())}
    return sum(one.nbytes for one in tensors.values())


def quantize_model(model: Model, target_modules: Sequence[str] = (ALL_LINEAR,)) -> Quantization:
    """Quantizes matrices of the model to 4 bits a number: those that the ends of names select, as
    in `LoRAConfig`. By default all linear layers but the output head, as in QLoRA.

    Updates added by fine-tuning remain. Raises ValueError, with a remedy, if no matrix matches, for
    an embedding, for a part of a matrix, for one with a merged adapter, and for one with NaN or
    infinity. The model is then unchanged.
    """
    return to_the_end(quantize_model_steps(model, target_modules))


def quantize_model_steps(
    model: Model, target_modules: Sequence[str] = (ALL_LINEAR,)
) -> Generator[str, None, Quantization]:
    """Runs `quantize_model`, yielding the name of each matrix when done. The model changes only
    after the last one.
    """
    linears = _linears(model, target_modules)
    before, full = model_bytes(model), sum(one.weight.nbytes for one in linears.values())
    made = {}
    for name, linear in linears.items():
        try:
            made[name] = QuantizedLinear(linear)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        yield name
    for name, module in made.items():
        module.train(model.training)
        replace_module(model, name, module)
    after = sum(one.matrix.nbytes for one in made.values())
    return Quantization(tuple(made), full, after, before, model_bytes(model))


def dequantize_model(model: Model) -> None:
    """Turns every quantized matrix back into a full one, in fp32, with the numbers that its codes
    represent. The model computes the same as before, and an adapter can be merged. All are frozen.
    """
    for name, module in list(model.named_modules()):
        if isinstance(module, QuantizedLinear):
            with torch.device("meta"):
                linear = Linear(module.in_features, module.out_features, bias=False)
            linear.weight = nn.Parameter(module.weight, requires_grad=False)
            linear.register_parameter("bias", module.bias)
            linear.train(module.training)
            replace_module(model, name, linear)


def _linears(model: Model, names: Sequence[str]) -> dict[str, nn.Linear]:
    targets = find_targets(model, names)
    if parts := [target.name for target in targets if target.rows is not None]:
        raise ValueError(
            f"{quoted_some(parts)}: a part of a matrix cannot be quantized by itself; give the "
            "whole matrix"
        )
    found = {}
    for target in targets:
        layers = dict(layered_modules(model, target.module))
        if any(isinstance(one, Adapted) and one.original is not None for one in layers.values()):
            raise ValueError(
                f"an adapter is merged into {target.name}; unmerge it first, or it would be "
                "rounded as well"
            )
        name, module = layers.popitem()
        if isinstance(module, nn.Embedding):
            raise ValueError(
                f"{target.name} is an embedding, whose rows are looked up: only matrices that "
                "multiply can be quantized; leave it out"
            )
        if isinstance(module, nn.Linear):
            found[name] = module
    if not found:
        raise ValueError("all of these matrices are quantized already; there is nothing to do")
    return found
