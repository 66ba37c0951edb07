"""DDP: each rank has the whole model and a part of the batch; their gradients are added up.

Gradients are reduced in buckets of a few megabytes, as backward produces them: the last layers'
gradients are exchanged while those of the first layers are still being computed. Source: Li et al.
2020, "PyTorch Distributed: Experiences on Accelerating Data Parallel Training", section 3.2.
"""

# Not `from __future__ import annotations`: torch checks the hook's annotations, as types.

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from core.training.ranks import Ranks

# A small model's gradients would fit into one bucket, sent at the very end: it gets a few, too.
BUCKETS = 4
LARGEST_BUCKET = 25.0  # MB: torch's own


class DDP(Ranks):
    """torch's DistributedDataParallel, with each bucket's exchange timed."""

    def wrap(self, module: nn.Module) -> nn.Module:
        module.to(self.device)
        gradients = sum(p.nbytes for p in module.parameters() if p.requires_grad)
        self.wrapped = nn.parallel.DistributedDataParallel(
            module,
            device_ids=[self.device] if self.device.type == "cuda" else None,
            bucket_cap_mb=min(gradients / BUCKETS / 2**20, LARGEST_BUCKET),
            gradient_as_bucket_view=True,
        )
        self.wrapped.register_comm_hook(self, _add_up)
        return self.wrapped

    def micro_batch(self, last: bool) -> AbstractContextManager[Any]:
        return nullcontext() if last else self.wrapped.no_sync()


def _add_up(ranks: Ranks, bucket: dist.GradBucket) -> torch.futures.Future[Tensor]:
    """Sums a bucket's gradients over the ranks; it does not average, because the loss is a sum."""
    start, buffer = ranks.spans.exchange(), bucket.buffer()
    work = dist.all_reduce(buffer, async_op=True)  # step: all_reduce

    def done(future: torch.futures.Future[list[Tensor]]) -> Tensor:
        ranks.spans.add("all-reduce", start, ranks.spans.mark(), buffer.nbytes)
        return future.value()[0]

    return work.get_future().then(done)
