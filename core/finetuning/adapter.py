"""core.add_lora: an adapter laid over a model, and what can be done with it.

    adapter = core.add_lora(model, core.LoRAConfig(r=8, alpha=16))
    adapter.parameters()       what learns; everything else of the model is frozen
    adapter.scale = 0.5        half of what was learned is added
    adapter.merge()            written into the matrices: the model is as fast as without it
    adapter.unmerge()          the matrices are what they were, to the last bit
    adapter.blend(other, 0.3)  three tenths of another one beside it
    adapter.remove()           the model is what it was
    adapter.save(folder)       peft's two files; core.load_adapter(model, folder) opens them

Several adapters may lie on one model; what they add is summed.
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
    """What `add_lora` laid over a model.

    model       the model that computes with it
    config      what it was made of
    updates     what it adds, by the name of the matrix or the part: "h.0.attn.c_attn",
                "h.0.attn.c_attn.q"
    number      of adapters on one model, the later has the larger one
    trained_on  the name of the base that its file gives; "": it gives none, or there is no file
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
        """Name and tensor of all that learns: "h.0.attn.c_attn.A", ".B" and, with DoRA,
        ".magnitude".
        """
        for name, update in self.updates.items():
            for kind, parameter in update.named_parameters():
                yield f"{name}.{kind}", parameter

    def parameters(self) -> list[nn.Parameter]:
        """All that learns, for an optimizer."""
        return [parameter for _, parameter in self.named_parameters()]

    @property
    def scale(self) -> float:
        """How much of what was learned is added: 0 nothing, 1 all of it; beyond, more than that."""
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
        """Whether it is part of the model's matrices at the moment."""
        return any(update.merged for update in self.updates.values())

    def merge(self) -> None:
        """Adds it to the model's matrices, in fp32: the model computes the same, as fast as
        without it. A copy of each matrix is kept for `unmerge`.

        Raises ValueError where a matrix is quantized.
        """
        self._set_merged(True)

    def unmerge(self) -> None:
        """Takes it out of the matrices again, which are then what they were, to the last bit."""
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
        except BaseException:  # no memory for a copy, say: the model is what it was
            self._write_merged(changed, not merged)
            raise

    def _write_merged(self, changed: list[LowRank], merged: bool) -> None:
        for update in changed:
            update.merged = merged
        for module in set(self.modules().values()):
            module.merge()

    def remove(self, *, merged: bool = False) -> None:
        """Takes it off: the model is what it was before, and its parameters stay frozen.

        merged  leave what was learned in the matrices for good, at its scale: without another
                adapter the model is then a plain one that `core.export` writes

        Raises ValueError as `merge`, and where DoRA lies on a matrix that would stay changed: it
        sets the lengths of the rows as they were.
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
        """Blends another adapter on the same model into this one: (1 - share) of this, `share` of
        the other, which is removed. Their ranks add up, so that nothing is lost.

        Both count as they were learned, whatever their scales are; the new one is at a scale of 1
        and not merged.

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
        """Writes what was learned, at a scale of 1, as peft's adapter_config.json and
        adapter_model.safetensors. `core.load_adapter` opens them, and so does peft on a model
        that `core.export` wrote.

        base       the name or the folder of the model that it lies on, for the file to say
        own_names  name matrices as here ("h.0.attn.c_attn"), for a core model that peft wraps, and
                   not as transformers does, where it has a class for such a model

        Raises ValueError where DoRA changes a matrix and a part of it, which peft cannot hold, and
        OSError where the disk or the rights fail.
        """
        self.check_added()
        updates = self.updates.values()
        write_adapter(self.model, self.config, updates, folder, base=base, own_names=own_names)

    def modules(self) -> dict[str, Adapted]:
        """The module that each of its updates lies in, by the update's name."""
        adapted = [module for module in self.model.modules() if isinstance(module, Adapted)]
        found = {update: module for module in adapted for update in module.updates}
        return {name: found[update] for name, update in self.updates.items()}

    def updates_of(self, module: Adapted) -> list[LowRank]:
        """Its updates of one matrix."""
        return [update for update in self.updates.values() if update in module.updates]

    def check_added(self) -> None:
        """Raises ValueError for an adapter that was removed."""
        if not self.updates:
            raise ValueError("this adapter was removed from its model; add it again")


def _is_quantized(module: Adapted) -> bool:
    return isinstance(module.base, QuantizedLinear)


def adapters_of(model: nn.Module) -> list[Adapter]:
    """The adapters that lie on a model, the newest last."""
    owners = {update.adapter for update in model.modules() if isinstance(update, LowRank)}
    adapters = [one for one in owners if isinstance(one, Adapter)]
    return sorted(adapters, key=lambda one: one.number)


def add_lora(
    model: Model, config: LoRAConfig | None = None, *, generator: torch.Generator | None = None
) -> Adapter:
    """Lays a new adapter over the model, which computes with it from now on: at first just what it
    computed before. All other parameters of the model are frozen.

    config     None: rank 8 on every attention's c_attn
    generator  what A is drawn from; None: torch's own

    Raises ValueError, with the remedy, where no matrix is meant (the nearest names are told), for
    tied embeddings and for a rank above that of a matrix.
    """
    config = config or LoRAConfig()
    targets = find_targets(model, config.target_modules)
    check_rank(targets, config.r)
    updates = add_updates(model, config, targets)
    for update in updates.values():
        update.initialize(generator)
    return Adapter(model, config, updates)


def add_updates(model: Model, config: LoRAConfig, targets: list[Target]) -> dict[str, LowRank]:
    """Puts an update for each target on the model, without numbers in A yet. The model is frozen,
    but for other adapters that learn.
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
    """Raises ValueError, with the remedy, for a rank above that of one of the matrices."""
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
