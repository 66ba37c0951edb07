r"""A plan as a Trace: the calculation term by term, each with the line that computes it.

    memory    parameters, weights, gradients, optimizer states, master weights, activations
    one step  FLOPs, arithmetic, bytes sent, communication, the step, MFU
    the whole time, energy, cost, expected loss, best size

An unknown term has no step: if the peak is unknown, there is no time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, astuple, dataclass, fields, replace
from typing import Any

from core.numbers import format_count, format_percent
from core.optimization.optimizers import OPTIMIZERS
from core.trace import Step, Trace
from core.training.estimates import memory
from core.training.estimates.communication import Transfer, exchanges
from core.training.estimates.plan import Plan, Setup, compute_seconds, link_of, plan
from core.training.estimates.scaling_law import CHINCHILLA
from core.transformer.parameters import inner_matrices

_HERE = "core.training.estimates"
FORMULAS = {
    "parameters": r"N = N_{\mathrm{embed}} + N_{\mathrm{attn}} + N_{\mathrm{mlp}} + \dots",
    "weights": r"M_w = b_w \, N",
    "gradients": r"M_g = b_g \, N",
    "optimizer": r"M_o = 4 \, n_{\mathrm{moments}}",
    "master": r"M_m = b_m \, N",
    "share": r"M / n",
    "state": r"M_s = M_w + M_g + M_o + M_m",
    "layer": r"a = s \, b \, h \, f",
    "activations": r"A = L \, a + a_{\mathrm{around}}",
    "kept": r"A = A_{\mathrm{embed}} + A_{\mathrm{blocks}} + A_{\mathrm{norm}} + "
    r"A_{\mathrm{loss}} + A_{\mathrm{casts}}",
    "memory": r"M = M_s + A",
    "flops": r"c = 6 \, N_{\mathrm{matrix}} + 12 \, L H D T",
    "work": r"C = c \, B T \, r",
    "compute": r"t_c = \frac{C}{P \, e \, n}",
    "bubble": r"t_b = t_c \left( 1 + \frac{p - 1}{m} \right)",
    "half": r"\frac{n - 1}{n} \, M",
    "sent": r"S = 2 \, \frac{n - 1}{n} \, M",
    "zero": r"S = k_g \, \frac{n - 1}{n} \, G + k_w \, \frac{n - 1}{n} \, W",
    "passed": r"S_p = 2 \, m \, a",
    "communication": r"t_s = k \, \lambda + \frac{S}{W}",
    "step": r"t = \max(t_c, t_s)",
    "mfu": r"\mathrm{MFU} = \frac{c \, B T / t}{P \, n}",
    "seconds": r"\tau = n_{\mathrm{steps}} \, t",
    "energy": r"E = \tau \, n \, p",
    "cost": r"\tau \, n \, c_{\mathrm{hour}} / 3600",
    "loss": r"L(N, D) = E + \frac{A}{N^{\alpha}} + \frac{B}{D^{\beta}}",
    "optimum": r"N^{*} = G \left( \frac{C}{6} \right)^{\beta / (\alpha + \beta)}",
}
STATES = {
    "weights": "weights",
    "gradients": "gradients",
    "optimizer": "optimizer states",
    "master": "the fp32 master copy of the weights",
}


@dataclass(frozen=True, eq=False)
class Planned:
    """A setup with the plans for all ZeRO stages, and its own plan as a Trace."""

    setup: Setup
    stages: tuple[Plan, ...]
    trace: Trace

    @property
    def plan(self) -> Plan:
        """The plan for the chosen stage."""
        return self.stages[self.setup.stage]


def planned(setup: Setup) -> Planned:
    """Calculates all plans, in a few milliseconds. Raises the errors of `plan`."""
    stages = tuple(plan(replace(setup, stage=stage)) for stage in memory.ZERO_STAGES)
    return Planned(setup, stages, trace_plan(setup))


def trace_plan(setup: Setup) -> Trace:
    """Returns the steps of a plan; `about["plan"]` is the plan. Raises the errors of `plan`."""
    found = plan(setup)
    trace = Trace({"plan": found})
    for step in (*_memory(setup, found), *_one_step(setup, found), *_whole(setup, found)):
        trace.append(step)
    return trace.finish()


def _step(term: str, title: str, code: str, values: Mapping[str, Any]) -> Step:
    return Step(f"plan.{term}", title, FORMULAS[term.rpartition(".")[2]], code, values)


def _memory(setup: Setup, found: Plan) -> Iterator[Step]:
    names = ("tokens", "positions", "attention", "mlp", "norms", "head", "total")
    counts = (*astuple(found.parameters), found.parameters.total)
    yield _step(
        "parameters",
        "Parameters: all numbers that are learned, part by part",
        "core.transformer.parameters:ParameterCount.total#total",
        {**dict(zip(names, counts, strict=True))},
    )
    yield from _states(setup, found)
    yield _step(
        "state",
        "Model state: all that one device holds of the model",
        f"{_HERE}.memory:ModelState.total#state",
        {**asdict(found.state), "total": found.state.total},
    )
    yield from _activations(setup, found)
    yield _step(
        "memory",
        "Memory of one device: the model state and the activations",
        f"{_HERE}.plan:Plan.bytes#memory",
        {"state": found.state.total, "activations": found.activations, "together": found.bytes},
    )


def _states(setup: Setup, found: Plan) -> Iterator[Step]:
    """Yields each kind of memory, followed by a device's part if ZeRO divides it."""
    layout, rule = memory.LAYOUTS[setup.layout], OPTIMIZERS[setup.optimizer]
    remembered = memory.numbers_remembered(setup.model, setup.optimizer)
    count, ranks, stages = found.parameters.total, setup.replicas, setup.pipeline
    whole = memory.model_state(count, remembered, setup.layout)
    each = dict(zip(("weights", "gradients", "master"), layout, strict=True))
    lines = {"weights": "weight_bytes", "gradients": "gradient_bytes", "master": "master_bytes"}
    for field in fields(whole):
        name, size = field.name, getattr(whole, field.name)
        if not size:
            continue
        read: dict[str, float] = {"remembered": remembered}
        numbers = f"{format_count(remembered)} numbers of 4 bytes"
        title = f"Optimizer states: {rule.title} remembers {numbers}"
        if name in lines:
            read = {lines[name]: each[name], "parameters": count}
            title = f"{STATES[name].capitalize()}: {each[name]} bytes per parameter"
        code = f"{_HERE}.memory:model_state#{name}"
        yield _step(name, title, code, {**read, name: size})
        if stages > 1:
            yield _step(
                f"{name}.stage.share",
                f"A pipeline divides {STATES[name]} among {stages:,} stages",
                f"{_HERE}.memory:_share#share",
                {"size": size, "ranks": stages, "share": size / stages},
            )
        if setup.stage >= memory.SHARDED_FROM[name] and ranks > 1:
            yield _step(
                f"{name}.share",
                f"ZeRO divides {STATES[name]} among {ranks:,} devices",
                f"{_HERE}.memory:_share#share",
                {"size": size / stages, "ranks": ranks, "share": getattr(found.state, name)},
            )


