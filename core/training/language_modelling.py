"""Language modelling, the first Task: predict the next token of a text."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.data import Batches, Corpus, character_tokenizer_steps, prepare_corpus_steps, rank_rows
from core.data.first_lesson import FirstLesson
from core.inference.activations import capture, looking_at
from core.inference.generation import generate_steps
from core.inference.heads import HeadScores, head_scores, repeated_ids
from core.inference.loading import TOKENIZER_FILE
from core.inference.sampling import Sampling
from core.resources import data_folder, resource
from core.tokenization import Tokenizer, open_tokenizer
from core.training.config import (
    CHARACTERS,
    LANGUAGE_MODELLING,
    SINUSOIDS,
    STORIES,
    TrainingConfig,
)
from core.training.memory import too_large
from core.training.sizes import estimate
from core.training.task import Position, Written
from core.training.token_batches import EVALUATION_SEED, TokenTask, shown_tokens
from core.transformer.config import ModelConfig
from core.transformer.gpt import GPT, next_token_loss
from core.transformer.initialization import scale_queries_and_keys, start_as_sinusoids

# Batches on which the training loss is measured if the validation split is read whole.
TRAIN_BATCHES = 20

# Tokens of the corpus used as the prompt if none is given: about a sentence in subword tokens, a
# few words in characters.
OWN_PROMPT = 24
SEARCHED = 200  # tokens of the validation split that are searched for the start of a line

# Most random tokens that are read twice to score the heads: only the first time tells what follows
# in the second.
TEST_PERIOD = 16
TESTS = 8  # such sequences for the loss on repeats; the heads are scored on the first


class LanguageModelling(TokenTask):
    """Learns `config.corpus`. `cache`: folder of tokenized files (None: the user's data folder)."""

    name = LANGUAGE_MODELLING
    model_config: ModelConfig

    def __init__(self, config: TrainingConfig, cache: Path | None = None) -> None:
        self.config = config
        self.cache = cache
        self.tokenizer: Tokenizer
        self.corpus: Corpus

    def prepare_steps(self, checkpoint: Path | None) -> Iterator[tuple[float, str]]:
        """Opens the tokenizer (the checkpoint's, if given) and the corpus; yields the progress.

        Raises ValueError or OSError, with a remedy, if the text cannot be learned.
        """
        yield from self.open_steps(checkpoint)
        self._evaluated = {
            split: self._batches(split, self.config.seed + EVALUATION_SEED, 0.0)
            for split in ("train", "validation")
        }
        self._prompt = self._ids_of(self.config.sample_prompt)
        self._probe = self._ids_of(self.config.probe_text)[: self.config.model.block_size]
        period = min(TEST_PERIOD, self.config.model.block_size // 2)
        generator = np.random.default_rng(self.config.seed)
        self._tests = repeated_ids(TESTS, period, 2, self.tokenizer.vocab_size, generator)
        yield 1.0, self.corpus.describe()

    def open_steps(self, checkpoint: Path | None) -> Iterator[tuple[float, str]]:
        """Does the part of `prepare_steps` that training batches need."""
        config = self.config
        if checkpoint is not None:
            self.tokenizer = open_tokenizer(checkpoint / TOKENIZER_FILE)
        elif config.tokenizer == CHARACTERS:
            self.tokenizer = yield from character_tokenizer_steps(config.corpus)
        elif config.tokenizer == STORIES:
            self.tokenizer = open_tokenizer(resource("models", "stories", TOKENIZER_FILE))
        else:
            self.tokenizer = open_tokenizer(config.tokenizer)
        cache = self.cache or data_folder() / "corpora"
        self.corpus = yield from prepare_corpus_steps(config.corpus, self.tokenizer, cache)
        self.model_config = replace(config.model, vocab_size=self.tokenizer.vocab_size)
        self._train = self._batches("train", config.seed, config.repeated_fraction)
        shape = config.model.block_size, config.batch_size
        self._lesson = FirstLesson(self.corpus, config.copying_steps, *shape, config.seed)

    def _ids_of(self, text: str) -> list[int]:
        """Returns a prompt's tokens, or words of the corpus if the prompt is empty or the tokenizer
        lacks its characters.
        """
        try:
            ids = self.tokenizer.encode_ids(text)
        except ValueError:
            ids = []
        return ids or self._own_prompt()

    def _own_prompt(self) -> list[int]:
        """Returns tokens from near the beginning of the validation split, which may be inside an
        indentation: from the first line that begins there, else from the first word.
        """
        ids = self.corpus.tokens("validation")[: SEARCHED + OWN_PROMPT].tolist()
        pieces = [self.tokenizer.piece_bytes(id) for id in ids]
        places = range(1, len(ids) - OWN_PROMPT + 1)
        lines = (at for at in places if _follows(pieces[at], pieces[at - 1], b"\r\n"))
        words = (at for at in places if _follows(pieces[at], pieces[at - 1], b" \t\r\n"))
        begin = next(lines, None) or next(words, 0)
        return ids[begin : begin + OWN_PROMPT]

    def _batches(self, split: str, seed: int, repeated: float) -> Batches:
        config = self.config
        return Batches(
            self.corpus, split, config.model.block_size, config.batch_size, seed, repeated
        )

    def build_model(self, generator: torch.Generator) -> GPT:
        if why := too_large(estimate(replace(self.config, model=self.model_config)).bytes):
            raise ValueError(why)
        model = GPT(self.model_config, generator)
        if self.config.positions_start == SINUSOIDS:
            start_as_sinusoids(model)
        if self.config.query_key_scale != 1:
            scale_queries_and_keys(model, self.config.query_key_scale)
        model.checkpoints_activations = self.config.activation_checkpointing
        return model

    def facts(self) -> Mapping[str, int | str]:
        vocab_size = self.model_config.vocab_size
        return {"vocab_size": vocab_size, "probe_text": self.tokenizer.decode(self._probe)}

    def batches(self, split: str, position: Position) -> tuple[Tensor, Tensor]:
        """Returns ids and targets, each (B, T) int64: this rank's rows. The first lesson
        has its own B and T.
        """
        batches: FirstLesson | Batches = self._train if split == "train" else self._evaluated[split]
        if split == "train" and position.step < self.config.copying_steps:
            batches = self._lesson
        place = (position.step, position.micro_batch, position.rank, position.ranks)
        return _tensors(batches.batch(*place))

    def tokens(self, batch: Any) -> int:
        ids, _ = batch
        return int(ids.numel())

    def evaluation(
        self, split: str, rank: int = 0, ranks: int = 1
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yields `evaluate_batches` batches, or the whole validation split if that is 0."""
        count = self.config.evaluate_batches
        batches = self._evaluated[split]
        if count == 0 and split == "validation":
            for ids, targets in batches.whole_split():
                rows = rank_rows(len(ids), rank, ranks)
                yield _tensors((ids[rows], targets[rows]))
        else:
            for index in range(count or TRAIN_BATCHES):
                yield _tensors(batches.batch(index, 0, rank, ranks))

    def shown(self, batch: Any, output: Any) -> dict[str, np.ndarray]:
        ids, targets = batch
        return shown_tokens(self.tokenizer, ids, targets, output)

    def probe(
        self, model: nn.Module, ids: Sequence[int] | None, sites: Sequence[str]
    ) -> dict[str, np.ndarray]:
        activations = capture(_gpt(model), self._probe if ids is None else ids, sites)
        return {"ids": np.asarray(activations.ids), **activations.sites()}

    def head_scores(self, model: nn.Module) -> HeadScores | None:
        """Returns the scores on random tokens read twice, or None if the context is too short."""
        ids = self._tests[0]
        if not ids.size:
            return None
        attention = capture(_gpt(model), ids, ("attention",)).attention
        assert attention is not None
        return head_scores(attention, ids)

    def loss_on_repeats(self, model: nn.Module) -> float | None:
        period = self._tests.shape[1] // 2
        if not period:
            return None
        ids = torch.from_numpy(self._tests)  # (TESTS, 2 period)
        with looking_at(model):
            logits = _gpt(model)(ids[:, :-1].to(next(model.parameters()).device))
            repeated = ids[:, period:].to(logits.device)
            total, count = next_token_loss(logits[:, period - 1 :], repeated)
        return float(total / count)

    def sample_steps(self, model: nn.Module, seed: int) -> Generator[None, None, Written]:
        new: list[int] = []
        length, sampling = self.config.sample_tokens, Sampling(temperature=0.8)
        for token in generate_steps(_gpt(model), self._prompt, length, sampling, seed=seed):
            new.append(token.id)
            yield
        # Decoded together: a character may be split over two tokens.
        text = self.tokenizer.decode(self._prompt + new)
        prompt = self.tokenizer.decode(self._prompt)
        return Written(prompt, text.removeprefix(prompt), tuple(new))


def _follows(piece: bytes, before: bytes, breaks: bytes) -> bool:
    """Returns True if a piece's text follows one of `breaks`, in the piece or ending `before`."""
    text = piece.lstrip(breaks)
    return text != b"" and (text != piece or before.rstrip(breaks) != before)


def _gpt(model: nn.Module) -> GPT:
    """Returns the model as a GPT. Raises ValueError, with a remedy, if it is a wrapped one."""
    if not isinstance(model, GPT):
        raise ValueError(f"{type(model).__name__} is no GPT; look at the model that it wraps")
    return model


def _tensors(batch: tuple[np.ndarray, np.ndarray]) -> tuple[Tensor, Tensor]:
    ids, targets = batch
    return torch.from_numpy(ids), torch.from_numpy(targets)
