"""The transformer itself. Read in this order: config, parameters, look, precision,
norms, positions, cache, linear, attention, cross_attention, layers, stack, initialization, gpt,
encoder_decoder, architectures, plain, presets, weights, foreign (models of other programs),
gpt_numpy."""

from core.transformer.config import EncoderDecoderConfig, ModelConfig
from core.transformer.presets import PRESETS, preset

__all__ = ["PRESETS", "EncoderDecoderConfig", "ModelConfig", "preset"]
