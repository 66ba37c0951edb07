"""The arithmetic of training, and the share of a device's peak that it reaches.

A FLOP is one multiplication or one addition: a product of matrices (m, k) and (k, n) takes 2 m k n.
The backward pass takes two such products for each one of the forward pass.
"""

from __future__ import annotations

from core.optimization.muon import MuonSettings
from core.transformer.config import ModelConfig
from core.transformer.parameters import inner_matrices

FORWARD, BACKWARD = 2.0, 4.0  # FLOPs of one weight in a matrix product, for one token


def flops_per_token(model: ModelConfig) -> float:
    """Returns forward and backward: 6 per weight in a matrix product, and 12 L H D T for attention.

    Chowdhery et al. 2022 (PaLM), appendix B. The token embedding is looked up, not multiplied, but
    its transpose is the output head, so tied weights count once. As in the paper, attention counts
    all T x T scores, including those that the causal mask hides.
    """
    width = model.n_head * model.head_width
    weights = model.n_layer * sum(rows * columns for rows, columns in inner_matrices(model))
    weights += model.vocab_size * model.n_embd
    layers, T = model.n_layer, model.block_size
    flops = 6.0 * weights + 12.0 * layers * width * T  # step: flops
    return flops


def muon_flops(model: ModelConfig) -> float:
    """Returns Newton-Schulz's FLOPs per step: 4 n^2 m + 2 n^3 an iteration and matrix (n, m)."""
    sides = [(min(shape), max(shape)) for shape in inner_matrices(model)]
    once = sum(4.0 * n * n * m + 2.0 * n**3 for n, m in sides)
    return model.n_layer * MuonSettings().iterations * once


def model_flops_utilization(
    tokens_per_second: float, flops_per_token: float, peak: float | None, devices: int = 1
) -> float | None:
    """Returns the MFU: the model's FLOPs as a share of the devices' peak in the same time.

    Chowdhery et al. 2022, appendix B. Recomputed activations count once, because recomputing them
    makes no progress. `peak` is one device's FLOP/s in the precision of its matrix products; if it
    is None, so is the result, which is shown as "n/a" and not as 0 %.
    """
    if peak is None:
        return None
    reached = tokens_per_second * flops_per_token
    utilization = reached / (peak * devices)  # step: mfu
    return utilization
