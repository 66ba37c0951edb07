"""The data of a fine-tuning run: the new data and the base's, each with a held-out part."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

from core.data import Batches, Corpus, prepare_corpus_steps
from core.data.batches import Batch
from core.data.text import Progress
from core.finetuning.example_files import FileExamples, read_examples_steps
from core.finetuning.examples import Example, ExampleBatches, Examples, StoryExamples, padded
from core.finetuning.replay import with_replay
from core.finetuning.settings import BUILT_IN, FinetuningSettings
from core.inference.chat import Chatting
from core.inference.model_places import place_of
from core.resources import data_folder
from core.tokenization.opening import open_tokenizer, tokenizer_in
from core.training.config import TrainingConfig
from core.training.language_modelling import OWN_PROMPT, TRAIN_BATCHES
from core.training.token_batches import EVALUATION_SEED

BASE = "base"  # the split that measures what is forgotten
MEASURED = 1_000  # texts of a skill; the longest of them sets the length
Drawn = Batch | list[Example]  # ids and targets (B, T) of a text, or B examples


class TuningData:
    """The data of a run, opened by `open_steps`. `cache`: folder of tokenized texts (None: usual).

    examples  source of the batches; None if they come from one text
    splits    "train" and "validation" of the data, and "base" if there is base data
    """

    def __init__(
        self, config: TrainingConfig, settings: FinetuningSettings, cache: Path | None
    ) -> None:
        self.config = config
        self.settings = settings
        self.cache = cache or data_folder() / "corpora"
        self.examples: Examples | None = None
        self.splits: tuple[str, ...] = ("train", "validation")
        self._text: Corpus
        self._base: Corpus

    def open_steps(self, lm: Chatting, context: int) -> Iterator[Progress]:
        """Opens both. Raises ValueError or OSError, with a remedy, if one cannot be read."""
        settings, config, self.context = self.settings, self.config, context
        if settings.data in BUILT_IN:
            self.examples = StoryExamples(settings.data, lm.tokenizer, lm.usage.end_ids)
        elif settings.holds_examples:
            self.examples = yield from read_examples_steps(lm, settings, context)
        else:
            self._text = yield from self._corpus_steps(lm, settings.data)
        if settings.base_data:
            self._base = yield from self._corpus_steps(lm, settings.base_data)
            self.splits = (*self.splits, BASE)
            self._held_out = self._windows(self._base, "validation", config.seed + EVALUATION_SEED)
            self._replayed = self._windows(self._base, "train", config.seed)
        self._train = self._batches("train", config.seed)
        self._evaluated = {
            split: self._batches(split, config.seed + EVALUATION_SEED)
            for split in ("train", "validation")
        }

    def _corpus_steps(self, lm: Chatting, text: str) -> Generator[Progress, None, Corpus]:
        return (yield from prepare_corpus_steps(text, lm.tokenizer, self.cache))

    def _windows(self, text: Corpus, split: str, seed: int) -> Batches:
        return Batches(text, split, self.context, self.config.batch_size, seed)

    def _batches(self, split: str, seed: int) -> Batches | ExampleBatches:
        if self.examples is None:
            return self._windows(self._text, split, seed)
        size, count = self.config.batch_size, self.config.micro_batches
        return ExampleBatches(self.examples, split, size, count, seed)

    def batch(self, split: str, step: int, micro_batch: int) -> Drawn:
        """Returns all rows of a batch of "train" or "validation", for all ranks together."""
        batches = self._train if split == "train" else self._evaluated[split]
        drawn: Drawn = batches.batch(step, micro_batch)
        share = self.settings.replay
        if split != "train" or not share:
            return drawn
        new = padded(drawn) if isinstance(drawn, list) else drawn
        return with_replay(new, self._replayed, share, step, micro_batch)

    def evaluation(self, split: str) -> Iterator[Drawn]:
        """Yields `evaluate_batches` batches of a split, or the whole held-out part if that is 0."""
        most = self.config.evaluate_batches or (TRAIN_BATCHES if split == "train" else 0)
        batches = self._held_out if split == BASE else self._evaluated[split]
        if isinstance(batches, ExampleBatches):
            yield from batches.in_order(most)
        elif most:
            yield from (batches.batch(index) for index in range(most))
        else:
            yield from batches.whole_split()

    @property
    def has_answers(self) -> bool:
        """Whether there are prompts with right answers, to compare the model's answers with."""
        return self.examples is not None and self.examples.have_prompts

    def prompt(self, number: int) -> list[int]:
        """Returns the tokens of a held-out prompt, or else those that begin a held-out text."""
        if self.examples is None:
            return self._text.tokens("validation")[:OWN_PROMPT].tolist()
        example = self.example(number)
        if self.has_answers:
            return example.prompt
        return example.ids[: max(1, min(OWN_PROMPT, len(example.ids) // 2))].tolist()

    def example(self, number: int) -> Example:
        """Returns a held-out example."""
        assert self.examples is not None
        return self.examples.example("validation", number % self.examples.count("validation"))

    def probe_ids(self) -> list[int]:
        """Returns the tokens of a held-out example or text."""
        if self.examples is not None:
            return self.example(0).ids[: self.context].tolist()
        return self._text.tokens("validation")[: self.context].tolist()

    def describe(self) -> str:
        """Returns a line that describes the data."""
        return (self.examples or self._text).describe()

    def facts(self) -> dict[str, int | str]:
        """Returns how many lines of the file were skipped, and the error of the first."""
        if not isinstance(self.examples, FileExamples) or not self.examples.broken:
            return {}
        return {"skipped_lines": self.examples.broken, "first_skipped": self.examples.first}


def batch_length(base: str, data: str, batch_size: int = 8) -> int | None:
    """Returns the length in tokens of the longest text in a batch of a built-in skill, using only
    the base's tokenizer; None for other data, whose texts may be as long as a sequence.

    Raises ValueError or OSError if the base is missing, or cannot encode the texts.
    """
    examples = _story_examples(base, data)
    if examples is None:
        return None
    batch = ExampleBatches(examples, "train", batch_size, 1, seed=0).batch(0)
    return int(padded(batch)[0].shape[1])


def check_room(settings: FinetuningSettings, block_size: int) -> None:
    """Raises ValueError, with a remedy, if a soft prompt leaves no room for the texts of the
    built-in skills, in a base that reads `block_size` tokens.
    """
    prompt, longest = settings.prompt_length, 0
    if prompt and (examples := _story_examples(settings.base, settings.data)) is not None:
        longest = max(len(examples.example("train", at).ids) for at in range(MEASURED))
    if longest > (room := block_size - prompt):
        spare = block_size - longest
        remedy = f"use {spare} at most" if spare > 0 else "choose another method"
        raise ValueError(
            f"{prompt} prompt tokens leave {max(room, 0)} of the {block_size} that the base reads, "
            f"and the texts of {settings.data!r} take up to {longest}; {remedy}"
        )


def _story_examples(base: str, data: str) -> StoryExamples | None:
    """Returns the examples of a built-in skill, if the base has a core tokenizer, or None."""
    folder, _ = place_of(base)
    file = tokenizer_in(folder) if folder.is_dir() else None
    if data not in BUILT_IN or file is None:
        return None
    return StoryExamples(data, open_tokenizer(file), ())
