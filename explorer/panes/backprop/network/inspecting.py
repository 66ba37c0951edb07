"""What the inspector says: of an optimizer step, a neuron, a weight, or a sample's step."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.trace import Step
from explorer.panes.backprop.network.loss_numbers import loss_rows
from explorer.panes.backprop.network.moment import Moment
from explorer.panes.backprop.network.sample import Sample
from explorer.panes.backprop.network.spots import (
    Neuron,
    Spot,
    Weight,
    is_dead,
    is_there,
    name_of,
)
from explorer.panes.backprop.network.updates import liveliest, optimizer_trace
from explorer.panes.backprop.network.words import sample_title
from explorer.panes.backprop.optimizers.substituting import formula_of, names_of, written
from explorer.panes.base import Inspection, Row
from explorer.theme_numbers import format_number
from explorer.widgets.live_numbers import Equation, Terms

MOST_ROWS = 8
SUMS = "core.autograd.arithmetic:MatMul.forward#forward"
ROWS_BY_ROWS = ("gram", "poly")  # of Muon's: a row of numbers for each row of the matrix


def of_moment(moment: Moment, spot: Spot, pinned: bool) -> Inspection:
    """The optimizer's last step, for the weight or neuron that is looked at, or for one weight."""
    if isinstance(spot, Neuron) and spot.column:
        return _of_neuron(moment, spot, pinned)
    weight = spot if isinstance(spot, Weight) else liveliest(moment)
    if weight is None:
        return Inspection(rows=_summary(moment), table=_table(moment), title=_title(moment))
    step, rows = update_of(moment, weight)
    first = name_of(weight.layer, weight.before, moment.sizes)
    then = name_of(weight.layer + 1, weight.after, moment.sizes)
    value = float(moment.weights[weight.layer][weight.before, weight.after])
    rows = [*rows, Equation("weight now", value, "accent", f"{first} \u2192 {then}")]
    if not isinstance(spot, Weight):
        rows = [*rows, *_summary(moment)]
    title = f"Weight {first} \u2192 {then}" if isinstance(spot, Weight) else _title(moment)
    return Inspection(
        step=step, rows=rows, table=_table(moment), pinned=pinned, title=title, plain=True
    )


def of_inner(moment: Moment, layer: int, step: Step, spot: Spot) -> Inspection:
    """A line of an optimizer step: the loss, or what the optimizer does with each weight of
    `layer`; in numbers the one that is looked at, or the liveliest.
    """
    values = {name: np.asarray(value) for name, value in _values(step).items()}
    there = isinstance(spot, Weight) and spot.layer == layer and is_there(spot, moment.sizes)
    lively = spot if isinstance(spot, Weight) and there else liveliest(moment, layer)
    rows: list[Any] = []
    if step.name != "loss" and lively is not None:
        first = name_of(lively.layer, lively.before, moment.sizes)
        then = name_of(lively.layer + 1, lively.after, moment.sizes)
        rows.append(f"For the weight {first} \u2192 {then}:")
        shape = moment.weights[layer].shape
        rows += [
            Equation(name, *_told(name, value, lively, shape, inner=step.parent is not None))
            for name, value in values.items()
        ]
        rows += _with_numbers(moment, step, lively)
    elif moment.update is not None:
        rows.append(Equation("loss", float(values["loss"]), "accent", "of this step's batch"))
        said = moment.update.said
        for number in range(min(len(said), MOST_ROWS - 2)):
            target = format_number(float(moment.update.targets[number]))
            told = ", ".join(format_number(float(one)) for one in said[number])
            rows.append(Equation(f"z of point {number + 1}", told, "text", f"target {target}"))
        if len(said) > MOST_ROWS - 2:
            rows.append(f"and {len(said) - MOST_ROWS + 2} more: see Numbers")
    return Inspection(step=step, rows=rows, table=values, title=step.title, plain=True)


def _with_numbers(moment: Moment, step: Step, weight: Weight) -> list[Any]:
    """The line's arithmetic for one weight; nothing where it is no sum of a few terms."""
    assert moment.update is not None
    trace = optimizer_trace(moment.update, f"{weight.layer}.weight")
    formula = formula_of(trace, step)
    if not formula:
        return []
    names = names_of(trace)
    place = np.ravel_multi_index((weight.before, weight.after), moment.weights[weight.layer].shape)
    text = written(formula, names, int(place))
    made = float(names[next(iter(step.values))][place])
    return ["With the numbers:", Row(f"{text} = {format_number(made)}", "text")]


def _title(moment: Moment) -> str:
    if moment.update is None:
        return "Before the first step"
    return f"Step {moment.step:,}: one weight's update"


