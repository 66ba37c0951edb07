"""What a LoRA run has learned so far, from a checkpoint alone: its base is not opened.

So a picture follows A, B and the directions of what they make, from checkpoint to checkpoint, while
the run goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from torch import Tensor

from core.files import quoted_some
from core.finetuning.loading import config_of, settings_in
from core.finetuning.spectrum import Spectrum, low_rank_spectrum
from core.finetuning.targets import find_targets
from core.tensor_shards import open_tensors
from core.transformer.weights import WEIGHTS_FILE


@dataclass(frozen=True, slots=True, eq=False)
class LearnedUpdate:
    """What is added to one matrix, or to some of its rows: s B A, with A (r, in) and B (out, r).

    magnitude  (out,) of DoRA; None: plain LoRA
    """

    A: Tensor
    B: Tensor
    scaling: float
    magnitude: Tensor | None = None

    def spectrum(self) -> Spectrum:
        """The directions of s B A. Raises ValueError for DoRA, whose change depends on W as
        well.
        """
        if self.magnitude is not None:
            raise ValueError(
                "what DoRA changes depends on the matrix itself; open the checkpoint with "
                "core.load, and ask core.spectrum_of"
            )
        return low_rank_spectrum(self.A, self.B, self.scaling)


def read_updates(folder: str | Path) -> dict[str, LearnedUpdate]:
    """By the names that `Adapter.updates` has for them, in the model's order.

    Raises ValueError for a checkpoint of another method, and as `core.load` for a broken one.
    """
    settings = settings_in(folder)
    if settings.method != "lora":
        raise ValueError(
            f"{folder} was fine-tuned by the method {settings.method!r}, which has no A and B; "
            "choose a run of the method 'lora'"
        )
    path = Path(folder) / WEIGHTS_FILE
    tensors = open_tensors(path).read()
    targets = find_targets(config_of(folder), settings.lora.target_modules)
    found = {}
    for module, group in groupby(targets, lambda target: target.module):
        parts = list(group)
        # The base may have an adapter of its own, whose updates come before.
        own = _updates_in(tensors, module)[-len(parts) :]
        for target, update in zip(parts, own, strict=False):
            (out, d_in), r = target.shape, settings.lora.r
            if update["A"].shape == (r, d_in) and update["B"].shape == (out, r):
                found[target.name] = LearnedUpdate(
                    update["A"], update["B"], settings.lora.scaling, update.get("magnitude")
                )
    if missing := [target.name for target in targets if target.name not in found]:
        raise ValueError(
            f"{path} lacks what was learned of {quoted_some(missing)}; copy the whole folder"
        )
    return found


def _updates_in(tensors: Mapping[str, Tensor], module: str) -> list[dict[str, Tensor]]:
    """Of each update of a module A, B and, of DoRA, magnitude, in their order."""
    updates: dict[str, dict[str, Tensor]] = {}
    start = f"{module}.updates."
    for name in tensors:
        if name.startswith(start):
            number, _, kind = name.removeprefix(start).partition(".")
            updates.setdefault(number, {})[kind] = tensors[name]
    in_order = sorted(updates, key=lambda number: (len(number), number))
    return [updates[number] for number in in_order if {"A", "B"} <= set(updates[number])]
