"""What a person chooses before a run, as text in fields, and the TrainingConfig it means.

Draws nothing and loads no torch. Every field is checked by itself, so that an error stands beside
it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from core.data.batches import SHORTEST_PERIOD
from core.fields import field, fields_of
from core.training.config import CHARACTERS, STORIES, TrainingConfig
from core.training.this_machine import Machine
from core.transformer.config import ModelConfig
from explorer.engine.cores import torch_threads
from explorer.state.typed_numbers import number_in, read_for, whole_in

# What the vocabularies hold, before the tokenizer of a file is known.
STORIES_VOCABULARY = 1536
CHARACTERS_VOCABULARY = 100
SHORTEST = 2 * SHORTEST_PERIOD  # tokens in which something can come twice
NO_TEXT = "No file is chosen; choose a text, or our stories"


@dataclass(frozen=True)
class ModelSize:
    """A named shape: layers, heads, width, context."""

    id: str
    title: str
    n_layer: int
    n_head: int
    n_embd: int
    block_size: int
    what: str


SIZES = (
    ModelSize("tiny", "Tiny", 2, 4, 64, 64, "learns words within a minute"),
    ModelSize("small", "Small", 4, 4, 128, 128, "learns to tell little stories"),
    ModelSize("medium", "Medium", 6, 6, 192, 128, "the size of the bundled model"),
    ModelSize("large", "Large", 8, 8, 256, 256, "better stories, the slowest to learn"),
)


# Fields that follow others until a person sets them.
FOLLOWING = ("warmup_steps", "min_learning_rate", "repeated_fraction", "sample_prompt", "run_in")
REPEATS = "0.1"  # of our stories: induction heads come sooner; a person's own text is read as it is
BEGINNING = "Once upon a time"  # of a sample of our stories
LEADERS = {"warmup_steps": "steps", "min_learning_rate": "learning_rate"}


# What the fields of a run may hold: its model's and its own. A rate beyond 10 is a slip here; core
# takes it, and tells how a run blows up.
ABOUT = {**fields_of(ModelConfig), **fields_of(TrainingConfig)}
for _name in ("learning_rate", "min_learning_rate", "weight_decay"):
    ABOUT[_name] = replace(ABOUT[_name], most=10)
SHAPE = ("n_layer", "n_head", "n_embd", "block_size")
NUMBERS = (  # the fields into which a number is typed
    "batch_size",
    "micro_batches",
    "steps",
    *SHAPE,
    "warmup_steps",
    "evaluate_every",
    "sample_every",
    "checkpoint_every",
    "seed",
    "learning_rate",
    "min_learning_rate",
    "weight_decay",
    "clip",
    "repeated_fraction",
    "ranks",
    "loss_scale",
    "loss_scale_growth_interval",
)
AS_THEY_ARE = ("corpus", "tokenizer", "schedule", "optimizer", "precision", "device", "parallel")
CHOICES: dict[str, Collection[str]] = {
    **{name: ABOUT[name].choices for name in AS_THEY_ARE[2:]},
    "run_in": ("thread", "process"),
    "activation_checkpointing": ("off", "on"),
}


@dataclass(frozen=True)
class TrainingDraft:
    """All fields as typed. The defaults train at once."""

    corpus: str = "stories"
    size: str = "small"  # the shape's name, or "own"
    batch_size: str = "8"
    steps: str = "1500"
    learning_rate: str = "2e-3"
    run_in: str = field("thread", choices=CHOICES["run_in"])
    # behind "More"
    n_layer: str = "4"
    n_head: str = "4"
    n_embd: str = "128"
    block_size: str = "128"
    tokenizer: str = field(STORIES, shortest=1)
    warmup_steps: str = "60"
    min_learning_rate: str = "0.0002"
    schedule: str = field("cosine", choices=CHOICES["schedule"])
    optimizer: str = field("adamw", choices=CHOICES["optimizer"])
    precision: str = field("fp32", choices=CHOICES["precision"])
    loss_scale: str = "65536"
    loss_scale_growth_interval: str = "2000"
    device: str = field("auto", choices=CHOICES["device"])
    ranks: str = "1"
    parallel: str = field("ddp", choices=CHOICES["parallel"])
    micro_batches: str = "1"
    activation_checkpointing: str = field("off", choices=CHOICES["activation_checkpointing"])
    weight_decay: str = "0.1"
    clip: str = "1.0"
    repeated_fraction: str = REPEATS
    evaluate_every: str = "50"
    sample_every: str = "100"
    checkpoint_every: str = "250"
    sample_prompt: str = BEGINNING  # "": the text's own words
    seed: str = "1337"
    by_hand: str = ""  # which of the fields that follow others a person has set

    def __post_init__(self) -> None:
        if self.size not in ("own", _named(self)):
            object.__setattr__(self, "size", _named(self))

    def change(self, changes: Mapping[str, str]) -> TrainingDraft:
        """This draft with some fields changed; a size brings its shape, a file its tokenizer,
        `where` the ranks.
        """
        new = dict(changes)
        if where := new.pop("where", ""):
            new |= {"ranks": where} if where.isdigit() else {"ranks": "1", "run_in": where}
        if (size := size_of(new.get("size", ""))) is not None:
            new |= {name: str(getattr(size, name)) for name in SHAPE if name not in changes}
        elif set(SHAPE) & set(new):
            new["size"] = _named(replace(self, **new))
        if "corpus" in new and "tokenizer" not in new:
            new["tokenizer"] = STORIES if new["corpus"] == "stories" else CHARACTERS
        new |= {name: text for name, text in self._following(new).items() if name not in new}
        if whole_in(new.get("ranks", self.ranks)) not in (None, 1):
            new["run_in"] = "process"  # one for each rank, and one that watches them
        return replace(self, **new)

    @property
    def where(self) -> str:
        """Where it trains: "thread", "process", or among how many ranks."""
        return self.run_in if whole_in(self.ranks) == 1 else self.ranks

    def _following(self, new: Mapping[str, str]) -> dict[str, str]:
        """Warm-up and last learning rate go with steps and peak, the share of repeats and the
        beginning of a sample with the text, until a person sets them.
        """
        by_hand = set(self.by_hand.split()) | (set(FOLLOWING) & set(new))
        kept = {"by_hand": " ".join(sorted(by_hand))}
        if "warmup_steps" not in by_hand:
            steps = new.get("steps", self.steps)
            kept["warmup_steps"] = usual_warmup(steps) or self.warmup_steps
        if "min_learning_rate" not in by_hand:
            rate = new.get("learning_rate", self.learning_rate)
            kept["min_learning_rate"] = usual_last(rate) or self.min_learning_rate
        if "repeated_fraction" not in by_hand and "corpus" in new:
            kept["repeated_fraction"] = REPEATS if new["corpus"] == "stories" else "0"
        if "sample_prompt" not in by_hand and "corpus" in new:
            kept["sample_prompt"] = BEGINNING if new["corpus"] == "stories" else ""
        return kept

    def is_by_hand(self, name: str) -> bool:
        return name in self.by_hand.split()


def usual_warmup(steps: str) -> str:
    """A twenty-fifth of the steps, 60 at most; "" where they are no number."""
    count = whole_in(steps)
    return "" if count is None or count < 0 else str(min(60, count // 25))


def usual_last(rate: str) -> str:
    """A tenth of the peak; "" where it is no number."""
    peak = number_in(rate)
    return "" if peak is None else f"{peak / 10:.6g}"


def size_of(name: str) -> ModelSize | None:
    return next((size for size in SIZES if size.id == name), None)


def _named(draft: TrainingDraft) -> str:
    """The size that has this shape, or "own"."""
    return next((one.id for one in SIZES if _fits(one, draft)), "own")


def _fits(size: ModelSize, draft: TrainingDraft) -> bool:
    return all(str(getattr(size, name)) == getattr(draft, name) for name in SHAPE)


def number_of(name: str, text: str) -> float | int | str:
    """The value of a field, or the error as text."""
    try:
        return read_for(ABOUT[name], text)
    except ValueError as error:
        return str(error)


def too_many_ranks(ranks: int, batch: int) -> str:
    return (
        f"A batch of {batch} leaves some of {ranks} ranks without a sequence; use {batch} or fewer"
    )


def check(
    draft: TrainingDraft, corpus_error: str = "", here: Machine | None = None
) -> dict[str, str]:
    """Field -> what is wrong with it and the remedy; {} when a run can start on the machine that is
    `here`, once that is known.

    A field that follows a wrong one is not wrong itself.
    """
    errors = _check(draft, corpus_error)
    for name, leader in LEADERS.items():
        if leader in errors and not draft.is_by_hand(name):
            errors.pop(name, None)
    ranks = whole_in(draft.ranks)
    if here is not None and ranks and (why := here.refusal(draft.device, ranks)):
        errors.setdefault("device", f"{why[0].upper()}{why[1:]}")
    return errors


def _check(draft: TrainingDraft, corpus_error: str) -> dict[str, str]:
    if not draft.corpus.strip():
        corpus_error = NO_TEXT
    errors: dict[str, str] = {"corpus": corpus_error} if corpus_error else {}
    values: dict[str, Any] = {}
    for name in NUMBERS:
        value = number_of(name, getattr(draft, name))
        if isinstance(value, str):
            errors[name] = value
        else:
            values[name] = value
    for name, allowed in CHOICES.items():
        if getattr(draft, name) not in allowed:
            errors[name] = f"Choose {' or '.join(allowed)}"
    if {"n_embd", "n_head"} <= set(values) and values["n_embd"] % values["n_head"]:
        heads, width = values["n_head"], values["n_embd"]
        below = max(heads, width - width % heads)
        errors["n_embd"] = (
            f"The width {width} is not a multiple of {heads} heads; "
            f"use {below} or {below + heads if below < width else 2 * heads}"
        )
    if values.get("repeated_fraction") and values.get("block_size", SHORTEST) < SHORTEST:
        errors["block_size"] = (
            f"A context of {values['block_size']} is too small to repeat anything; "
            f"use {SHORTEST} or more, or a share of repeats of 0"
        )
    if {"ranks", "batch_size"} <= set(values) and values["ranks"] > values["batch_size"]:
        errors["ranks"] = too_many_ranks(values["ranks"], values["batch_size"])
    if {"learning_rate", "min_learning_rate"} <= set(values) and (
        values["min_learning_rate"] > values["learning_rate"]
    ):
        rate = values["learning_rate"]
        errors["min_learning_rate"] = f"It must not be above the peak {rate:g}; use {rate / 10:g}"
    if {"warmup_steps", "steps"} <= set(values) and values["warmup_steps"] >= values["steps"]:
        errors["warmup_steps"] = (
            f"The warm-up must be shorter than the run; use {max(0, values['steps'] // 20)}"
        )
    return errors


def config_of(
    draft: TrainingDraft, probe_text: str = "", vocab_size: int | None = None
) -> TrainingConfig:
    """The config that the fields mean; `vocab_size` is that of a tokenizer's file.

    Raises ValueError, with the remedy, where `check` would.
    """
    if errors := check(draft):
        raise ValueError(next(iter(errors.values())))
    numbers: dict[str, Any] = {name: number_of(name, getattr(draft, name)) for name in NUMBERS}
    shape = {name: numbers.pop(name) for name in SHAPE}
    vocabulary = STORIES_VOCABULARY if draft.tokenizer == STORIES else CHARACTERS_VOCABULARY
    vocabulary = vocabulary if vocab_size is None else vocab_size
    extra = {"probe_text": probe_text} if probe_text.strip() else {}
    if draft.corpus != "stories":
        extra = {"probe_text": ""}  # its own words
    return TrainingConfig(
        model=ModelConfig(vocab_size=vocabulary, **shape),
        corpus=draft.corpus,
        tokenizer=draft.tokenizer,
        **{name: getattr(draft, name) for name in AS_THEY_ARE[2:]},
        sample_prompt=draft.sample_prompt,
        activation_checkpointing=draft.activation_checkpointing == "on",
        probe_every=probe_cadence(numbers["steps"]),
        evaluate_batches=4,
        threads=max(1, torch_threads() // numbers["ranks"]),
        **numbers,
        **extra,
    )


def draft_of(config: TrainingConfig, before: TrainingDraft) -> TrainingDraft:
    """The fields with which a run of this config was started; where it trains stays as `before`."""
    values = {**asdict(config.model), **{f.name: getattr(config, f.name) for f in fields(config)}}
    written = {
        name: str(values[name]) if ABOUT[name].type is int else f"{values[name]:.9g}"
        for name in NUMBERS
    }
    written |= {name: values[name] for name in AS_THEY_ARE}
    written["activation_checkpointing"] = "on" if config.activation_checkpointing else "off"
    by_hand = sorted({*before.by_hand.split(), "warmup_steps", "min_learning_rate"})
    rest = {"sample_prompt": config.sample_prompt, "by_hand": " ".join(by_hand)}
    return replace(before, **written, **rest, size="")  # its shape names it


def probe_cadence(steps: int) -> int:
    """Steps between two pictures of the heads: about 150 in a run."""
    return max(1, min(10, steps // 100))


def run_name(draft: TrainingDraft) -> str:
    """What the run is called: its corpus."""
    return "stories" if draft.corpus == "stories" else Path(draft.corpus).stem[:24] or "run"
