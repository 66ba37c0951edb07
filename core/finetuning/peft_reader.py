"""core.load_adapter: adds an adapter from peft's two files to a model."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from core.files import GET_AGAIN, named, quoted, quoted_some
from core.finetuning.adapter import Adapter, add_updates
from core.finetuning.lora import Adapted, DoRA, LowRank
from core.finetuning.peft_config import CONFIG_FILE, MERGE_THERE, PeftConfig, read_config
from core.finetuning.peft_modules import (
    KINDS,
    PREFIX,
    WEIGHTS_FILE,
    ModuleTensors,
    modules_of,
    names_of,
)
from core.finetuning.targets import Target, find_targets, targets_of
from core.inference.loading import config_of
from core.tensor_files import TensorFile, open_safetensors, read_rows
from core.transformer.architectures import Config, Model
from core.transformer.config import EncoderDecoderConfig
from core.transformer.foreign.parts import without_prefix
from core.transformer.precision import full_precision
from core.transformer.presets import PRESETS
from core.transformer.weights import check_numbers

PICKLE = "adapter_model.bin"


def load_adapter(model: Model, folder: str | Path) -> Adapter:
    """Adds an adapter that peft or `Adapter.save` wrote to the model, as `add_lora` does.

    Raises FileNotFoundError if a file is missing, and ValueError, with a remedy, for an adapter of
    another model or kind and for broken files; the model is then unchanged. Another model of the
    same shape cannot be detected: `trained_on` has the base's name from the file.
    """
    folder = Path(folder)
    check_files(folder)
    peft = read_config(folder / CONFIG_FILE)
    source = _Source(open_safetensors(folder / WEIGHTS_FILE), peft, model)
    numbers = source.read()
    targets = find_targets(model, list(numbers))
    configs = Counter(map(peft.lora_config, source.entries))
    config = replace(configs.most_common(1)[0][0], target_modules=_ends(model, targets))
    updates = add_updates(model, config, targets)
    for name, one in numbers.items():
        _fill(updates[name], one)
    return Adapter(model, config, updates, trained_on=peft.base_model_name_or_path)


def check_files(folder: Path) -> None:
    """Raises FileNotFoundError or ValueError, with a remedy, unless both files exist."""
    if not os.path.isfile(folder / CONFIG_FILE):
        raise FileNotFoundError(
            f"{named(folder)} is no adapter: it holds no {CONFIG_FILE}; choose the folder of one"
        )
    if (folder / WEIGHTS_FILE).is_file():
        return
    if (folder / PICKLE).exists():
        raise ValueError(
            f"{folder} holds its numbers as a pickle, {PICKLE}, which can run any code, so it is "
            "never opened: where you trust it, load it in peft and save it again"
        )
    raise FileNotFoundError(f"{folder} holds no {WEIGHTS_FILE}; copy the whole folder")


class _Source:
    """The tensors of a file, each checked before it is read, also against the config."""

    def __init__(self, file: TensorFile, peft: PeftConfig, model: Model) -> None:
        self.file, self.peft, self.model = file, peft, model
        self.entries = _entries(file)
        self.modules = modules_of(model.config, None)
        names = names_of(model.config)
        if names is not None and not set(self.entries) <= set(self.modules):
            self.modules = modules_of(model.config, without_prefix(names, self.entries))

    def read(self) -> dict[str, ModuleTensors]:
        """Returns the tensors of each target, by its name."""
        if unknown := [name for name in self.entries if name not in self.modules]:
            there = quoted_some(list(self.modules))
            raise self.other_model(f"changes {quoted_some(unknown)}", there)
        found = {
            name: numbers
            for name, target in self.modules.items()
            if name in self.entries and (numbers := self.numbers(name, target)) is not None
        }
        if not found:
            raise ValueError(f"{self.file.path} holds no adapter: {GET_AGAIN}")
        self.check_meant(found)
        targets = {self.modules[name].name: numbers for name, numbers in found.items()}
        self.check_base(targets)
        return targets

    def check_meant(self, modules: Iterable[str]) -> None:
        """Raises ValueError for a module that the config excludes, whose tensors peft ignores."""
        for name in modules:
            if (entry := self.peft.leaving_out(name)) is not None:
                said = getattr(self.peft, entry)
                said = quoted_some(said) if isinstance(said, tuple) else quoted(said)
                raise ValueError(
                    f"{self.file.path} changes {quoted(name)}, and {entry} in {CONFIG_FILE}, "
                    f"{said}, leaves it out: one of the two files is another adapter's; "
                    "copy the whole folder again, or correct the entry"
                )

    def check_base(self, targets: Iterable[str]) -> None:
        """Raises ValueError if the config names a known base that the tensors do not fit.
        Embeddings and output head are not checked: the vocabulary may have grown.
        """
        base = self.peft.base_model_name_or_path
        if (config := _known_config(base)) is None:
            return
        here, there = (_shapes(one) for one in (self.model.config, config))
        if any(here[name] != there.get(name) for name in targets if name in here):
            raise ValueError(
                f"{self.file.path.parent} is of a model {_shape_of(self.model.config)} by its "
                f"numbers, and of {quoted(base)}, {_shape_of(config)}, by its {CONFIG_FILE}: one "
                "of the two files is another adapter's; copy the whole folder again, or correct "
                "base_model_name_or_path"
            )

    def numbers(self, name: str, target: Target) -> ModuleTensors | None:
        """Returns the tensors of one module; None if the file only repeats the embedding table."""
        entries, config, (out, d_in) = self.entries[name], self.peft.lora_config(name), target.shape
        if "table" in entries:
            table = self.tensor(entries["table"], (d_in, out) if target.is_table else (out, d_in))
            self.check_table(table, target)
            if len(entries) == 1:
                return None
        shapes: dict[str, tuple[int, ...]] = {"A": (config.r, d_in), "B": (out, config.r)}
        if config.dora:
            shapes["magnitude"] = (out,)
        if differing := sorted(set(shapes) ^ set(entries) - {"table"}):
            verb = "has" if differing[0] in entries else "lacks"
            raise ValueError(
                f"{self.file.path} {verb} {differing[0]} of {quoted(name)}, unlike what "
                f"{CONFIG_FILE} says: {GET_AGAIN}"
            )
        there = self.file.tensors[entries["A"]].shape
        if there[:1] != (config.r,):
            raise ValueError(
                f"{self.file.path} has an A of shape {quoted(there)} in {quoted(name)}, and "
                f"{CONFIG_FILE} says rank {config.r}: {GET_AGAIN}"
            )
        read = {kind: self.tensor(entries[kind], shape) for kind, shape in shapes.items()}
        return ModuleTensors(read["A"], read["B"], config.scaling, read.get("magnitude"))

    def tensor(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """Reads a tensor of the file, in fp32."""
        there = self.file.tensors[name].shape
        if there != shape:
            raise self.other_model(f"has {quoted(name)} of shape {quoted(there)}", f"shape {shape}")
        tensor = torch.from_numpy(read_rows(self.file, name, 0, shape[0]))
        check_numbers(tensor, name, str(self.file.path))
        return tensor

    def check_table(self, table: Tensor, target: Target) -> None:
        """Raises ValueError if an embedding table differs from the model's."""
        module = self.model.get_submodule(target.module)
        weight = module.unmerged_weight if isinstance(module, Adapted) else module.weight
        assert isinstance(weight, Tensor)
        weight = full_precision(weight.detach()).cpu()
        if not torch.allclose(weight, table, rtol=1e-2, atol=1e-3):  # one may be in 16 bits
            raise ValueError(
                f"{self.file.path} replaces {target.module} as a whole, which an adapter here "
                f"cannot: {MERGE_THERE}"
            )

    def other_model(self, theirs: str, ours: str) -> ValueError:
        """Returns an error that names the adapter's model and this one."""
        base = self.peft.base_model_name_or_path
        return ValueError(
            f"{self.file.path.parent} is an adapter of {quoted(base) if base else 'another model'} "
            f"and {theirs}; the model here, {_shape_of(self.model.config)}, has {ours}: open "
            "the model that it was trained on, or choose another adapter"
        )


