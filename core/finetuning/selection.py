"""Which of a model's own parameters learn: the oldest and simplest way to adapt a model.

All of them (GPT-1, Radford et al. 2018, section 3.2); only the last blocks, since the features of
the first ones serve every task (Yosinski et al. 2014, "How transferable are features in deep neural
networks?"); only the output head, which reads the features that the rest computes ("linear
probing", Alain & Bengio 2016); or only the biases (BitFit, Ben Zaken et al. 2022, section 3).

The names follow from the config, so the cost of a method is known before a model is built.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import nn

from core.files import quoted, quoted_some
from core.finetuning.wrapped_modules import layered_modules, plain_parameters
from core.transformer.architectures import Config, Model
from core.transformer.config import EncoderDecoderConfig, ModelConfig
from core.transformer.encoder_decoder import EncoderDecoder
from core.transformer.parameters import parameter_shapes


def selected_config(config: Config, selection: str) -> Config:
    """Returns the model's config after it is prepared for this selection.

    A tied output head, shared with the embedding, becomes a matrix of its own, since otherwise the
    embedding would learn with it; a model without any biases gets them.
    """
    if selection == "head":
        return _changed(config, lambda one: replace(one, tie_weights=False))
    if selection == "bitfit" and not _biases(config):
        return _changed(config, lambda one: replace(one, bias=True, qkv_bias=None, o_bias=None))
    return config


def selected_names(config: Config, selection: str, last_layers: int = 1) -> list[str]:
    """Returns the names of trainable parameters in a model of `selected_config`: "h.0.ln_1.bias".

    "full": all; "last-layers": the last blocks and the norm after them, in an encoder-decoder those
    of the decoder; "head": the output head; "bitfit": the biases of linear layers and norms,
    102,144 of GPT-2's 124,439,808 numbers.

    Raises ValueError, with a remedy, for more layers than the model has.
    """
    match selection:
        case "full":
            return list(parameter_shapes(config))
        case "last-layers":
            return _last_layers(config, last_layers)
        case "head":
            return ["lm_head.weight"]
        case "bitfit":
            return _biases(config)
    raise ValueError(
        f"selection {quoted(selection)} is unknown; use 'full', 'last-layers', 'head' or 'bitfit'"
    )


def select(model: Model, selection: str, last_layers: int = 1) -> list[nn.Parameter]:
    """Lets some of the model's own parameters learn and freezes all others; returns the former.

    selection  as in `selected_names`

    New biases start at 0, and a new head as a copy of the embedding, so the model computes what it
    did before. Modules added by earlier fine-tuning are frozen.

    Raises ValueError as `selected_names`, and if matrices to train are quantized.
    """
    config = selected_config(model.config, selection)
    names = selected_names(config, selection, last_layers)
    if config != model.config:
        _untie_head(model, config)
        _add_biases(model, config)
        _describe(model, config)
    model.requires_grad_(False)
    own = plain_parameters(model)
    if quantized := [name for name in names if name not in own]:
        raise ValueError(
            f"{quoted_some(quantized)} cannot be trained with only 4 bits a number; use LoRA, or "
            "make full matrices first (dequantize_model)"
        )
    for name in names:
        own[name].requires_grad_(True)  # step: learn
    return [own[name] for name in names]


def _last_layers(config: Config, layers: int) -> list[str]:
    if isinstance(config, ModelConfig):
        stack, n_layer = "", config.n_layer
    else:
        stack, n_layer = "decoder.", config.decoder.n_layer
    if not 1 <= layers <= n_layer:
        raise ValueError(
            f"the last {layers} layers cannot be trained: this model has {n_layer}; use 1 to "
            f"{n_layer}"
        )
    learning = tuple(f"{stack}h.{layer}." for layer in range(n_layer - layers, n_layer))
    names = parameter_shapes(config)
    return [name for name in names if name.startswith((*learning, f"{stack}ln_f."))]


def _biases(config: Config) -> list[str]:
    return [name for name in parameter_shapes(config) if name.endswith(".bias")]


def _untie_head(model: Model, config: Config) -> None:
    """Gives the output head its own matrix if the config has one and the model has not."""
    if "lm_head.weight" in parameter_shapes(config).keys() - plain_parameters(model).keys():
        model.lm_head.weight = nn.Parameter(model.lm_head.weight.detach().clone())


def _add_biases(model: Model, config: Config) -> None:
    """Adds biases of 0 wherever the config has one and the model has not."""
    missing = parameter_shapes(config).keys() - plain_parameters(model).keys()
    for name, shape in parameter_shapes(config).items():
        if name in missing and name.endswith(".bias"):
            *_, (_, owner) = layered_modules(model, name.removesuffix(".bias"))
            assert isinstance(owner.weight, torch.Tensor)
            owner.bias = nn.Parameter(owner.weight.new_zeros(shape))


def _changed(config: Config, change: Callable[[ModelConfig], ModelConfig]) -> Config:
    """Returns a changed config; for an encoder-decoder, changes both of its stacks."""
    if isinstance(config, ModelConfig):
        return change(config)
    return replace(config, encoder=change(config.encoder), decoder=change(config.decoder))


def _describe(model: Model, config: Config) -> None:
    """Gives the model the config that describes it now, so that it can be saved."""
    if isinstance(model, EncoderDecoder) and isinstance(config, EncoderDecoderConfig):
        model.encoder.config, model.decoder.config = config.encoder, config.decoder
    model.config = config
