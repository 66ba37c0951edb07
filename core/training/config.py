"""TrainingConfig: everything that determines a run, as data.

Two runs of one config on one machine are bit-identical. Field names follow nanoGPT's where they
exist there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from core import fields
from core.data.batches import SHORTEST_PERIOD
from core.fields import field
from core.optimization.optimizers import OPTIMIZERS
from core.optimization.schedules import SCHEDULES, learning_rate_at
from core.transformer.config import ModelConfig

FORMAT = 1  # of the JSON
WHAT = "training config"
# tasks of this chapter
LANGUAGE_MODELLING, SEQUENCE_TO_SEQUENCE = "language-modelling", "sequence-to-sequence"
STORIES, CHARACTERS = BUILT_IN = ("stories", "characters")  # tokenizers; any other value is a path

DEVICES = ("auto", "cpu", "cuda", "mps")
STRATEGIES = ("ddp", "fsdp2")
RANDOM, SINUSOIDS = STARTS = ("random", "sinusoids")  # of learned positions
MOST_STEPS = 1_000_000_000
PRECISIONS = ("fp32", "tf32", "bf16", "fp16")


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """A training run.

    model              shape of the model, or of each of an encoder-decoder's two stacks. Its
                       vocab_size is replaced by that of the tokenizer
    task               "language-modelling", "sequence-to-sequence" (an encoder-decoder's), or the
                       name of a Task that the launched module defines
    corpus             "stories" (endless, our own) or the path of a UTF-8 text file; for
                       sequence-to-sequence "dates" or "copies"
    tokenizer          "stories" (bundled), "characters" (those of the corpus), or the path of a
                       tokenizer
    repeated_fraction  share of training sequences that are random ids, repeated with a random
                       period
    copying_steps      steps of a first lesson (`core.data.first_lesson`): sequences of 16 tokens,
                       all of them repeated random ids at first, then ever more of the corpus.
                       They count among `steps`. 0: none
    positions_start    first values of learned positions: "random" (GPT's), or "sinusoids" (AIAYN
                       section 3.5), from which neighbors are found sooner
    query_key_scale    factor of the first weights of queries and keys; 1: GPT's. See
                       `core.transformer.initialization`
    steps              optimizer steps
    batch_size         sequences in a micro-batch, on all ranks together
    micro_batches      micro-batches whose gradients are added up before a step
    learning_rate      peak learning rate
    min_learning_rate  final learning rate of a decaying schedule
    warmup_steps       steps until the peak
    schedule           "cosine", "constant" or another of core.optimization.schedules
    optimizer          "adamw" or another of core.optimization.OPTIMIZERS. "muon" moves the matrices
                       between the layers; AdamW moves embeddings, output head and vectors
    betas              decay rates of the average gradient (also momentum's) and of the average
                       squared gradient
    weight_decay       on matrices only. AdamW, Lion and Muon shrink them by it, the others add it
                       to the gradient
    label_smoothing    share of each target's probability that is spread over the whole vocabulary
                       during training (AIAYN section 5.4: 0.1); 0: none
    clip               largest norm of all gradients together; 0: no limit
    evaluate_every     steps between evaluations; 0: only before the first step and at the end
    evaluate_batches   batches per evaluation; 0: every whole block of the split
    sample_every       steps between samples; 0: never
    sample_prompt      prompt of every sample; "": the validation split's first words
    sample_tokens      number of tokens generated per sample
    checkpoint_every   steps between checkpoints; 0: only at the end and when stopped
    keep_checkpoints   most checkpoints to keep, spread over the run; the first and the two newest
                       are always kept. 0: all
    probe_every        steps between probes of the attention heads on probe_text; 0: never
    probe_text         text of the probes; "": the validation split's first words
    seed               of weights, batches, dropout and samples
    device             "auto" (a GPU if available, else the CPU), "cpu", "cuda" or "mps"
    ranks              processes that share each batch, each with a model or a part of it. Start a
                       run of several with `python -m core.training` or `core.train`; under
                       torchrun, torchrun sets the number
    parallel           what the ranks hold: "ddp" (each the whole model) or "fsdp2" (each its part
                       of every matrix)
    activation_checkpointing
                       keep only the input of each block, and recompute its inside in backward: less
                       memory for a third more arithmetic
    precision          of the matrix products: "fp32", "tf32", "bf16" or "fp16". The weights stay in
                       fp32. A device without TF32 computes tf32 in fp32
    loss_scale         initial factor of the loss, under fp16 only: see LossScaler
    loss_scale_growth_interval
                       applied steps in a row after which the loss scale doubles
    threads            torch threads, if the run has its own process. Set by
                       `python -m core.training`; inside an app, the app decides
    settings           settings of another module's task, as JSON

    Raises ValueError, with a remedy, for an invalid value.
    """

    model: ModelConfig
    task: str = field(LANGUAGE_MODELLING, shortest=1, remedy="leave it out to get the usual one")
    corpus: str = field("stories", shortest=1, remedy="leave it out to get the usual one")
    tokenizer: str = field(STORIES, shortest=1, remedy="leave it out to get the usual one")
    repeated_fraction: float = field(
        0.0,
        least=0,
        most=1,
        label="Share of repeats",
        help="Share of sequences that are random tokens repeated once; induction heads form sooner",
        remedy="0 to 0.2 is usual",
    )
    copying_steps: int = field(
        0,
        least=0,
        most=MOST_STEPS,
        label="Steps of copying first",
        help="A first lesson of short random sequences that repeat, then ever more text: an "
        "induction head forms before the stories begin (Olsson et al. 2022). 0: none",
        remedy="320 is usual, or 0 for none",
    )
    positions_start: str = field(
        RANDOM,
        choices=STARTS,
        label="Positions start as",
        help="From sinusoids (AIAYN section 3.5), heads learn sooner to look one token back: it is "
        "the same rotation at every position. All are learned from there",
    )
    query_key_scale: float = field(
        1.0,
        above=0,
        most=100,
        label="Query and key scale",
        help="Factor of the first weights of queries and keys: with GPT's small ones, each head "
        "begins by looking everywhere alike",
        remedy="1, or 4 for heads that form early, is usual",
    )
    steps: int = field(
        2000,
        least=1,
        most=MOST_STEPS,
        label="Steps",
        help="Optimizer steps of the whole run, each of which moves the weights",
        remedy="500 to 5,000 is usual",
    )
    batch_size: int = field(
        16,
        least=1,
        most=1 << 20,
        label="Batch (sequences)",
        help="Sequences that the model reads in one step",
        remedy="8 to 64 is usual",
    )
    micro_batches: int = field(
        1,
        least=1,
        most=1 << 20,
        label="Micro-batches",
        help="Batches read one after another; their gradients are added up before each step",
        remedy="1 is usual",
    )
    learning_rate: float = field(
        1e-3,
        above=0,
        label="Learning rate",
        help="Peak of the learning rate, which sets how far the weights move in a step",
        remedy="3e-4 to 3e-3 is usual",
    )
    min_learning_rate: float = field(
        1e-4,
        least=0,
        label="Final learning rate",
        help="The learning rate at the end of a falling schedule",
        remedy="a tenth of the peak is usual",
    )
    warmup_steps: int = field(
        100,
        least=0,
        most=MOST_STEPS,
        label="Warm-up (steps)",
        help="Steps in which the learning rate rises to its peak",
        remedy="a twentieth of the steps is usual",
    )
    schedule: str = field(
        "cosine",
        choices=SCHEDULES,
        label="Schedule",
        help="How the learning rate changes during the run",
    )
    optimizer: str = field(
        "adamw",
        choices=OPTIMIZERS,
        label="Optimizer",
        help="Turns gradients into steps. Each optimizer needs a different learning rate; SGD "
        "needs a high one",
    )
    betas: tuple[float, float] = field((0.9, 0.99), least=0, below=1, remedy="(0.9, 0.99) is usual")
    weight_decay: float = field(
        0.1,
        least=0,
        label="Weight decay",
        help="How much the weight matrices shrink in each step, as a multiple of the learning rate",
        remedy="0.1 is usual",
    )
    label_smoothing: float = field(0.0, least=0, below=1, remedy="0.1, or 0 for none, is usual")
    clip: float = field(
        1.0,
        least=0,
        label="Gradient clip",
        help="Largest gradient norm allowed; a larger gradient is scaled down to it. 0: no limit",
        remedy="1.0, or 0 for none, is usual",
    )
    evaluate_every: int = field(
        100,
        least=0,
        most=MOST_STEPS,
        label="Evaluate every",
        help="Steps between two evaluations; 0: only at the start and the end",
        remedy="50 is usual",
    )
    evaluate_batches: int = field(20, least=0, most=MOST_STEPS, remedy="20 is usual")
    sample_every: int = field(
        100,
        least=0,
        most=MOST_STEPS,
        label="Sample every",
        help="Steps between two samples of the model's text",
        remedy="100 is usual",
    )
    sample_prompt: str = field(
        "Once upon a time",
        label="Sample begins",
        help="The text that every sample continues; if empty, the first words of the validation "
        "text",
    )
    sample_tokens: int = field(64, least=0, most=1 << 20, remedy="64 is usual")
    checkpoint_every: int = field(
        200,
        least=0,
        most=MOST_STEPS,
        label="Checkpoint every",
        help="Steps between two checkpoints; the run can be resumed from each of them",
        remedy="250 is usual",
    )
    keep_checkpoints: int = field(20, least=0, most=MOST_STEPS, remedy="20 is usual")
    probe_every: int = field(10, least=0, most=MOST_STEPS, remedy="10 is usual")
    probe_text: str = "Once upon a time there was a cat. The cat was happy."
    seed: int = field(
        1337,
        least=0,
        label="Seed",
        help="The same seed gives the same run, bit for bit",
        remedy="1337 is usual",
    )
    device: str = field("auto", choices=DEVICES, label="Device", help="Where the model computes")
    ranks: int = field(
        1,
        least=1,
        most=1 << 16,
        label="Ranks",
        help="Processes that share each batch, usually one per GPU",
        remedy="1 is usual; 2 show on a laptop what many do",
    )
    parallel: str = field(
        "ddp",
        choices=STRATEGIES,
        label="Strategy",
        help="With DDP, each rank holds the whole model; with FSDP2, a part of every matrix",
    )
    activation_checkpointing: bool = field(
        False,
        label="Activation checkpointing",
        help="Saves memory by computing each block again in the backward pass",
    )
    precision: str = field("fp32", choices=PRECISIONS, label="Precision")
    loss_scale: float = field(
        65536.0,
        least=1,
        most=2.0**127,
        label="Loss scale",
        help="The factor that multiplies the loss at first; every overflow halves it",
        remedy="65536 is usual",
    )
    loss_scale_growth_interval: int = field(
        2000,
        least=1,
        most=MOST_STEPS,
        label="Loss scale grows every",
        help="Steps in a row without overflow after which the loss scale doubles",
        remedy="2000 is usual",
    )
    threads: int = field(1, least=1, most=1024, remedy="1 is usual")
    settings: Mapping[str, Any] = field(
        factory=dict, reader=lambda values: fields.as_object(values, "settings")
    )

    def __post_init__(self) -> None:
        fields.check(self)
        self._check_first_lesson()
        if self.ranks > self.batch_size:
            raise ValueError(
                f"a batch_size of {self.batch_size} leaves some of {self.ranks} ranks without a "
                f"sequence; use {self.ranks} or more, or fewer ranks"
            )
        if self.min_learning_rate > self.learning_rate:
            raise ValueError(
                f"min_learning_rate {self.min_learning_rate} is above learning_rate "
                f"{self.learning_rate}; a tenth of it is usual"
            )

    def _check_first_lesson(self) -> None:
        context, shortest = self.model.block_size, 2 * SHORTEST_PERIOD
        if self.copying_steps and context < shortest:
            raise ValueError(
                f"copying_steps {self.copying_steps} with block_size {context}: too small to "
                f"repeat anything; use {shortest} or more, or copying_steps 0"
            )
        if self.copying_steps and self.task == SEQUENCE_TO_SEQUENCE:
            raise ValueError(
                f"copying_steps {self.copying_steps} belong to language modelling; use 0 with the "
                f"task {self.task}"
            )
        if self.positions_start != RANDOM and self.model.positions != "learned":
            raise ValueError(
                f"positions_start {self.positions_start!r} needs learned positions, and these are "
                f'{self.model.positions!r}; use positions_start "random"'
            )

    @property
    def tokens_per_step(self) -> int:
        """Tokens read in one optimizer step, unless the task makes batches of another size."""
        return self.batch_size * self.micro_batches * self.model.block_size

    def planned_rate(self, step: int) -> float:
        """Returns the learning rate of the step after `step` applied ones (0: the first step)."""
        return learning_rate_at(
            step,
            schedule=self.schedule,
            learning_rate=self.learning_rate,
            min_learning_rate=self.min_learning_rate,
            warmup_steps=self.warmup_steps,
            steps=self.steps,
        )

    def change(self, changes: Mapping[str, Any]) -> TrainingConfig:
        """Returns this config with some fields changed; `model`: a ModelConfig or its JSON.

        Raises ValueError for an unknown field.
        """
        fields.check_names(TrainingConfig, changes, WHAT)
        return replace(self, **changes)

    def changes_since(self, before: TrainingConfig) -> list[str]:
        """Returns the changes since an earlier config as text: "steps was 20 and is now 30"."""
        was, now = _flat(before.to_json()), _flat(self.to_json())
        return [
            f"{name} was {was.get(name)} and is now {now.get(name)}"
            for name in now | was
            if was.get(name) != now.get(name)
        ]

    def to_json(self) -> dict[str, Any]:
        """Returns the contents of a config file."""
        return {"format": FORMAT, **fields.to_json(self)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> TrainingConfig:
        """Returns the config that `to_json` wrote.

        Raises ValueError for a newer format, an unknown or missing field, or an invalid value.
        """
        return fields.from_json(cls, values, WHAT, FORMAT)


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Flattens {"model": {"n_layer": 2}} to {"model.n_layer": 2}."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        inner = _flat(value) if isinstance(value, Mapping) else {"": value}
        found |= {f"{name}.{key}".rstrip("."): held for key, held in inner.items()}
    return found