def _entries(file: TensorFile) -> dict[str, dict[str, str]]:
    """Returns the tensor names of each module in the file, by module and kind."""
    found: dict[str, dict[str, str]] = {}
    for tensor in file.tensors:
        ends = [(kind, f".{end}") for kind in KINDS for end in KINDS[kind]]
        kind, end = next(((kind, end) for kind, end in ends if tensor.endswith(end)), ("", ""))
        if not kind or not tensor.startswith(PREFIX):
            raise ValueError(
                f"{file.path} holds {quoted(tensor)}, which is no part of a LoRA adapter: "
                + MERGE_THERE
            )
        found.setdefault(tensor.removeprefix(PREFIX).removesuffix(end), {})[kind] = tensor
    return found


def _known_config(name: str) -> Config | None:
    """Returns the config of a model, by its name or folder, or None if it is unknown."""
    with suppress(ValueError, OSError):
        return config_of(name)
    return PRESETS.get(name.removeprefix("openai-community/"))


def _shapes(config: Config) -> dict[str, tuple[int, int]]:
    """Returns the shape of each matrix inside the layers, by name."""
    return {one.name: one.shape for one in targets_of(config) if one.end != one.name}


def _shape_of(config: Config) -> str:
    if isinstance(config, EncoderDecoderConfig):
        layers = config.encoder.n_layer + config.decoder.n_layer
        return f"an encoder-decoder of {layers} layers and width {config.decoder.n_embd}"
    return f"of {config.n_layer} layers and width {config.n_embd}"


def _ends(model: Model, targets: list[Target]) -> tuple[str, ...]:
    """Returns the names without layers, if they mean the same matrices."""
    ends = tuple(dict.fromkeys(target.end for target in targets))
    with suppress(ValueError):  # for a tied embedding
        if find_targets(model, ends) == targets:
            return ends
    return tuple(target.name for target in targets)


@torch.no_grad()
def _fill(update: LowRank, numbers: ModuleTensors) -> None:
    device = update.A.device
    update.A = nn.Parameter(numbers.A.to(device))
    update.B = nn.Parameter(numbers.B.to(device))
    update.scaling = numbers.scaling
    if isinstance(update, DoRA) and numbers.magnitude is not None:
        update.magnitude.copy_(numbers.magnitude)
