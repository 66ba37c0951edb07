"""FinetuningSettings: the base, the data and the method of a fine-tuning run, as data.

They are part of a TrainingConfig, which has everything else: steps, batch, learning rate, device.
Importing them does not load torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import fields
from core.fields import field
from core.files import quoted, quoted_some
from core.finetuning.lora_config import ALL_LINEAR, LoRAConfig
from core.training.config import TrainingConfig

FINETUNING = "finetuning"  # the task's name
QUESTIONS, FABLES = BUILT_IN = ("questions", "fables")  # data about the app's own stories
STORIES = "stories"
# What is trained: a low-rank update, everything, the last layers, the output head, the biases,
# small layers between the others, or some tokens before the text.
METHODS = ("lora", "full", "last-layers", "head", "bitfit", "bottleneck", "prompt")
# Learning rates at which methods can be compared: with these, LoRA and full fine-tuning answer 95 %
# of the questions right after about 33 of 60 steps; all other methods but "last-layers" and "head"
# do by the end. Larger ones learn sooner, and forget more by the end. LoRA's is for all matrices,
# and ten times that of full fine-tuning, as Schulman 2025 ("LoRA Without Regret") found for large
# models: the fewer numbers learn, the larger their steps may be.
RATES: Mapping[str, float] = {
    "lora": 3e-4,
    "full": 3e-5,
    "last-layers": 1e-3,
    "head": 3e-3,
    "bitfit": 1e-3,
    "bottleneck": 5e-4,
    "prompt": 3e-2,
}
QUANTIZATIONS = ("none", "nf4")
BROKEN_LINES = ("stop", "skip")
LARGEST_SIZE = 1 << 16


@dataclass(frozen=True, kw_only=True)
class FinetuningSettings:
    """The settings of a fine-tuning run.

    base              "stories", or another name or path that `core.load` opens
    method            one of METHODS
    lora              for "lora": rank, alpha, matrices
    last_layers       for "last-layers": how many learn, with the norm after them
    bottleneck_width  for "bottleneck": numbers between the two matrices of each small layer
    prompt_tokens     for "prompt": learned tokens before each text
    quantize          "nf4": the frozen matrices take 4 bits a number (QLoRA)
    data              about the app's own stories "questions" (who is it about?) or "fables" (what
                      is the moral?), "stories" themselves, or a file: .jsonl holds examples, any
                      other is read as one text
    broken_lines      what to do with unusable lines of a .jsonl: "stop", or "skip" them
    context           tokens of a sequence at most
    base_data         the base's former training data: "stories", or a text file. Its held-out part
                      measures what is forgotten; "": not measured
    replay            share of the sequences that come from base_data, to reduce forgetting
    classes           names of the classes, to classify texts; (): texts are continued

    Raises ValueError, with a remedy, for an invalid value. Errors about combinations use words that
    fit both a form and a file: "base data", not base_data.
    """

    base: str = field(STORIES, shortest=1, label="Base", remedy="'stories' comes with the program")
    method: str = field(
        "lora", choices=METHODS, label="Method", help="Which parameters are trained"
    )
    lora: LoRAConfig = field(LoRAConfig(target_modules=(ALL_LINEAR,)))
    last_layers: int = field(
        1,
        least=1,
        most=LARGEST_SIZE,
        label="Last layers",
        help="How many of the last layers are trained",
        remedy="1 or 2 is usual",
    )
    bottleneck_width: int = field(
        16,
        least=1,
        most=LARGEST_SIZE,
        label="Bottleneck",
        help="Width of each small layer between its two matrices",
        remedy="8 to 64 is usual",
    )
    prompt_tokens: int = field(
        16,
        least=1,
        most=LARGEST_SIZE,
        label="Prompt tokens",
        help="How many learned tokens stand in front of each text",
        remedy="8 to 100 is usual",
    )
    quantize: str = field(
        "none",
        choices=QUANTIZATIONS,
        label="Base bits",
        help="How many bits each number of the frozen matrices takes",
    )
    data: str = field(QUESTIONS, shortest=1, label="Data", remedy="'questions' is ready to start")
    broken_lines: str = field(
        "stop",
        choices=BROKEN_LINES,
        label="Broken lines",
        help="What to do with lines that hold no example",
    )
    context: int = field(
        256,
        least=2,
        most=1 << 20,
        label="Context",
        help="How many tokens a sequence may have at most",
    )
    base_data: str = field(
        STORIES,
        label="Base data",
        help="What the base was trained on before; the loss on it shows what is forgotten",
    )
    replay: float = field(
        0.0,
        least=0,
        below=1,
        label="Replay",
        help="Share of sequences taken from the base model's training data, to make it forget less",
        remedy="0 to 0.5 is usual",
    )
    classes: tuple[str, ...] = field((), longest=1000, label="Classes")

    def __post_init__(self) -> None:
        fields.check(self)
        if self.is_quantized and self.method in ("full", "last-layers"):
            raise ValueError(
                "the matrices of a quantized base cannot be trained, because their numbers have "
                "only 4 bits; choose LoRA, or keep the base in 32 bits"
            )
        if self.classes and len(set(self.classes)) < max(2, len(self.classes)):
            raise ValueError(
                f"classes {quoted_some(self.classes)} cannot be told apart; give two names or "
                "more, each once"
            )
        if self.classes and self.method == "prompt":
            raise ValueError(
                "a soft prompt asks for an answer in words, and a classifier has none; give "
                "examples whose answers are the names of the classes, or choose another method"
            )
        if self.replay and not self.base_data:
            raise ValueError("replay needs base data to draw from; give some, or set replay to 0")
        if self.classes and Path(self.data).suffix.lower() != ".jsonl":
            raise ValueError(
                f"data {quoted(self.data)} has no classes; give a .jsonl file whose lines hold a "
                "text and its label"
            )
        if self.classes and self.replay:
            raise ValueError(
                "texts of the base have no class, so they cannot be mixed with texts that have "
                "one; set replay to 0"
            )

    @property
    def holds_examples(self) -> bool:
        """Whether the data holds examples, usually prompts with answers, instead of one text."""
        return self.data in BUILT_IN or Path(self.data).suffix.lower() == ".jsonl"

    @property
    def is_quantized(self) -> bool:
        """Whether the frozen matrices take 4 bits a number."""
        return self.quantize != "none"

    @property
    def prompt_length(self) -> int:
        """Number of soft-prompt tokens, which precede each text."""
        return self.prompt_tokens if self.method == "prompt" else 0

    def context_in(self, block_size: int) -> int:
        """Returns the most tokens of a text, for a base that reads `block_size` tokens.

        Raises ValueError, with a remedy, if a soft prompt leaves no room for a text.
        """
        context = min(self.context, block_size - self.prompt_length)
        if context < 2:
            raise ValueError(
                f"{self.prompt_length} prompt tokens leave no room for a text, because the base "
                f"reads at most {block_size} tokens; use fewer"
            )
        return context

    def to_json(self) -> dict[str, Any]:
        """Returns the values for the `settings` of a TrainingConfig."""
        return fields.to_json(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> FinetuningSettings:
        """Does the inverse of `to_json`. Raises ValueError for an unknown field, and as the
        constructor.
        """
        return fields.from_json(cls, values, "fine-tuning settings")


def settings_of(config: TrainingConfig) -> FinetuningSettings:
    """Returns the settings in a config. Raises ValueError for a config of another task."""
    if config.task != FINETUNING:
        raise ValueError(
            f"a run of the task {config.task!r} is no fine-tuning; make its config with "
            "core.finetuning_config"
        )
    return FinetuningSettings.from_json(config.settings)


def check_base(config: TrainingConfig, base: Any) -> None:
    """Raises ValueError unless the model of a config has the config of its base."""
    if config.model != base:
        raise ValueError(
            f"the config's model is not that of its base {settings_of(config).base}; make the "
            "config with core.finetuning_config"
        )
