"""The cost of training a model on a cluster: memory of each device, time, energy, price, loss.

A plan assumes data parallelism with ZeRO, of whole models or of pipelines, and the papers' formulas
for memory; the activations of this program's own runs are counted tensor by tensor. A number that
depends on unknown properties of a device is None: "n/a", never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.fields import check, field
from core.training.estimates import memory
from core.training.estimates.activations import Kept, kept
from core.training.estimates.communication import (
    Link,
    Transfer,
    between_stages,
    data_parallel,
)
from core.training.estimates.devices import Device
from core.training.estimates.flops import flops_per_token, model_flops_utilization
from core.training.estimates.memory import (
    ModelState,
    model_state,
    numbers_remembered,
    shard,
    stage_state,
)
from core.training.estimates.pipeline import bubble
from core.training.estimates.scaling_law import CHINCHILLA
from core.transformer.config import ModelConfig
from core.transformer.parameters import ParameterCount, parameters

PRECISIONS = {"fp32": "fp32", "tf32": "fp32", "bf16": "mixed", "fp16": "mixed"}
DAY = 86_400.0
CURRENCY = "$"  # of prices and costs
MOST_COUNT = 1_000_000_000  # of devices and sequences: more is taken as a typing error


@dataclass(frozen=True, kw_only=True)
class Setup:
    """A model to be trained, and the devices and methods to train it.

    tokens       that the whole training reads
    batch_size   sequences of an optimizer step, on all devices together
    micro_batch  sequences that a device computes at once
    devices      number of devices; `device` is None if it is not in the table
    stage        of ZeRO: 0 is DDP, 3 is FSDP
    pipeline     stages that share the layers (1F1B): the batch is shared by devices / stages
    precision    of matrix products; "bf16" and "fp16" with a master copy of the weights in fp32
    recompute    recomputed activations: "none", "selective" or "full"
    efficiency   share of the peak that the devices reach while they compute. 0.4 is usual:
                 including losses to communication GPT-3 reached 0.21, MT-NLG 0.30, PaLM 0.46
                 (Chowdhery et al. 2022, table 3)
    link         between two devices; None: the device's own, within one machine
    per_machine  devices of one machine; None: all of them
    network      between two machines, shared by the devices of each; None: it is no bottleneck
    price        of a device for an hour, in CURRENCY
    own_run      a run of this program: weights and gradients stay in fp32 and matrix products cast
                 them; without a pipeline, activations are those that its own layers keep

    Raises ValueError, with a remedy, for invalid values.
    """

    model: ModelConfig
    tokens: float = field(
        help="Tokens read in the whole training run", least=1, most=1e30, remedy="such as 300e9"
    )
    batch_size: int = field(
        label="Batch",
        help="Sequences per optimizer step, over all devices together",
        least=1,
        most=MOST_COUNT,
        remedy="such as 512",
    )
    micro_batch: int = field(
        1,
        label="Micro-batch",
        help="Sequences that a device computes at once",
        least=1,
        most=MOST_COUNT,
        remedy="1 takes the least memory",
    )
    devices: int = field(
        1,
        label="How many",
        help="Devices that share the work",
        least=1,
        most=10_000_000,
        remedy="8 is a usual machine",
    )
    device: Device | None = None
    stage: int = 0
    pipeline: int = field(
        1,
        help="Stages among which a pipeline divides the layers",
        least=1,
        most=MOST_COUNT,
        remedy="1 is no pipeline",
    )
    precision: str = field("bf16", choices=tuple(PRECISIONS))
    recompute: str = field(
        "selective",
        choices=memory.RECOMPUTATIONS,
        help="Which activations are computed again instead of being kept, to save memory",
    )
    optimizer: str = "adamw"
    efficiency: float = field(
        0.4,
        help="Share of its peak speed that a device reaches while it computes",
        above=0,
        most=1,
        remedy="0.4 is usual",
    )
    link: Link | None = field(
        None, label="Link (GB/s)", help="Bandwidth between two devices, in one direction"
    )
    per_machine: int | None = field(
        None,
        help="Devices of one machine, which share its network",
        least=1,
        most=MOST_COUNT,
        remedy="8 is a usual machine",
    )
    network: Link | None = None
    price: float | None = field(
        None,
        label=f"Price ({CURRENCY}/h)",
        help="Price of one device for an hour, in US dollars",
        least=0,
        most=1e5,
        remedy="leave it empty if it is not known",
    )
    own_run: bool = False

    @property
    def layout(self) -> str:
        """The layout of weights and gradients in memory: see `memory.LAYOUTS`."""
        layout = PRECISIONS[self.precision]
        return "autocast" if self.own_run and layout == "mixed" else layout

    @property
    def kept(self) -> Kept | None:
        """The activations of a micro-batch of this program's own run; None: see the papers'."""
        if not self.own_run or self.pipeline > 1:
            return None
        kind = "cpu" if self.device is None or self.device.measured else "cuda"
        recompute = self.recompute == "full"
        return kept(self.model, self.micro_batch, self.precision, kind, recompute)

    @property
    def replicas(self) -> int:
        """Copies of the model that share the batch: the devices, or the pipelines they form."""
        return self.devices // self.pipeline

    @property
    def micro_batches(self) -> int:
        """Micro-batches of a step, one after the other on each device."""
        return self.batch_size // (self.replicas * self.micro_batch)

    @property
    def bubble(self) -> float:
        """Idle time of a pipeline's stage, as a share of its working time."""
        return bubble(self.pipeline, self.micro_batches)

    @property
    def kept_layers(self) -> float:
        """Layers whose activations a device holds at once: those of its stage, for each micro-batch
        in progress. The first stage has the most of these, one for each stage.
        """
        under_way = min(self.pipeline, self.micro_batches)
        return self.model.n_layer * under_way / self.pipeline

    @property
    def sharing(self) -> int:
        """Devices of one machine."""
        return min(self.per_machine or self.devices, self.devices)

    @property
    def memory(self) -> float | None:
        """Bytes for one device: its own, or its part of the memory shared within a machine."""
        if self.device is None:
            return None
        return self.device.memory / (self.sharing if self.device.shares_memory else 1)

    @property
    def item(self) -> int:
        """Bytes per output of a matrix product."""
        return 4 if self.layout == "fp32" else 2

    def __post_init__(self) -> None:
        check(self)
        if self.pipeline > self.model.n_layer or self.devices % self.pipeline:
            raise ValueError(
                f"{self.devices} devices and {self.model.n_layer} layers make no pipeline of "
                f"{self.pipeline} stages; use a number of stages that divides the devices, and at "
                "most one for each layer"
            )
        together = self.replicas * self.micro_batch
        if self.batch_size % together:
            fitting = (self.batch_size // together or 1) * together
            raise ValueError(
                f"a batch of {self.batch_size} sequences cannot be shared evenly by "
                f"{self.replicas} {'devices' if self.pipeline == 1 else 'pipelines'}, "
                f"{self.micro_batch} at once; use a batch of {fitting} or {fitting + together}"
            )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The estimates of a `Setup`; those that depend on an unknown number are None.

    state          bytes of weights, gradients, optimizer states and master weights on one device
    activations    bytes, on one device
    fits           whether both together fit into a device's memory
    flops          of the whole training; the model's own, without recomputation
    compute        seconds of arithmetic of one step, with recomputation and a pipeline's bubble
    sent           transfer of each device in a step, in each direction
    passed         transfer between a pipeline's stages, in addition
    communication  seconds of both
    step           seconds of a step: communication and the backward pass overlap, so that the
                   longer time counts
    utilization    MFU: the model's FLOPs of a step relative to the peak
    seconds, energy, cost   of the whole training; energy in joules, of the devices alone
    loss           predicted by the scaling law for this number of parameters and tokens
    best           parameters and tokens with the least loss for the same FLOPs
    """

    parameters: ParameterCount
    state: ModelState
    activations: float
    fits: bool | None
    steps: int
    flops_per_token: float
    flops: float
    compute: float | None
    sent: Transfer
    passed: Transfer
    communication: float | None
    step: float | None
    utilization: float | None
    seconds: float | None
    energy: float | None
    cost: float | None
    loss: float
    best: tuple[float, float]

    @property
    def bytes(self) -> float:
        """Bytes on one device."""
        state, activations = self.state.total, self.activations
        together = state + activations  # step: memory
        return together


def plan(setup: Setup) -> Plan:
    """Calculates all estimates; allocates nothing."""
    model, device = setup.model, setup.device
    count = parameters(model)
    remembered = numbers_remembered(model, setup.optimizer)
    whole = stage_state(model_state(count.total, remembered, setup.layout), setup.pipeline)
    state = shard(whole, setup.stage, setup.replicas)
    item = setup.item
    counted = setup.kept
    activations = (
        float(counted.total)
        if counted is not None
        else memory.activations(model, setup.micro_batch, setup.recompute, item, setup.kept_layers)
    )
    needed = state.total + activations
    steps = -(-int(setup.tokens) // (setup.batch_size * model.block_size))
    per_token = flops_per_token(model)
    step_tokens = setup.batch_size * model.block_size
    peak = device.peak_flops(setup.precision) if device else None
    # Recomputing all activations is a second forward pass: a third more.
    again = 4 / 3 if setup.recompute == "full" else 1
    work = per_token * step_tokens * again  # step: work
    compute = None
    if peak is not None:
        compute = compute_seconds(work, peak, setup.efficiency, setup.devices)
        compute = with_bubble(compute, setup.bubble)
    sent = data_parallel(
        whole.weights, whole.gradients, setup.stage, setup.replicas, setup.micro_batches
    )
    size = setup.micro_batch * model.block_size * model.n_embd * item
    passed = between_stages(size, setup.pipeline, setup.micro_batches)
    communication = _communication(setup, sent, passed)
    step = step_seconds(compute, communication)
    seconds = whole_seconds(steps, step)
    watts = device.watts if device else None
    return Plan(
        parameters=count,
        state=state,
        activations=activations,
        fits=None if setup.memory is None else needed <= setup.memory,
        steps=steps,
        flops_per_token=per_token,
        flops=per_token * setup.tokens,
        compute=compute,
        sent=sent,
        passed=passed,
        communication=communication,
        step=step,
        utilization=None
        if step is None or (device is not None and device.measured)
        else model_flops_utilization(step_tokens / step, per_token, peak, setup.devices),
        seconds=seconds,
        energy=joules(seconds, setup.devices, watts),
        cost=money(seconds, setup.devices, setup.price),
        loss=CHINCHILLA.loss(count.total, setup.tokens),
        best=CHINCHILLA.optimum(6 * count.total * setup.tokens),
    )


def _communication(setup: Setup, sent: Transfer, passed: Transfer) -> float | None:
    if setup.devices == 1:
        return 0.0
    link = link_of(setup)
    return None if link is None else sent.seconds(link) + passed.seconds(link)


def link_of(setup: Setup) -> Link | None:
    """Returns the link between two devices: the one given, or the device's own; between machines, a
    device's share of the network if that is slower.
    """
    known = None if setup.device is None else setup.device.link
    link = setup.link or (None if known is None else Link(known))
    if setup.network is None or setup.sharing == setup.devices:
        return link
    part = Link(setup.network.bandwidth / setup.sharing, setup.network.latency)
    return part if link is None or part.bandwidth < link.bandwidth else link


# The formulas of a plan, one line each. An unknown number makes the result unknown.


def compute_seconds(work: float, peak: float, efficiency: float = 1.0, devices: int = 1) -> float:
    """Returns the seconds that `work` FLOPs take on devices that reach this share of their peak."""
    compute = work / (peak * efficiency * devices)  # step: compute
    return compute


def with_bubble(compute: float, share: float) -> float:
    """Returns the seconds of a pipeline whose stages wait for this share of their working time."""
    seconds = compute * (1 + share)  # step: bubble
    return seconds


def step_seconds(compute: float | None, communication: float | None) -> float | None:
    """Returns the longer of the two times, since arithmetic and communication overlap."""
    if compute is None or communication is None:
        return None
    step = np.maximum(compute, communication)  # step: step
    return float(step)


def whole_seconds(steps: int, step: float | None) -> float | None:
    """Returns the seconds of so many steps."""
    if step is None:
        return None
    seconds = steps * step  # step: seconds
    return seconds


def joules(seconds: float | None, devices: int, watts: float | None) -> float | None:
    """Returns the energy that the devices use."""
    if seconds is None or watts is None:
        return None
    energy = seconds * devices * watts  # step: energy
    return energy


def money(seconds: float | None, devices: int, price: float | None) -> float | None:
    """Returns the cost of devices at a price per hour."""
    if seconds is None or price is None:
        return None
    cost = seconds / 3600 * devices * price  # step: cost
    return cost
