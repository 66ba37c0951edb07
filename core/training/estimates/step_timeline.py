"""One training step on several devices, computed: each device's shards and operations over time.

For strategies that this program does not run, and its own if no ranks can be measured: data
parallelism with ZeRO's stages, tensor parallelism, pipelines. All devices have the same speed and
all links are alike; compute and exchange run in parallel, as streams on a GPU do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from core.files import quoted
from core.training.estimates.communication import COLLECTIVES, Link, Transfer, all_reduce
from core.training.estimates.flops import FORWARD
from core.training.estimates.memory import SHARDED_FROM
from core.training.estimates.pipeline import schedule, timeline
from core.training.estimates.plan import compute_seconds
from core.transformer.config import ModelConfig
from core.transformer.parameters import inner_matrices, parameters

# ddp to zero3 divide the batch, tensor the matrices, pipeline the layers.
STRATEGIES = ("ddp", "zero1", "zero2", "zero3", "tensor", "pipeline")
STATES = ("weights", "gradients", "optimizer")
NUMBER = 4  # bytes: weights, gradients and activations in fp32
# The optimizer moves few bytes and computes little: a small share of the step.
OPTIMIZER_SHARE = 0.04
ZERO_STAGE = {"ddp": 0, "zero1": 1, "zero2": 2, "zero3": 3, "fsdp2": 3}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the model: its number of weights, its FLOPs per token in the forward pass."""

    name: str
    weights: int
    flops: float


@dataclass(frozen=True, slots=True)
class Operation:
    """A computation or exchange of a device from `start` to `end` (seconds).

    kind    forward, backward, optimizer, or the name of an exchange
    part    index of the part of the model
    amount  FLOPs of a computation, bytes of the whole tensor of an exchange
    bytes   bytes that the device sends
    """

    device: int
    kind: str
    part: int
    start: float
    end: float
    amount: float
    bytes: float = 0.0
    micro_batch: int = 0

    @property
    def is_exchange(self) -> bool:
        return self.kind not in ("forward", "backward", "optimizer")


@dataclass(frozen=True, slots=True)
class Shard:
    """The shard of a part on a device: the share from `begin` to `end` of one of STATES, cut along
    `axis`: "columns" or "rows" of each matrix, or "flat" through all its numbers.
    """

    device: int
    part: int
    state: str
    begin: float
    end: float
    axis: str = "flat"


@dataclass(frozen=True)
class StepTimeline:
    """A computed step: the parts of the model, the shards and operations of each device, their
    speed (FLOP/s) and the link between them.
    """

    strategy: str
    devices: int
    speed: float
    link: Link
    parts: tuple[Part, ...]
    shards: tuple[Shard, ...]
    operations: tuple[Operation, ...]

    @property
    def seconds(self) -> float:
        """Duration of the step in seconds."""
        return max(operation.end for operation in self.operations)

    def busy(self, device: int) -> float:
        """Returns the seconds in which a device computes."""
        mine = (o for o in self.operations if o.device == device and not o.is_exchange)
        return sum(operation.end - operation.start for operation in mine)

    @property
    def idle_share(self) -> float:
        """The share of the step in which devices do not compute, over all of them."""
        busy = sum(self.busy(device) for device in range(self.devices))
        return 1.0 - busy / (self.devices * self.seconds)

    def sent(self, device: int = 0) -> float:
        """Returns the bytes that a device sends in the step."""
        return sum(one.bytes for one in self.operations if one.device == device)

    def held_bytes(self, device: int) -> float:
        """Returns the bytes of a device's weights, gradients and Adam state."""
        mine = (shard for shard in self.shards if shard.device == device)
        return sum(shard_bytes(shard, self.parts) for shard in mine)


def shard_bytes(shard: Shard, parts: Sequence[Part]) -> float:
    """Returns a shard's bytes in fp32; "optimizer" has two numbers per weight, as in Adam."""
    numbers = parts[shard.part].weights * (shard.end - shard.begin)
    return NUMBER * numbers * (2 if shard.state == "optimizer" else 1)


def parts_of(model: ModelConfig) -> tuple[Part, ...]:
    """Returns embeddings, blocks, and the head with the final norm. Forward takes 2 FLOPs a token
    for each weight in a matrix product; a tied head computes with the embedding's weights.
    """
    count, L = parameters(model), model.n_layer
    norm = count.norms // (2 * L + (model.norm_placement == "pre"))
    block = (count.attention + count.mlp) // L + 2 * norm
    products = sum(rows * columns for rows, columns in inner_matrices(model))
    head = count.output_head + count.norms - 2 * L * norm
    return (
        Part("embedding", count.token_embedding + count.position_embedding, 0.0),
        *(Part(f"block {layer}", block, FORWARD * products) for layer in range(L)),
        Part("head", head, FORWARD * model.vocab_size * model.n_embd),
    )


