"""adapter_config.json: peft's settings of an adapter.

Errors: ValueError, with a remedy, for an adapter of another kind, for an option that would make it
compute something else, and for invalid values.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from core import fields
from core.fields import as_object, field, fields_of
from core.files import MEGABYTE, quoted, read_json
from core.finetuning.lora_config import LARGEST_RANK, LoRAConfig

CONFIG_FILE = "adapter_config.json"
LORA = "LORA"
MERGE_THERE = "merge it in peft (merge_and_unload), save that model and open it with core.load"

# Entries that do not affect what a trained adapter computes.
HARMLESS = {
    *("peft_type", "task_type", "auto_mapping", "inference_mode", "peft_version", "revision"),
    *("layers_pattern", "fan_in_fan_out", "megatron_core", "qalora_group_size"),
    *("ensure_weight_tying",),
    *("loftq_config", "eva_config", "corda_config", "lora_ga_config", "runtime_config"),
}
# Initializations of A and B that leave the base unchanged. PiSSA, OLoRA, CorDA, LoftQ and LoRA-GA
# subtract a part from the base: their adapters fit no other base.
BEGINNINGS = (True, False, "gaussian", "eva", "orthogonal", "mica")
WITH_BIASES = f"trains biases as well, which an adapter here has not: {MERGE_THERE}"
NAME = re.compile(r"[\w.-]+")
LAYER = re.compile(r"\.(\d+)\.")  # its number in the name of a module

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class PeftConfig:
    """The settings of a LoRA adapter, with peft's names and defaults.

    rank_pattern, alpha_pattern  r and lora_alpha of modules with other values, by the ends of names
    init_lora_weights            how A and B were initialized
    base_model_name_or_path      the base it was trained on
    target_modules               ends of the names of the modules that it changes; a string (regular
                                 expression) or None (peft's choice) mean all modules here
    exclude_modules              ends of the names of modules that it does not change
    layers_to_transform          indices of the layers that it changes; None: all
    """

    r: int = field(8, least=1, most=LARGEST_RANK)
    lora_alpha: float = field(8.0, above=0, most=1e6)
    lora_dropout: float = field(0.0, least=0, below=1)
    use_rslora: bool = False
    use_dora: bool = False
    rank_pattern: Mapping[str, int] = field(factory=dict, least=1, most=LARGEST_RANK, longest=2_000)
    alpha_pattern: Mapping[str, float] = field(factory=dict, above=0, most=1e6, longest=2_000)
    bias: str = field(
        "none", choices=("none",), refused=dict.fromkeys(("all", "lora_only"), WITH_BIASES)
    )
    init_lora_weights: bool | str = True
    base_model_name_or_path: str = ""
    target_modules: tuple[str, ...] | str | None = None
    exclude_modules: tuple[str, ...] | str | None = None
    layers_to_transform: tuple[int, ...] | int | None = None

    def __post_init__(self) -> None:
        fields.check(self)
        if self.init_lora_weights not in BEGINNINGS:
            raise ValueError(
                f"init_lora_weights {quoted(self.init_lora_weights)} changed the base as well: "
                f"save it with path_initial_model_for_weight_conversion, or {MERGE_THERE}"
            )
        for key in (*self.rank_pattern, *self.alpha_pattern):
            if not NAME.fullmatch(_plain(key)):
                raise ValueError(
                    f"the pattern {quoted(key)} is a regular expression; put the names of the "
                    "modules that it means in its place"
                )

    def leaving_out(self, module: str) -> str | None:
        """Returns the entry that excludes a module, by its name there, or None."""
        named, excluded, layers = (
            self.target_modules,
            self.exclude_modules,
            self.layers_to_transform,
        )
        if isinstance(excluded, tuple) and _ends_with(module, excluded):
            return "exclude_modules"
        if isinstance(named, tuple) and not _ends_with(module, named):
            return "target_modules"
        if layers in (None, ()) or (isinstance(named, tuple) and module in named):
            return None  # peft ignores the layers if the whole name is given
        found = LAYER.search(f".{module}")
        meant = layers if isinstance(layers, tuple) else (layers,)
        return None if found and int(found[1]) in meant else "layers_to_transform"

    def lora_config(self, module: str) -> LoRAConfig:
        """Returns the LoRAConfig of one module, by its name there."""
        return LoRAConfig(
            r=_matching(self.rank_pattern, module, self.r),
            alpha=_matching(self.alpha_pattern, module, self.lora_alpha),
            dropout=self.lora_dropout,
            rslora=self.use_rslora,
            dora=self.use_dora,
        )


def read_config(path: Path) -> PeftConfig:
    """Reads the config from a file."""
    values = as_object(read_json(path, MEGABYTE), str(path))
    if values.get("peft_type") != LORA:
        raise ValueError(
            f"{path} is of an adapter of the type {quoted(values.get('peft_type'))}, and {LORA} "
            f"(with rsLoRA and DoRA) can be loaded: choose another one, or {MERGE_THERE}"
        )
    known = fields_of(PeftConfig)
    if other := [key for key in values if values[key] and key not in (*known, *HARMLESS)]:
        raise ValueError(
            f"{path} has {quoted(other[0])} switched on, which is not computed here: {MERGE_THERE}"
        )
    try:
        given = {key: values[key] for key in known if values.get(key) is not None}
        return fields.from_json(PeftConfig, given, "adapter config")
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _matching(patterns: Mapping[str, T], module: str, otherwise: T) -> T:
    """Returns the value of the first pattern that a module's name ends with, as in peft."""
    for key, value in patterns.items():
        name = _plain(key)
        if module == name or (not key.startswith("^") and module.endswith(f".{name}")):
            return value
    return otherwise


def _ends_with(module: str, names: Collection[str]) -> bool:
    return any(module == name or module.endswith(f".{name}") for name in names)


def _plain(key: str) -> str:
    """Returns a pattern without the regular-expression marks that names often carry."""
    return key.removeprefix("^").removesuffix("$").replace("\\.", ".")
