"""Communication between ranks, and its time on a ring.

In a ring of N ranks each sends only to its right neighbor, all at the same time. A tensor of M
bytes is cut into N chunks; every step moves one chunk on by one rank (Patarasuk & Yuan 2009,
section 3; NCCL's ring).
"""

from __future__ import annotations

from dataclasses import dataclass

from core.training.estimates.memory import ZERO_STAGES


@dataclass(frozen=True, slots=True)
class Link:
    """The connection of two neighbors in the ring.

    bandwidth  bytes a second in one direction
    latency    seconds until the first byte arrives
    """

    bandwidth: float
    latency: float = 0.0


@dataclass(frozen=True, slots=True)
class Transfer:
    """A collective on a ring.

    bytes  that each rank sends, and the same number that it receives
    steps  in which it does so, one after the other
    """

    bytes: float
    steps: int

    def seconds(self, link: Link) -> float:
        """Returns steps x latency + bytes / bandwidth, if nothing else uses the link."""
        sent, steps = self.bytes, self.steps
        bandwidth, latency = link.bandwidth, link.latency
        seconds = steps * latency + sent / bandwidth  # step: seconds
        return seconds


def reduce_scatter(size: float, ranks: int) -> Transfer:
    """Every rank gets its 1/N of the sum: each sends (N - 1) / N of the tensor's bytes."""
    return _half(size, ranks)


def all_gather(size: float, ranks: int) -> Transfer:
    """Every rank has 1/N and gets the rest: each sends (N - 1) / N of the whole tensor's bytes."""
    return _half(size, ranks)


def all_reduce(size: float, ranks: int) -> Transfer:
    """Every rank gets the whole sum: a reduce-scatter, then an all-gather: 2 (N - 1) / N bytes.

    1, 1.5, 1.75 and 1.97 times the tensor for 2, 4, 8 and 64 ranks: hardly more for many than for a
    few.
    """
    scattered, gathered = reduce_scatter(size, ranks), all_gather(size, ranks)
    there, back = scattered.bytes, gathered.bytes
    sent = there + back  # step: all_reduce
    return Transfer(sent, scattered.steps + gathered.steps)


def _half(size: float, ranks: int) -> Transfer:
    if ranks < 1:
        raise ValueError(f"{ranks} ranks make no ring; use at least 1")
    sent = size * (ranks - 1) / ranks  # step: half
    return Transfer(sent, ranks - 1)


COLLECTIVES = {  # by their names in the lanes of ranks
    "all-reduce": all_reduce,
    "all-gather": all_gather,
    "reduce-scatter": reduce_scatter,
}


def data_parallel(
    weights: float, gradients: float, stage: int, ranks: int, micro_batches: int = 1
) -> Transfer:
    """Returns an optimizer step's transfer, for bytes of all weights and gradients, by ZeRO stage.

    stage 0     all-reduce of the gradients
          1, 2  reduce-scatter of the gradients, all-gather of the weights: as much as stage 0
          3     the same, and the weights once more, for the backward pass: half as much again

    Rajbhandari et al. 2020, section 7: about 2, 2 and 3 times the parameters. If gradients of
    several micro-batches are summed before the step, stages 0 and 1 send their sum once; stage 2
    scatters those of each micro-batch, and stage 3 also gathers the weights for each. Raises
    ValueError for another stage.
    """
    if stage not in ZERO_STAGES:
        raise ValueError(f"ZeRO has no stage {stage}; use 0 (none), 1, 2 or 3")
    if stage == 0:
        return all_reduce(gradients, ranks)
    scattered, gathered = reduce_scatter(gradients, ranks), all_gather(weights, ranks)
    there, back = scattered.bytes, gathered.bytes
    scatters, gathers = exchanges(stage, micro_batches)
    sent = scatters * there + gathers * back  # step: sent
    return Transfer(sent, scatters * scattered.steps + gathers * gathered.steps)


def between_stages(size: float, stages: int, micro_batches: int) -> Transfer:
    """Returns what a middle stage of a pipeline sends in a step: for each micro-batch its
    activations (`size` bytes) to the next stage, and as many gradients back (Narayanan et al. 2021,
    section 3.2).
    """
    if stages == 1:
        return Transfer(0.0, 0)
    sent = 2 * micro_batches * size  # step: passed
    return Transfer(sent, 2 * micro_batches)


def exchanges(stage: int, micro_batches: int) -> tuple[int, int]:
    """Returns how often a step of so many micro-batches scatters gradients and gathers weights,
    from stage 1 on.
    """
    return (micro_batches if stage > 1 else 1, 2 * micro_batches if stage == 3 else 1)
