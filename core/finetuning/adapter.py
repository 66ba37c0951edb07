"""core.add_lora: adds an adapter to a model; the Adapter scales, merges, saves or removes it.

    adapter = core.add_lora(model, core.LoRAConfig(r=8, alpha=16))
    adapter.parameters()       the trainable parameters; the rest of the model is frozen
    adapter.scale = 0.5        half of the learned change is added
    adapter.merge()            adds the change to the matrices: the model runs at its own speed
    adapter.unmerge()          restores the matrices to the last bit
    adapter.blend(other, 0.3)  mixes in three tenths of another adapter
    adapter.remove()           restores the model
    adapter.save(folder)       writes peft's two files, for core.load_adapter(model, folder)

A model can have several adapters; their changes are summed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from core.finetuning.lora import Adapted, DoRA, LoRAConfig, LoRAEmbedding, LoRALinear, LowRank
from core.finetuning.numerical_safety import checked_scale
from core.finetuning.peft_writer import write_adapter
from core.finetuning.quantized_linear import QuantizedLinear
from core.finetuning.targets import Target, find_targets
from core.finetuning.wrapped_modules import replace_module
from core.transformer.architectures import Model


class Adapter:
    """An adapter that `add_lora` added to a model.

    model       the model that computes with it
    config      the settings it was made with
    updates     its updates, by the name of the matrix or the part: "h.0.attn.c_attn",
                "h.0.attn.c_attn.q"
    number      of the adapter on its model; later ones have larger numbers
    trained_on  name of the base in the adapter's file; "" without a name or a file
    """

    def __init__(
        self,
        model: Model,
        config: LoRAConfig,
        updates: Mapping[str, LowRank],
        trained_on: str = "",
    ) -> None:
        self.number: int = 1 + max((one.number for one in adapters_of(model)), default=0)
        self.model = model
        self.config = config
        self.trained_on = trained_on
        self.updates: dict[str, LowRank] = {}
        self._take(updates)

    def _take(self, updates: Mapping[str, LowRank]) -> None:
        self.updates = dict(updates)
        for update in updates.values():
            update.adapter = self

    def named_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Yields name and tensor of all trainable parameters: "h.0.attn.c_attn.A", ".B" and, with
        DoRA, ".magnitude".
        """
        for name, update in self.updates.items():
            for kind, parameter in update.named_parameters():
                yield f"{name}.{kind}", parameter

    def parameters(self) -> list[nn.Parameter]:
        """Returns all trainable parameters, for an optimizer."""
        return [parameter for _, parameter in self.named_parameters()]

    @property
    def scale(self) -> float:
        """Factor of the learned change: 0 adds nothing, 1 all of it; more exaggerates it."""
        return next(iter(self.updates.values())).scale if self.updates else 1.0

    @scale.setter
    def scale(self, scale: float) -> None:
        self.check_added()
        scale = checked_scale(scale)
        for update in self.updates.values():
            update.scale = scale
        if self.is_merged:
            self.merge()

    @property
    def is_merged(self) -> bool:
        """Whether the adapter is merged into the model's matrices."""
        return any(update.merged for update in self.updates.values())

    def merge(self) -> None:
        """Adds the update to the model's matrices, in fp32: the model computes the same, at its own
        speed. A copy of each matrix is kept for `unmerge`.

        Raises ValueError if a matrix is quantized.
        """
        self._set_merged(True)

    def unmerge(self) -> None:
        """Takes the update out of the matrices, which are restored to the last bit."""
        self._set_merged(False)

    def _set_merged(self, merged: bool) -> None:
        self.check_added()
        quantized = [name for name, module in self.modules().items() if _is_quantized(module)]
        if merged and quantized:
            raise ValueError(
                f"{quantized[0]} is kept in 4 bits a number: what was learned would be rounded "
                "away in it; make full matrices of them first (dequantize_model), or lay the "
                "adapter over the model as it was before it was quantized"
            )
        changed = [update for update in self.updates.values() if update.merged != merged]
        try:
            self._write_merged(changed, merged)
        except BaseException:  # such as too little memory for a copy: restores the model
            self._write_merged(changed, not merged)
            raise

    def _write_merged(self, changed: list[LowRank], merged: bool) -> None:
        for update in changed:
            update.merged = merged
        for module in set(self.modules().values()):
            module.merge()

    def remove(self, *, merged: bool = False) -> None:
        """Removes the adapter: the model is restored, and its parameters stay frozen.

        merged  leaves the learned change in the matrices for good, at its scale: without another
                adapter the model is then a plain one, which `core.export` writes

        Raises ValueError as `merge`, and if a matrix that would stay changed also has a DoRA update
        of another adapter: its row lengths were learned for the unchanged matrix.
        """
        self.check_added()
        modules = self.modules()
        for name, module in modules.items() if merged else ():
            own = self.updates_of(module)
            if any(isinstance(one, DoRA) and one not in own for one in module.updates):
                raise ValueError(
                    f"another adapter has learned the lengths of the rows of {name} (DoRA) as they "
                    "are without this one; remove that adapter first"
                )
        if self.is_merged != merged:
            self._set_merged(merged)
        for name, module in modules.items():
            module.drop(self.updates[name])
        places = {module: place for place, module in self.model.named_modules()}
        for module in set(modules.values()):
            if not module.updates:
                replace_module(self.model, places[module], module.base)
        self.updates = {}

    def blend(self, other: Adapter, share: float) -> None:
        """Blends another adapter of the same model into this one: (1 - share) of this one, `share`
        of the other, which is removed. Their ranks add up, so nothing is lost.

        Both are taken at a scale of 1, whatever their scales are; the result is not merged and has
        a scale of 1.

        Raises ValueError for an adapter of another model, for a share that is NaN or infinite, and
        for DoRA, whose lengths cannot be added.
        """
        share = checked_scale(share, "share")
        self.check_added()
        other.check_added()
        if other is self or other.model is not self.model:
            raise ValueError("blend takes two adapters that lie on one model: add the other to it")
        if self.config.dora or other.config.dora:
            raise ValueError(
                "DoRA cannot be blended: it changes the lengths of the rows as well; set the scale "
                "of both adapters instead"
            )
        self._set_merged(False)
        other._set_merged(False)
        factors = {id(self): 1.0 - share, id(other): share}
        r = self.config.r + other.config.r
        config = replace(
            self.config,
            r=r,
            alpha=float(r),
            rslora=False,
            target_modules=tuple(
                dict.fromkeys((*self.config.target_modules, *other.config.target_modules))
            ),
        )
        names = {**self.updates, **other.updates}
        sums = {}
        for name in names:
            mine = [(a.updates[name], factors[id(a)]) for a in (self, other) if name in a.updates]
            sums[name] = (
                torch.cat([update.A.detach() for update, _ in mine]),
                torch.cat(
                    [factor * update.scaling * update.B.detach() for update, factor in mine], 1
                ),
            )
        model = self.model
        other.remove()
        self.remove()
        blended = add_updates(model, config, find_targets(model, list(names)))
        for name, (A, B) in sums.items():
            update = blended[name]
            update.A, update.B, update.scaling = nn.Parameter(A), nn.Parameter(B), 1.0
        self.config = config
        self._take(blended)

    def save(self, folder: str | Path, *, base: str | None = None, own_names: bool = False) -> None:
        """Writes the learned update, at a scale of 1, as peft's adapter_config.json and
        adapter_model.safetensors. Both `core.load_adapter` and peft, on a model that `core.export`
        wrote, open them.

        base       name or folder of the base model, written into the file
        own_names  names matrices as in core ("h.0.attn.c_attn"), for a core model wrapped by peft,
                   instead of as in transformers, if that has a class for the model

        Raises ValueError if DoRA changes both a matrix and a part of it, which peft cannot store,
        and OSError if writing fails.
        """
        self.check_added()
        updates = self.updates.values()
        write_adapter(self.model, self.config, updates, folder, base=base, own_names=own_names)

    def modules(self) -> dict[str, Adapted]:
        """Returns the module of each update, by the update's name."""
        adapted = [module for module in self.model.modules() if isinstance(module, Adapted)]
        found = {update: module for module in adapted for update in module.updates}
        return {name: found[update] for name, update in self.updates.items()}

    def updates_of(self, module: Adapted) -> list[LowRank]:
        """Returns this adapter's updates of one matrix."""
        return [update for update in self.updates.values() if update in module.updates]

    def check_added(self) -> None:
        """Raises ValueError if the adapter was removed."""
        if not self.updates:
            raise ValueError("this adapter was removed from its model; add it again")


