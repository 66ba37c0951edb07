"""A model's own modules and parameters, found inside the wrappers that fine-tuning added.

A wrapper replaces a module in the model and keeps it as `base`; wrappers may be nested. So
"h.0.attn.c_attn.weight" may be at "h.0.attn.c_attn.base.weight".
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
    """Replaces the module of this name."""
    owner, _, kind = name.rpartition(".")
    setattr(model.get_submodule(owner), kind, module)


@contextmanager
def restored(parameters: Iterable[nn.Parameter]) -> Iterator[None]:
    """Restores the parameters' numbers afterwards."""
    before = [(one, one.detach().clone()) for one in parameters]
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, numbers in before:
                parameter.copy_(numbers)


def layered_modules(model: nn.Module, name: str) -> Iterator[tuple[str, nn.Module]]:
    """Yields the module of this name and all modules that it wraps, each with its full name, the
    model's own module last.
    """
    module = model.get_submodule(name)
    yield name, module
    while isinstance(base := getattr(module, "base", None), nn.Module):
        name, module = f"{name}.base", base
        yield name, module


def plain_parameters(model: Model) -> dict[str, nn.Parameter]:
    """Returns the model's own parameters, by the names that its config gives them, tied ones once,
    without those that fine-tuning added.
    """
    own = parameter_shapes(model.config)
    named = ((BASE.sub("", name), one) for name, one in model.named_parameters())
    return {name: one for name, one in named if name in own}
