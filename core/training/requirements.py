"""Checks before a run's folder is made: task, text, tokenizer, memory and device."""

from __future__ import annotations

from dataclasses import replace

from core.data.corpus import StoriesCorpus
from core.data.pair_corpora import pair_corpus
from core.data.pairs import PairCorpus
from core.data.text import check_text_file
from core.fields import either
from core.files import quoted
from core.tokenization import open_tokenizer
from core.training.config import (
    BUILT_IN,
    CHARACTERS,
    LANGUAGE_MODELLING,
    SEQUENCE_TO_SEQUENCE,
    TrainingConfig,
)
from core.training.memory import too_large
from core.training.sizes import estimate


def check_requirements(config: TrainingConfig) -> None:
    """Checks that a new run can begin, before any of its files are written.

    Raises ValueError or OSError, with a remedy, for an unknown task, a text or a tokenizer that
    cannot be opened, a model larger than this machine's memory, and a GPU that this machine lacks.
    Loads torch only if the config names a kind of GPU.
    """
    check_task(config)
    if config.task == SEQUENCE_TO_SEQUENCE:
        check_pairs(config)
    elif config.corpus != StoriesCorpus.name:
        check_text_file(config.corpus)
    model = config.model
    if config.tokenizer not in BUILT_IN:
        model = replace(model, vocab_size=open_tokenizer(config.tokenizer).vocab_size)
    if why := too_large(estimate(replace(config, model=model)).bytes_of_all):
        raise ValueError(why)
    if config.device not in ("auto", "cpu"):
        from core.training.strategies import device_for

        device_for(config.device, 0, config.ranks)


def check_pairs(config: TrainingConfig) -> PairCorpus:
    """Returns the pairs of sequence to sequence. Raises ValueError for an unknown name, or another
    tokenizer than the pairs'.
    """
    if config.tokenizer != CHARACTERS:
        raise ValueError(
            f"pairs are read by their characters; use tokenizer {CHARACTERS!r}, not "
            f"{quoted(config.tokenizer)}"
        )
    return pair_corpus(config.corpus)


def check_task(config: TrainingConfig) -> None:
    """Raises ValueError for a task of another chapter, or settings that the task lacks."""
    tasks = (LANGUAGE_MODELLING, SEQUENCE_TO_SEQUENCE)
    if config.task not in tasks:
        raise ValueError(
            f"task {quoted(config.task)} is unknown here; use {either(tasks)}, or start the run by "
            "the module that brings this task"
        )
    if config.settings:
        raise ValueError(
            f"the task {quoted(config.task)} has no settings of its own; leave `settings` out"
        )