def _activations(setup: Setup, found: Plan) -> Iterator[Step]:
    model, sequences = setup.model, setup.micro_batch
    item = setup.item
    if (counted := setup.kept) is not None:
        yield _step(
            "activations.kept",
            "Activations: what this program's layers keep from forward to backward, part by part",
            f"{_HERE}.activations:Kept.total#kept",
            {**asdict(counted), "total": counted.total},
        )
        return
    layer = memory.layer_activations(model, sequences, setup.recompute, item)
    yield _step(
        "layer",
        "Activations of one layer, kept from forward to backward",
        f"{_HERE}.memory:layer_activations#layer",
        {
            "s": model.block_size,
            "sequences": sequences,
            "h": model.n_embd,
            "factor": memory.kept_bytes(model, setup.recompute, item),
            "kept": layer,
        },
    )
    yield _step(
        "activations",
        "Activations of all layers, and of embedding, logits and loss",
        f"{_HERE}.memory:activations#activations",
        {
            "layers": setup.kept_layers,
            "layer": layer,
            "around": memory.around_activations(model, sequences, item),
            "kept": found.activations,
        },
    )


def _one_step(setup: Setup, found: Plan) -> Iterator[Step]:
    model, device, devices = setup.model, setup.device, setup.devices
    inner = sum(rows * columns for rows, columns in inner_matrices(model))
    step_tokens = setup.batch_size * model.block_size
    again = 4 / 3 if setup.recompute == "full" else 1
    work = found.flops_per_token * step_tokens * again
    yield _step(
        "flops",
        "FLOPs per token: six for each weight in a matrix product, plus attention",
        f"{_HERE}.flops:flops_per_token#flops",
        {
            "weights": model.n_layer * inner + model.vocab_size * model.n_embd,
            "layers": model.n_layer,
            "width": model.n_head * model.head_width,
            "T": model.block_size,
            "flops": found.flops_per_token,
        },
    )
    yield _step(
        "work",
        f"FLOPs of one step, which reads {format_count(step_tokens)} tokens",
        f"{_HERE}.plan:plan#work",
        {
            "per_token": found.flops_per_token,
            "step_tokens": step_tokens,
            "again": again,
            "work": work,
        },
    )
    peak = device.peak_flops(setup.precision) if device else None
    if device is not None and peak is not None:
        busy = compute_seconds(work, peak, setup.efficiency, devices)
        yield _step(
            "compute",
            f"Arithmetic time of one step, at {format_percent(setup.efficiency)} of the peak",
            f"{_HERE}.plan:compute_seconds#compute",
            {
                "work": work,
                "peak": peak,
                "efficiency": setup.efficiency,
                "devices": devices,
                "compute": busy,
            },
        )
        if setup.pipeline > 1:
            yield _step(
                "bubble",
                f"The bubble: {setup.pipeline} stages wait for one another while a step of "
                f"{setup.micro_batches} micro-batches begins and ends",
                f"{_HERE}.plan:with_bubble#bubble",
                {"compute": busy, "share": setup.bubble, "seconds": found.compute},
            )
    if setup.replicas > 1:
        yield from _communication(setup, found)
    if setup.pipeline > 1:
        yield from _between_stages(setup, found)
    if found.step is not None:
        yield _step(
            "step",
            "One step: arithmetic and communication overlap, so the longer one sets the time",
            f"{_HERE}.plan:step_seconds#step",
            {"compute": found.compute, "communication": found.communication, "step": found.step},
        )
    if found.step is not None and found.utilization is not None:
        yield _step(
            "mfu",
            "MFU: the model's FLOPs as a share of what the devices could do in the same time",
            f"{_HERE}.flops:model_flops_utilization#mfu",
            {
                "reached": step_tokens / found.step * found.flops_per_token,
                "peak": peak,
                "devices": devices,
                "utilization": found.utilization,
            },
        )


