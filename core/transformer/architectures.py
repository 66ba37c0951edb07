"""Both architectures: models that continue a text, and those that write a target for a source."""

from __future__ import annotations

from core.transformer.config import EncoderDecoderConfig, ModelConfig
from core.transformer.encoder_decoder import EncoderDecoder
from core.transformer.gpt import GPT

Model = GPT | EncoderDecoder
Config = ModelConfig | EncoderDecoderConfig


def gpt_of(model: Model) -> GPT:
    """The model, if it continues a text. Raises ValueError, with the remedy, for another one."""
    if not isinstance(model, GPT):
        raise ValueError(
            f"an {type(model).__name__} does not continue a text, it writes a target for a source: "
            "use core.translate and core.capture_pair, or load another model"
        )
    return model


def pair_of(model: Model) -> EncoderDecoder:
    """The model, if it is an encoder-decoder. Raises ValueError, with the remedy, for another."""
    if not isinstance(model, EncoderDecoder):
        raise ValueError(
            f"a {type(model).__name__} reads no source, it continues a text: use core.generate and "
            'core.capture, or load an encoder-decoder, such as core.load("dates")'
        )
    return model
