"""FSDP2: each rank holds its part of every parameter, gradient and optimizer state.

Before a block computes, its parameters are gathered from all ranks; afterwards they are freed. In
backward, its gradients are added up and scattered, and each rank keeps those of its own part. This
is ZeRO's third stage (Rajbhandari et al. 2020, section 5.3), as implemented by PyTorch's
`fully_shard` (Zhao et al. 2023, "PyTorch FSDP").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor

from core.tensor_files import write_tensors
from core.tensor_shards import open_tensors, shard_file, write_index
from core.training.parallel import clip_gradients, on_device, own_part
from core.training.ranks import Ranks
from core.training.spans import Spans


class FSDP2(Ranks):
    """torch's fully_shard on each block and on the rest of the model, with its exchanges timed."""

    sharded = True

    def wrap(self, module: nn.Module) -> nn.Module:
        module.to(self.device)
        mesh = init_device_mesh(self.device.type, (self.ranks,))
        for block in module.blocks:  # type: ignore[union-attr]
            fully_shard(block, mesh=mesh)
        # Otherwise the outermost parameters stay whole after an evaluation, as tensors that the
        # optimizer does not know.
        self.root = fully_shard(module, mesh=mesh, reshard_after_forward=True)
        for name in getattr(module, "entries", ()):  # as for forward
            register_fsdp_forward_method(module, name)
        for part in module.modules():
            if isinstance(part, FSDPModule):
                # Added up, not averaged, because the loss is a sum. Gloo has no scaled sums.
                part.set_gradient_divide_factor(1.0)
                part.set_force_sum_reduction_for_comms(True)
                part.set_custom_all_gather(Gather(self.spans))  # type: ignore[arg-type]
                part.set_custom_reduce_scatter(Scatter(self.spans))  # type: ignore[arg-type]
        return module

    def micro_batch(self, last: bool) -> AbstractContextManager[Any]:
        self.root.set_requires_gradient_sync(last)
        return nullcontext()

    def clip(self, parameters: Sequence[Tensor], limit: float) -> Tensor:
        norm = clip_gradients(parameters, limit)
        return norm.full_tensor() if isinstance(norm, DTensor) else norm

    def write(self, folder: Path, files: Mapping[str, Mapping[str, Tensor]]) -> None:
        for name, tensors in files.items():
            own = {key: own_part(part) for key, part in tensors.items() if self._writes(part)}
            path = shard_file(folder / name, self.rank, self.ranks)
            write_tensors(path, on_device(own, torch.device("cpu")), {"format": "pt"})
        self.wait()
        if self.writes:
            write_index(folder, list(files), self.ranks)

    def _writes(self, tensor: Tensor) -> bool:
        """Returns True if this rank writes a part of the tensor. With fewer rows than ranks, some
        ranks have none; rank 0 writes a tensor that every rank has whole.
        """
        return self.writes or (isinstance(tensor, DTensor) and own_part(tensor).numel() > 0)

    def read(self, path: Path, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
        stored = open_tensors(path)
        parted = {
            name: known
            for name, tensor in stored.tensors.items()
            if isinstance(known := like.get(name), DTensor) and known.shape == tensor.shape
        }
        rows = {name: self._own_rows(known) for name, known in parted.items()}
        found = stored.read(rows=rows)
        for name in found.keys() & like.keys():
            found[name] = found[name].to(like[name].device)
        for name, known in parted.items():
            found[name] = DTensor.from_local(
                found[name],
                known.device_mesh,
                known.placements,
                shape=known.shape,
                stride=known.stride(),
            )
        return found

    def _own_rows(self, tensor: DTensor) -> tuple[int, int]:
        """Returns the first row of a tensor that this rank holds and the one after its last. All
        ranks hold equally many, except the last ones, which hold the remaining rows.
        """
        each = -(-len(tensor) // self.ranks)
        start = min(self.rank * each, len(tensor))
        return start, start + len(own_part(tensor))


# Torch before 2.13 has only the older names.
_gather = getattr(dist, "all_gather_single", None) or dist.all_gather_into_tensor
_scatter = getattr(dist, "reduce_scatter_single", None) or dist.reduce_scatter_tensor


class _Timed:
    """An exchange that is recorded in the spans when it ends."""

    kind = ""

    def __init__(self, spans: Spans) -> None:
        self.spans = spans

    def allocate(self, size: Sequence[int], *, dtype: torch.dtype, device: torch.device) -> Tensor:
        return torch.empty(*size, dtype=dtype, device=device)

    def _timed(self, start: Any, work: dist.Work | None, size: int) -> dist.Work | None:
        def ended(*_: object) -> None:
            self.spans.add(self.kind, start, self.spans.mark(), size)

        if work is None:
            ended()
        else:
            work.get_future().then(ended)
        return work


class Gather(_Timed):
    """Gathers a block's whole parameters from the parts that the ranks hold."""

    kind = "all-gather"

    def __call__(
        self,
        output_tensor: Tensor,
        input_tensor: Tensor,
        group: dist.ProcessGroup,
        async_op: bool = False,
    ) -> dist.Work | None:
        start = self.spans.exchange()
        sent = {"group": group, "async_op": async_op}
        work = _gather(output_tensor, input_tensor, **sent)  # step: gather
        return self._timed(start, work, input_tensor.nbytes)


class Scatter(_Timed):
    """Adds up a block's gradients and gives each rank its part of the sum."""

    kind = "reduce-scatter"

    def __call__(
        self,
        output_tensor: Tensor,
        input_tensor: Tensor,
        group: dist.ProcessGroup,
        op: Any,
        async_op: bool = False,
    ) -> dist.Work | None:
        start = self.spans.exchange()
        sent = {"group": group, "async_op": async_op}
        work = _scatter(output_tensor, input_tensor, op=op, **sent)  # step: scatter
        return self._timed(start, work, input_tensor.nbytes)
