"""Task: what a run learns. The loop drives any of them and knows none."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from torch import Generator as TorchGenerator
from torch import Tensor, nn

from core.inference.heads import HeadScores


@dataclass(frozen=True, slots=True)
class Position:
    """Which batch: a batch is a pure function of this and the seed, so resuming needs no more.

    Of several ranks each takes its rows of the batch that one process draws: `rank_rows`.
    """

    step: int
    micro_batch: int = 0
    rank: int = 0
    ranks: int = 1


@dataclass(frozen=True, slots=True)
class Written:
    """A sample: `text` and its ids continue `prompt`."""

    prompt: str
    text: str
    ids: tuple[int, ...]


class Task(Protocol):
    """Language modelling is one; sequence-to-sequence and fine-tuning are others.

    The loop calls `prepare_steps` first, and puts the model in train or eval mode itself. What
    `build_model` made is what every other method is given, but `loss`: there it may be wrapped, so
    that only a call of it is sure to work.
    """

    name: str
    splits: Sequence[str]  # what an evaluation measures: "train", "validation", and others

    def prepare_steps(self, checkpoint: Path | None) -> Iterator[tuple[float, str]]:
        """Gets the data ready; yields (share done, what is being done).

        `checkpoint` is the folder that the run continues, with the files of `save_files`.
        """

    def build_model(self, generator: TorchGenerator) -> nn.Module:
        """A new model on the CPU, in fp32, every draw from `generator`.

        Parameters that are not to be trained have `requires_grad` False.
        """

    def facts(self) -> Mapping[str, int | str]:
        """Facts for the event "model", such as vocab_size (the number of ids) and probe_text
        (what `probe` reads by default).
        """

    def batches(self, split: str, position: Position) -> Any:
        """The batch at a position of "train" or "validation": this rank's rows of it.

        Its tensors are moved to the run's device, alone or in tuples, lists and dicts.
        """

    def tokens(self, batch: Any) -> int:
        """How many tokens the model reads in a batch: what the run's records count."""

    def targets(self, batch: Any) -> int:
        """Over how many targets `loss` adds up. The loop asks before it moves the batch: on a GPU
        it would have to wait for each count.
        """

    def evaluation(self, split: str, rank: int = 0, ranks: int = 1) -> Iterator[Any]:
        """The batches that the loss of a split is measured on: the same ones each time.

        As many for every rank, each with this rank's rows, of which there may be none.
        """

    def loss(self, model: nn.Module, batch: Any) -> Tensor:
        """The summed loss, in nats."""

    def measure(self, split: str, model: nn.Module, batch: Any) -> Mapping[str, tuple[Tensor, int]]:
        """What an evaluation tells of a batch of a split, by name: a sum, and of how many. Their
        quotient over all batches is told. Under the split's own name: the loss.
        """

    def shown(self, batch: Any, output: Any) -> dict[str, np.ndarray]:
        """What a recorded step shows of a batch, and of what the model made of it, by name."""

    def parameter_groups(self, model: nn.Module) -> list[dict[str, Any]]:
        """Groups for an optimizer, with their weight_decay: each trained parameter once.

        The trained ones are those whose `requires_grad` is True; the loop checks that none of them
        is forgotten.
        """

    def state_to_save(self, model: nn.Module) -> Mapping[str, Tensor]:
        """The tensors of model.safetensors, tied ones once.

        They may be those that are trained alone; the entry "base" of config.json then says which
        model they lie on: see `core.inference.loading`.
        """

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

    def head_scores(self, model: nn.Module) -> HeadScores | None:
        """What each head does on a test that is the same at every step; None: there is none."""

    def sample_steps(self, model: nn.Module, seed: int) -> Generator[None, None, Written]:
        """Writes a sample, yielding after each token."""