def step_timeline(
    strategy: str,
    model: ModelConfig,
    batch_size: int,
    devices: int = 4,
    *,
    speed: float,
    link: Link,
    micro_batches: int = 8,
) -> StepTimeline:
    """Computes a step of `batch_size` sequences on all devices together.

    strategy       one of STRATEGIES
    speed          FLOP/s of a device
    link           between two devices
    micro_batches  of a pipeline

    Raises ValueError, with a remedy, for another strategy, and if a strategy cannot divide the
    model among the devices.
    """
    if strategy not in STRATEGIES:
        raise ValueError(f"strategy {quoted(strategy)} is unknown; use {' or '.join(STRATEGIES)}")
    if devices < 2:
        raise ValueError(f"{devices} device has nothing to share; use at least 2")
    parts = parts_of(model)
    tokens = batch_size * model.block_size
    if strategy == "tensor":
        if model.n_head % devices or model.kv_heads % devices:
            raise ValueError(
                f"{devices} devices cannot share {model.n_head} heads evenly; use a number of "
                "devices that divides them"
            )
        operations = _tensor(model, parts, tokens, devices, speed, link)
    elif strategy == "pipeline":
        if model.n_layer < devices:
            raise ValueError(
                f"a pipeline of {devices} devices needs a layer for each, and this model has "
                f"{model.n_layer}; use {model.n_layer} devices at most"
            )
        size = NUMBER * tokens * model.n_embd / micro_batches
        operations = _pipeline(parts, tokens, devices, speed, micro_batches, size, link)
    else:
        stage = ZERO_STAGE[strategy]
        one = _one_device(parts, tokens / devices, devices, stage, speed, link)
        operations = [replace(each, device=device) for device in range(devices) for each in one]
    shards = shards_of(strategy, len(parts), devices)
    return StepTimeline(strategy, devices, speed, link, parts, shards, tuple(operations))


def stage_of(part: int, parts: int, stages: int) -> int:
    """Returns the pipeline stage that holds a part: blocks are divided evenly, the embedding
    belongs to the first stage, the head to the last.
    """
    block = min(max(part - 1, 0), parts - 3)
    return block * stages // (parts - 2)


def shards_of(strategy: str, parts: int, devices: int) -> tuple[Shard, ...]:
    """Returns the shards of so many parts on each device; "fsdp2", as in runs, is ZeRO stage 3."""
    return tuple(_shards(strategy, parts, devices))


def _shards(strategy: str, parts: int, devices: int) -> Iterator[Shard]:
    for device in range(devices):
        own = device / devices, (device + 1) / devices
        for part in range(parts):
            if strategy == "pipeline":
                if stage_of(part, parts, devices) == device:
                    yield from (Shard(device, part, state, 0.0, 1.0) for state in STATES)
            elif strategy == "tensor":
                yield from (Shard(device, part, state, *own, "columns") for state in STATES)
            else:
                for state in STATES:
                    is_cut = ZERO_STAGE[strategy] >= SHARDED_FROM[state]
                    yield Shard(device, part, state, *(own if is_cut else (0.0, 1.0)))


