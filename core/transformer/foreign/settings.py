"""Conversion of a foreign model's settings to a `ModelConfig`, and back.

Errors: ValueError, with a remedy, for an unknown family, for a setting that is missing or invalid,
and for one that is not supported here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from core.fields import as_object
from core.files import GET_AGAIN, quoted
from core.gguf import GGUFFile, read_gguf_tensor
from core.transformer.config import ModelConfig, RopeScaling
from core.transformer.foreign.families import (
    ACTIVATIONS,
    ALWAYS,
    ATTENTION,
    FAMILIES,
    GPT2,
    LLAMA,
    QWEN2,
    QWEN3,
    Family,
    Settings,
)
from core.transformer.positions import stretched

QKV = ATTENTION[0]
MOST_STRETCHED = 1e6


@dataclass(frozen=True, slots=True)
class Description:
    """A foreign model: its family, its shape, and our modules that have biases in its file."""

    family: Family
    config: ModelConfig
    biased: frozenset[str]


def family_of(name: object, what: str) -> Family:
    """Returns the family with this name. Raises ValueError, with all names, for an unknown one."""
    if not isinstance(name, str) or name not in FAMILIES:
        known = ", ".join(FAMILIES)
        raise ValueError(
            f"{what} is of a model of type {quoted(name)}, which cannot be opened; {known} can "
            "(SmolLM is a llama): choose one of those"
        )
    return FAMILIES[name]


# -- config.json ----------------------------------------------------------------------------------


def describe_json(content: object, what: str) -> Description:
    """Returns the description in transformers' config.json; `what` is the file, for messages."""
    values = as_object(content, what)
    family = family_of(values.get("model_type"), what)
    found = {**family.fixed, **_read(family.json, values, what)}
    if family is GPT2:
        found["mlp"] = ACTIVATIONS[values.get("activation_function") or next(iter(ACTIVATIONS))]
    else:
        found |= _rope(values, what)
    switches = [key for key in family.biases if key != ALWAYS]
    switches += ["use_sliding_window"] if family in (QWEN2, QWEN3) else []
    for key in switches:
        if not isinstance(values.get(key), bool | None):
            raise ValueError(
                f"{what} has {key} {quoted(values[key])}, not true or false: {GET_AGAIN}"
            )
    biased = biased_modules(family, values)
    description = _description(family, found, biased, what)
    if "use_sliding_window" in switches and values.get("use_sliding_window"):
        found["window"] = _window(values, description.config.n_layer, what)
        return _description(family, found, biased, what)
    return description


def biased_modules(family: Family, values: Mapping[str, Any]) -> frozenset[str]:
    """Returns our modules that have biases in the file, according to its config.json."""
    there = [key for key in family.biases if key == ALWAYS or values.get(key) is True]
    return frozenset(module for key in there for module in family.biases[key])


def _description(
    family: Family, found: dict[str, Any], modules: frozenset[str], what: str
) -> Description:
    """Returns a Description; if some modules have biases, all of ours do, others with 0."""
    found["bias"] = bool(modules - {QKV})
    found["qkv_bias"] = None if (QKV in modules) == found["bias"] else QKV in modules
    try:
        if isinstance(scaling := found.get("rope_scaling"), dict):
            found["rope_scaling"] = RopeScaling(**scaling)
        return Description(family, ModelConfig(**found), modules)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from error


