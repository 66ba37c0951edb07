"""Where a run computes: in this process alone, or with other ranks.

The loop is written once, against `Parallel`. A strategy knows how a model is spread over ranks, how
gradients and counts are added up over them, whether the loss is scaled, and how tensors get to disk
and back. Every rank calls the same methods in the same order.
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

    rank, ranks  which process of how many this is, from 0
    writes       whether this rank writes what the run has once: checkpoints, samples, probes,
                 answers to commands. Every rank writes its own records and events
    device       where this rank's parameters and batches lie
    sharded      whether a rank holds a part of each parameter only
    scales       whether the loss is scaled before backward, which adds the phase "unscale"
    spans        when this rank did what
    leaving      whether this rank has been asked to end: the run stops after the step under way,
                 on every rank. Set by whoever drives the loop
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
        """Moves `module` to the device, spreads it over the ranks and returns what computes the
        loss. `module` itself stays what groups, checkpoints, probes and samples are taken from.
        """

    def micro_batch(self, last: bool) -> AbstractContextManager[Any]:
        """Around a micro-batch's forward and again around its backward pass: ranks exchange
        gradients after the last one only (DDP's `no_sync`).
        """

    def scale(self, loss: Tensor) -> Tensor:
        """What backward starts from. Its gradients, added up over all ranks, are those of the
        ranks' losses added up, times the loss scale.
        """

    def unscale(self, optimizer: torch.optim.Optimizer) -> bool:
        """Divides the gradients by the loss scale; whether the step may be applied.

        False on every rank where a gradient of any rank is not finite: the step is skipped, which
        is a normal event. A scaler that can go no lower says True, and the run stops as it does
        for any number that is not finite. Called where `scales`; remembers nothing.
        """

    def clip(self, parameters: Sequence[Tensor], limit: float) -> Tensor:
        """Limits the norm of all gradients of all ranks together; returns the norm before."""

    def stepped(self, applied: bool) -> None:
        """The step was applied or skipped: what a scaler learns from."""

    def sums(self, values: Sequence[float]) -> list[float]:
        """Each number added up over the ranks, on every rank."""

    def first(self, text: str) -> str:
        """The text of the lowest rank that has one, on every rank; "" where none has."""

    def agree(self, value: Any) -> Any:
        """The value that the writing rank gives, on every rank. It is JSON."""

    def wait(self) -> None:
        """Returns when every rank has come here."""

    def patience(self) -> AbstractContextManager[Any]:
        """Around what may take some ranks long while the others wait: nobody is given up."""

    def write(self, folder: Path, files: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Writes tensors as safetensors, by the name of the file: whole, or where a rank holds a
        part of them only, a shard of each file by each rank. See `core.tensor_shards`.
        """

    def read(self, path: Path, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The tensors of a file or of its shards, however many ranks have written them, each laid
        out over device and ranks as its namesake in `like`.

        Raises ValueError, with the remedy, for a damaged file.
        """

    def state(self) -> dict[str, float]:
        """What a checkpoint saves of the strategy: its "loss_scale" and what that depends on."""

    def restore(self, state: Mapping[str, float]) -> None:
        """Puts it back. Raises ValueError for a state of another strategy."""


class Single:
    """This process alone, on one device. The loss is scaled where there is a scaler."""

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
    """What this rank holds of a tensor: all of it, or its part of one that FSDP2 has sharded."""
    to_local = getattr(tensor, "to_local", None)  # a DTensor's; its module takes a second to load
    return tensor if to_local is None else to_local()


def on_device(batch: Any, device: torch.device) -> Any:
    """The same batch, its tensors on `device`: a tensor, or tuples, lists and dicts of them."""
    match batch:
        case Tensor():
            return batch.detach().to(device)
        case tuple() | list():
            parts = [on_device(part, device) for part in batch]
            return type(batch)(*parts) if hasattr(batch, "_fields") else type(batch)(parts)
        case Mapping():
            return {name: on_device(part, device) for name, part in batch.items()}
    return batch
