"""Sequence to sequence, the second Task: generate the target of a source."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.data.batches import NO_TOKEN
from core.data.pairs import END, START, Pair, PairBatch, PairBatches
from core.inference.activations import VIEWS, view_sites
from core.inference.encoder_decoder_activations import capture_encoder_decoder
from core.inference.translation import translate_steps
from core.training.config import SEQUENCE_TO_SEQUENCE, TrainingConfig
from core.training.memory import too_large
from core.training.requirements import check_pairs
from core.training.sizes import estimate
from core.training.task import Position, Written
from core.training.token_batches import EVALUATION_SEED, TokenTask, shown_tokens
from core.transformer.architectures import encoder_decoder_of
from core.transformer.config import EncoderDecoderConfig
from core.transformer.encoder_decoder import EncoderDecoder
from core.transformer.look import Site

# Batches of an evaluation if the config asks for the whole split, which has no end.
WHOLE_SPLIT = 20

Tensors = tuple[Tensor, Tensor, Tensor]  # (B, Ts), (B, Tt), (B, Tt): see PairBatches


class SequenceToSequence(TokenTask):
    """Learns the pairs of `config.corpus`. `config.model` is the shape of both stacks."""

    name = SEQUENCE_TO_SEQUENCE
    model_config: EncoderDecoderConfig

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config
        self.corpus = check_pairs(config)
        self.tokenizer = self.corpus.tokenizer

    def prepare_steps(self, checkpoint: Path | None) -> Iterator[tuple[float, str]]:
        """Yields once: pairs are generated on demand, so there is nothing to prepare."""
        config = self.config
        vocab_size = self.tokenizer.vocab_size
        stack = replace(config.model, vocab_size=vocab_size)
        start, end = (self.tokenizer.special_tokens[one] for one in (START, END))
        self.model_config = EncoderDecoderConfig(
            encoder=stack, decoder=stack, share_embeddings=True, start_id=start, end_id=end
        )
        self._train = self._batches("train", config.seed)
        self._evaluated = {
            split: self._batches(split, config.seed + EVALUATION_SEED)
            for split in ("train", "validation")
        }
        yield 1.0, self.corpus.describe()

    def _batches(self, split: str, seed: int) -> PairBatches:
        config = self.config
        return PairBatches(self.corpus, split, config.batch_size, config.model.block_size, seed)

    def build_model(self, generator: torch.Generator) -> EncoderDecoder:
        # The estimate is for one stack; the other needs about as much.
        one = estimate(replace(self.config, model=self.model_config.decoder)).bytes
        if why := too_large(2 * one):
            raise ValueError(why)
        model = EncoderDecoder(self.model_config, generator)
        for stack in (model.encoder, model.decoder):
            stack.checkpoints_activations = self.config.activation_checkpointing
        return model

    def facts(self) -> Mapping[str, int | str]:
        return {"vocab_size": self.tokenizer.vocab_size, "probe_text": self._probed().source}

    def _probed(self, number: int = 0) -> Pair:
        """Returns a pair of the validation split."""
        pairs = self._evaluated["validation"].pairs(0)
        return pairs[number % len(pairs)]

    def batches(self, split: str, position: Position) -> Tensors:
        batches = self._train if split == "train" else self._evaluated[split]
        place = (position.step, position.micro_batch, position.rank, position.ranks)
        return _tensors(batches.batch(*place))

    def tokens(self, batch: Any) -> int:
        """Returns the number of source and target tokens that are not padding."""
        source, ids, _ = batch
        return int((source != NO_TOKEN).sum() + (ids != NO_TOKEN).sum())

    def evaluation(self, split: str, rank: int = 0, ranks: int = 1) -> Iterator[Tensors]:
        for index in range(self.config.evaluate_batches or WHOLE_SPLIT):
            yield _tensors(self._evaluated[split].batch(index, 0, rank, ranks))

    def shown(self, batch: Any, output: Any) -> dict[str, np.ndarray]:
        """Returns `shown_tokens` of the targets. Padding is shown as END: it predicts nothing."""
        _, ids, targets = batch
        ids = ids.masked_fill(ids == NO_TOKEN, self.model_config.end_id)
        return shown_tokens(self.tokenizer, ids, targets, output)

    def probe(
        self, model: nn.Module, ids: Sequence[int] | None, sites: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Returns the model's activations on a source (`ids`, or a held-out one) and its target:
        the correct one of a held-out source, else the generated one. Views such as "attention" are
        those of the encoder, which reads `ids`; other sites are named one by one.
        """
        model, pair = encoder_decoder_of(model), self._probed()
        source = self.tokenizer.encode_ids(pair.source) if ids is None else list(ids)
        start = self.model_config.start_id
        if ids is None:
            target = [start, *self.tokenizer.encode_ids(pair.target)]
        else:
            target = [start, *(step.id for step in translate_steps(model, source))][:-1]
        n_layer = self.model_config.encoder.n_layer
        views = {name: view_sites(name, n_layer, "encoder") for name in VIEWS if name in sites}
        single = [Site.parse(name) for name in sites if name not in VIEWS]
        found = capture_encoder_decoder(
            model, source, target, [*single, *chain(*views.values())]
        ).single
        arrays = {str(site): found[site] for site in single}
        for name, stacked in views.items():
            rows = [found[site] for site in stacked]
            arrays[name] = rows[0] if name == "logits" else np.stack(rows)
        return {"ids": np.asarray(source), **arrays}

    def head_scores(self, model: nn.Module) -> None:
        """Returns None: the scores are for heads that only look back."""
        return None

    def sample_steps(self, model: nn.Module, seed: int) -> Generator[None, None, Written]:
        """Generates the target of a held-out source from the likeliest tokens."""
        pair = self._probed(seed)
        source = self.tokenizer.encode_ids(pair.source)
        new: list[int] = []
        for step in translate_steps(
            encoder_decoder_of(model), source, self.config.sample_tokens or None
        ):
            new.append(step.id)
            yield
        text = self.tokenizer.decode([id for id in new if id != self.model_config.end_id])
        return Written(f"{pair.source} \N{RIGHTWARDS ARROW} ", text, tuple(new))


def _tensors(batch: PairBatch) -> Tensors:
    source, ids, targets = map(torch.from_numpy, batch)
    return source, ids, targets
