"""The Task that a config names."""

from __future__ import annotations

from core.training.config import LANGUAGE_MODELLING, TrainingConfig
from core.training.language_modelling import LanguageModelling
from core.training.requirements import check_task
from core.training.sequence_to_sequence import SequenceToSequence
from core.training.task import Task


def task_of(config: TrainingConfig) -> Task:
    """Creates it. Raises ValueError, listing the known tasks, for an unknown one."""
    check_task(config)
    if config.task == LANGUAGE_MODELLING:
        return LanguageModelling(config)
    return SequenceToSequence(config)