def update_of(moment: Moment, weight: Weight) -> tuple[Step | None, list[Any]]:
    """The optimizer's last line for one weight, with every number before it."""
    update = moment.update
    name = f"{weight.layer}.weight"
    if update is None or name not in update.gradients:
        return None, ["It has not taken a step yet."]
    trace = optimizer_trace(update, name)
    place = (weight.before, weight.after)
    rows: list[Any] = []
    for step in trace:
        if step.parent is not None:
            continue
        values = {name: np.asarray(value) for name, value in _values(step).items()}
        made = next(iter(values))
        rows.append(Equation(made, _at(values[made], place), "text", step.title))
    gradient = float(update.gradients[name][place])
    rows.insert(0, Equation("gradient", gradient, "text", "of the loss on this step's batch"))
    moves = next(step for step in trace if step.name == "optimizer.move")
    return moves, rows[-MOST_ROWS:]


def _values(step: Step) -> dict[str, Any]:
    return {name: step.value(name) for name in step.values}


def _at(value: np.ndarray, place: tuple[int, int]) -> float:
    if value.ndim == 2:
        return float(value[place])
    return float(value) if value.ndim == 0 else float("nan")


def _told(
    name: str, value: np.ndarray, weight: Weight, shape: tuple[int, ...], *, inner: bool
) -> tuple[float | str, str, str]:
    """A weight's number in a value of its layer, its color and a note; a shape where it has none.

    Inside of Muon's line a tall matrix lies on its side, and some compare rows with rows.
    """
    place = (weight.before, weight.after)
    if value.ndim == 0 or (value.shape == shape and not inner):
        return _at(value, place), "text", ""
    tall = shape[0] > shape[1]
    if name not in ROWS_BY_ROWS and value.shape == (shape[::-1] if tall else shape):
        return _at(value, place[::-1] if tall else place), "text", ""
    return " \u00d7 ".join(map(str, value.shape)), "text", "see Numbers"


def _of_neuron(moment: Moment, spot: Neuron, pinned: bool) -> Inspection:
    """Its bias and the weights that lead to it."""
    layer = spot.column - 1
    weights = moment.weights[layer][:, spot.number]
    names = [name_of(layer, number, moment.sizes) for number in range(len(weights))]
    rows: list[Any] = [
        Equation(f"w from {name}", float(weight))
        for name, weight in zip(names, weights, strict=True)
    ]
    rows.append(Equation("bias", float(moment.biases[layer][spot.number])))
    if is_dead(moment, spot.column, spot.number):
        rows.append("Dead: 0 for every point, so no gradient reaches it.")
    title = name_of(spot.column, spot.number, moment.sizes)
    return Inspection(
        step=_sums(moment, layer),
        rows=rows,
        table={"weights": weights},
        pinned=pinned,
        title=title[:1].upper() + title[1:],
        plain=True,
    )


def _sums(moment: Moment, layer: int) -> Step:
    """How the neurons of a layer come to what they say."""
    kind, norm = moment.experiment.activation, moment.experiment.norm
    sums = r"z = \sum_i w_i \, x_i + b"
    if layer == len(moment.weights) - 1:
        return Step("network.sums", "The output", sums, SUMS, {"b": moment.weights[layer]})
    says = "z" if kind == "linear" else rf"\text{{{kind}}}(z)"
    if norm != "none":
        sums = rf"z = g \cdot \text{{{norm} norm}}\Big(\sum_i w_i \, x_i\Big) + b"
    formula = rf"{sums}, \quad a = {says}"
    return Step("network.sums", "What it says", formula, SUMS, {"b": moment.weights[layer]})


def _summary(moment: Moment) -> list[Any]:
    rows: list[Any] = [
        Equation("training loss", moment.train_loss, "text", "all training points"),
        Equation("test loss", moment.test_loss, "text", "points it has not seen"),
        Equation("learning rate", moment.learning_rate, "text", "of the next step"),
    ]
    return [row for row in rows if not np.isnan(row.value)]


def _table(moment: Moment) -> dict[str, np.ndarray]:
    table: dict[str, np.ndarray] = {}
    for number, (weights, biases) in enumerate(zip(moment.weights, moment.biases, strict=True), 1):
        table[f"W{number}"], table[f"b{number}"] = weights, biases
    if moment.update is not None:
        for name, gradient in moment.update.gradients.items():
            table[f"gradient of {name}"] = gradient
    return table


# one sample


def of_sample(sample: Sample, moment: int, spot: Spot) -> Inspection:
    """The operation that happens, with its numbers for the neuron that is looked at."""
    title = sample_title(sample, moment)
    if not title[1:2].isdigit():  # no name
        title = title[:1].upper() + title[1:]
    if moment == 0:
        rows: list[Any] = [
            Equation(f"x{number + 1}", value, "accent") for number, value in enumerate(sample.point)
        ]
        rows.append(Equation("target", sample.target, "text"))
        rows.append("Batch and penalty are left out: this point alone.")
        return Inspection(rows=rows, table={"x": np.array(sample.point)}, title=title)
    step = sample.step_at(moment)
    table = {name: np.asarray(value) for name, value in _values(step).items()}
    rows = _sample_rows(sample, moment, spot)
    return Inspection(step=step, rows=rows, table=table, title=title, plain=True)


