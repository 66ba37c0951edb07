"""The modules that peft's files name, and their counterparts in core models.

peft stores A and B under the name of the module that they adapt. In a core model that is
"h.0.attn.c_attn", in transformers' GPT-2 "transformer.h.0.attn.c_attn"; its Llama has three modules
instead, "model.layers.0.self_attn.q_proj", "k_proj" and "v_proj". All of these can be written and
read, so training can move between core and peft in either direction.

A module there has one A and one B, but here queries and values of one matrix may each have an
update. When written, these are combined: A = [A_q; A_v], B = [B_q B_v], each with zeros in the rows
of the other, so that B A is their sum. If one update here covers three modules there, each gets all
of A and its own rows of B. When read, every module becomes one update.

Sources: peft's utils/save_and_load.py and tuners/lora/layer.py; LoRA (Hu et al. 2021).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from torch import Tensor

from core.finetuning.targets import Target, targets_of
from core.transformer.architectures import Config
from core.transformer.config import EncoderDecoderConfig
from core.transformer.foreign.families import Names
from core.transformer.foreign.parts import LAYER
from core.transformer.foreign.settings import nearest_family

WEIGHTS_FILE = "adapter_model.safetensors"
PREFIX = "base_model.model."  # before the name of every module
# The rest of a tensor's name, by what it holds: for linear layers, for embeddings, for both.
A, B = ("lora_A.weight", "lora_embedding_A"), ("lora_B.weight", "lora_embedding_B")
MAGNITUDE = ("lora_magnitude_vector",)
# peft saves whole embeddings, which must equal the model's own.
TABLE = ("base_layer.weight", "weight")
KINDS = {"A": A, "B": B, "magnitude": MAGNITUDE, "table": TABLE}


@dataclass(frozen=True, slots=True)
class ModuleTensors:
    """The tensors of one module in peft's file: A (r, in), B (out, r), with DoRA m (out,); and the
    factor s of B A.
    """

    A: Tensor
    B: Tensor
    scaling: float
    magnitude: Tensor | None


def modules_of(config: Config, names: Names | None) -> dict[str, Target]:
    """Returns the modules that a file can adapt, by their names there, and their Targets here.

    names  those of transformers; None: those of core
    """
    modules = {}
    for target in targets_of(config):
        theirs = _their_names(target.module, names)
        is_part = target.rows is not None
        if is_part == (len(theirs) > 1):
            modules[theirs["qkv".index(target.name[-1]) if is_part else 0]] = target
    return modules


def _their_names(module: str, names: Names | None) -> tuple[str, ...]:
    if names is None:
        return (module,)
    layer = found[1] if (found := LAYER.match(module)) else ""
    return tuple(name.format(n=layer) for name in names.tensors[LAYER.sub("h.{n}.", module)])


def names_of(config: Config) -> Names | None:
    """Returns the names of the transformers class that computes the same (ignoring windows, which
    do not affect names), or None.
    """
    if not isinstance(config, EncoderDecoderConfig):
        with suppress(ValueError):
            return nearest_family(replace(config, window=None)).json_names
    return None
