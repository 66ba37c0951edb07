"""Prepares a model for a method of fine-tuning: which numbers learn, and how batches change.

    tuning = prepare(model, settings, generator)
    tuning.parameters       what learns, by name; everything else is frozen
    tuning.model            what is trained, called with a batch
    tuning.state()          the tensors that a checkpoint saves

What a checkpoint holds is laid over its base again: `prepare` it as for the run, then `load_state`.
From then on it can be scaled, by whichever method it was learned.

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
    """A model made ready to be fine-tuned.

    model       what is trained: the one that was given, or the `Classifier` around it
    parameters  those that learn, by their names in it
    added       what was laid over the model; None: nothing was
    own         parameters of the base's own that learn
    prompt      tokens that stand before each text: there is room for so many fewer of its own
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
        """What LoRA laid over the model; None: another method."""
        return self.added if isinstance(self.added, Adapter) else None

    @property
    def scale(self) -> float:
        """How much of what was learned the model computes with: 0 nothing, 1 all of it.

        Setting it raises ValueError for a soft prompt, and where the base is not known any more.
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
        """A batch as the model reads it: ids and targets (B, T) -> (B, P + T), P the prompt."""
        return put_in_front(self.prompt, ids, targets) if self.prompt else (ids, targets)

    def state(self) -> dict[str, Tensor]:
        """The tensors that learn, by name: all that has to be saved beside the base."""
        return {name: parameter.detach() for name, parameter in self.parameters.items()}

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Puts them back, over the base. Raises ValueError where a name or a shape differs; nothing
        is changed then.
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
    """Freezes the model but for what the method lets learn, and adds what the method adds.

    generator  what new parameters are drawn from; None: torch's own

    Raises ValueError, with the remedy, for what the model cannot do.
    """
    added: Adapter | Bottlenecks | None = None
    prompt: tuple[int, ...] = ()
    own: list[nn.Parameter] = []
    model.requires_grad_(False)  # what the base has learned by an adapter stays as it is, too
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
            pass  # that of the classifier is another one
        case _:
            own = select(model, settings.method, settings.last_layers)
    trained: nn.Module = model
    if settings.classes:
        trained = Classifier(model, len(settings.classes), generator=generator)
    return Tuning(trained, added, own, prompt)
