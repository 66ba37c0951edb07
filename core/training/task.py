"""Task: what a run learns. The loop works with any Task and depends on none."""

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
    """The position of a batch, which is a pure function of it and the seed: resuming needs no more.

    Each of several ranks takes its rows of the batch that one process would draw: `rank_rows`.
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
    """A task such as language modelling, sequence to sequence or fine-tuning.

    The loop calls `prepare_steps` first, and sets the model to train or eval mode itself. All other
    methods get the model of `build_model`, except `loss`: there it may be wrapped, so that only
    calling it is safe.
    """

    name: str
    splits: Sequence[str]  # measured by an evaluation: "train", "validation", and others

    def prepare_steps(self, checkpoint: Path | None) -> Iterator[tuple[float, str]]:
        """Prepares the data; yields (share done, description of the work).

        `checkpoint` is the folder that the run continues, with the files of `save_files`.
        """

    def build_model(self, generator: TorchGenerator) -> nn.Module:
        """Returns a new model on the CPU, in fp32, with all random draws from `generator`.

        Frozen parameters have `requires_grad` False.
        """

    def facts(self) -> Mapping[str, int | str]:
        """Returns facts for the event "model", such as vocab_size (the number of ids) and
        probe_text (the default text of `probe`).
        """

    def batches(self, split: str, position: Position) -> Any:
        """Returns the batch at a position of "train" or "validation": this rank's rows of it.

        Its tensors are moved to the run's device, alone or in tuples, lists and dicts.
        """

    def tokens(self, batch: Any) -> int:
        """Returns the number of tokens that the model reads in a batch, for the run's records."""

    def targets(self, batch: Any) -> int:
        """Returns the number of targets that `loss` sums over. The loop calls it before it moves
        the batch to the device: on a GPU it would have to wait for each count.
        """

    def evaluation(self, split: str, rank: int = 0, ranks: int = 1) -> Iterator[Any]:
        """Yields the batches on which the loss of a split is measured: the same ones each time.

        Every rank gets the same number of batches, with its own rows, of which there may be none.
        """

    def loss(self, model: nn.Module, batch: Any) -> Tensor:
        """Returns the summed loss, in nats."""

    def measure(self, split: str, model: nn.Module, batch: Any) -> Mapping[str, tuple[Tensor, int]]:
        """Returns measures of a batch of a split, by name: a sum and a count. An evaluation reports
        their quotient over all batches. The split's own name is the loss.
        """

    def shown(self, batch: Any, output: Any) -> dict[str, np.ndarray]:
        """Returns arrays of a batch and the model's output to show in a recorded step, by name."""

    def parameter_groups(self, model: nn.Module) -> list[dict[str, Any]]:
        """Returns parameter groups for an optimizer, with their weight_decay: each trained
        parameter once.

        Parameters with `requires_grad` True are trained; the loop checks that none is missing.
        """

    def state_to_save(self, model: nn.Module) -> Mapping[str, Tensor]:
        """Returns the tensors of model.safetensors, tied ones once.

        They may be the trained ones only; the entry "base" of config.json then names the model that
        they extend: see `core.inference.loading`.
        """

    def load_state(self, model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
        """Loads saved tensors. Raises ValueError if names or shapes do not fit."""

    def save_files(self, model: nn.Module, folder: Path) -> None:
        """Writes a checkpoint's other files: config.json, tokenizer.json."""

    def probe(
        self, model: nn.Module, ids: Sequence[int] | None, sites: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Returns the model's activations by site, and "ids" (None: the config's probe text).

        Raises ValueError for invalid ids or sites.
        """

    def head_scores(self, model: nn.Module) -> HeadScores | None:
        """Returns each head's scores on a test that is the same at every step, or None."""

    def loss_on_repeats(self, model: nn.Module) -> float | None:
        """Returns the mean loss, in nats, on random tokens as they repeat: what can be known only
        by looking back. None for a task without `head_scores`.
        """

    def sample_steps(self, model: nn.Module, seed: int) -> Generator[None, None, Written]:
        """Generates a sample, yielding after each token."""
