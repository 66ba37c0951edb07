"""How the directions of LoRA's change are found, and how many of them it uses, as a Trace.

Letters in shapes: in, out: input and output width of a matrix; r: rank.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from core.finetuning.adapter import Adapter
from core.finetuning.analysis import update_of
from core.finetuning.lora import DoRA
from core.finetuning.spectrum import (
    decompose_product,
    energy_shares,
    entropy_rank,
)
from core.trace import Step, Trace

_HERE = "core.finetuning.spectrum"
_PRODUCT = f"{_HERE}:decompose_product"
_RANK = f"{_HERE}:entropy_rank"


def trace_spectrum(adapter: Adapter, name: str) -> Trace:
    """Traces the way from A and B of an adapter's update to its singular values, their shares and
    the effective rank. Ten steps; six while B is 0, so that the change has no direction.

    Raises ValueError for an unknown name, and for DoRA, whose change is not a product.
    """
    update = update_of(adapter, name)
    if isinstance(update, DoRA):
        raise ValueError(
            "DoRA also changes the lengths of the rows, so its change is no product of B and A; "
            "spectrum_of gives its directions"
        )
    A, B, s = update.A.detach().double().cpu(), update.B.detach().double().cpu(), update.scaling
    with torch.no_grad():
        found = decompose_product(A, B, s)
    tensors = {"A": A, "B": B} | found._asdict()
    made = {key: tensor.numpy() for key, tensor in tensors.items()} | {"s": np.asarray(s)}
    trace = Trace({"name": name, "r": update.r, "shape": (B.size(0), A.size(1))})
    for step in _directions(made):
        trace.append(step)
    if made["values"].any():
        for step in _shares(made["values"]):
            trace.append(step)
    return trace.finish()


def _directions(made: Mapping[str, np.ndarray]) -> list[Step]:
    def of(*names: str) -> dict[str, np.ndarray]:
        return {name: made[name] for name in names}

    return [
        Step(
            "spectrum.qr_b",
            "Split B into r directions of length 1 and a small matrix that mixes them",
            r"B = Q_B R_B",
            f"{_PRODUCT}#qr_b",
            of("Q_B", "R_B", "B"),
        ),
        Step(
            "spectrum.qr_a",
            "Split the transposed A in the same way",
            r"A^\top = Q_A R_A",
            f"{_PRODUCT}#qr_a",
            of("Q_A", "R_A", "A"),
        ),
        Step(
            "spectrum.middle",
            "Multiply the two small matrices: r by r numbers hold the whole change",
            r"M = s\, R_B R_A^\top",
            f"{_PRODUCT}#middle",
            of("middle", "s", "R_B", "R_A"),
        ),
        Step(
            "spectrum.svd",
            "Find its singular values, which are those of the whole change",
            r"M = U \Sigma V^\top",
            f"{_PRODUCT}#svd",
            of("values", "U", "Vh", "middle"),
        ),
        Step(
            "spectrum.left",
            "Find the output directions that the change writes along",
            r"L = Q_B U",
            f"{_PRODUCT}#left",
            of("left", "Q_B", "U"),
        ),
        Step(
            "spectrum.right",
            "Find the input directions that the change responds to",
            r"R = Q_A V",
            f"{_PRODUCT}#right",
            of("right", "Q_A", "Vh"),
        ),
    ]


def _shares(values: np.ndarray) -> list[Step]:
    squares = values * values
    there = values[values > 0]
    p = there / there.sum()
    entropy = 0 - (p * np.log(p)).sum()
    return [
        Step(
            "spectrum.shares",
            "Find how much of the squared change lies along each direction",
            r"e_i = \frac{\sigma_i^2}{\sum_j \sigma_j^2}",
            f"{_HERE}:energy_shares#shares",
            {"shares": energy_shares(values), "squares": squares},
        ),
        Step(
            "spectrum.proportions",
            "Divide the singular values by their sum",
            r"p_i = \frac{\sigma_i}{\sum_j \sigma_j}",
            f"{_RANK}#proportions",
            {"p": p, "values": there},
        ),
        Step(
            "spectrum.entropy",
            "Find their entropy: 0 if one has everything, largest if all are equal",
            r"H = -\sum_i p_i \ln p_i",
            f"{_RANK}#entropy",
            {"entropy": entropy, "p": p},
        ),
        Step(
            "spectrum.rank",
            "Effective rank: how many equally strong directions have this entropy",
            r"\mathrm{erank} = e^H",
            f"{_RANK}#rank",
            {"rank": entropy_rank(there), "entropy": entropy},
        ),
    ]
