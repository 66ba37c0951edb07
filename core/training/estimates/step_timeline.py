"""One training step on several devices, computed: who holds what, who does what when.

The strategies that this program does not run (and those it does, where no ranks are there to be
measured): data parallelism with ZeRO's stages, tensor parallelism, pipelines. A device computes at
one speed and all links are alike; compute and exchange run side by side, as streams on a GPU do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from core.files import quoted
from core.training.estimates.communication import Link, all_gather, all_reduce, reduce_scatter
from core.training.estimates.flops import FORWARD
from core.training.estimates.pipeline import schedule, timeline
from core.training.estimates.plan import compute_seconds
from core.transformer.config import ModelConfig
from core.transformer.parameters import inner_matrices, parameters

# ddp to zero3 split the batch, tensor the matrices, pipeline the layers.
STRATEGIES = ("ddp", "zero1", "zero2", "zero3", "tensor", "pipeline")
STATES = ("weights", "gradients", "optimizer")
NUMBER = 4  # bytes: weights, gradients and activations in fp32
# The optimizer moves few bytes and computes less: a small share of the step.
OPTIMIZER_SHARE = 0.04


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the model: its numbers of weights, its FLOPs a token forward."""

    name: str
    weights: int
    flops: float


@dataclass(frozen=True, slots=True)
class Doing:
    """What a device does from `start` to `end` (seconds): `kind` is forward, backward, optimizer or
    the name of an exchange; `part` which part of the model; `bytes` those it sends.
    """

    device: int
    kind: str
    part: int
    start: float
    end: float
    bytes: float = 0.0
    micro_batch: int = 0

    @property
    def is_exchange(self) -> bool:
        return self.kind not in ("forward", "backward", "optimizer")


