"""The typed settings of a new run, and the TrainingConfig made from them.

Imports neither Qt nor torch. Each field is checked on its own, so that its error is shown with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from core.data.batches import SHORTEST_PERIOD
from core.fields import field, fields_of
from core.training.config import CHARACTERS, RANDOM, SINUSOIDS, STORIES, TrainingConfig
from core.training.this_machine import Machine
from core.transformer.config import ModelConfig
from explorer.engine.cores import torch_threads
from explorer.panes.training.run.compute import UNREAD, Sources
from explorer.state.typed_numbers import number_in, read_for, refused, whole_in

# Sizes of the vocabularies until a tokenizer file has been read.
STORIES_VOCABULARY = 1536
CHARACTERS_VOCABULARY = 100
SHORTEST = 2 * SHORTEST_PERIOD  # tokens in which a sequence can repeat
SHORTEST_CONTEXT = 16  # tokens; attention has too little to attend to in a shorter one
NO_TEXT = "No file is chosen; choose a text, or our stories"


@dataclass(frozen=True)
class ModelSize:
    """A named shape: layers, heads, width, context."""

    id: str
    n_layer: int
    n_head: int
    n_embd: int
    block_size: int
    what: str


SIZES = (
    ModelSize("tiny", 2, 4, 64, 64, "learns words within a minute"),
    ModelSize("small", 4, 4, 128, 128, "learns to tell little stories"),
    ModelSize("medium", 6, 6, 192, 128, "has the size of the bundled model"),
    ModelSize("large", 8, 8, 256, 256, "tells better stories, but learns slowest"),
)


# Fields that follow other fields until the user sets them.
FOLLOWING = (
    "warmup_steps",
    "min_learning_rate",
    "repeated_fraction",
    "lessons",
    "sample_prompt",
    "run_in",
)
REPEATS = "0.05"  # for our stories: induction heads stay; other texts are read unchanged
# First copying, then text: an induction head forms in about 120 steps, and lasts. See
# core.data.first_lesson for what was measured.
COPYING, TEXT = LESSONS = ("copying", "text")
LESSON_FIELDS = {
    COPYING: {"copying_steps": "320", "positions_start": SINUSOIDS, "query_key_scale": "4"},
    TEXT: {"copying_steps": "0", "positions_start": RANDOM, "query_key_scale": "1"},
}
BEGINNING = "Once upon a time"  # prompt of samples from our stories
LEADERS = {"warmup_steps": "steps", "min_learning_rate": "learning_rate"}


# Limits of the fields of a run and its model. A learning rate above 10 is a typing error here; core
# accepts it, to show how a run diverges.
ABOUT = {**fields_of(ModelConfig), **fields_of(TrainingConfig)}
for _name in ("learning_rate", "min_learning_rate", "weight_decay"):
    ABOUT[_name] = replace(ABOUT[_name], most=10)
SHAPE = ("n_layer", "n_head", "n_embd", "block_size")


@dataclass(frozen=True)
class TrainingDraft:
    """All fields, numbers as typed text. The defaults are ready to train."""

    corpus: str = STORIES
    steps: str = "1500"
    learning_rate: str = "2e-3"
    run_in: str = field("thread", choices=("thread", "process"))
    # behind "More", in the order of the form
    device: str = field("auto", choices=ABOUT["device"].choices)
    precision: str = field("fp32", choices=ABOUT["precision"].choices)
    ranks: str = "1"
    parallel: str = field("ddp", choices=ABOUT["parallel"].choices)
    loss_scale: str = "65536"
    loss_scale_growth_interval: str = "2000"
    batch_size: str = "8"
    optimizer: str = field("adamw", choices=ABOUT["optimizer"].choices)
    schedule: str = field("cosine", choices=ABOUT["schedule"].choices)
    n_layer: str = "4"
    n_head: str = "4"
    n_embd: str = "128"
    block_size: str = "128"
    warmup_steps: str = "60"
    min_learning_rate: str = "0.0002"
    weight_decay: str = "0.1"
    clip: str = "1.0"
    repeated_fraction: str = REPEATS
    copying_steps: str = LESSON_FIELDS[COPYING]["copying_steps"]
    positions_start: str = field(SINUSOIDS, choices=ABOUT["positions_start"].choices)
    query_key_scale: str = LESSON_FIELDS[COPYING]["query_key_scale"]
    seed: str = "1337"
    evaluate_every: str = "50"
    sample_every: str = "100"
    checkpoint_every: str = "250"
    sample_prompt: str = BEGINNING  # "": a prompt from the text
    tokenizer: str = field(STORIES, shortest=1)
    micro_batches: str = "1"
    activation_checkpointing: bool = False
    by_hand: str = ""  # names of the FOLLOWING fields that the user has set

    @property
    def size(self) -> str:
        """The name of the size with this shape, or "own"."""
        return next((one.id for one in SIZES if self._has_shape(one)), "own")

    @property
    def lessons(self) -> str:
        """ "copying" if the run begins with a lesson in copying, else "text"."""
        return TEXT if number_in(self.copying_steps) == 0 else COPYING

    def _has_shape(self, size: ModelSize) -> bool:
        return all(getattr(self, name) == str(getattr(size, name)) for name in SHAPE)

    @property
    def where(self) -> str:
        """The place of training: "thread", "process", or the number of ranks."""
        return self.run_in if whole_in(self.ranks) == 1 else self.ranks

    def is_by_hand(self, name: str) -> bool:
        return name in self.by_hand.split()

    def change(self, changes: Mapping[str, Any]) -> TrainingDraft:
        """Returns this draft with changed fields; `size` also sets the shape, `corpus` the
        tokenizer, `where` the ranks, and `lessons` the lesson in copying with the weights for it.
        """
        new = dict(changes)
        if where := new.pop("where", ""):
            new |= {"ranks": where} if where.isdigit() else {"ranks": "1", "run_in": where}
        if (size := size_of(new.pop("size", ""))) is not None:
            new |= {name: str(getattr(size, name)) for name in SHAPE if name not in changes}
        if "corpus" in new and "tokenizer" not in new:
            new["tokenizer"] = STORIES if new["corpus"] == STORIES else CHARACTERS
        new = self._following(new) | new
        new = LESSON_FIELDS.get(new.pop("lessons", ""), {}) | new
        if whole_in(new.get("ranks", self.ranks)) not in (None, 1):
            new["run_in"] = "process"  # one process for each rank, and one that watches them
        return replace(self, **new)

    def _following(self, new: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the fields that change along: warm-up with the steps, last learning rate with
        the peak, share of repeats, lessons and sample prompt with the text, unless set by the user.
        """
        by_hand = {*self.by_hand.split(), *(name for name in FOLLOWING if name in new)}
        usual: dict[str, Any] = {}
        if "steps" in new:
            usual["warmup_steps"] = usual_warmup(new["steps"])
        if "learning_rate" in new:
            usual["min_learning_rate"] = usual_last(new["learning_rate"])
        if "corpus" in new:
            usual["repeated_fraction"] = REPEATS if new["corpus"] == STORIES else "0"
            usual["lessons"] = COPYING if new["corpus"] == STORIES else TEXT
            usual["sample_prompt"] = BEGINNING if new["corpus"] == STORIES else ""
        kept = {name: one for name, one in usual.items() if name not in by_hand and one is not None}
        return kept | {"by_hand": " ".join(sorted(by_hand))}