def _is_quantized(module: Adapted) -> bool:
    return isinstance(module.base, QuantizedLinear)


def adapters_of(model: nn.Module) -> list[Adapter]:
    """Returns the adapters of a model, the newest last."""
    owners = {update.adapter for update in model.modules() if isinstance(update, LowRank)}
    adapters = [one for one in owners if isinstance(one, Adapter)]
    return sorted(adapters, key=lambda one: one.number)


def add_lora(
    model: Model, config: LoRAConfig | None = None, *, generator: torch.Generator | None = None
) -> Adapter:
    """Adds a new adapter to the model, which from now on computes with it: at first exactly what it
    computed before. All other parameters of the model are frozen.

    config     None: rank 8 on every attention's c_attn
    generator  random source for A; None: torch's own

    Raises ValueError, with a remedy, if no matrix matches (the message suggests the nearest names),
    for tied embeddings and for a rank above that of a matrix.
    """
    config = config or LoRAConfig()
    targets = find_targets(model, config.target_modules)
    check_rank(targets, config.r)
    updates = add_updates(model, config, targets)
    for update in updates.values():
        update.initialize(generator)
    return Adapter(model, config, updates)


def add_updates(model: Model, config: LoRAConfig, targets: list[Target]) -> dict[str, LowRank]:
    """Adds an update for each target to the model, with A still uninitialized. Freezes the model,
    except for other adapters that are training.
    """
    for target in targets:
        _check_module(target.module, model.get_submodule(target.module))
    adapted = [module for module in model.modules() if isinstance(module, Adapted)]
    learning = [one for module in adapted for one in module.updates.parameters()]
    learning = [one for one in learning if one.requires_grad]
    model.requires_grad_(False)
    for parameter in learning:
        parameter.requires_grad_(True)
    updates = {}
    for target in targets:
        module = model.get_submodule(target.module)
        if not isinstance(module, Adapted):
            wrapper = LoRAEmbedding if isinstance(module, nn.Embedding) else LoRALinear
            module = wrapper(module)
            module.train(model.training)
            replace_module(model, target.module, module)
        update = module.add(config, target.first, target.rows)
        updates[target.name] = update
    return updates


def check_rank(targets: list[Target], r: int) -> None:
    """Raises ValueError, with a remedy, for a rank above that of one of the matrices."""
    for target in targets:
        if r > (most := min(target.shape)):
            out, d_in = target.shape
            raise ValueError(
                f"rank {r} is above {most}, the largest that {target.name} ({out} x {d_in}) can "
                f"have; use {most} or less"
            )


def _check_module(name: str, module: nn.Module) -> None:
    if not isinstance(module, (nn.Linear, nn.Embedding, QuantizedLinear, Adapted)):
        raise ValueError(
            f"LoRA cannot lie over the {type(module).__name__} that {name} has; take that off, or "
            "add LoRA first"
        )
