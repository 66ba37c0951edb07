"""Which parameters shrink, which ones Muon may move, and whether each is moved exactly once."""

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


def named_groups(
    groups: Sequence[dict[str, Any]], named_parameters: Iterable[tuple[str, Any]]
) -> list[dict[str, Any]]:
    """The same groups, each parameter with its name before it: (name, parameter).

    Raises ValueError for a parameter that has none.
    """
    names = {id(parameter): name for name, parameter in named_parameters}
    if any(id(parameter) not in names for group in groups for parameter in group["params"]):
        raise ValueError(
            "a group holds a parameter of another model; take the groups from this one"
        )
    return [
        {**group, "params": [(names[id(parameter)], parameter) for parameter in group["params"]]}
        for group in groups
    ]


# Tables with a row for each token, position or class: nothing in a gradient step mixes their rows.
TABLES = ("wte", "wpe", "lm_head", "score")


def matrix_groups(
    groups: Sequence[dict[str, Any]], matrices: Any, rest: Any
) -> list[dict[str, Any]]:
    """Named groups for an optimizer that moves matrices only: each split in two by `settings`.

    The matrices between a network's layers get the settings `matrices` (Muon's); vectors,
    embeddings and the output head get `rest` (AdamW's), as Jordan et al. 2024 advise.
    """
    split = []
    for group in groups:
        inner = [(name, one) for name, one in group["params"] if is_inner(name, one.ndim)]
        outer = [(name, one) for name, one in group["params"] if not is_inner(name, one.ndim)]
        split += [
            {**group, "params": params, "settings": settings}
            for params, settings in ((inner, matrices), (outer, rest))
            if params
        ]
    return split


def is_inner(name: str, ndim: int) -> bool:
    """Whether a parameter of so many axes is a matrix between a network's layers."""
    return ndim == 2 and not set(name.split(".")) & set(TABLES)