@dataclass(frozen=True, slots=True)
class Held:
    """What a device holds of a part: the share from `begin` to `end` of one of STATES, cut along
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
    """A computed step: its parts, what each device holds, and does."""

    strategy: str
    devices: int
    parts: tuple[Part, ...]
    held: tuple[Held, ...]
    doings: tuple[Doing, ...]

    @property
    def seconds(self) -> float:
        """How long the step takes."""
        return max(doing.end for doing in self.doings)

    def busy(self, device: int) -> float:
        """Seconds in which a device computes."""
        mine = (d for d in self.doings if d.device == device and not d.is_exchange)
        return sum(doing.end - doing.start for doing in mine)

    @property
    def idle_share(self) -> float:
        """The share of the step in which devices do not compute, over all of them."""
        busy = sum(self.busy(device) for device in range(self.devices))
        return 1.0 - busy / (self.devices * self.seconds)

    def sent(self, device: int = 0) -> float:
        """Bytes that a device sends in the step."""
        return sum(doing.bytes for doing in self.doings if doing.device == device)

    def held_bytes(self, device: int, remembered: int = 2) -> float:
        """Of weights, gradients, and `remembered` numbers a weight in the optimizer."""
        numbers = {"weights": 1, "gradients": 1, "optimizer": remembered}
        return sum(
            NUMBER * numbers[held.state] * self.parts[held.part].weights * (held.end - held.begin)
            for held in self.held
            if held.device == device
        )


def parts_of(model: ModelConfig) -> tuple[Part, ...]:
    """Embeddings, blocks, and the head with the final norm. Forward takes 2 FLOPs a token for each
    weight in a matrix product; a tied head computes with the embedding's weights.
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
    """A step of `batch_size` sequences on all devices together.

    strategy       one of STRATEGIES
    speed          FLOP/s of a device
    link           between two devices
    micro_batches  of a pipeline

    Raises ValueError, with the remedy, for another strategy, and for devices that a strategy cannot
    share the model among.
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
                f"{model.n_head} heads do not go round on {devices} devices; use a number of "
                "devices that divides them"
            )
        doings = _tensor(model, parts, tokens, devices, speed, link)
    elif strategy == "pipeline":
        if model.n_layer < devices:
            raise ValueError(
                f"{model.n_layer} layers make no pipeline of {devices} stages; use {model.n_layer} "
                "devices at most"
            )
        size = NUMBER * tokens * model.n_embd / micro_batches
        doings = _pipeline(parts, tokens, devices, speed, micro_batches, size, link)
    else:
        stage = 0 if strategy == "ddp" else int(strategy[-1])
        one = _one_device(parts, tokens / devices, devices, stage, speed, link)
        doings = [replace(doing, device=device) for device in range(devices) for doing in one]
    held = tuple(_held(strategy, len(parts), devices))
    return StepTimeline(strategy, devices, parts, held, tuple(doings))


def stage_of(part: int, parts: int, stages: int) -> int:
    """Which stage of a pipeline holds a part: blocks evenly, the embedding with the first ones, the
    head with the last.
    """
    block = min(max(part - 1, 0), parts - 3)
    return block * stages // (parts - 2)


def _held(strategy: str, parts: int, devices: int) -> Iterator[Held]:
    for device in range(devices):
        own = device / devices, (device + 1) / devices
        for part in range(parts):
            if strategy == "pipeline":
                if stage_of(part, parts, devices) == device:
                    yield from (Held(device, part, state, 0.0, 1.0) for state in STATES)
            elif strategy == "tensor":
                yield from (Held(device, part, state, *own, "columns") for state in STATES)
            else:
                stage = 0 if strategy == "ddp" else int(strategy[-1])
                split = {"optimizer": 1, "gradients": 2, "weights": 3}  # from which stage on
                for state in STATES:
                    yield Held(device, part, state, *(own if stage >= split[state] else (0.0, 1.0)))


def _one_device(
    parts: Sequence[Part], tokens: float, ranks: int, stage: int, speed: float, link: Link
) -> list[Doing]:
    """What each of N data-parallel devices does, all the same at the same time: two streams.

    Stage 3 gathers a part's weights while the part before computes. Gradients go while the parts
    before them in the model are on their way back.
    """
    doings: list[Doing] = []
    compute = exchange = 0.0  # when each of the two streams is free

    def exchanged(kind: str, part: int, after: float) -> float:
        nonlocal exchange
        transfer = {
            "all-reduce": all_reduce,
            "all-gather": all_gather,
            "reduce-scatter": reduce_scatter,
        }[kind](NUMBER * parts[part].weights, ranks)
        start = max(exchange, after)
        exchange = start + transfer.seconds(link)
        if transfer.bytes:
            doings.append(Doing(0, kind, part, start, exchange, transfer.bytes))
        return exchange

    def computed(kind: str, part: int, seconds: float, after: float = 0.0) -> float:
        nonlocal compute
        start = max(compute, after)
        compute = start + seconds
        if seconds:
            doings.append(Doing(0, kind, part, start, compute))
        return compute

    forward = [compute_seconds(part.flops * tokens, speed) for part in parts]
    for part, seconds in enumerate(forward):
        ready = exchanged("all-gather", part, 0.0) if stage == 3 else 0.0
        computed("forward", part, seconds, ready)
    begun = compute
    for part in reversed(range(len(parts))):
        ready = exchanged("all-gather", part, begun) if stage == 3 else 0.0
        done = computed("backward", part, 2 * forward[part], ready)
        exchanged("all-reduce" if stage == 0 else "reduce-scatter", part, done)
    seconds = OPTIMIZER_SHARE * 3 * sum(forward) / (ranks if stage else 1)
    done = computed("optimizer", 0, seconds, exchange)
    if stage in (1, 2):
        for part in range(len(parts)):
            exchanged("all-gather", part, done)
    return doings


def _tensor(
    model: ModelConfig,
    parts: Sequence[Part],
    tokens: float,
    ranks: int,
    speed: float,
    link: Link,
) -> list[Doing]:
    """Each device computes its columns and rows of every matrix, for the whole batch; what
    attention and MLP give is added up before the next may begin (Shoeybi et al. 2019, section 3).
    """
    doings: list[Doing] = []
    sums = all_reduce(NUMBER * tokens * model.n_embd, ranks)
    now = 0.0

    def both(kind: str, part: int, seconds: float, exchanges: int) -> None:
        """Half of the part, then the exchange, and once more."""
        nonlocal now
        for _ in range(max(exchanges, 1)):
            share = seconds / max(exchanges, 1)
            if share:
                doings.append(Doing(0, kind, part, now, now + share))
            now += share
            if exchanges:
                end = now + sums.seconds(link)
                doings.append(Doing(0, "all-reduce", part, now, end, sums.bytes))
                now = end

    forward = [part.flops * tokens / speed / ranks for part in parts]
    last = len(parts) - 1
    for part, seconds in enumerate(forward):
        both("forward", part, seconds, 2 if 0 < part < last else 0)
    for part in reversed(range(len(parts))):
        both("backward", part, 2 * forward[part], 2 if 0 < part < last else 0)
    end = now + OPTIMIZER_SHARE * 3 * sum(forward)
    doings.append(Doing(0, "optimizer", 0, now, end))
    return [replace(doing, device=device) for device in range(ranks) for doing in doings]


def _pipeline(
    parts: Sequence[Part],
    tokens: float,
    stages: int,
    speed: float,
    micro_batches: int,
    size: float,
    link: Link,
) -> list[Doing]:
    """One forward, one backward in turn (1F1B), on stages that all take as long. What leaves a
    stage, `size` bytes a micro-batch, is sent to the next one, its gradient back.
    """
    whole = sum(part.flops for part in parts) * tokens / speed / stages
    order = schedule("1f1b", stages, micro_batches)
    sending = link.latency + size / link.bandwidth
    spans = timeline(order, whole / micro_batches, 2 * whole / micro_batches, sending)
    first = [
        next(p for p in range(len(parts)) if stage_of(p, len(parts), stages) == stage)
        for stage in range(stages)
    ]
    doings = []
    for span in spans:
        kind = "backward" if span.work.backward else "forward"
        number = span.work.micro_batch
        part = first[span.stage]
        doings.append(Doing(span.stage, kind, part, span.start, span.end, micro_batch=number))
        if span.stage != (0 if span.work.backward else stages - 1):
            ends = span.end, span.end + sending
            doings.append(Doing(span.stage, "send", part, *ends, size, number))
    end = max(doing.end for doing in doings)
    step = OPTIMIZER_SHARE * 3 * whole
    return [*doings, *(Doing(stage, "optimizer", 0, end, end + step) for stage in range(stages))]
