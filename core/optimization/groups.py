"""Which parameters shrink, and whether every one of them is moved exactly once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def decay_groups(parameters: Iterable[Any], weight_decay: float) -> list[dict[str, Any]]:
    """Two groups for torch.optim.AdamW: matrices shrink, vectors (biases, norms) do not.

    A bias or a norm's gain that shrank would lose what it is for; nanoGPT and GPT-3 (section 2.2 of
    Brown et al. 2020 gives the 0.1) decay matrices only.
    """
    matrices: list[Any] = []
    vectors: list[Any] = []
    for parameter in parameters:
        (matrices if parameter.ndim >= 2 else vectors).append(parameter)
    groups = [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def check_groups(groups: Sequence[dict[str, Any]], parameters: Iterable[Any]) -> None:
    """Raises ValueError unless the groups hold every parameter exactly once."""
    grouped = [id(parameter) for group in groups for parameter in group["params"]]
    wanted = {id(parameter) for parameter in parameters}
    if len(grouped) != len(set(grouped)):
        raise ValueError("a parameter is in two groups; it would be stepped twice")
    if set(grouped) != wanted:
        raise ValueError(
            f"the groups hold {len(grouped)} parameters, the model has {len(wanted)}; "
            "put every parameter that is trained in exactly one group"
        )
