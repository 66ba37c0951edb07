"""Parallel strategies: how a run computes, in this process alone or on several ranks.

The loop is written once, against `Parallel`. A strategy knows how a model is spread over ranks, how
gradients and counts are summed over them, whether the loss is scaled, and how tensors are written
and read. Every rank calls the same methods in the same order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from core.tensor_files import write_tensors
from core.tensor_shards import open_tensors
from core.training.scaler import LossScaler
from core.training.spans import Spans


class Parallel(Protocol):
    """A strategy.

    rank, ranks  index of this process, from 0, and number of processes
    writes       whether this rank writes the files that a run has once: checkpoints, samples,
                 probes, answers to commands. Every rank writes its own records and events
    device       device of this rank's parameters and batches
    sharded      whether a rank holds only a shard of each parameter
    scales       whether the loss is scaled before backward, which adds the phase "unscale"
    spans        time spans of this rank's work
    leaving      whether this rank has been asked to end: the run stops after the current step, on
                 every rank. Set by the caller that drives the loop
    """

    rank: int
    ranks: int
    writes: bool
    device: torch.device
    sharded: bool
    scales: bool
    spans: Spans
    leaving: bool

    def wrap(self, module: nn.Module) -> nn.Module:
        """Moves `module` to the device, spreads it over the ranks and returns the module that
        computes the loss. Groups, checkpoints, probes and samples still use `module` itself.
        """

    def micro_batch(self, last: bool) -> AbstractContextManager[Any]:
        """Returns a context for a micro-batch's forward pass, and another for its backward pass:
        ranks exchange gradients only after the last micro-batch (DDP's `no_sync`).
        """

    def scale(self, loss: Tensor) -> Tensor:
        """Returns the loss that backward starts from. Its gradients, summed over all ranks, are
        those of the sum of the ranks' losses, times the loss scale.
        """

    def unscale(self, optimizer: torch.optim.Optimizer) -> bool:
        """Divides the gradients by the loss scale and returns whether the step may be applied.

        Returns False on every rank if a gradient of any rank is not finite: the step is skipped, a
        normal event. A scaler at its smallest scale returns True, and the run stops as it does for
        any number that is not finite. Called only if `scales`; does not change the scaler.
        """

    def clip(self, parameters: Sequence[Tensor], limit: float) -> Tensor:
        """Limits the norm of all ranks' gradients together; returns the norm before clipping."""

    def stepped(self, applied: bool) -> None:
        """Tells the scaler whether the step was applied or skipped."""

    def sums(self, values: Sequence[float]) -> list[float]:
        """Returns each number summed over the ranks, on every rank."""

    def first(self, text: str) -> str:
        """Returns the text of the lowest rank that has one, on every rank, or "" if none has."""

    def agree(self, value: Any) -> Any:
        """Returns the JSON value of the writing rank, on every rank."""

    def wait(self) -> None:
        """Returns once every rank has called it."""

    def patience(self) -> AbstractContextManager[Any]:
        """Returns a context for work that may take some ranks long: no rank times out meanwhile."""

    def write(self, folder: Path, files: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Writes tensors as safetensors, by file name: whole files, or, if ranks hold only shards
        of the parameters, a shard of each file by each rank. See `core.tensor_shards`.
        """

    def read(self, path: Path, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Returns the tensors of a file or of its shards, written by any number of ranks, each
        placed on device and ranks like the tensor of the same name in `like`.

        Raises ValueError, with a remedy, for a damaged file.
        """

    def state(self) -> dict[str, float]:
        """Returns the strategy's state for a checkpoint: "loss_scale" and what it depends on."""

    def restore(self, state: Mapping[str, float]) -> None:
        """Restores a saved state. Raises ValueError for a state of another strategy."""


class Single:
    """One process on one device. The loss is scaled if there is a scaler."""

    rank, ranks, writes = 0, 1, True
    sharded = False
    leaving = False

    def __init__(
        self, device: str | torch.device = "cpu", scaler: LossScaler | None = None
    ) -> None:
        self.device = torch.device(device)
        self.scaler = scaler
        self.scales = scaler is not None
        self.spans = Spans(self.device.type == "cuda")

    def wrap(self, module: nn.Module) -> nn.Module:
        return module.to(self.device)

    def micro_batch(self, last: bool) -> AbstractContextManager[Any]:
        return nullcontext()

    def scale(self, loss: Tensor) -> Tensor:
        return loss if self.scaler is None else self.scaler.scale(loss)

    def unscale(self, optimizer: torch.optim.Optimizer) -> bool:
        if self.scaler is None:
            return True
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        finite = self.scaler.unscale(own_part(p.grad) for p in parameters if p.grad is not None)
        overflowed = self.sums([float(not finite)])[0] > 0  # on any rank
        return not overflowed or self.scaler.is_exhausted

    def clip(self, parameters: Sequence[Tensor], limit: float) -> Tensor:
        return clip_gradients(parameters, limit)

    def stepped(self, applied: bool) -> None:
        if self.scaler is not None:
            self.scaler.stepped(applied)

    def sums(self, values: Sequence[float]) -> list[float]:
        return list(values)

    def first(self, text: str) -> str:
        return text

    def agree(self, value: Any) -> Any:
        return value

    def wait(self) -> None:
        pass

    def patience(self) -> AbstractContextManager[Any]:
        return nullcontext()

    def write(self, folder: Path, files: Mapping[str, Mapping[str, Tensor]]) -> None:
        for name, tensors in files.items():
            write_tensors(folder / name, on_device(tensors, torch.device("cpu")), {"format": "pt"})

    def read(self, path: Path, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
        tensors = open_tensors(path).read()
        return {
            name: tensor.to(like[name].device) if name in like else tensor
            for name, tensor in tensors.items()
        }

    def state(self) -> dict[str, float]:
        return {} if self.scaler is None else self.scaler.state()

    def restore(self, state: Mapping[str, float]) -> None:
        if self.scaler is not None:
            self.scaler.restore(state)
        elif state:
            raise ValueError(
                f"the checkpoint remembers {', '.join(sorted(state))} of a run that scaled its "
                "loss; continue it with its own precision"
            )


def clip_gradients(parameters: Iterable[Tensor], limit: float) -> Tensor:
    """Limits the norm of all gradients together; returns the norm before clipping."""
    norm = nn.utils.clip_grad_norm_(parameters, limit)  # step: clip
    return norm


def own_part(tensor: Tensor) -> Tensor:
    """Returns this rank's part of a tensor: all of it, or its shard if FSDP2 has sharded it."""
    to_local = getattr(tensor, "to_local", None)  # a DTensor method; its import takes a second
    return tensor if to_local is None else to_local()


def on_device(batch: Any, device: torch.device) -> Any:
    """Returns the same batch (a tensor, or tuples, lists, dicts of tensors) on `device`."""
    match batch:
        case Tensor():
            return batch.detach().to(device)
        case tuple() | list():
            parts = [on_device(part, device) for part in batch]
            return type(batch)(*parts) if hasattr(batch, "_fields") else type(batch)(parts)
        case Mapping():
            return {name: on_device(part, device) for name, part in batch.items()}
    return batch