def _sample_rows(sample: Sample, moment: int, spot: Spot) -> list[Any]:
    if (told := loss_rows(sample, moment)) is not None:
        return told
    place, step = sample.place_at(moment), sample.step_at(moment)
    role, nodes = sample.roles[place.node], sample.graph.nodes
    node = nodes[place.node]
    if place.phase == "forward" and role.kind == "product":
        before, weight = (np.asarray(nodes[number].tensor.data) for number in node.inputs)
        chosen = _chosen(spot, role.column, weight.shape[1], node.tensor.data)
        names = [f"{nodes[node.inputs[0]].label}[{n + 1}]" for n in range(len(weight))]
        terms = Terms(
            f"{node.label}[{chosen + 1}]",
            before.reshape(-1),
            weight[:, chosen],
            ("text", "text"),
            names,
            None,
            "accent",
        )
        return [f"Neuron {chosen + 1} of {weight.shape[1]}: point at another to see its sum", terms]
    if place.phase == "backward" and role.kind == "product":
        return _back_through_weights(sample, moment, spot)
    if place.phase == "seed":
        return [Equation("dL/dL", 1.0, "accent", "the loss moves as itself")]
    column = role.column
    if place.input is not None:
        column = sample.roles[node.inputs[place.input]].column
    values = {name: np.asarray(value) for name, value in _values(step).items()}
    made = values["out" if place.phase == "forward" else "contribution"]
    wide = max(value.shape[-1] if value.ndim else 1 for value in values.values())
    chosen = _chosen(spot, column, wide, made)  # one neuron, so that the arithmetic holds
    rows: list[Any] = []
    if wide > 1:
        rows.append(f"Neuron {chosen + 1} of {wide}: point at another to see its numbers")
    for name, value in values.items():
        flat = value.reshape(-1)
        which = f"[{chosen + 1}]" if flat.size == wide > 1 else ""
        told = float(flat[chosen]) if which else float(flat[0])
        role_of = "accent" if value is made else "text"
        rows.append(Equation(*_called(sample, moment, name, which, told), role_of))
    return rows


def _called(sample: Sample, moment: int, name: str, which: str, told: float) -> tuple[str, float]:
    """A value of a step under the name that it has in the formula."""
    place, nodes = sample.place_at(moment), sample.graph.nodes
    node = nodes[place.node]
    labels = {"out": node.label}
    operation = node.tensor.operation
    for index, before in enumerate(node.inputs):
        labels[operation.input_name(index) if operation else ""] = nodes[before].label
    if name in labels:
        return f"{labels[name]}{which}", told
    if place.input is None:
        return name, told
    to = nodes[node.inputs[place.input]].label
    slopes = {"upstream": f"dL/d{node.label}", "local": f"d{node.label}/d{to}"}
    return f"{slopes.get(name, f'{name} to dL/d{to}')}{which}", told


def _back_through_weights(sample: Sample, moment: int, spot: Spot) -> list[Any]:
    place = sample.place_at(moment)
    nodes, node = sample.graph.nodes, sample.graph.nodes[place.node]
    assert place.input is not None
    step = sample.step_at(moment)
    before, weight = (np.asarray(nodes[number].tensor.data) for number in node.inputs)
    upstream = np.asarray(step.value("upstream")).reshape(-1)
    target = sample.roles[node.inputs[place.input]]
    if target.kind == "weight":
        gradient = np.asarray(step.value("contribution"))
        column = sample.roles[place.node].column
        chosen = _chosen(spot, column, gradient.shape[1], gradient.sum(0))
        rows: list[Any] = [f"Into neuron {chosen + 1}, whose gradient is {_say(upstream[chosen])}:"]
        rows += [
            Equation(
                f"dL/dW{column}[{n + 1},{chosen + 1}]",
                float(gradient[n, chosen]),
                "text",
                f"= {_say(before.reshape(-1)[n])} \u00d7 {_say(upstream[chosen])}",
            )
            for n in range(min(len(gradient), MOST_ROWS))
        ]
        return rows
    chosen = _chosen(spot, target.column, weight.shape[0], step.value("contribution"))
    names = [f"by neuron {n + 1}" for n in range(weight.shape[1])]
    label = nodes[node.inputs[0]].label
    return [
        f"Neuron {chosen + 1}: its weights \u00d7 the gradients that they lead to",
        Terms(
            f"dL/d{label}[{chosen + 1}]",
            weight[chosen],
            upstream,
            ("text", "text"),
            names,
            None,
            "accent",
        ),
    ]


def _say(value: float) -> str:
    return format_number(float(value))


def _chosen(spot: Spot, column: int, count: int, values: Any) -> int:
    """The neuron that is looked at, where it is in that column; else the one with most to say."""
    if isinstance(spot, Neuron) and spot.column == column and spot.number < count:
        return spot.number
    flat = np.abs(np.nan_to_num(np.asarray(values, dtype=np.float64))).reshape(-1)
    return int(flat.argmax()) % max(1, count) if flat.size else 0
