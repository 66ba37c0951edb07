"""Writes the learned change, at a `Mixture`: as an adapter, or in a whole model."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from core.finetuning.adapter import adapters_of
from core.finetuning.loading import base_of, load_steps
from core.finetuning.mixture import Mixture
from core.finetuning.peft_reader import load_adapter
from core.inference.exporting import export
from core.inference.loading import LoadedModel
from core.transformer.architectures import gpt_of
from core.transformer.foreign.reading import ReadProgress


def mix_steps(
    name_or_path: str | Path, mixture: Mixture, second: str | Path = ""
) -> Generator[ReadProgress, None, LoadedModel]:
    """Loads a model again, with its adapter at this strength; given the folder of a second adapter,
    blends both into one.
    """
    lm = yield from load_steps(name_or_path)
    if second:
        share = 0.0 if mixture.share is None else mixture.share
        if not (adapters := adapters_of(lm.model)):
            raise ValueError(f"{lm.name} has no adapter that another one can be blended with")
        adapters[-1].blend(load_adapter(lm.model, second), share)
    for learned, strength in Mixture(mixture.strength).scales(gpt_of(lm.model)).items():
        learned.scale = strength
    return lm


def save_mixture_steps(
    name_or_path: str | Path, mixture: Mixture, folder: str | Path, second: str | Path = ""
) -> Generator[ReadProgress, None, None]:
    """Writes a model's adapter, blended with a second one if given, as peft's two files, at
    strength 1. Raises ValueError as `check_adapter` and `Adapter.blend`.
    """
    lm = yield from mix_steps(name_or_path, mixture, second)
    adapters = adapters_of(lm.model)
    if not adapters:
        raise ValueError("only a LoRA adapter can be saved by itself; export the whole model")
    adapters[-1].save(folder, base=base_of(name_or_path))


def export_mixture_steps(
    name_or_path: str | Path, mixture: Mixture, folder: str | Path, second: str | Path = ""
) -> Generator[ReadProgress, None, None]:
    """Writes the model with the learned change in its matrices, as a folder that transformers
    loads. Raises ValueError as `core.export`.
    """
    lm = yield from mix_steps(name_or_path, mixture, second)
    # DoRA first: its learned row lengths are those of the base's unchanged matrices.
    for adapter in sorted(adapters_of(lm.model), key=lambda one: not one.config.dora):
        adapter.remove(merged=True)
    export(lm, folder)
