"""Which of a model's own parameters learn: the oldest way to adapt a model, and the plainest.

All of them (GPT-1, Radford et al. 2018, section 3.2); the last blocks alone, since the first ones
have learned what serves every task (Yosinski et al. 2014, "How transferable are features in deep
neural networks?"); the output head alone, which reads what the rest has made of a text ("linear
probing", Alain & Bengio 2016); or the biases alone (BitFit, Ben Zaken et al. 2022, section 3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import nn

from core.finetuning.targets import tied_modules
from core.transformer.architectures import Model
from core.transformer.config import ModelConfig
from core.transformer.encoder_decoder import EncoderDecoder
from core.transformer.parameters import parameter_shapes
from core.transformer.stack import Stack


def select_all(model: Model) -> None:
    """Everything learns: the measure of all other methods."""
    model.requires_grad_(True)


def select_last_layers(model: Model, layers: int) -> None:
    """The last blocks and the norm after them: of an encoder-decoder, those of the decoder.

    Raises ValueError, with the remedy, for more blocks than there are.
    """
    stack = _last_stack(model)
    there = len(stack.blocks)
    if not 1 <= layers <= there:
        raise ValueError(
            f"the last {layers} layers cannot learn: this model has {there}; use 1 to {there}"
        )
    model.requires_grad_(False)
    for module in (*stack.blocks[-layers:], stack.ln_f):
        module.requires_grad_(True)


def select_head(model: Model) -> None:
    """The output head. Where it is the embedding as well (tied), it becomes a matrix of its own
    first; otherwise the embedding would learn with it.
    """
    if "lm_head" in tied_modules(model):
        model.lm_head.weight = nn.Parameter(model.lm_head.weight.detach().clone())
        _describe(model, lambda config: replace(config, tie_weights=False))
    model.requires_grad_(False)
    model.lm_head.requires_grad_(True)


def select_biases(model: Model) -> None:
    """What linear layers and norms add: 102,144 of GPT-2's 124,439,808 numbers.

    A model without any gets them. They begin as 0, so it computes what it did.
    """
    if not any(True for _ in _biases(model)):
        _add_biases(model)
    model.requires_grad_(False)
    for bias in _biases(model):
        bias.requires_grad_(True)


def _biases(model: Model) -> Iterator[nn.Parameter]:
    return (parameter for name, parameter in model.named_parameters() if name.endswith(".bias"))


def _add_biases(model: Model) -> None:
    """Biases of 0 wherever a model of its shape has one if it has any."""
    _describe(model, lambda config: replace(config, bias=True, qkv_bias=None, o_bias=None))
    for name, shape in parameter_shapes(model.config).items():
        module, _, kind = name.rpartition(".")
        if kind == "bias":
            owner = model.get_submodule(module)
            assert isinstance(owner.weight, torch.Tensor)
            owner.bias = nn.Parameter(owner.weight.new_zeros(shape))


def _last_stack(model: Model) -> Stack:
    """The one whose last block the output head reads."""
    return model.decoder if isinstance(model, EncoderDecoder) else model


def _describe(model: Model, change: Callable[[ModelConfig], ModelConfig]) -> None:
    """Changes the model's config as its modules were changed, so that it can be written."""
    if not isinstance(model, EncoderDecoder):
        model.config = change(model.config)
        return
    for stack in (model.encoder, model.decoder):
        stack.config = change(stack.config)
    model.config = replace(model.config, encoder=model.encoder.config, decoder=model.decoder.config)
