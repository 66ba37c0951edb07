"""Fine-tuning as a Task: the training loop of core.training, on a trained model."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.data.batches import NO_TOKEN, rank_rows
from core.finetuning.classifier import Classifier, Labelled, classification_loss
from core.finetuning.examples import padded
from core.finetuning.loading import load_steps, write_tuned
from core.finetuning.methods import Tuning, prepare
from core.finetuning.replay import sequence_losses
from core.finetuning.settings import FINETUNING, check_base, settings_of
from core.finetuning.tuning_data import BASE, Drawn, TuningData
from core.inference.activations import capture
from core.inference.generation import generate_steps
from core.inference.heads import HeadScores, head_scores, repeated_ids
from core.inference.loading import TOKENIZER_FILE, LoadedModel
from core.inference.sampling import Sampling
from core.jobs import retold
from core.tokenization.ids import IdTokenizer
from core.training.config import TrainingConfig
from core.training.language_modelling import TEST_PERIOD
from core.training.parallel import own_part
from core.training.task import Position, Written
from core.training.token_batches import TokenTask, shown_tokens
from core.transformer.architectures import gpt_of
from core.transformer.config import ModelConfig
from core.transformer.foreign.reading import ReadProgress
from core.transformer.gpt import next_token_loss

GREEDY, FREE = Sampling(temperature=0.0), Sampling(temperature=0.8)
UNTUNED = "untuned"  # the loss on the base's data without a soft prompt
EXACT = "exact"  # share of answers right to the last token, or of right classes


class Finetuning(TokenTask):
    """Fine-tunes as the config's settings say. `cache` is a folder for tokenized texts (None: in
    the user's data folder).

    A batch is ids and targets, (B, T) each; for classification, a `Labelled`.
    """

    name = FINETUNING
    model_config: ModelConfig

    def __init__(self, config: TrainingConfig, cache: Path | None = None) -> None:
        self.config = config
        self.settings = settings_of(config)
        self.data = TuningData(config, self.settings, cache)
        self.base: LoadedModel
        self.tuning: Tuning

    def prepare_steps(self, checkpoint: Path | None) -> Iterator[tuple[float, str]]:
        """Opens the base and the data.

        Raises ValueError or OSError, with a remedy, if they cannot be opened or used.
        """
        settings, config = self.settings, self.config

        def opening(progress: ReadProgress) -> tuple[float, str]:
            return 0.5 * progress.done / max(progress.total, 1), f"opening {settings.base}"

        self.base = yield from retold(load_steps(settings.base), opening)
        model = gpt_of(self.base.model)
        self.model_config, self.tokenizer = model.config, self.base.tokenizer
        check_base(config, model.config)
        context = settings.context_in(model.config.block_size)
        yield from self.data.open_steps(self.base, context)
        self.splits = self.data.splits
        text = config.probe_text
        probed = self.tokenizer.encode_ids(text) if text else self.data.probe_ids()
        self._probe = list(probed)[:context]
        period = min(TEST_PERIOD, context // 2)
        generator = np.random.default_rng(config.seed)
        self._test = repeated_ids(1, period, 2, self.tokenizer.vocab_size, generator)[0]
        yield 1.0, self.data.describe()

    def build_model(self, generator: torch.Generator) -> nn.Module:
        self.tuning = prepare(self.base.model, self.settings, generator)
        model = gpt_of(self.tuning.model)
        model.checkpoints_activations = self.config.activation_checkpointing
        self.model_config = model.config
        return self.tuning.model

    def facts(self) -> Mapping[str, int | str]:
        probed = self.tokenizer.decode(self._probe)
        known: dict[str, int | str] = {
            "vocab_size": self.tokenizer.vocab_size,
            "probe_text": probed,
        }
        return known | self.data.facts()

    # -- batches

    def batches(self, split: str, position: Position) -> Any:
        drawn = self.data.batch(split, position.step, position.micro_batch)
        return self._batch(drawn, position.rank, position.ranks)

    def evaluation(self, split: str, rank: int = 0, ranks: int = 1) -> Iterator[Any]:
        for drawn in self.data.evaluation(split):
            yield self._batch(drawn, rank, ranks)

    def _batch(self, drawn: Drawn, rank: int, ranks: int) -> Any:
        """Returns this rank's rows of a batch, as the model reads them."""
        classifier = self.tuning.model
        if isinstance(classifier, Classifier) and isinstance(drawn, list):
            texts = [classifier.lay_out(one.ids.tolist()) for one in drawn]
            whole = classifier.batch(texts, [one.label for one in drawn])
            rows = rank_rows(len(drawn), rank, ranks)
            return Labelled(*(part[rows] for part in whole))
        ids, targets = padded(drawn) if isinstance(drawn, list) else drawn
        rows = rank_rows(len(ids), rank, ranks)
        return self.tuning.batch(torch.from_numpy(ids[rows]), torch.from_numpy(targets[rows]))

    def tokens(self, batch: Any) -> int:
        return int(batch[0].numel())

    # -- losses

    def targets(self, batch: Any) -> int:
        """Returns the number of learned tokens; with replay, of sequences, which then count
        equally; for classification, of texts.
        """
        if isinstance(batch, Labelled) or self.settings.replay:
            return len(batch[0])
        return super().targets(batch)

    def loss(self, model: nn.Module, batch: Any) -> Tensor:
        if isinstance(batch, Labelled):
            class_logits, logits = model(batch.ids, batch.last)
            return classification_loss(class_logits, batch.labels, logits, batch.targets)
        if self.settings.replay:
            ids, targets = batch
            return sequence_losses(model(ids), targets, self.config.label_smoothing).sum()
        return super().loss(model, batch)

    def measure(self, split: str, model: nn.Module, batch: Any) -> Mapping[str, tuple[Tensor, int]]:
        """Also counts the answers that the model would write exactly itself: if each token is the
        most likely one after those before it, so is the whole answer. For a soft prompt also
        measures the base without it: the prompt's random start does not measure forgetting.
        """
        asks = split == "validation"
        if isinstance(batch, Labelled):
            class_logits, logits = model(batch.ids, batch.last)
            loss = classification_loss(class_logits, batch.labels, logits, batch.targets, 0.0)
            right = class_logits.argmax(-1) == batch.labels  # (B,)
            count = len(right)
        else:
            ids, targets = batch
            # On plain texts, a classifier works as the model inside it.
            logits = (gpt_of(model) if self.settings.classes else model)(ids)  # (B, T, V)
            loss, _ = next_token_loss(logits, targets)
            right = ((logits.argmax(-1) == targets) | (targets == NO_TOKEN)).all(-1)  # (B,)
            count, asks = super().targets(batch), asks and self.data.has_answers
        found = {split: (loss, count)}
        if split == BASE and (P := len(self.tuning.prompt)):
            without, _ = next_token_loss(model(ids[:, P:]), targets[:, P:])
            found[UNTUNED] = without, count
        return {**found, EXACT: (right.sum(), len(right))} if asks else found

    # -- checkpoints

    def state_to_save(self, model: nn.Module) -> Mapping[str, Tensor]:
        """Returns the trainable parameters, without the base."""
        return {name: one for name, one in model.named_parameters() if one.requires_grad}

    def save_files(self, model: nn.Module, folder: Path) -> None:
        """Saves config.json, which names the base, and the tokenizer; for LoRA also peft's two
        files, if this rank has the whole adapter.
        """
        write_tuned(folder, gpt_of(model).config, self.settings)
        if not isinstance(self.tokenizer, IdTokenizer):
            self.tokenizer.save(folder / TOKENIZER_FILE)
        adapter = self.tuning.adapter
        if adapter is not None and all(own_part(one) is one for one in adapter.parameters()):
            adapter.save(folder, base=self.settings.base)

    # -- looking

    def shown(self, batch: Any, output: Any) -> dict[str, np.ndarray]:
        if isinstance(batch, Labelled):
            ids = batch.ids.clamp(max=self.tokenizer.vocab_size - 1)  # new tokens have no pieces
            return shown_tokens(self.tokenizer, ids, batch.targets, output[1])
        P = len(self.tuning.prompt)  # its tokens have no pieces
        ids, targets = (one[:, P:] for one in batch)
        return shown_tokens(self.tokenizer, ids, targets, output[:, P:])

    def probe(
        self, model: nn.Module, ids: Sequence[int] | None, sites: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Reads given ids unchanged: those for a soft prompt already include its tokens."""
        read = [*self.tuning.prompt, *self._probe] if ids is None else ids
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
        """Writes the most likely answer to a held-out prompt; without answers, continues a text or
        classifies it.
        """
        if isinstance(model, Classifier):
            ids = self.data.example(seed).ids.tolist()
            best = int(model.probabilities(ids).argmax())
            yield
            chosen = self.settings.classes[best]
            return Written(f"{self.tokenizer.decode(ids)} \N{RIGHTWARDS ARROW} ", chosen, ())
        text = self.config.sample_prompt
        prompt = list(self.tokenizer.encode_ids(text)) if text else self.data.prompt(seed)
        sampling = GREEDY if self.data.has_answers and not text else FREE
        new: list[int] = []
        ends, most = self.base.usage.end_ids, self.config.sample_tokens
        read = [*self.tuning.prompt, *prompt]
        for token in generate_steps(gpt_of(model), read, most, sampling, seed=seed, stop=ends):
            new.append(token.id)
            yield
        before = self.tokenizer.decode(prompt)
        whole = self.tokenizer.decode([*prompt, *(id for id in new if id not in ends)])
        return Written(before, whole.removeprefix(before), tuple(new))
