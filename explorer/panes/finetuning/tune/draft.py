"""The user's setup in Tune, and the runs it describes. Imports neither Qt nor torch."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from core.fields import field, fields_of
from core.finetuning.lora_config import ALL_LINEAR, LoRAConfig
from core.finetuning.run_config import finetuning_config
from core.finetuning.settings import (
    BROKEN_LINES,
    FABLES,
    METHODS,
    QUANTIZATIONS,
    QUESTIONS,
    STORIES,
    FinetuningSettings,
)
from core.training.config import TrainingConfig
from explorer.state.typed_numbers import read_for, refused

SETTINGS, LORA, RUN = map(fields_of, (FinetuningSettings, LoRAConfig, TrainingConfig))
# Numbers typed under More, with their limits; "" for the learning rate is the method's usual one.
NUMBERS = {
    "alpha": LORA["alpha"],
    "steps": replace(RUN["steps"], remedy="60 to 600 is usual"),
    "learning_rate": RUN["learning_rate"],
    "last_layers": SETTINGS["last_layers"],
    "bottleneck_width": SETTINGS["bottleneck_width"],
    "prompt_tokens": SETTINGS["prompt_tokens"],
}
OWN = ("base_data", "last_layers", "bottleneck_width", "prompt_tokens", "quantize", "broken_lines")
LOOKS, BATCHES = 12, 4  # most evaluations of a run, and batches of each
# Settings that change with the data. Fables are harder: at its usual rate LoRA learns none.
USUAL = {
    QUESTIONS: {"steps": "60", "learning_rate": ""},
    FABLES: {"steps": "100", "learning_rate": "0.003"},
}
DATA_HELP = (
    "Examples of \u201cQuestions\u201d ask \u201cWho is it about?\u201d after a story; those of "
    "\u201cFables\u201d ask for its moral. A file may hold examples (.jsonl lines with prompt and "
    "answer, or with messages) or any text."
)
CLASSES_HELP = (
    "The names of the classes, separated by commas; each line of the data is "
    '{"text": ..., "label": ...}'
)


@dataclass(frozen=True)
class TuneDraft:
    """All fields of the setup; numbers under More are texts as typed.

    base       "stories", another name or a folder that core.load opens
    data       "questions", or a file
    methods    to be trained, each in its own run
    targets    endings of the names of the matrices that LoRA changes
    base_data  text of the base's earlier skill: "stories", a file, or "" for none
    variant    of LoRA
    classes    names of the classes of labelled texts, separated by commas
    """

    base: str = field(STORIES, shortest=1)
    data: str = field(QUESTIONS, shortest=1, label="Data", help=DATA_HELP)
    methods: tuple[str, ...] = field(("lora",), shortest=1, choices=METHODS)
    targets: tuple[str, ...] = field((ALL_LINEAR,), shortest=1)
    rank: int = field(8, least=1, most=64, label="Rank", help=LORA["r"].help)
    replay: float = field(0.0, least=0, below=1, label="Replay", help=SETTINGS["replay"].help)
    variant: str = field("lora", choices=("lora", "rslora", "dora"), label="Kind of LoRA")
    base_data: str = field(STORIES)
    quantize: str = field("none", choices=QUANTIZATIONS)
    broken_lines: str = field("stop", choices=BROKEN_LINES)
    classes: str = field("", label="Classes", help=CLASSES_HELP)
    alpha: str = "16"
    steps: str = "60"
    learning_rate: str = ""
    last_layers: str = "1"
    bottleneck_width: str = "16"
    prompt_tokens: str = "16"

    def with_method(self, method: str) -> tuple[str, ...]:
        """Returns the methods with this one added or removed; the last one is not removed."""
        others = tuple(one for one in self.methods if one != method)
        if method in self.methods:
            return others or self.methods
        return tuple(one for one in METHODS if one in (*others, method))


@dataclass(frozen=True)
class TuneState:
    """The saved state: runs, number of the question, and how often runs were started."""

    runs: tuple[str, ...] = ()
    question: int = field(0, least=0)
    begun: int = field(0, least=0, below=10**6)


# Facts about each field of the form: label, help, and limits of a number.
OTHERS = ("base", "base_data", "broken_lines", "quantize")
FIELDS = {**fields_of(TuneDraft), **{name: SETTINGS[name] for name in OTHERS}, **NUMBERS}


def check(draft: TuneDraft) -> dict[str, str]:
    """Returns the error of each typed number by field, with the remedy."""
    typed = {name: getattr(draft, name) for name in NUMBERS}
    if not typed["learning_rate"]:
        del typed["learning_rate"]
    return refused(NUMBERS, typed)


def classes_of(draft: TuneDraft) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, draft.classes.split(","))))


def config_of(draft: TuneDraft, method: str) -> TrainingConfig:
    """Returns the run of one method. Reads the base's config.

    Raises ValueError or OSError, with the remedy, if there is no such base or for invalid settings.
    """
    number = {
        name: read_for(about, getattr(draft, name))
        for name, about in NUMBERS.items()
        if getattr(draft, name)
    }
    lora = LoRAConfig(
        r=draft.rank,
        alpha=float(number["alpha"]),
        target_modules=draft.targets,
        rslora=draft.variant == "rslora",
        dora=draft.variant == "dora",
    )
    settings = FinetuningSettings(
        base=draft.base,
        method=method,
        lora=lora,
        data=draft.data,
        replay=draft.replay,
        classes=classes_of(draft),
        **{name: number.get(name, getattr(draft, name)) for name in OWN},
    )
    changes = {name: number[name] for name in ("steps", "learning_rate") if name in number}
    every = math.ceil(number["steps"] / LOOKS)
    often = {"evaluate_every": every, "evaluate_batches": BATCHES, "checkpoint_every": 2 * every}
    return finetuning_config(settings, changes | often)
