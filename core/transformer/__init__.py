"""The transformer itself. Read in this order: config, parameters, look, precision,
norms, positions, cache, attention, layers, gpt, plain, presets, weights, foreign (models of other
programs), gpt_numpy."""

from core.transformer.config import ModelConfig
from core.transformer.presets import PRESETS, preset

__all__ = ["PRESETS", "ModelConfig", "preset"]
