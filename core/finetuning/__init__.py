"""Fine-tuning: a trained model learns something new, while most of its numbers stay fixed.

Reading order, one subject a line:

low rank      targets, target_grid, lora_config, numerical_safety, lora, wrapped_modules, adapter,
              scales, verdicts, lora_gradients, matrix_pass, adapted_trace
four bits     nf4, quantized_linear, quantization, nf4_trace
peft's files  peft_config, peft_modules, peft_writer, peft_reader
methods       settings, selection, task_vector, bottleneck, new_tokens, soft_prompt, classifier,
              methods
costs         trainable_parameters, pass_cost, estimates, estimate_command
a run         examples, example_files, replay, tuning_data, data_check, loading, run_config, task,
              program, held_out_answers, bundled_questions, skill
what changed  spectrum, analysis, spectrum_trace, tuned_trace, changes, examination
trying it     mixture, mixture_files
"""

from __future__ import annotations

import importlib
from typing import Any

# name -> the module that defines it
_HOME = {
    "LoRAConfig": "core.finetuning.lora_config",
    "Adapter": "core.finetuning.adapter",
    "add_lora": "core.finetuning.adapter",
    "FinetuningSettings": "core.finetuning.settings",
    "finetuning_config": "core.finetuning.run_config",
    "load": "core.finetuning.loading",
    "load_steps": "core.finetuning.loading",
    "memory_needed": "core.finetuning.loading",
    "base_warning": "core.finetuning.loading",
    "Tuned": "core.finetuning.loading",
    "load_tuned": "core.finetuning.loading",
    "load_tuned_steps": "core.finetuning.loading",
    "finetune": "core.finetuning.program",
    "finetune_steps": "core.finetuning.program",
    "Asked": "core.finetuning.held_out_answers",
    "ask_steps": "core.finetuning.held_out_answers",
    "adapter_parameter_count": "core.finetuning.trainable_parameters",
    "load_adapter": "core.finetuning.peft_reader",
    "add_bottlenecks": "core.finetuning.bottleneck",
    "Bottlenecks": "core.finetuning.bottleneck",
    "add_soft_prompt": "core.finetuning.soft_prompt",
    "Classifier": "core.finetuning.classifier",
    "classification_loss": "core.finetuning.classifier",
    "Tuning": "core.finetuning.methods",
    "prepare": "core.finetuning.methods",
    "code_book": "core.finetuning.nf4",
    "nf4_bytes": "core.finetuning.nf4",
    "QuantizedLinear": "core.finetuning.quantized_linear",
    "Quantization": "core.finetuning.quantization",
    "quantize_model": "core.finetuning.quantization",
    "quantize_model_steps": "core.finetuning.quantization",
    "dequantize_model": "core.finetuning.quantization",
    "trace_quantization": "core.finetuning.nf4_trace",
    "Spectrum": "core.finetuning.spectrum",
    "low_rank_spectrum": "core.finetuning.spectrum",
    "dense_spectrum": "core.finetuning.spectrum",
    "cosines": "core.finetuning.spectrum",
    "overlap": "core.finetuning.spectrum",
    "weight_of": "core.finetuning.analysis",
    "delta_of": "core.finetuning.analysis",
    "spectrum_of": "core.finetuning.analysis",
    "strengths": "core.finetuning.analysis",
    "strengths_between": "core.finetuning.analysis",
    "attention_change": "core.finetuning.analysis",
    "trace_spectrum": "core.finetuning.spectrum_trace",
    "Focus": "core.finetuning.examination",
    "check_second": "core.finetuning.examination",
    "examine": "core.finetuning.examination",
    "examine_steps": "core.finetuning.examination",
    "look_inside_steps": "core.finetuning.examination",
    "check_data": "core.finetuning.data_check",
    "trace_tuned": "core.finetuning.tuned_trace",
    "at_scales": "core.finetuning.scales",
    "generate_at_scales_steps": "core.finetuning.scales",
    "Mixture": "core.finetuning.mixture",
    "mixed_shares": "core.finetuning.mixture",
    "write_mixed_steps": "core.finetuning.mixture",
    "strength_curve_steps": "core.finetuning.mixture",
    "favorites": "core.finetuning.mixture",
    "check_adapter": "core.finetuning.mixture",
    "next_tokens": "core.finetuning.mixture",
    "soft_prompt_of": "core.finetuning.mixture",
    "adapters_of": "core.finetuning.adapter",
    "export_mixture_steps": "core.finetuning.mixture_files",
    "held_out_prompt": "core.finetuning.mixture",
    "save_mixture_steps": "core.finetuning.mixture_files",
    "Verdict": "core.finetuning.verdicts",
    "FinetuningEstimate": "core.finetuning.estimates",
    "estimate_finetuning": "core.finetuning.estimates",
    "check_identity": "core.finetuning.verdicts",
    "check_merge": "core.finetuning.verdicts",
    "trace_adapter": "core.finetuning.adapted_trace",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'core.finetuning' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
