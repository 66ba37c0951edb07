"""One way of fine-tuning or another: which numbers of a model learn, and how batches change.

tuning = prepare(model, settings, generator)
tuning.parameters       what learns, by name; everything else is frozen
tuning.model            what is trained, called with a batch
tuning.state()          the tensors that a checkpoint saves
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.files import quoted_some
from core.finetuning.adapter import Adapter, add_lora
from core.finetuning.bottleneck import add_bottlenecks
from core.finetuning.classifier import Classifier
from core.finetuning.quantization import quantize_model
from core.finetuning.selection import (
    select_all,
    select_biases,
    select_head,
    select_last_layers,
)
from core.finetuning.settings import FinetuningSettings
from core.finetuning.soft_prompt import add_soft_prompt, put_in_front
from core.transformer.architectures import Model


@dataclass(frozen=True, slots=True, eq=False)
class Tuning:
    """A model made ready to be fine-tuned.

    model       what is trained: the one that was given, or the `Classifier` around it
    parameters  those that learn, by their names in it
    adapter     what LoRA laid over the model; None: another method
    prompt      tokens that stand before each text: there is room for so many fewer of its own
    """

    model: nn.Module
    parameters: Mapping[str, nn.Parameter]
    adapter: Adapter | None = None
    prompt: tuple[int, ...] = ()

    def batch(self, ids: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """A batch as the model reads it: ids and targets (B, T) -> (B, P + T), P the prompt."""
        return put_in_front(self.prompt, ids, targets) if self.prompt else (ids, targets)

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


def prepare(
    model: Model, settings: FinetuningSettings, generator: torch.Generator | None = None
) -> Tuning:
    """Freezes the model but for what the method lets learn, and adds what the method adds.

    generator  what new parameters are drawn from; None: torch's own

    Raises ValueError, with the remedy, for what the model cannot do.
    """
    adapter: Adapter | None = None
    prompt: tuple[int, ...] = ()
    trained: nn.Module = model
    if settings.quantize != "none":
        quantize_model(model)
    match settings.method:
        case "lora":
            adapter = add_lora(model, settings.lora, generator=generator)
        case "full":
            select_all(model)
        case "last-layers":
            select_last_layers(model, settings.last_layers)
        case "head" if settings.classes:  # that of the classifier, below
            model.requires_grad_(False)
        case "head":
            select_head(model)
        case "bitfit":
            select_biases(model)
        case "bottleneck":
            add_bottlenecks(model, settings.bottleneck_width, generator=generator)
        case "prompt":
            prompt = add_soft_prompt(model, settings.prompt_tokens, generator=generator)
    if settings.classes:
        trained = Classifier(model, len(settings.classes), generator=generator)
    return Tuning(trained, _learning(trained), adapter, prompt)


def _learning(model: nn.Module) -> dict[str, nn.Parameter]:
    return {name: one for name, one in model.named_parameters() if one.requires_grad}