def _read(settings: Settings, values: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Returns fields of `ModelConfig` by the table; types and ranges are not checked yet."""
    found = {}
    for name, key in settings.keys.items():
        value = values.get(key)
        if value is None and key not in settings.usual:
            raise ValueError(f"{what} does not say {key!r}: {GET_AGAIN}")
        found[name] = settings.usual[key] if value is None else value
    for key, computed in settings.computed.items():
        value = values.get(key)
        if value is not None and value not in computed:
            raise ValueError(
                f"{what} has {key} {quoted(value)}, which is not computed here; "
                f"{' or '.join(map(repr, computed))} is: choose another model"
            )
    return found


def _rope(values: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Returns base and scaling: from `rope_parameters` (transformers 5), or two older entries. If
    both kinds are there, transformers reads the older one.
    """
    given = values.get("rope_scaling") or values.get("rope_parameters") or {}
    if not isinstance(given, dict) or any(isinstance(one, dict) for one in given.values()):
        raise ValueError(f"{what} describes its rotary positions wrongly: {GET_AGAIN}")
    base = given.get("rope_theta", values.get("rope_theta", 10_000.0))
    kind = given.get("rope_type", given.get("type", "default"))
    turned = given.get("partial_rotary_factor", values.get("partial_rotary_factor"))
    if turned is not None and turned != 1:
        raise ValueError(
            f"{what} turns a part of each head alone, which is not computed here: choose another "
            "model"
        )
    if kind == "default":
        return {"rope_base": base}
    if kind != "llama3":
        raise ValueError(
            f"{what} stretches rotary positions by {quoted(kind)}, which is not computed here; "
            "'default' and 'llama3' are: choose another model, or set rope_type to 'default' and "
            "keep texts as short as the model was trained on"
        )
    scaling = {
        "factor": given.get("factor"),
        "low_freq_factor": given.get("low_freq_factor"),
        "high_freq_factor": given.get("high_freq_factor"),
        "original_block_size": given.get(
            "original_max_position_embeddings", values.get("max_position_embeddings")
        ),
    }
    return {"rope_base": base, "rope_scaling": scaling}


def _window(values: Mapping[str, Any], n_layer: int, what: str) -> tuple[int | None, ...]:
    """Returns each layer's window: by `layer_types`, or else for Qwen's last layers."""
    kinds = values.get("layer_types")
    if kinds is None:
        first = values.get("max_window_layers", 28)
        if type(first) is not int:
            raise ValueError(f"{what} has a damaged max_window_layers: {GET_AGAIN}")
        kinds = ["sliding_attention" if n >= first else "full_attention" for n in range(n_layer)]
    width = {"full_attention": None, "sliding_attention": values.get("sliding_window", 4096)}
    known = isinstance(kinds, list) and all(isinstance(k, str) and k in width for k in kinds)
    if not known or len(kinds) != n_layer:
        raise ValueError(f"{what} describes its layers wrongly: {GET_AGAIN}")
    return tuple(width[kind] for kind in kinds)


def config_json(family: Family, config: ModelConfig) -> dict[str, Any]:
    """Returns the config.json with which transformers builds the same model."""
    own = _resolved(config)
    values: dict[str, Any] = {"architectures": [family.architecture], "model_type": family.name}
    values |= {key: own[name] for name, key in family.json.keys.items()}
    if family is GPT2:
        by_meaning = {meaning: word for word, meaning in reversed(ACTIVATIONS.items())}
        values["activation_function"] = by_meaning[config.mlp]
        values |= {"embd_pdrop": config.dropout, "attn_pdrop": config.dropout}
        return values
    scaling = config.rope_scaling
    values |= {
        "hidden_act": "silu",
        "rope_theta": config.rope_base,
        "rope_scaling": None
        if scaling is None
        else {
            "rope_type": "llama3",
            "factor": scaling.factor,
            "low_freq_factor": scaling.low_freq_factor,
            "high_freq_factor": scaling.high_freq_factor,
            "original_max_position_embeddings": scaling.original_block_size,
        },
    }
    attention = config.bias or config.has_qkv_bias or config.has_o_bias
    switches = {"attention_bias": attention, "mlp_bias": config.bias}
    return values | {key: switches[key] for key in family.biases if key != ALWAYS}


def _resolved(config: ModelConfig) -> dict[str, Any]:
    """Returns every field, with derived values in place of None."""
    own = {one.name: getattr(config, one.name) for one in dataclasses.fields(config)}
    derived = (config.kv_heads, config.head_width, config.inner_width)
    return own | dict(zip(("n_kv_head", "head_size", "n_inner"), derived, strict=True))


def nearest_family(config: ModelConfig) -> Family:
    """Returns the family in which a model of this config can be written.

    Raises ValueError, with the settings that do not fit, if there is none.
    """
    expected = {"window": None, "embedding_scale": False, "qk_norm": False}
    if config.positions != "rope":
        family = GPT2
        plain = "gelu_tanh" if config.mlp == "swiglu" else config.mlp
        width = config.n_embd / config.n_head
        special = {"mlp": plain, "n_kv_head": config.n_head, "head_size": width}
    else:
        only_qkv = config.has_qkv_bias and not config.bias
        family = QWEN3 if config.qk_norm else QWEN2 if only_qkv else LLAMA
        special = {}
    own = _resolved(config)
    wrong = [
        f"{name} {own[name]!r} (not {value!r})"
        for name, value in {**expected, **family.fixed, **special}.items()
        if own[name] != value
    ]
    if wrong:
        raise ValueError(
            f"transformers has no class for this model; for {family.architecture} it has "
            f"{', '.join(wrong)}: export a model like GPT-2 or Llama"
        )
    return family


# -- GGUF -----------------------------------------------------------------------------------------


EMBEDDINGS, HEAD = "token_embd.weight", "output.weight"


def describe_gguf(file: GGUFFile) -> Description:
    """Returns the description in a GGUF file's metadata, completed from its tensors."""
    what = str(file.path)
    family = family_of(file.metadata.get("general.architecture"), what)
    start = f"{family.name}."
    values = {
        key.removeprefix(start): _plain(value)
        for key, value in file.metadata.items()
        if key.startswith(start)
    }
    found = {**family.fixed, **_read(family.gguf, values, what)}
    table = file.tensors.get(EMBEDDINGS)
    if table is None or len(table.shape) != 2:
        raise ValueError(f"{what} holds no table of embeddings: {GET_AGAIN}")
    found |= {"vocab_size": table.shape[0], "tie_weights": HEAD not in file.tensors}
    biased = frozenset(
        module
        for module, theirs in family.gguf_names.tensors.items()
        if f"{theirs[0].format(n=0)}.bias" in file.tensors
    )
    description = _description(family, found, biased, what)
    config = description.config
    turned = values.get("rope.dimension_count", config.head_width)
    if config.positions == "rope" and turned != config.head_width:
        raise ValueError(
            f"{what} turns {quoted(turned)} of the {config.head_width} dimensions of a head, and "
            "here all of them are: choose another model"
        )
    if config.positions == "rope" and ROPE_FACTORS in file.tensors:
        config = replace(config, rope_scaling=_gguf_scaling(file, config))
    return replace(description, config=config)


def _plain(value: Any) -> Any:
    """Turns an array into a list, a 32-bit float into 1e-05 instead of 9.999999747378752e-06."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    return float(str(np.float32(value))) if isinstance(value, float) else value


ROPE_FACTORS = "rope_freqs.weight"
LLAMA3_CONTEXT = 8192  # context of Llama 3 in training, before 3.1 extended it


def _gguf_scaling(file: GGUFFile, config: ModelConfig) -> RopeScaling:
    """Returns Llama 3's scaling; GGUF stores only its result: each pair's factor.

    The largest is the factor; the other three numbers are the same in all of Llama 3.
    """
    found = read_gguf_tensor(file, ROPE_FACTORS).ravel()
    if found.size and np.isfinite(found).all() and 1 <= found.max() <= MOST_STRETCHED:
        scaling = RopeScaling(
            factor=float(found.max()),
            low_freq_factor=1.0,
            high_freq_factor=4.0,
            original_block_size=LLAMA3_CONTEXT,
        )
        pairs = np.arange(0, config.head_width, 2) / config.head_width
        frequency = torch.from_numpy(config.rope_base**-pairs)
        expected = (frequency / stretched(frequency, scaling)).numpy()
        if expected.shape == found.shape and np.allclose(found, expected, rtol=1e-3):
            return scaling
    raise ValueError(
        f"{file.path} stretches rotary positions in another way than Llama 3, which is not "
        "computed here: choose another model"
    )
