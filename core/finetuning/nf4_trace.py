"""How 64 weights are rounded to 4 bits each and restored, as a Trace.

Letters in shapes: N blocks of 64 weights in the matrix.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from core.finetuning.nf4 import (
    BLOCK,
    GROUP,
    LARGEST_EIGHT_BIT,
    borders,
    code_book,
    group_absmax,
    quantize_absmax,
    quantize_blocks,
    restore_absmax,
    restore_blocks,
    rounding_errors,
    to_blocks,
)
from core.trace import Step, Trace

_HERE = "core.finetuning.nf4"
_BLOCKS = f"{_HERE}:quantize_blocks"
_ABSMAX = f"{_HERE}:quantize_absmax"


def trace_quantization(weight: Tensor, block: int = 0) -> Trace:
    """Traces one block of a matrix (out, in), from weights to codes and back, in eleven steps.

    block  index of the block of 64 weights, row by row; negative: from the end. `about` has the
           `levels` (16,), the `codes` (64,), and the position (`place`) of the block's absmax in
           its group of 256

    Raises ValueError for a block out of range.
    """
    blocks = to_blocks(weight.detach().float().cpu())
    if not -len(blocks) <= block < len(blocks):
        raise ValueError(
            f"there is no block {block}; this matrix has blocks 0 to {len(blocks) - 1}"
        )
    block %= len(blocks)
    group, place = divmod(block, GROUP)
    one = blocks[block : block + 1]  # (1, 64)
    with torch.no_grad():
        made = quantize_blocks(one)
        mean, groups = group_absmax(quantize_blocks(blocks).absmax)
        eight = quantize_absmax(groups[group : group + 1], mean)
        absmax = restore_absmax(eight.rounded, eight.unit, mean)  # (1, 256)
        levels = code_book()[made.codes]
        weights = restore_blocks(levels, absmax[:, place : place + 1])
        errors = rounding_errors(one, weights)
    tensors = {
        **made._asdict(), **eight._asdict(), "blocks": one,
        "between": borders(), "levels": levels, "mean": mean, "weights": weights, "errors": errors,
    }  # fmt: skip
    values = {name: tensor.numpy() for name, tensor in tensors.items()}
    values["group"], values["restored"] = groups[group : group + 1].numpy(), absmax.numpy()
    about = {
        "shape": tuple(weight.shape), "block": block, "blocks": len(blocks), "place": place,
        "levels": code_book().numpy(), "codes": values["codes"][0],
    }  # fmt: skip
    trace = Trace(about)
    for step in _steps(values, place):
        trace.append(step)
    return trace.finish()


def _steps(made: dict[str, np.ndarray], place: int) -> list[Step]:
    """Returns the steps; each holds the output of its line first, then the inputs."""

    def of(*names: str) -> dict[str, np.ndarray]:
        return {name: made[name] for name in names}

    own = {"absmax": made["restored"][:, place : place + 1]}
    return [
        Step(
            "nf4.absmax",
            f"The largest of {BLOCK} weights, without its sign",
            r"a = \max_i |w_i|",
            f"{_BLOCKS}#absmax",
            of("absmax") | {"sizes": abs(made["blocks"])},
        ),
        Step(
            "nf4.normalize",
            "Divide all of them by it: now they lie between -1 and 1",
            r"x_i = \frac{w_i}{a}",
            f"{_BLOCKS}#normalize",
            of("scaled", "blocks") | {"divisor": _divisor(made["absmax"])},
        ),
        Step(
            "nf4.nearest",
            "The nearest of 16 levels: its number is all that is kept, 4 bits",
            r"c_i = \mathrm{argmin}_k \, |x_i - q_k|",
            f"{_BLOCKS}#nearest",
            of("codes", "scaled", "between"),
        ),
        Step(
            "nf4.distance",
            f"Of {GROUP} blocks: how far each absmax lies from the mean of all",
            r"d_j = a_j - \bar{a}",
            f"{_ABSMAX}#distance",
            of("distance", "mean") | {"absmax": made["group"]},
        ),
        Step(
            "nf4.largest",
            "The largest of these distances, without its sign",
            r"m = \max_j |d_j|",
            f"{_ABSMAX}#largest",
            of("largest") | {"sizes": abs(made["distance"])},
        ),
        Step(
            "nf4.unit",
            "It becomes the largest number that an 8-bit float can hold",
            r"u = \frac{m}{448}",
            f"{_ABSMAX}#unit",
            of("unit", "largest") | {"most": np.asarray(LARGEST_EIGHT_BIT)},
        ),
        Step(
            "nf4.shrink",
            "Divide all distances by this unit",
            r"y_j = \frac{d_j}{u}",
            f"{_ABSMAX}#shrink",
            of("shrunk", "distance") | {"divisor": _divisor(made["unit"])},
        ),
        Step(
            "nf4.round",
            "Round to an 8-bit float: with one unit for all of them, 1 byte per block",
            r"\hat{y}_j = \mathrm{fp8}(y_j)",
            f"{_ABSMAX}#round",
            of("rounded", "shrunk"),
        ),
        Step(
            "nf4.restore_absmax",
            "Back: the absmax, nearly what it was",
            r"\hat{a}_j = \bar{a} + u\, \hat{y}_j",
            f"{_HERE}:restore_absmax#restore_absmax",
            of("mean", "unit", "rounded") | {"absmax": made["restored"]},
        ),
        Step(
            "nf4.restore",
            "Each code's level times the absmax: what the model computes with",
            r"\hat{w}_i = q_{c_i} \hat{a}",
            f"{_HERE}:restore_blocks#restore",
            of("weights", "levels") | own,
        ),
        Step(
            "nf4.errors",
            "How far rounding has moved each weight",
            r"e_i = \hat{w}_i - w_i",
            f"{_HERE}:rounding_errors#errors",
            of("errors", "weights", "blocks"),
        ),
    ]


def _divisor(largest: np.ndarray) -> np.ndarray:
    """Returns the divisor: 1 where the largest is 0."""
    return np.where(largest == 0, np.float32(1), largest)
