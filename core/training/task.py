"""Task: what a run learns. The loop drives any of them and knows none."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from torch import Generator as TorchGenerator
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Position:
    """Which batch: a batch is a pure function of this and the seed, so resuming needs no more."""

    step: int
    micro_batch: int = 0
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """A sample: `text` and its ids continue `prompt`."""

    prompt: str
    text: str
    ids: tuple[int, ...]


class Task(Protocol):
    """Language modelling is one; sequence-to-sequence and fine-tuning are others.

    The loop calls `prepare_steps` first, and puts the model in train or eval mode itself.
    """

    name: str

    def prepare_steps(self, checkpoint: Path | None) -> Iterator[tuple[float, str]]:
        """Gets the data ready; yields (share done, what is being done).

        `checkpoint` is the folder that the run continues, with the files of `save_files`.
        """

    def build_model(self, generator: TorchGenerator) -> nn.Module:
        """A new model, in fp32, every draw from `generator`."""

    def facts(self) -> Mapping[str, int]:
        """What the event "model" tells of what is learned; vocab_size: among how many ids."""

    def batches(self, split: str, position: Position) -> Any:
        """The batch at a position of "train" or "validation"."""

    def tokens(self, batch: Any) -> int:
        """How many tokens the model reads in a batch: what the run's records count."""

    def evaluation(self, split: str) -> Iterator[Any]:
        """The batches that the loss of a split is measured on: the same ones each time."""

    def loss(self, model: nn.Module, batch: Any) -> tuple[Tensor, Tensor | int]:
        """The summed loss, in nats, and over how many targets."""

    def parameter_groups(self, model: nn.Module) -> list[dict[str, Any]]:
        """Groups for an optimizer, with their weight_decay: each trained parameter once."""

    def state_to_save(self, model: nn.Module) -> Mapping[str, Tensor]:
        """The tensors of model.safetensors, tied ones once."""

    def load_state(self, model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
        """Puts them back. Raises ValueError where names or shapes do not fit."""

    def save_files(self, model: nn.Module, folder: Path) -> None:
        """Writes what a checkpoint needs beside its tensors: config.json, tokenizer.json."""

    def probe(
        self, model: nn.Module, ids: Sequence[int] | None, sites: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """What the model does with `ids` (None: the config's probe text), by site, and "ids".

        Raises ValueError for ids or sites that cannot be.
        """

    def sample_steps(self, model: nn.Module, seed: int) -> Generator[None, None, Written]:
        """Writes a sample, yielding after each token."""
