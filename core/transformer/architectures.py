"""Both architectures: models that continue a text, and those that write a target for a source."""

from __future__ import annotations

from torch import nn

from core.transformer.config import EncoderDecoderConfig, ModelConfig
from core.transformer.encoder_decoder import EncoderDecoder
from core.transformer.gpt import GPT

Model = GPT | EncoderDecoder
Config = ModelConfig | EncoderDecoderConfig


def gpt_of(model: nn.Module) -> GPT:
    """Returns the model, if it continues a text, without the wrappers of torch.compile and DDP.
    Raises ValueError, with a remedy, for any other model.
    """
    model = _unwrapped(model)
    if isinstance(model, EncoderDecoder):
        raise ValueError(
            f"an {type(model).__name__} does not continue a text, it writes a target for a source: "
            "use core.translate and core.capture_encoder_decoder, or load another model"
        )
    if not isinstance(model, GPT):
        raise ValueError(f"a {type(model).__name__} is no GPT; look at the model that it wraps")
    return model


def encoder_decoder_of(model: nn.Module) -> EncoderDecoder:
    """Returns the model, if it is an encoder-decoder; unwraps it and raises as `gpt_of` does."""
    model = _unwrapped(model)
    if isinstance(model, GPT):
        raise ValueError(
            f"a {type(model).__name__} reads no source, it continues a text: use core.generate and "
            'core.capture, or load an encoder-decoder, such as core.load("dates")'
        )
    if not isinstance(model, EncoderDecoder):
        raise ValueError(
            f"a {type(model).__name__} is no EncoderDecoder; look at the model that it wraps"
        )
    return model


def _unwrapped(model: nn.Module) -> nn.Module:
    """Returns the model without the wrappers of torch.compile (`_orig_mod`) and DDP (`module`)."""
    while not isinstance(model, Model):
        inner = getattr(model, "_orig_mod", None) or getattr(model, "module", None)
        if not isinstance(inner, nn.Module):
            break
        model = inner
    return model
