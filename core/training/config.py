"""TrainingConfig: everything that a run depends on, as data.

Two runs of one config on one machine are bit-identical. Field names follow nanoGPT's where it has
them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from core.files import quoted, quoted_some
from core.optimization.optimizers import optimizer
from core.optimization.schedules import learning_rate_at, schedule_named
from core.transformer.config import ModelConfig

FORMAT = 1  # of the JSON

PRECISIONS = ("fp32", "bf16")


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """A training run.

    model              shape of the model. Its vocab_size gives way to that of the tokenizer
    task               "language-modelling", or the name of a Task that the launched module brings
    corpus             "stories" (endless, our own) or the path of a UTF-8 text file
    tokenizer          "stories" (bundled), "characters" (those of the corpus), or a tokenizer's
                       path
    repeated_fraction  share of training sequences that are random ids, repeated with a random
                       period
    steps              optimizer steps
    batch_size         sequences in a micro-batch, on all ranks together
    micro_batches      micro-batches whose gradients are added up before a step
    learning_rate      the peak
    min_learning_rate  where a rate that falls comes to rest
    warmup_steps       steps until the peak
    schedule           "cosine", "constant" or another of core.optimization.schedules
    optimizer          "adamw" or another of core.optimization.OPTIMIZERS. "muon" moves the matrices
                       between the layers; embeddings, output head and vectors move by AdamW
    betas              decay rates of the average gradient (also momentum's) and of its square's
    weight_decay       on matrices only. AdamW, Lion and Muon shrink them by it, the others add it
                       to the gradient
    clip               largest norm of all gradients together; 0: no limit
    evaluate_every     steps between evaluations; 0: only at the end
    evaluate_batches   batches an evaluation; 0: every whole block of the split
    sample_every       steps between samples; 0: never
    sample_prompt      what a sample continues
    sample_tokens      how many tokens it adds
    checkpoint_every   steps between checkpoints; 0: only at the end and when stopped
    keep_checkpoints   at most so many stay, spread over the run, and never fewer than the first
                       and the two newest; 0: all
    probe_every        steps between pictures of the heads on probe_text; 0: never
    probe_text         the text that they read
    seed               of weights, batches, dropout and samples
    precision          "fp32", or "bf16": autocast with weights kept in fp32
    threads            torch threads, where the run has its own process. Set by
                       `python -m core.training`; inside an app the app decides

    Raises ValueError, with the remedy, for a value that cannot be.
    """

    model: ModelConfig
    task: str = "language-modelling"
    corpus: str = "stories"
    tokenizer: str = "stories"
    repeated_fraction: float = 0.0
    steps: int = 2000
    batch_size: int = 16
    micro_batches: int = 1
    learning_rate: float = 1e-3
    min_learning_rate: float = 1e-4
    warmup_steps: int = 100
    schedule: str = "cosine"
    optimizer: str = "adamw"
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.1
    clip: float = 1.0
    evaluate_every: int = 100
    evaluate_batches: int = 20
    sample_every: int = 100
    sample_prompt: str = "Once upon a time"
    sample_tokens: int = 64
    checkpoint_every: int = 200
    keep_checkpoints: int = 20
    probe_every: int = 10
    probe_text: str = "Once upon a time there was a cat. The cat was happy."
    seed: int = 1337
    precision: str = "fp32"
    threads: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.model, ModelConfig):
            raise ValueError("model must be a ModelConfig; build one, or read it with from_json")
        object.__setattr__(self, "betas", _betas(self.betas))
        self._check_counts()
        self._check_numbers()
        self._check_choices()

    def _check_counts(self) -> None:
        for name in ("steps", "batch_size", "micro_batches", "threads"):
            _whole_number(name, getattr(self, name), least=1)
        for name in (
            "warmup_steps",
            "evaluate_every",
            "evaluate_batches",
            "sample_every",
            "sample_tokens",
            "checkpoint_every",
            "keep_checkpoints",
            "probe_every",
            "seed",
        ):
            _whole_number(name, getattr(self, name), least=0)

    def _check_numbers(self) -> None:
        for name in ("learning_rate", "min_learning_rate", "weight_decay", "clip"):
            _number(name, getattr(self, name))
        if self.learning_rate <= 0:
            raise ValueError(f"learning_rate {self.learning_rate} teaches nothing; 1e-3 is usual")
        for name in ("min_learning_rate", "weight_decay", "clip"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} {getattr(self, name)} is negative; use 0 or more")
        if self.min_learning_rate > self.learning_rate:
            raise ValueError(
                f"min_learning_rate {self.min_learning_rate} is above learning_rate "
                f"{self.learning_rate}; a tenth of it is usual"
            )
        _number("repeated_fraction", self.repeated_fraction)
        if not 0.0 <= self.repeated_fraction <= 1.0:
            raise ValueError(
                f"repeated_fraction {self.repeated_fraction} is no share; use 0.0 to 1.0"
            )

    def _check_choices(self) -> None:
        for name in ("task", "corpus", "tokenizer", "sample_prompt", "probe_text"):
            if not isinstance(getattr(self, name), str):
                raise ValueError(f"{name} must be text, not {quoted(getattr(self, name))}")
        for name in ("task", "corpus", "tokenizer"):
            if not getattr(self, name):
                raise ValueError(f"{name} is empty; leave it out to get the usual one")
        schedule_named(self.schedule)
        optimizer(self.optimizer)
        if self.precision == "fp16":
            raise ValueError(
                "precision 'fp16' is about 20 times slower than fp32 on a CPU; use 'bf16' or 'fp32'"
            )
        if self.precision not in PRECISIONS:
            raise ValueError(
                f"precision {quoted(self.precision)} is unknown; use {_either(PRECISIONS)}"
            )

    @property
    def tokens_per_step(self) -> int:
        """Tokens that one optimizer step reads, where its task makes no batch of another size."""
        return self.batch_size * self.micro_batches * self.model.block_size

    def planned_rate(self, step: int) -> float:
        """The learning rate of the step that follows `step` applied ones (0 for the first)."""
        return learning_rate_at(
            step,
            schedule=self.schedule,
            learning_rate=self.learning_rate,
            min_learning_rate=self.min_learning_rate,
            warmup_steps=self.warmup_steps,
            steps=self.steps,
        )

    def change(self, changes: Mapping[str, Any]) -> TrainingConfig:
        """This config with some fields changed; `model` may be a ModelConfig or its JSON.

        Raises ValueError for an unknown field.
        """
        values = dict(changes)
        _check_names(values)
        if isinstance(values.get("model"), Mapping):
            values["model"] = ModelConfig.from_json(values["model"])
        return replace(self, **values)

    def to_json(self) -> dict[str, Any]:
        """What a config file holds."""
        values = asdict(self) | {"model": self.model.to_json(), "betas": list(self.betas)}
        return {"format": FORMAT, **values}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> TrainingConfig:
        """The config that `to_json` wrote.

        Raises ValueError for a newer format, an unknown field, and what the constructor refuses.
        """
        if not isinstance(values, Mapping):
            raise ValueError("a training config is a JSON object with the field model and others")
        values = dict(values)
        version = values.pop("format", FORMAT)
        if not isinstance(version, int) or version > FORMAT:
            raise ValueError(
                f"training config format {quoted(version)} is newer than {FORMAT}; update "
                "LLM Explorer"
            )
        _check_names(values)
        if not isinstance(values.get("model"), Mapping):
            raise ValueError("the field model is missing: an object with vocab_size, n_layer ...")
        values["model"] = ModelConfig.from_json(values["model"])
        return cls(**values)

    @classmethod
    def parse(cls, text: str) -> TrainingConfig:
        """The config in the text of a JSON file. Raises ValueError, as `from_json` does."""
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(
                f"not valid JSON at line {error.lineno}, column {error.colno}: {error.msg}"
            ) from error
        return cls.from_json(values)


def _check_names(values: Mapping[str, Any]) -> None:
    known = [field.name for field in fields(TrainingConfig)]
    if unknown := sorted(set(values) - set(known)):
        raise ValueError(f"unknown field {quoted_some(unknown)}; the fields are {', '.join(known)}")


def _betas(value: object) -> tuple[float, float]:
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ValueError(f"betas {quoted(value)} must be two numbers; (0.9, 0.99) is usual")
    for beta in value:
        _number("betas", beta)
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"beta {beta} must lie in [0, 1); (0.9, 0.99) is usual")
    return (float(value[0]), float(value[1]))


def _whole_number(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, not {quoted(value)}")


def _number(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, not {quoted(value)}")


def _either(choices: tuple[str, ...]) -> str:
    return " or ".join(map(repr, choices))
