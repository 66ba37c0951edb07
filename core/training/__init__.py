"""Training: the loop, the folder in which a run lives, checkpoints, and the commands that steer it.

Reading order: config, events; number_formats, bits, rounding_trace, gradient_trace, exponents;
records; task, token_batches, language_modelling, sequence_to_sequence, tasks; scaler, parallel,
precision, attempt (the loop itself), rules, optimizers, looking, exponent_probe, health,
head_birth, steering, checkpoints, loop; several ranks: place, ranks, data_parallel, fully_sharded,
strategies, rank_processes, faults; the run folder: locking, writer, reader, rank_ends, runs,
claims, control; a step from the inside: phases, scaler_trace, spans, lanes, lane_trace, scaling,
utilization, recording, step_trace, recorded_step, recorded_numbers, counted_numbers; beside it:
alerts, estimates, sizes, memory, requirements, program, rereading, explained_example, launch,
recipes, bundled_run, bundled, bundled_dates, this_machine; foreign: other programs' runs.
Nothing here loads torch before a run starts, so that a window may read a run's folder at once.
"""

from __future__ import annotations

import importlib
from typing import Any

# name -> the module that defines it
_HOME = {
    "TrainingConfig": "core.training.config",
    "Moment": "core.training.events",
    "RunReader": "core.training.runs",
    "RunWriter": "core.training.runs",
    "new_run_folder": "core.training.runs",
    "branch": "core.training.runs",
    "RunControl": "core.training.control",
    "ProcessLauncher": "core.training.launch",
    "Task": "core.training.task",
    "LanguageModelling": "core.training.language_modelling",
    "SequenceToSequence": "core.training.sequence_to_sequence",
    "train": "core.training.program",
    "train_steps": "core.training.loop",
    "Estimate": "core.training.sizes",
    "estimate": "core.training.sizes",
    "measure_speed": "core.training.sizes",
    "ForeignRun": "core.training.foreign",
    "open_run": "core.training.foreign",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'core.training' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