def _one_device(
    parts: Sequence[Part], tokens: float, ranks: int, stage: int, speed: float, link: Link
) -> list[Operation]:
    """Returns the operations of each of N data-parallel devices, the same on all: two streams.

    Stage 3 gathers a part's weights while the part before computes. Gradients are exchanged while
    the backward pass computes the parts before them in the model.
    """
    operations: list[Operation] = []
    compute_free = exchange_free = 0.0  # the time at which each stream is free

    def exchange(kind: str, part: int, after: float) -> float:
        """Adds an exchange after the time `after`, once its stream is free; returns its end."""
        nonlocal exchange_free
        size = NUMBER * parts[part].weights
        transfer = COLLECTIVES[kind](size, ranks)
        start = max(exchange_free, after)
        exchange_free = start + transfer.seconds(link)
        if transfer.bytes:
            ends = start, exchange_free
            operations.append(Operation(0, kind, part, *ends, size, transfer.bytes))
        return exchange_free

    def compute(kind: str, part: int, work: float, after: float = 0.0) -> float:
        nonlocal compute_free
        start = max(compute_free, after)
        compute_free = start + compute_seconds(work, speed)
        if work:
            operations.append(Operation(0, kind, part, start, compute_free, work))
        return compute_free

    for place, part in enumerate(parts):
        ready = exchange("all-gather", place, 0.0) if stage == 3 else 0.0
        compute("forward", place, part.flops * tokens, ready)
    begun = compute_free
    for place, part in reversed(list(enumerate(parts))):
        ready = exchange("all-gather", place, begun) if stage == 3 else 0.0
        done = compute("backward", place, 2 * part.flops * tokens, ready)
        exchange("all-reduce" if stage == 0 else "reduce-scatter", place, done)
    work = _optimizer_work(parts, tokens) / (ranks if stage else 1)
    done = compute("optimizer", 0, work, exchange_free)
    if stage in (1, 2):
        for place in range(len(parts)):
            exchange("all-gather", place, done)
    return operations


def _optimizer_work(parts: Sequence[Part], tokens: float) -> float:
    """Returns the FLOPs that would take as long as the optimizer does for all weights."""
    return OPTIMIZER_SHARE * 3 * sum(part.flops for part in parts) * tokens


def _tensor(
    model: ModelConfig,
    parts: Sequence[Part],
    tokens: float,
    ranks: int,
    speed: float,
    link: Link,
) -> list[Operation]:
    """Each device computes its columns and rows of every matrix, for the whole batch; the results
    of attention and MLP are summed before the next may begin (Shoeybi et al. 2019, section 3).
    """
    operations: list[Operation] = []
    size = NUMBER * tokens * model.n_embd
    sums = all_reduce(size, ranks)
    now = 0.0

    def halves(kind: str, part: int, work: float) -> None:
        """Adds a block's attention, then its MLP, with an exchange after each."""
        nonlocal now
        exchanges = 2 if 0 < part < len(parts) - 1 else 0
        for _ in range(exchanges or 1):
            share = work / (exchanges or 1)
            end = now + compute_seconds(share, speed)
            if share:
                operations.append(Operation(0, kind, part, now, end, share))
            now = end
            if exchanges:
                end = now + sums.seconds(link)
                operations.append(Operation(0, "all-reduce", part, now, end, size, sums.bytes))
                now = end

    for place, part in enumerate(parts):
        halves("forward", place, part.flops * tokens / ranks)
    for place, part in reversed(list(enumerate(parts))):
        halves("backward", place, 2 * part.flops * tokens / ranks)
    work = _optimizer_work(parts, tokens) / ranks
    operations.append(Operation(0, "optimizer", 0, now, now + compute_seconds(work, speed), work))
    return [replace(each, device=device) for device in range(ranks) for each in operations]


def _pipeline(
    parts: Sequence[Part],
    tokens: float,
    stages: int,
    speed: float,
    micro_batches: int,
    size: float,
    link: Link,
) -> list[Operation]:
    """One forward, one backward in turn (1F1B), on stages of equal duration. The output of a stage,
    `size` bytes a micro-batch, is sent to the next one, its gradient back.
    """
    forward = sum(part.flops for part in parts) * tokens / stages / micro_batches  # FLOPs
    work = {"forward": forward, "backward": 2 * forward}
    seconds = {kind: compute_seconds(flops, speed) for kind, flops in work.items()}
    order = schedule("1f1b", stages, micro_batches)
    sending = Transfer(size, 1).seconds(link)
    first = [
        next(p for p in range(len(parts)) if stage_of(p, len(parts), stages) == stage)
        for stage in range(stages)
    ]
    operations = []
    for span in timeline(order, seconds["forward"], seconds["backward"], sending):
        stage, number = span.stage, span.work.micro_batch
        kind, send, last = ("forward", "send", stages - 1)
        if span.work.backward:
            kind, send, last = ("backward", "send back", 0)
        ends = span.start, span.end
        operations.append(Operation(stage, kind, first[stage], *ends, work[kind], 0.0, number))
        if stage != last:
            ends = span.end, span.end + sending
            operations.append(Operation(stage, send, first[stage], *ends, size, size, number))
    end = max(operation.end for operation in operations)
    step = _optimizer_work(parts, tokens) / stages
    ends = end, end + compute_seconds(step, speed)
    return [
        *operations,
        *(Operation(stage, "optimizer", first[stage], *ends, step) for stage in range(stages)),
    ]
