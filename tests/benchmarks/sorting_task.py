"""minGPT's sort demo as a second Task: the loop that trains it knows nothing of it.

Six digits of 0, 1, 2 in, the same six sorted out: the model reads the twelve but the last, and only
the sorted half counts (minGPT, demo.ipynb).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.data import rank_rows
from core.data.batches import NO_TOKEN
from core.files import write_json
from core.optimization import decay_groups
from core.training.config import TrainingConfig
from core.training.task import Position, Written
from core.transformer.config import ModelConfig
from core.transformer.gpt import GPT, next_token_loss

LENGTH, DIGITS = 6, 3
Batch = tuple[Tensor, Tensor]


def sorting_config(steps: int = 2000) -> TrainingConfig:
    """gpt-nano: 3 layers, 3 heads, 48 wide; the numbers of minGPT's trainer."""
    model = ModelConfig(
        vocab_size=DIGITS, block_size=2 * LENGTH - 1, n_layer=3, n_head=3, n_embd=48, dropout=0.1
    )
    return TrainingConfig(
        model=model,
        task="sorting",
        steps=steps,
        batch_size=64,
        learning_rate=5e-4,
        schedule="constant",
        warmup_steps=0,
        betas=(0.9, 0.95),
        evaluate_every=0,
        sample_every=0,
        checkpoint_every=0,
        probe_every=0,
        seed=3407,
    )


class Sorting:
    """A quarter of the 729 sequences is never trained on."""

    name = "sorting"
    splits = ("train", "validation")

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config
        every = np.stack(np.meshgrid(*[np.arange(DIGITS)] * LENGTH), -1).reshape(-1, LENGTH)
        order = np.random.default_rng(config.seed).permutation(len(every))
        held_out = len(every) // 4
        self.sequences = {"validation": every[order[:held_out]], "train": every[order[held_out:]]}
        self.model: nn.Module

    def prepare_steps(self, checkpoint: Path | None) -> Iterator[tuple[float, str]]:
        yield 1.0, "sequences to sort"

    def build_model(self, generator: torch.Generator) -> nn.Module:
        self.model = GPT(self.config.model, generator)
        return self.model

    def facts(self) -> Mapping[str, int]:
        return {"vocab_size": self.config.model.vocab_size}

    def batches(self, split: str, position: Position) -> Batch:
        generator = np.random.default_rng(
            [self.config.seed, position.step, position.micro_batch, 0]
        )
        sequences = self.sequences[split]
        drawn = generator.integers(0, len(sequences), self.config.batch_size)
        return _batch(sequences[drawn[rank_rows(len(drawn), position.rank, position.ranks)]])

    def tokens(self, batch: Any) -> int:
        return int(batch[0].numel())

    def targets(self, batch: Any) -> int:
        return int((batch[1] != NO_TOKEN).sum())

    def evaluation(self, split: str, rank: int = 0, ranks: int = 1) -> Iterator[Batch]:
        sequences = self.sequences[split]
        yield _batch(sequences[rank_rows(len(sequences), rank, ranks)])

    def loss(self, model: nn.Module, batch: Any) -> Tensor:
        ids, targets = batch
        return next_token_loss(model(ids), targets)[0]

    def measure(self, split: str, model: nn.Module, batch: Any) -> Mapping[str, tuple[Tensor, int]]:
        return {split: (self.loss(model, batch), self.targets(batch))}

    def shown(self, batch: Any, output: Any) -> dict[str, np.ndarray]:
        ids, targets = batch
        return {"ids": ids.numpy(), "targets": targets.numpy()}

    def parameter_groups(self, model: nn.Module) -> list[dict[str, Any]]:
        return decay_groups(model.parameters(), self.config.weight_decay)

    def state_to_save(self, model: nn.Module) -> Mapping[str, Tensor]:
        return {name: parameter.detach() for name, parameter in model.named_parameters()}

    def load_state(self, model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.copy_(tensors[name])

    def save_files(self, model: nn.Module, folder: Path) -> None:
        write_json(folder / "config.json", self.config.model.to_json())

    def probe(
        self, model: nn.Module, ids: Sequence[int] | None, sites: Sequence[str]
    ) -> dict[str, np.ndarray]:
        raise ValueError("sorting shows no heads; ask a language model")

    def head_scores(self, model: nn.Module) -> None:
        """None: what is sorted repeats nothing."""

    def loss_on_repeats(self, model: nn.Module) -> None:
        """None, for the same reason."""

    def sample_steps(self, model: nn.Module, seed: int) -> Generator[None, None, Written]:
        yield
        return Written("", "", ())

    def sorted_right(self, count: int) -> int:
        """How many of `count` sequences, drawn from all, the model sorts without a mistake."""
        every = np.concatenate([self.sequences["train"], self.sequences["validation"]])
        drawn = every[np.random.default_rng(0).integers(0, len(every), count)]
        ids = torch.from_numpy(drawn)
        self.model.eval()
        with torch.no_grad():
            for _ in range(LENGTH):
                ids = torch.cat([ids, self.model(ids)[:, -1].argmax(-1, keepdim=True)], 1)
        answers = ids[:, LENGTH:].numpy()
        return int((answers == np.sort(drawn, axis=1)).all(axis=1).sum())


def _batch(sequences: np.ndarray) -> Batch:
    whole = np.concatenate([sequences, np.sort(sequences, axis=1)], axis=1)  # (B, 12)
    targets = whole[:, 1:].copy()
    targets[:, : LENGTH - 1] = -1
    return torch.from_numpy(whole[:, :-1].copy()), torch.from_numpy(targets)
