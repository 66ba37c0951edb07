"""The modules that peft's files name, and what each is here.

peft keeps A and B under the name of the module that they lie on. In a core model that is
"h.0.attn.c_attn", in transformers' GPT-2 "transformer.h.0.attn.c_attn"; its Llama has three modules
in place of it, "model.layers.0.self_attn.q_proj", "k_proj" and "v_proj". All of these are written
and read: what began here goes on there, and the other way round.

A module there has one A and one B, where here queries and values of one matrix may each have an
update. Written, these stand side by side: A = [A_q; A_v], B = [B_q B_v], each with zeros in the
rows of the other, so that B A is their sum. Where one update here is on three modules there, each
has all of A and its own rows of B. Read, every module is one update.

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
# What follows it, by what it is: of linear layers, of embeddings, and of both.
A, B = ("lora_A.weight", "lora_embedding_A"), ("lora_B.weight", "lora_embedding_B")
MAGNITUDE = ("lora_magnitude_vector",)
# peft adds whole embeddings, which must be the model's own.
TABLE = ("base_layer.weight", "weight")
KINDS = {"A": A, "B": B, "magnitude": MAGNITUDE, "table": TABLE}


@dataclass(frozen=True, slots=True)
class ModuleTensors:
    """What peft keeps of one module: A (r, in), B (out, r), with DoRA m (out,); and s, by which
    B A is multiplied.
    """

    A: Tensor
    B: Tensor
    scaling: float
    magnitude: Tensor | None


def modules_of(config: Config, names: Names | None) -> dict[str, Target]:
    """The modules that can be adapted in a file, and what each is here.

    names  those of transformers; None: our own
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
    """Those of the class of transformers that computes the same, windows aside, which change no
    name; None: there is none.
    """
    if not isinstance(config, EncoderDecoderConfig):
        with suppress(ValueError):
            return nearest_family(replace(config, window=None)).json_names
    return None
