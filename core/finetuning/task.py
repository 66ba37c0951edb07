"""Fine-tuning as a Task: the loop of core.training, on a model that can do something already."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.data import Batches, Corpus, prepare_corpus_steps, rank_rows
from core.data.batches import NO_TOKEN, Batch
from core.finetuning.examples import ExampleBatches, Examples, StoryQuestions
from core.finetuning.loading import load_steps, write_tuned
from core.finetuning.methods import Tuning, prepare
from core.finetuning.settings import FINETUNING, QUESTIONS, settings_of
from core.inference.activations import capture
from core.inference.generation import generate_steps
from core.inference.heads import HeadScores, head_scores, repeated_ids
from core.inference.loading import TOKENIZER_FILE, LoadedModel
from core.inference.sampling import Sampling
from core.resources import data_folder
from core.tokenization.ids import IdTokenizer
from core.training.config import TrainingConfig
from core.training.language_modelling import OWN_PROMPT, TEST_PERIOD, TRAIN_BATCHES
from core.training.task import Position, Written
from core.training.token_batches import EVALUATION_SEED, TokenTask, shown_tokens
from core.transformer.architectures import gpt_of
from core.transformer.gpt import GPT, next_token_loss

GREEDY = Sampling(temperature=0.0)
BASE = "base"  # the split that measures what is forgotten
EXACT = "exact"  # the share of answers that are right to the last token


class Finetuning(TokenTask):
    """Learns what the config's settings say. `cache` keeps tokenized files (None: the user's data
    folder).
    """

    name = FINETUNING

    def __init__(self, config: TrainingConfig, cache: Path | None = None) -> None:
        self.config = config
        self.settings = settings_of(config)
        self.cache = cache
        self.base: LoadedModel
        self.tuning: Tuning
        self.examples: Examples | None = None
        self._texts: dict[str, Corpus] = {}

    def prepare_steps(self, checkpoint: Path | None) -> Iterator[tuple[float, str]]:
        """Opens the base and the data.

        Raises ValueError or OSError, with the remedy, for what cannot be opened or learned.
        """
        settings, config = self.settings, self.config
        loading = load_steps(settings.base)
        while True:
            try:
                progress = next(loading)
            except StopIteration as end:
                self.base = end.value
                break
            yield 0.5 * progress.done / max(progress.total, 1), f"opening {settings.base}"
        model = gpt_of(self.base.model)
        self.model_config, self.tokenizer = model.config, self.base.tokenizer
        if config.model != model.config:
            raise ValueError(
                f"the config's model is not that of its base {settings.base}; make the config "
                "with core.finetuning_config"
            )
        front = settings.prompt_tokens if settings.method == "prompt" else 0
        self.context = min(settings.context, model.config.block_size - front)
        if self.context < 2:
            raise ValueError(
                f"{front} prompt tokens leave no room for a text, as {settings.base} reads "
                f"{model.config.block_size} tokens at most; use fewer"
            )
        if settings.data == QUESTIONS:
            self.examples = StoryQuestions(self.tokenizer, self.base.usage.end_ids)
        else:
            yield from self._open_text_steps("data", settings.data)
        self.splits = ("train", "validation")
        if settings.base_data:
            yield from self._open_text_steps(BASE, settings.base_data)
            self.splits = (*self.splits, BASE)
        self._train = self._batches("train", config.seed)
        seed = config.seed + EVALUATION_SEED
        self._evaluated = {split: self._batches(split, seed) for split in ("train", "validation")}
        if BASE in self.splits:
            self._held_out = self._windows(BASE, "validation", seed)
        self._probe = self._probed()
        period = min(TEST_PERIOD, self.model_config.block_size // 2)
        generator = np.random.default_rng(config.seed)
        self._test = repeated_ids(1, period, 2, self.tokenizer.vocab_size, generator)[0]
        yield 1.0, self.describe()

    def describe(self) -> str:
        """One line about the data."""
        return (self.examples or self._texts["data"]).describe()

    def _open_text_steps(self, name: str, text: str) -> Iterator[tuple[float, str]]:
        cache = self.cache or data_folder() / "corpora"
        self._texts[name] = yield from prepare_corpus_steps(text, self.tokenizer, cache)

    def _windows(self, name: str, split: str, seed: int) -> Batches:
        return Batches(self._texts[name], split, self.context, self.config.batch_size, seed)

    def _batches(self, split: str, seed: int) -> Batches | ExampleBatches:
        if self.examples is None:
            return self._windows("data", split, seed)
        size, count = self.config.batch_size, self.config.micro_batches
        return ExampleBatches(self.examples, split, size, count, seed)

    def _probed(self) -> list[int]:
        """The config's probe text; where it is empty, what a held-out example or text holds."""
        if self.config.probe_text:
            ids = list(self.tokenizer.encode_ids(self.config.probe_text))
        elif self.examples is not None:
            ids = list(self.examples.example("validation", 0).ids)
        else:
            ids = self._texts["data"].tokens("validation")[: self.context].tolist()
        return ids[: self.context]

    def build_model(self, generator: torch.Generator) -> GPT:
        self.tuning = prepare(self.base.model, self.settings, generator)
        model = gpt_of(self.tuning.model)
        model.checkpoints_activations = self.config.activation_checkpointing
        self.model_config = model.config
        return model

    def facts(self) -> Mapping[str, int | str]:
        probed = self.tokenizer.decode(self._probe)
        return {"vocab_size": self.tokenizer.vocab_size, "probe_text": probed}

    def batches(self, split: str, position: Position) -> tuple[Tensor, Tensor]:
        """ids and targets, each (B, T) int64: this rank's rows."""
        batches = self._train if split == "train" else self._evaluated[split]
        place = (position.step, position.micro_batch, position.rank, position.ranks)
        return self.tuning.batch(*_tensors(batches.batch(*place)))

    def tokens(self, batch: Any) -> int:
        return int(batch[0].numel())

    def evaluation(
        self, split: str, rank: int = 0, ranks: int = 1
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """`evaluate_batches` batches, or where that is 0 all that is held out."""
        for batch in self._measured(split, rank, ranks):
            yield self.tuning.batch(*_tensors(batch))

    def _measured(self, split: str, rank: int, ranks: int) -> Iterator[Batch]:
        most = self.config.evaluate_batches
        batches = self._held_out if split == BASE else self._evaluated[split]
        if split == "train":
            most = most or TRAIN_BATCHES
        if isinstance(batches, ExampleBatches):
            yield from batches.in_order(most, rank, ranks)
        elif most == 0:
            for ids, targets in batches.whole_split():
                rows = rank_rows(len(ids), rank, ranks)
                yield ids[rows], targets[rows]
        else:
            yield from (batches.batch(index, 0, rank, ranks) for index in range(most))

    def measure(self, split: str, model: nn.Module, batch: Any) -> Mapping[str, tuple[Tensor, int]]:
        """Also how many answers are exactly what the model would write by itself: where each token
        is the likeliest after those before it, so is the whole answer.
        """
        *inputs, targets = batch
        logits = model(*inputs)  # (B, T, V)
        loss, _ = next_token_loss(logits, targets)
        found = {split: (loss, self.targets(batch))}
        if split == "validation" and self.examples is not None:
            right = (logits.argmax(-1) == targets) | (targets == NO_TOKEN)  # (B, T)
            found[EXACT] = (right.all(-1).sum(), len(targets))
        return found

    def state_to_save(self, model: nn.Module) -> Mapping[str, Tensor]:
        """What learns, and nothing of the base."""
        return {name: one for name, one in model.named_parameters() if one.requires_grad}

    def save_files(self, model: nn.Module, folder: Path) -> None:
        write_tuned(folder, gpt_of(model).config, self.settings)
        if not isinstance(self.tokenizer, IdTokenizer):
            self.tokenizer.save(folder / TOKENIZER_FILE)

    def shown(self, batch: Any, output: Any) -> dict[str, np.ndarray]:
        P = len(self.tuning.prompt)  # has no pieces
        ids, targets = (one[:, P:] for one in batch)
        return shown_tokens(self.tokenizer, ids, targets, output[:, P:])

    def probe(
        self, model: nn.Module, ids: Sequence[int] | None, sites: Sequence[str]
    ) -> dict[str, np.ndarray]:
        read = [*self.tuning.prompt, *(self._probe if ids is None else ids)]
        activations = capture(gpt_of(model), read, sites)
        return {"ids": np.asarray(activations.ids), **activations.sites()}

    def head_scores(self, model: nn.Module) -> HeadScores | None:
        if not self._test.size:
            return None
        read = [*self.tuning.prompt, *self._test]
        attention = capture(gpt_of(model), read, ("attention",)).attention
        assert attention is not None
        return head_scores(attention, np.asarray(read))

    def sample_steps(self, model: nn.Module, seed: int) -> Generator[None, None, Written]:
        """Its answer to a held-out prompt, the likeliest one; else how a text goes on."""
        prompt, sampling = self._asked(seed)
        new: list[int] = []
        ends, most = self.base.usage.end_ids, self.config.sample_tokens
        read = [*self.tuning.prompt, *prompt]
        for token in generate_steps(gpt_of(model), read, most, sampling, seed=seed, stop=ends):
            new.append(token.id)
            yield
        before = self.tokenizer.decode(prompt)
        text = self.tokenizer.decode([*prompt, *(id for id in new if id not in ends)])
        return Written(before, text.removeprefix(before), tuple(new))

    def _asked(self, seed: int) -> tuple[list[int], Sampling]:
        if self.config.sample_prompt:
            prompt = self.tokenizer.encode_ids(self.config.sample_prompt)
            return list(prompt), Sampling(temperature=0.8)
        if self.examples is None:
            held_out = self._texts["data"].tokens("validation")
            return held_out[:OWN_PROMPT].tolist(), Sampling(temperature=0.8)
        number = seed % self.examples.count("validation")
        return list(self.examples.example("validation", number).prompt), GREEDY


def _tensors(batch: Batch) -> tuple[Tensor, Tensor]:
    ids, targets = batch
    return torch.from_numpy(ids), torch.from_numpy(targets)
