"""The loss of a batch as one Step: its formula, its marked line, and the numbers at that line."""

from __future__ import annotations

import numpy as np

from core.autograd.losses import LOSSES
from core.autograd.operation import Array
from core.autograd.tensor import Tensor
from core.trace import Step

_MEAN = r"L = \frac{1}{N} \sum_i"

# For each loss: its marked line, the name of its targets in that line, and its formula. N is the
# number of examples, z an output, y its target.
LINES: dict[str, tuple[str, str, str]] = {
    "mean squared error": (
        "mean_squared_error#squared_error",
        "y",
        rf"{_MEAN} (z_i - y_i)^2",
    ),
    "hinge": (
        "hinge#hinge",
        "sides",
        rf"{_MEAN} \max(0, 1 - s_i z_i)",
    ),
    "binary cross-entropy": (
        "binary_cross_entropy#binary_cross_entropy",
        "y",
        rf"{_MEAN} \left( \max(z_i, 0) - z_i y_i + \log(1 + e^{{-|z_i|}}) \right)",
    ),
    "cross-entropy": (
        "cross_entropy#cross_entropy",
        "classes",
        rf"{_MEAN} -\log \frac{{e^{{z_{{i, y_i}}}}}}{{\sum_k e^{{z_{{i, k}}}}}}",
    ),
}


def loss_step(name: str, out: Array, targets: Array) -> Step:
    """Returns the Step of loss `name` for outputs (N, K) and targets (N).

    Raises ValueError for an unknown loss.
    """
    if name not in LINES:
        raise ValueError(f"loss {name!r} is unknown; use one of {', '.join(LINES)}")
    line, called, formula = LINES[name]
    out = np.asarray(out, dtype=np.float64)
    with np.errstate(all="ignore"):
        loss = LOSSES[name](Tensor(out, requires_grad=False), targets).data
    given = np.asarray(targets)
    if name == "cross-entropy":
        values = {"out": out, called: given.astype(np.int64)}
    else:
        numbers = given.astype(np.float64)
        values = {"z": out.reshape(-1), called: 2 * numbers - 1 if name == "hinge" else numbers}
    title = f"The {name} of {len(out)} points" if len(out) > 1 else f"The {name} of one point"
    return Step("loss", title, formula, f"core.autograd.losses:{line}", {"loss": loss, **values})