SETTINGS = tuple(one.name for one in fields(TrainingDraft) if one.name in ABOUT)
NUMBERS = tuple(name for name in SETTINGS if ABOUT[name].type in (int, float))  # they are typed
AS_THEY_ARE = tuple(name for name in SETTINGS if name not in NUMBERS)


def usual_warmup(steps: str) -> str | None:
    """Returns a twenty-fifth of the steps, at most 60; None if `steps` is no number."""
    count = whole_in(steps)
    return None if count is None or count < 0 else str(min(60, count // 25))


def usual_last(rate: str) -> str | None:
    """Returns a tenth of the peak; None if `rate` is no number."""
    peak = number_in(rate)
    return None if peak is None else f"{peak / 10:.6g}"


def size_of(name: str) -> ModelSize | None:
    return next((size for size in SIZES if size.id == name), None)


def read_numbers(draft: Any, names: Iterable[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Returns the numbers typed into these fields of a draft, and the errors by field: first of
    each field, then of pairs of fields that contradict each other.
    """
    typed = {name: getattr(draft, name) for name in names}
    errors = refused(ABOUT, typed)
    values: dict[str, Any] = {
        name: read_for(ABOUT[name], text) for name, text in typed.items() if name not in errors
    }
    if {"learning_rate", "min_learning_rate"} <= set(values):
        peak = values["learning_rate"]
        if values["min_learning_rate"] > peak:
            errors["min_learning_rate"] = (
                f"It must not be above the peak {peak:g}; use {peak / 10:g}"
            )
    if {"ranks", "batch_size"} <= set(values) and values["ranks"] > values["batch_size"]:
        ranks, batch = values["ranks"], values["batch_size"]
        errors["ranks"] = (
            f"A batch of {batch} leaves some of {ranks} ranks without a sequence; "
            f"use {batch} or fewer"
        )
    return values, errors


def check(
    draft: TrainingDraft, sources: Sources = UNREAD, here: Machine | None = None
) -> dict[str, str]:
    """Returns the error of each invalid field, with the remedy; {} if a run can start on the
    machine `here`, judging by the `sources` known so far.

    A field that follows an invalid one has no error of its own.
    """
    values, errors = read_numbers(draft, NUMBERS)
    errors = _check_sources(draft, sources, values.get("block_size", 0)) | errors
    if {"n_embd", "n_head"} <= set(values) and values["n_embd"] % values["n_head"]:
        heads, width = values["n_head"], values["n_embd"]
        below = max(heads, width - width % heads)
        errors["n_embd"] = (
            f"The width {width} is not a multiple of {heads} heads; "
            f"use {below} or {below + heads if below < width else 2 * heads}"
        )
    repeats = values.get("repeated_fraction") or values.get("copying_steps")
    if repeats and values.get("block_size", SHORTEST) < SHORTEST:
        errors["block_size"] = (
            f"A context of {values['block_size']} is too small to repeat anything; "
            f"use {SHORTEST} or more, or a share of repeats of 0 and no lesson in copying"
        )
    if {"warmup_steps", "steps"} <= set(values) and values["warmup_steps"] >= values["steps"]:
        errors["warmup_steps"] = (
            f"The warm-up must be shorter than the run; use {max(0, values['steps'] // 20)}"
        )
    for name, leader in LEADERS.items():
        if leader in errors and not draft.is_by_hand(name):
            errors.pop(name, None)
    ranks = values.get("ranks")
    if here is not None and ranks and (why := here.refusal(draft.device, ranks)):
        errors.setdefault("device", f"{why[0].upper()}{why[1:]}")
    return errors


def _check_sources(draft: TrainingDraft, sources: Sources, context: int) -> dict[str, str]:
    """Returns the errors of the text and of the tokenizer's file."""
    errors = {"tokenizer": sources.tokenizer_error} if sources.tokenizer_error else {}
    needed, count = 10 * (context + 1), sources.characters
    if not draft.corpus.strip():
        errors["corpus"] = NO_TEXT
    elif sources.error:
        errors["corpus"] = sources.error
    elif draft.tokenizer == CHARACTERS and 0 < count < needed:
        longest = count // 10 - 1
        shorter = f", or a context of at most {longest}" if longest >= SHORTEST_CONTEXT else ""
        errors["corpus"] = (
            f"{Path(draft.corpus).name} has {count:,} characters; a context of {context} needs at "
            f"least {needed:,}. Choose a longer text{shorter}"
        )
    return errors


def config_of(draft: TrainingDraft, probe_text: str = "", vocab_size: int = 0) -> TrainingConfig:
    """Returns the config for these fields; `vocab_size` is that of the tokenizer's file, or 0 if
    unknown.

    Raises ValueError, with the remedy, if `check` finds an error.
    """
    if errors := check(draft):
        raise ValueError(next(iter(errors.values())))
    numbers, _ = read_numbers(draft, NUMBERS)
    shape = {name: numbers.pop(name) for name in SHAPE}
    usual = STORIES_VOCABULARY if draft.tokenizer == STORIES else CHARACTERS_VOCABULARY
    extra = {"probe_text": probe_text} if probe_text.strip() else {}
    if draft.corpus != STORIES:
        extra = {"probe_text": ""}  # then the validation split's first words are read
    return TrainingConfig(
        model=ModelConfig(vocab_size=vocab_size or usual, **shape),
        **{name: getattr(draft, name) for name in AS_THEY_ARE},
        probe_every=probe_cadence(numbers["steps"]),
        evaluate_batches=4,
        threads=max(1, torch_threads() // numbers["ranks"]),
        **numbers,
        **extra,
    )


def draft_of(config: TrainingConfig, before: TrainingDraft) -> TrainingDraft:
    """Returns the fields that lead to this config; `run_in` stays as in `before`."""
    values = {**asdict(config.model), **{f.name: getattr(config, f.name) for f in fields(config)}}
    written = {
        name: str(values[name]) if ABOUT[name].type is int else f"{values[name]:.9g}"
        for name in NUMBERS
    }
    by_hand = sorted({*before.by_hand.split(), "warmup_steps", "min_learning_rate"})
    own = {name: values[name] for name in AS_THEY_ARE}
    return replace(before, **written, **own, by_hand=" ".join(by_hand))


def probe_cadence(steps: int) -> int:
    """Returns the number of steps between two snapshots of the heads."""
    return max(1, min(10, steps // 100))


def run_name(draft: TrainingDraft) -> str:
    """Returns the run's name, which is that of its corpus."""
    return STORIES if draft.corpus == STORIES else Path(draft.corpus).stem[:24] or "run"
