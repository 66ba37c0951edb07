"""Prepares a model for a fine-tuning method: which numbers learn, and how batches change.

    tuning = prepare(model, settings, generator)
    tuning.parameters       the trainable ones, by name; everything else is frozen
    tuning.model            the model to train, called with a batch
    tuning.state()          the tensors that a checkpoint saves

To load a checkpoint onto its base, `prepare` the base as for the run, then call `load_state`. From
then on its change can be scaled, whatever the method.

    tuning.scale = 0.5      half of it; 0: the base
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from core.files import quoted_some
from core.finetuning.adapter import Adapter, add_lora
from core.finetuning.bottleneck import Bottlenecks, add_bottlenecks
from core.finetuning.classifier import Classifier
from core.finetuning.quantization import quantize_model
from core.finetuning.selection import select
from core.finetuning.settings import FinetuningSettings
from core.finetuning.soft_prompt import add_soft_prompt, put_in_front
from core.finetuning.task_vector import TaskVector
from core.transformer.architectures import Model


class Tuning:
    """A model prepared for fine-tuning.

    model       the model to train: the given one, or the `Classifier` around it
    parameters  the trainable ones, by their names in it
    added       modules added to the model, or None
    own         trainable parameters of the base itself
    prompt      tokens that precede each text, which leave less room for the text
    """

    def __init__(
        self,
        model: nn.Module,
        added: Adapter | Bottlenecks | None = None,
        own: Sequence[nn.Parameter] = (),
        prompt: tuple[int, ...] = (),
    ) -> None:
        self.model = model
        self.parameters: Mapping[str, nn.Parameter] = {
            name: one for name, one in model.named_parameters() if one.requires_grad
        }
        self.added = added
        self.own = own
        self.prompt = prompt
        self._vector: TaskVector | None = None

    @property
    def adapter(self) -> Adapter | None:
        """The LoRA adapter, or None with another method."""
        return self.added if isinstance(self.added, Adapter) else None

    @property
    def scale(self) -> float:
        """Factor of the learned change: 0 none of it, 1 all of it.

        Setting it raises ValueError for a soft prompt, and if the base's numbers were overwritten.
        """
        changed = self.added or self._vector
        return 1.0 if changed is None else changed.scale

    @scale.setter
    def scale(self, scale: float) -> None:
        changed = self.added or self._vector
        if self.prompt:
            raise ValueError(
                "a soft prompt cannot be added in part; to get the base, read the text without its "
                "tokens"
            )
        if changed is None:
            raise ValueError(
                "training has overwritten the numbers of the base; open the checkpoint again, to "
                "load both"
            )
        changed.scale = scale

    def batch(self, ids: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Puts the prompt, of P tokens, before a batch: ids and targets (B, T) -> (B, P + T)."""
        return put_in_front(self.prompt, ids, targets) if self.prompt else (ids, targets)

    def state(self) -> dict[str, Tensor]:
        """Returns the trainable tensors by name: all that a checkpoint needs besides the base."""
        return {name: parameter.detach() for name, parameter in self.parameters.items()}

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Copies saved tensors into the model. Raises ValueError if a name or a shape differs;
        nothing is changed then.
        """
        here = self.parameters
        if differing := sorted(set(here) ^ set(tensors)):
            raise ValueError(
                f"what was learned belongs to another model or method: {quoted_some(differing)} "
                f"{'is' if len(differing) == 1 else 'are'} on one side alone; take the settings "
                "that it was learned with"
            )
        for name, parameter in here.items():
            if parameter.shape != tensors[name].shape:
                raise ValueError(
                    f"{name} has shape {tuple(parameter.shape)} here and "
                    f"{tuple(tensors[name].shape)} there; take the base and the settings that it "
                    "was learned with"
                )
        if self._vector is not None:
            self._vector.scale = 1.0
        elif self.own:
            self._vector = TaskVector(self.own)
        with torch.no_grad():
            for name, parameter in here.items():
                parameter.copy_(tensors[name])


def prepare(
    model: Model, settings: FinetuningSettings, generator: torch.Generator | None = None
) -> Tuning:
    """Freezes the model except for what the method trains, and adds the method's modules.

    generator  random source for new parameters; None: torch's own

    Raises ValueError, with a remedy, for a method that the model does not support.
    """
    added: Adapter | Bottlenecks | None = None
    prompt: tuple[int, ...] = ()
    own: list[nn.Parameter] = []
    model.requires_grad_(False)  # an adapter already on the base stays frozen, too
    if settings.is_quantized:
        quantize_model(model)
    match settings.method:
        case "lora":
            added = add_lora(model, settings.lora, generator=generator)
        case "bottleneck":
            added = add_bottlenecks(model, settings.bottleneck_width, generator=generator)
        case "prompt":
            prompt = add_soft_prompt(model, settings.prompt_tokens, generator=generator)
        case "head" if settings.classes:
            pass  # a classifier trains its own head instead
        case _:
            own = select(model, settings.method, settings.last_layers)
    trained: nn.Module = model
    if settings.classes:
        trained = Classifier(model, len(settings.classes), generator=generator)
    return Tuning(trained, added, own, prompt)
