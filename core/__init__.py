"""LLM Explorer's textbook: a from-scratch transformer written to be read, without any window.

`import core` is instant: it loads neither Qt nor, until it is needed, torch. Every public name
below is imported from its module on first access.
"""

from __future__ import annotations

import importlib
from typing import Any

# name -> the module that defines it
_HOME = {
    "Step": "core.trace",
    "Trace": "core.trace",
    "source": "core.trace",
    "arithmetic": "core.substitution",
    "expression": "core.autograd",
    "trace_backprop": "core.autograd",
    "trace_update": "core.optimization.optimizer_trace",
    "race_steps": "core.optimization.race",
    "ModelConfig": "core.transformer.config",
    "preset": "core.transformer.presets",
    "GPT": "core.transformer.gpt",
    "EncoderDecoderConfig": "core.transformer.config",
    "EncoderDecoder": "core.transformer.encoder_decoder",
    "Look": "core.transformer.look",
    "Site": "core.transformer.look",
    "LoadedModel": "core.inference.loading",
    "load": "core.finetuning",
    "load_steps": "core.finetuning",
    "memory_needed": "core.finetuning",
    "get_model_steps": "core.inference.hub",
    "export": "core.inference.exporting",
    "Activations": "core.inference.activations",
    "capture": "core.inference.activations",
    "capture_bytes": "core.inference.activations",
    "HeadScores": "core.inference.heads",
    "head_scores": "core.inference.heads",
    "logit_lens": "core.inference.logit_lens",
    "trace_lens": "core.inference.lens_trace",
    "attribute": "core.inference.attribution",
    "scale_parts": "core.inference.interventions",
    "mean_ablation": "core.inference.interventions",
    "patch_activations": "core.inference.interventions",
    "combine_replacements": "core.inference.interventions",
    "compare_intervention": "core.inference.interventions",
    "Intervention": "core.inference.interventions",
    "explain": "core.inference.explanation",
    "trace_attention": "core.inference.attention_trace",
    "Context": "core.inference.context",
    "Sampling": "core.inference.sampling",
    "trace_forward": "core.inference.forward_trace",
    "sampling_table": "core.inference.sampling_table",
    "trace_next_token": "core.inference.sampling_trace",
    "cut_at_stop": "core.inference.stop_strings",
    "generate": "core.inference.generation",
    "generate_steps": "core.inference.generation",
    "chat": "core.inference.chat",
    "chat_steps": "core.inference.chat",
    "chat_prompt": "core.inference.chat",
    "trace_answer": "core.inference.chat",
    "translate": "core.inference.translation",
    "translate_steps": "core.inference.translation",
    "trace_translation": "core.inference.translation_trace",
    "EncoderDecoderActivations": "core.inference.encoder_decoder_activations",
    "capture_encoder_decoder": "core.inference.encoder_decoder_activations",
    "few_shot": "core.inference.few_shot",
    "shot": "core.inference.few_shot",
    "trace_few_shot": "core.inference.few_shot",
    "BeamSettings": "core.inference.beam_search",
    "BeamTree": "core.inference.beam_search",
    "beam_search": "core.inference.beam_search",
    "beam_search_steps": "core.inference.beam_search",
    "predict_target": "core.inference.beam_search",
    "trace_beam_search": "core.inference.beam_search_trace",
    "trace_beam_search_steps": "core.inference.beam_search_trace",
    "train_tokenizer": "core.tokenization",
    "train_tokenizer_steps": "core.tokenization",
    "open_tokenizer": "core.tokenization",
    "trace_rounded_sum": "core.training.rounding_trace",
    "trace_scaled_gradient": "core.training.gradient_trace",
    "trace_scale_change": "core.training.scaler_trace",
    "TrainingConfig": "core.training",
    "train": "core.training",
    "train_steps": "core.training",
    "LoRAConfig": "core.finetuning",
    "Adapter": "core.finetuning",
    "add_lora": "core.finetuning",
    "FinetuningSettings": "core.finetuning",
    "finetuning_config": "core.finetuning",
    "finetune": "core.finetuning",
    "finetune_steps": "core.finetuning",
    "adapter_parameter_count": "core.finetuning",
    "load_adapter": "core.finetuning",
    "quantize_model": "core.finetuning",
    "quantize_model_steps": "core.finetuning",
    "dequantize_model": "core.finetuning",
    "trace_quantization": "core.finetuning",
    "spectrum_of": "core.finetuning",
    "strengths": "core.finetuning",
    "attention_change": "core.finetuning",
    "trace_spectrum": "core.finetuning",
    "estimate_finetuning": "core.finetuning",
    "check_identity": "core.finetuning",
    "check_merge": "core.finetuning",
    "generate_at_scales_steps": "core.finetuning",
    "trace_adapter": "core.finetuning",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(
            f"module 'core' has no attribute {name!r}; it has {', '.join(__all__)}"
        )
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