def _communication(setup: Setup, found: Plan) -> Iterator[Step]:
    remembered, ranks = memory.numbers_remembered(setup.model, setup.optimizer), setup.replicas
    whole = memory.model_state(found.parameters.total, remembered, setup.layout)
    whole = memory.stage_state(whole, setup.pipeline)
    back = whole.gradients if setup.stage == 0 else whole.weights
    half = {size: size * (ranks - 1) / ranks for size in (whole.gradients, back)}
    yield _step(
        "half",
        "Gradients are added up around a ring: each device sends all but its own part",
        f"{_HERE}.communication:_half#half",
        {"size": whole.gradients, "ranks": ranks, "sent": half[whole.gradients]},
    )
    both = {"there": half[whole.gradients], "back": half[back], "sent": found.sent.bytes}
    if setup.stage == 0:
        code, title = (
            "all_reduce#all_reduce",
            "Each device sends as much again while the sum goes around the ring",
        )
    else:
        code = "data_parallel#sent"
        title = "Each device sends gradients to be added up and weights to be gathered"
        counts = exchanges(setup.stage, setup.micro_batches)
        both |= dict(zip(("scatters", "gathers"), counts, strict=True))
    term = "sent" if setup.stage == 0 else "sent.zero"
    yield _step(term, title, f"{_HERE}.communication:{code}", {**both})
    yield from _seconds(setup, found.sent, "Communication time of one step")


def _between_stages(setup: Setup, found: Plan) -> Iterator[Step]:
    size = setup.micro_batch * setup.model.block_size * setup.model.n_embd * setup.item
    yield _step(
        "passed",
        "Each stage sends activations forward and gradients back for each micro-batch",
        f"{_HERE}.communication:between_stages#passed",
        {"micro_batches": setup.micro_batches, "size": size, "sent": found.passed.bytes},
    )
    yield from _seconds(setup, found.passed, "Communication time between stages")


def _seconds(setup: Setup, transfer: Transfer, title: str) -> Iterator[Step]:
    link = link_of(setup)
    if link is None:
        return
    yield _step(
        "communication",
        title,
        f"{_HERE}.communication:Transfer.seconds#seconds",
        {
            "sent": transfer.bytes,
            "steps": transfer.steps,
            "bandwidth": link.bandwidth,
            "latency": link.latency,
            "seconds": transfer.seconds(link),
        },
    )


def _whole(setup: Setup, found: Plan) -> Iterator[Step]:
    tokens, devices = setup.tokens, setup.devices
    if found.seconds is not None:
        yield _step(
            "seconds",
            f"Time of the whole run, which reads {format_count(round(tokens))} tokens",
            f"{_HERE}.plan:whole_seconds#seconds",
            {"steps": found.steps, "step": found.step, "seconds": found.seconds},
        )
    spent = {"seconds": found.seconds, "devices": devices}
    if found.energy is not None and setup.device is not None:
        watts = setup.device.watts
        title, code = "Energy that the devices use, in joules", f"{_HERE}.plan:joules#energy"
        yield _step("energy", title, code, {**spent, "watts": watts, "energy": found.energy})
    if found.cost is not None:
        title, code = "Cost: device-hours times the price of one hour", f"{_HERE}.plan:money#cost"
        yield _step("cost", title, code, {**spent, "price": setup.price, "cost": found.cost})
    yield _step(
        "loss",
        "The loss that the scaling law predicts, in nats per token",
        f"{_HERE}.scaling_law:ScalingLaw.loss#loss",
        {**asdict(CHINCHILLA), "N": found.parameters.total, "D": tokens, "loss": found.loss},
    )
    both = CHINCHILLA.alpha + CHINCHILLA.beta
    yield _step(
        "optimum",
        "The model size that would reach the lowest loss with the same FLOPs",
        f"{_HERE}.scaling_law:ScalingLaw.optimum#optimum",
        {
            "G": (CHINCHILLA.alpha * CHINCHILLA.A / (CHINCHILLA.beta * CHINCHILLA.B)) ** (1 / both),
            "flops": 6 * found.parameters.total * tokens,
            "beta": CHINCHILLA.beta,
            "both": both,
            "N": found.best[0],
        },
    )
