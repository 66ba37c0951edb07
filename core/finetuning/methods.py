"""Which numbers of a base learn: `prepare` freezes the others, or lays an adapter over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.files import quoted_some
from core.finetuning.adapter import Adapter, add_lora
from core.finetuning.settings import FinetuningSettings
from core.transformer.architectures import Model


@dataclass(frozen=True, slots=True, eq=False)
class Tuning:
    """A model that is ready to be tuned.

    model       what is trained
    parameters  those that learn, by their names in it
    adapter     what was laid over it; None: its own numbers learn
    """

    model: nn.Module
    parameters: Mapping[str, nn.Parameter]
    adapter: Adapter | None = None

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Puts back what was learned. Raises ValueError where a name or a shape differs."""
        own = self.parameters
        differing = sorted(set(own) ^ set(tensors)) or [
            name for name in own if own[name].shape != tensors[name].shape
        ]
        if differing:
            raise ValueError(
                f"what was learned belongs to another model or method: {quoted_some(differing)} "
                "differs; take the settings that it was learned with"
            )
        with torch.no_grad():
            for name, parameter in own.items():
                parameter.copy_(tensors[name])


def prepare(
    model: Model, settings: FinetuningSettings, generator: torch.Generator | None = None
) -> Tuning:
    """Makes ready what the settings' method trains; the model computes what it did before.

    generator  what is new is drawn from it
    """
    adapter = None
    if settings.method == "lora":
        adapter = add_lora(model, settings.lora, generator=generator)
    else:
        model.requires_grad_(True)
    learning = {name: one for name, one in model.named_parameters() if one.requires_grad}
    return Tuning(model, learning, adapter)
