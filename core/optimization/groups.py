"""Parameter groups: which parameters decay and which Muon moves, each in exactly one group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def decay_groups(parameters: Iterable[Any], weight_decay: float) -> list[dict[str, Any]]:
    """Returns two groups for torch.optim.AdamW: matrices with weight decay, vectors without.

    A bias or a norm's gain that shrank could not do its task; nanoGPT and GPT-3 (section 2.2 of
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
    """Raises ValueError unless the groups contain every parameter exactly once."""
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
    """Returns the same groups, each parameter as a pair (name, parameter).

    Raises ValueError for a parameter without a name.
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


# Tables with a row for each token, position or class: a gradient step does not mix their rows.
TABLES = ("wte", "wpe", "lm_head", "score")


def matrix_groups(
    groups: Sequence[dict[str, Any]], matrices: Any, rest: Any
) -> list[dict[str, Any]]:
    """Splits named groups for an optimizer that moves only matrices, by their "settings".

    The matrices of the hidden layers get the settings `matrices` (Muon's); vectors, embeddings and
    the output head get `rest` (AdamW's), as Jordan et al. 2024 recommend.
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
    """Whether a parameter with `ndim` axes is a matrix of a hidden layer."""
    return ndim == 2 and not set(name.split(".")) & set(TABLES)
