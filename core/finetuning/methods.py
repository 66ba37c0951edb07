"""One way of fine-tuning or another: which numbers of a model learn, and how batches change.

tuning = prepare(model, settings, generator)
tuning.parameters       what learns, by name; everything else is frozen
tuning.model            what is trained, called with a batch
tuning.state()          the tensors that a checkpoint saves
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from core.files import quoted, quoted_some
from core.finetuning.adapter import Adapter, add_lora
from core.finetuning.lora import LoRAConfig
from core.finetuning.selection import (
    select_all,
    select_biases,
    select_head,
    select_last_layers,
)
from core.transformer.architectures import Model

METHODS = ("lora", "full", "last-layers", "head", "bitfit")


class Chosen(Protocol):
    """What is asked of the settings of a run.

    method       one of `METHODS`
    lora         of method "lora"
    last_layers  how many blocks learn, of method "last-layers"
    """

    @property
    def method(self) -> str: ...
    @property
    def lora(self) -> LoRAConfig: ...
    @property
    def last_layers(self) -> int: ...


@dataclass(frozen=True, slots=True, eq=False)
class Tuning:
    """A model made ready to be fine-tuned.

    model       what is trained
    parameters  those that learn, by their names in it
    adapter     what LoRA laid over the model; None: another method
    """

    model: nn.Module
    parameters: Mapping[str, nn.Parameter]
    adapter: Adapter | None = None

    def state(self) -> dict[str, Tensor]:
        """The tensors that learn, by name: all that has to be saved beside the base."""
        return {name: parameter.detach() for name, parameter in self.parameters.items()}

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Puts them back. Raises ValueError where a name or a shape differs; nothing is changed
        then.
        """
        own = self.parameters
        if differing := sorted(set(own) ^ set(tensors)):
            raise ValueError(
                f"what was learned belongs to another model or method: {quoted_some(differing)} "
                f"{'is' if len(differing) == 1 else 'are'} on one side alone; take the settings "
                "that it was learned with"
            )
        for name, parameter in own.items():
            if parameter.shape != tensors[name].shape:
                raise ValueError(
                    f"{name} has shape {tuple(parameter.shape)} here and "
                    f"{tuple(tensors[name].shape)} there; take the base and the settings that it "
                    "was learned with"
                )
        with torch.no_grad():
            for name, parameter in own.items():
                parameter.copy_(tensors[name])


def prepare(model: Model, settings: Chosen, generator: torch.Generator | None = None) -> Tuning:
    """Freezes the model but for what the method lets learn, and adds what the method adds.

    generator  what new parameters are drawn from; None: torch's own

    Raises ValueError, with the remedy, for an unknown method and for what the model cannot do.
    """
    adapter = None
    match settings.method:
        case "lora":
            adapter = add_lora(model, settings.lora, generator=generator)
        case "full":
            select_all(model)
        case "last-layers":
            select_last_layers(model, settings.last_layers)
        case "head":
            select_head(model)
        case "bitfit":
            select_biases(model)
        case other:
            raise ValueError(f"there is no method {quoted(other)}; use {', '.join(METHODS)}")
    return Tuning(model, _learning(model), adapter)


def _learning(model: nn.Module) -> dict[str, nn.Parameter]:
    return {name: one for name, one in model.named_parameters() if one.requires_grad}
