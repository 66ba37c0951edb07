"""Strategies for tests: two ranks under DDP and FSDP2 over gloo.

They show that the loop needs no line for them. `python -m tests.core.training.strategies` is one
rank of a run.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from core.files import read_json
from core.tensor_files import read_tensors, write_tensors
from core.training.config import TrainingConfig
from core.training.language_modelling import LanguageModelling
from core.training.loop import train_steps
from core.training.parallel import Single, clip_gradients

TIMEOUT = timedelta(seconds=60)


class Ranks(Single):
    """What DDP and FSDP2 share: sums, agreement and waiting over a process group."""

    def __init__(self, store: Path, rank: int, ranks: int) -> None:
        super().__init__()
        self.rank, self.ranks, self.writes = rank, ranks, rank == 0
        os.environ["GLOO_SOCKET_IFNAME"] = "lo"
        files = dist.FileStore(str(store), ranks)
        dist.init_process_group("gloo", store=files, rank=rank, world_size=ranks, timeout=TIMEOUT)

    def scale(self, loss: Tensor) -> Tensor:
        return loss * self.ranks  # both average gradients over the ranks

    def sums(self, values: Sequence[float]) -> list[float]:
        tensor = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(tensor)
        return tensor.tolist()

    def first(self, text: str) -> str:
        texts = [""] * self.ranks
        dist.all_gather_object(texts, text)
        return next(filter(None, texts), "")

    def agree(self, value: Any) -> Any:
        told = [json.dumps(value)]
        dist.broadcast_object_list(told)
        return json.loads(told[0])

    def wait(self) -> None:
        dist.barrier()


class DDP(Ranks):
    """torch's DistributedDataParallel."""

    def wrap(self, module: nn.Module) -> nn.Module:
        self.wrapped = nn.parallel.DistributedDataParallel(module)
        return self.wrapped

    def micro_batch(self, last: bool) -> AbstractContextManager[Any]:
        return nullcontext() if last else self.wrapped.no_sync()

    def write(self, path: Path, tensors: Mapping[str, Tensor]) -> None:
        if self.writes:
            super().write(path, tensors)


class FSDP2(Ranks):
    """torch's fully_shard: every rank holds its part of each parameter."""

    fused = False

    def wrap(self, module: nn.Module) -> nn.Module:
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        self.mesh = init_device_mesh("cpu", (self.ranks,))
        for block in module.blocks:  # type: ignore[union-attr]
            fully_shard(block, mesh=self.mesh)
        # Else the outermost parameters stay whole after an evaluation, as other tensors than those
        # that the optimizer knows.
        self.sharded = fully_shard(module, mesh=self.mesh, reshard_after_forward=True)
        return module

    def micro_batch(self, last: bool) -> AbstractContextManager[Any]:
        self.sharded.set_requires_gradient_sync(last)
        return nullcontext()

    def clip(self, parameters: Sequence[Tensor], limit: float) -> Tensor:
        norm = clip_gradients(parameters, limit)
        return norm.full_tensor()  # type: ignore[attr-defined]

    def write(self, path: Path, tensors: Mapping[str, Tensor]) -> None:
        from torch.distributed.tensor import DTensor

        whole = {
            name: tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
            for name, tensor in tensors.items()
        }
        if self.writes:
            write_tensors(path, {n: t.detach() for n, t in whole.items()}, {"format": "pt"})

    def read(self, path: Path, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
        from torch.distributed.tensor import DTensor, distribute_tensor

        return {
            name: distribute_tensor(tensor, found.device_mesh, found.placements)
            if isinstance(found := like.get(name), DTensor)
            else tensor
            for name, tensor in read_tensors(path, framework="torch").items()
        }


class Doubled(LanguageModelling):
    """In float64, so that the order of a sum shows in the last digits only."""

    def build_model(self, generator: torch.Generator):  # type: ignore[no-untyped-def]
        return super().build_model(generator).double()


def main(arguments: list[str]) -> None:
    """KIND STORE RANK RANKS FOLDER: trains the run in FOLDER as one of RANKS."""
    kind, store, rank, ranks, folder = arguments
    torch.set_num_threads(1)
    strategy = {"ddp": DDP, "fsdp2": FSDP2}[kind](Path(store), int(rank), int(ranks))
    run = Path(folder)
    config = TrainingConfig.from_json(read_json(run.parent / "config.json"))
    task = Doubled(config, run.parent / f"cache{rank}")
    resume = (run / "run.json").exists()
    strategy.wait()  # before somebody makes it
    for _ in train_steps(config, run, resume, task, strategy):
        pass
    strategy.wait()
    dist.destroy_process_group()
    sys.stdout.flush()
    os._exit(0)  # gloo's threads may abort while the interpreter comes down


if __name__ == "__main__":
    main(sys.argv[1:])
