"""A model's own modules and parameters, found under what fine-tuning has laid over them.

What is laid over a module takes its place in the model and keeps it as `base`, and something else
may lie over that. So "h.0.attn.c_attn.weight" may be at "h.0.attn.c_attn.base.weight".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

from core.transformer.architectures import Model
from core.transformer.parameters import parameter_shapes

BASE = re.compile(r"\.base(?=\.)")


def replace_module(model: nn.Module, name: str, module: nn.Module) -> None:
    """Puts a module in the place of the one that has this name."""
    owner, _, kind = name.rpartition(".")
    setattr(model.get_submodule(owner), kind, module)


@contextmanager
def restored(parameters: Iterable[nn.Parameter]) -> Iterator[None]:
    """Gives parameters their numbers back afterwards."""
    before = [(one, one.detach().clone()) for one in parameters]
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, numbers in before:
                parameter.copy_(numbers)


def layered_modules(model: nn.Module, name: str) -> Iterator[tuple[str, nn.Module]]:
    """The module of this name and whatever it lies over, each with its own name, the model's own
    module last.
    """
    module = model.get_submodule(name)
    yield name, module
    while isinstance(base := getattr(module, "base", None), nn.Module):
        name, module = f"{name}.base", base
        yield name, module


def plain_parameters(model: Model) -> dict[str, nn.Parameter]:
    """The model's own parameters, by the names that its config gives them, tied ones once. What
    fine-tuning added is left out.
    """
    own = parameter_shapes(model.config)
    named = ((BASE.sub("", name), one) for name, one in model.named_parameters())
    return {name: one for name, one in named if name in own}
