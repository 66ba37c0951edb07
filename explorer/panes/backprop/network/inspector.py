"""Builds the inspection of an optimizer step, a neuron, a weight or a followed point."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from core.autograd.operation import WHERE
from core.marked_line import marked_line
from core.numbers import format_number
from core.substitution import arithmetic
from core.tokenization.telling import count
from core.trace import Step
from explorer.panes.backprop.network.elements import Element, Neuron, Weight, is_there, name_of
from explorer.panes.backprop.network.keyframe import Keyframe, Update
from explorer.panes.backprop.network.loss_rows import OF_NORM, loss_rows, norm_rows
from explorer.panes.backprop.network.neuron_rows import (
    neuron_rows,
    neuron_step,
    neuron_table,
    neuron_title,
)
from explorer.panes.backprop.network.optimizer_rows import line_rows, update_rows
from explorer.panes.backprop.network.optimizer_step import largest_bias_gradient, largest_gradient
from explorer.panes.backprop.network.sample import Sample
from explorer.panes.backprop.network.text import sample_title
from explorer.panes.base import Inspection
from explorer.widgets.live_numbers import Equation, Terms, in_a_line

MOST_ROWS = 8


def of_keyframe(keyframe: Keyframe, element: Element, pinned: bool) -> Inspection:
    """Returns the last update of a weight, or the calculation of a neuron's output."""
    if isinstance(element, Neuron) and element.column:
        step, rows = neuron_step(keyframe, element), neuron_rows(keyframe, element)
        table, title = neuron_table(keyframe, element), neuron_title(keyframe, element)
        return _inspection(table, step=step, rows=rows, pinned=pinned, title=title, plain=True)
    weight = element if isinstance(element, Weight) else largest_gradient(keyframe)
    if weight is None:
        return _inspection(_table(keyframe), rows=_summary(keyframe), title=_title(keyframe))
    if not isinstance(element, Weight):
        return _of_largest_gradient(keyframe, weight)
    step, rows = update_rows(keyframe, weight)
    way = _way(keyframe, weight)
    if step is None:
        value = float(keyframe.weights[weight.layer][weight.before, weight.after])
        rows = [*rows, Equation("weight now", value, "accent", way)]
    title = f"Weight {way}"
    return _inspection(
        _table(keyframe), step=step, rows=rows, pinned=pinned, title=title, plain=True
    )


def _of_largest_gradient(keyframe: Keyframe, weight: Weight) -> Inspection:
    """Returns the update of the weight with the largest gradient, or a bias if all are 0."""
    assert keyframe.update is not None
    gradient = keyframe.update.gradients[f"{weight.layer}.weight"][weight.before, weight.after]
    bias = None if gradient else largest_bias_gradient(keyframe)
    if bias is None:
        head, where = "This weight has the largest gradient:", _way(keyframe, weight)
    else:
        head = "No weight has a gradient. This bias has the largest one:"
        where = f"bias of {name_of(bias.layer + 1, bias.after, keyframe.sizes)}"
    step, told = update_rows(keyframe, bias or weight)
    rows = [head, where, *told, *_summary(keyframe)]
    title = _title(keyframe, "weight" if bias is None else "bias")
    return _inspection(_table(keyframe), step=step, rows=rows, title=title, plain=True)


def _way(keyframe: Keyframe, weight: Weight) -> str:
    first = name_of(weight.layer, weight.before, keyframe.sizes)
    return f"{first} \u2192 {name_of(weight.layer + 1, weight.after, keyframe.sizes)}"


def of_inner(keyframe: Keyframe, layer: int, step: Step, element: Element) -> Inspection:
    """Returns the inspection of a line of an optimizer step: the loss, or the update of each weight
    of `layer`, with the numbers of the selected weight or of the one with the largest gradient.
    """
    values = {name: np.asarray(value) for name, value in _values(step).items()}
    there = (
        isinstance(element, Weight) and element.layer == layer and is_there(element, keyframe.sizes)
    )
    largest = (
        element if isinstance(element, Weight) and there else largest_gradient(keyframe, layer)
    )
    rows: list[Any] = []
    if step.name != "loss" and largest is not None:
        rows = line_rows(keyframe, layer, step, largest)
    elif keyframe.update is not None:
        rows += _cost_rows(keyframe.update, float(values["loss"]))
        said = keyframe.update.said
        for number in range(min(len(said), MOST_ROWS - 2)):
            target = format_number(float(keyframe.update.targets[number]))
            told = ", ".join(format_number(float(one)) for one in said[number])
            rows.append(Equation(f"z of point {number + 1}", told, "text", f"target {target}"))
        if len(said) > MOST_ROWS - 2:
            rows.append(f"The Numbers tab shows {len(said) - MOST_ROWS + 2} more.")
    return _inspection(values, step=step, rows=rows, title=step.title, plain=True)


def _cost_rows(update: Update, loss: float) -> list[Any]:
    """Returns the objective of the step: the loss of its batch, plus a penalty if there is one."""
    if update.penalty == "none":
        return [Equation("loss", loss, "accent", "mean over this step's batch")]
    weights = [value for name, value in update.before.items() if name.endswith("weight")]
    square = update.penalty == "l2"
    total = sum(float((one * one if square else np.abs(one)).sum()) for one in weights)
    sign = "w\u00b2" if square else "|w|"
    price, said = update.strength * total, f"{format_number(update.strength)} \u00d7 \u03a3 {sign}"
    return [
        Equation("loss", loss, "text", "mean over this step's batch"),
        Equation(f"{update.penalty.upper()} penalty", price, "text", f"{said} over all weights"),
        Equation("cost", loss + price, "accent", "their sum, which the step should reduce"),
    ]


def _inspection(table: dict[str, np.ndarray], **told: Any) -> Inspection:
    """Returns an Inspection whose tables number rows and columns from 1, as neurons are."""
    labels = {
        name: tuple(_from_one(size) for size in (*value.shape, 0)[:2])
        for name, value in table.items()
        if value.ndim in (1, 2)
    }
    return Inspection(table=table, labels=labels, **told)


@lru_cache(maxsize=64)
def _from_one(count: int) -> tuple[str, ...]:
    return tuple(str(number + 1) for number in range(count))


def _title(keyframe: Keyframe, what: str = "weight") -> str:
    if keyframe.update is None and keyframe.step:
        return "After " + count(keyframe.step, "step")
    if keyframe.update is None:
        return "Before the first step"
    return f"Step {keyframe.step:,}: the update of one {what}"


def _values(step: Step) -> dict[str, Any]:
    """Returns the step's values without mere indices."""
    return {name: step.value(name) for name in step.values if name not in WHERE}


def _summary(keyframe: Keyframe) -> list[Any]:
    rows: list[Any] = [
        Equation("training loss", keyframe.train_loss, "text", "mean over the training points"),
        Equation("test loss", keyframe.test_loss, "text", "mean over the test points"),
        Equation("learning rate", keyframe.learning_rate, "text", "for the next step"),
    ]
    return [row for row in rows if not np.isnan(row.value)]


def _table(keyframe: Keyframe) -> dict[str, np.ndarray]:
    table: dict[str, np.ndarray] = {}
    for number, (weights, biases) in enumerate(
        zip(keyframe.weights, keyframe.biases, strict=True), 1
    ):
        table[f"W{number}"], table[f"b{number}"] = weights, biases
    if keyframe.update is not None:
        for name, gradient in keyframe.update.gradients.items():
            table[f"gradient of {name}"] = gradient
    return table


# followed point


def of_sample(sample: Sample, index: int, element: Element) -> Inspection:
    """Returns the operation of a step, with its numbers for the selected neuron."""
    title = sample_title(sample, index)
    if not title[1:2].isdigit():  # not a name
        title = title[:1].upper() + title[1:]
    if index == 0:
        rows: list[Any] = [
            Equation(f"x{number + 1}", value, "accent") for number, value in enumerate(sample.point)
        ]
        rows.append(Equation("target", sample.target, "text"))
        rows.append("These steps are for one point alone, without a batch or a penalty.")
        return _inspection({"x": np.array(sample.point)}, rows=rows, title=title)
    step = sample.step_at(index)
    table = {name: np.asarray(value) for name, value in _values(step).items()}
    rows = _sample_rows(sample, index, element)
    return _inspection(table, step=step, rows=rows, title=title, plain=True)


def _sample_rows(sample: Sample, index: int, element: Element) -> list[Any]:
    if (told := loss_rows(sample, index)) is not None:
        return told
    place, step = sample.place_at(index), sample.step_at(index)
    role, nodes = sample.roles[place.node], sample.graph.nodes
    node = nodes[place.node]
    if place.phase == "forward" and role.kind == "product":
        before, weight = (np.asarray(nodes[number].tensor.data) for number in node.inputs)
        chosen = _chosen(element, role.column, weight.shape[1], node.tensor.data)
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
        count = weight.shape[1]
        if count == 1:
            return [terms]
        return [f"Neuron {chosen + 1} of {count} (point at another to see its sum)", terms]
    if place.phase == "backward" and role.kind == "product":
        return _back_through_weights(sample, index, element)
    if place.phase == "seed":
        return [Equation("dL/dL", 1.0, "accent", "the loss with respect to itself")]
    column = role.column
    if place.input is not None:
        column = sample.roles[node.inputs[place.input]].column
    values = {name: np.asarray(value) for name, value in _values(step).items()}
    made = values["out" if place.phase == "forward" else "contribution"]
    wide = max(value.shape[-1] if value.ndim else 1 for value in values.values())
    chosen = _chosen(element, column, wide, made)  # one neuron, so that the arithmetic holds
    rows: list[Any] = []
    if wide > 1:
        rows.append(f"Neuron {chosen + 1} of {wide} (point at another to see its numbers)")
    for name, value in sorted(values.items(), key=lambda one: one[1] is made):  # the result last
        if name in OF_NORM:
            continue
        flat = value.reshape(-1)
        which = f"[{chosen + 1}]" if flat.size == wide > 1 else ""
        told = float(flat[chosen]) if which else float(flat[0])
        label, number = _called(sample, index, name, which, told)
        if value is made:
            rows += norm_rows(sample, index)
            if marked_line(step.code).computes:
                rows.append(in_a_line(arithmetic(step, chosen if which else 0)))
        if label != format_number(number):  # a constant needs no name
            rows.append(
                Equation(
                    label, number, "accent" if value is made else "text", _in_code(name, label)
                )
            )
    return rows


def _in_code(name: str, label: str) -> str:
    return f"called {name} in the code" if name != label else ""


def _called(sample: Sample, index: int, name: str, which: str, told: float) -> tuple[str, float]:
    """Returns the name of a step's value in the formula, and the value."""
    place, nodes = sample.place_at(index), sample.graph.nodes
    node = nodes[place.node]
    labels = {"out": node.label}
    operation = node.tensor.operation
    for index, before in enumerate(node.inputs):
        labels[operation.input_name(index) if operation else ""] = nodes[before].label
    if name in labels:
        return f"{labels[name]}{which}", told
    if place.input is None or name not in ("upstream", "local", "contribution", "grad", "total"):
        return name, told
    target = node.inputs[place.input]
    to = nodes[target].label
    uses = sum(one.inputs.count(target) for one in nodes)
    share = f"dL/d{to}" if uses == 1 else f"contribution to dL/d{to}"
    slopes = {"upstream": f"dL/d{node.label}", "local": f"d{node.label}/d{to}"}
    return f"{slopes.get(name, share)}{which}", told


def _back_through_weights(sample: Sample, index: int, element: Element) -> list[Any]:
    place = sample.place_at(index)
    nodes, node = sample.graph.nodes, sample.graph.nodes[place.node]
    assert place.input is not None
    step = sample.step_at(index)
    weight = np.asarray(nodes[node.inputs[1]].tensor.data)
    upstream = np.asarray(step.value("upstream")).reshape(-1)
    target = sample.roles[node.inputs[place.input]]
    if target.kind == "weight":
        gradient = np.asarray(step.value("contribution"))
        column = sample.roles[place.node].column
        chosen = _chosen(element, column, gradient.shape[1], gradient.sum(0))
        rows: list[Any] = [
            f"Weights into neuron {chosen + 1}, whose gradient is "
            f"{format_number(float(upstream[chosen]))}:"
        ]
        rows += [
            Equation(
                f"dL/dW{column}[{n + 1},{chosen + 1}]",
                float(gradient[n, chosen]),
                "text",
                f"= {arithmetic(step, (n, chosen)).expression}",
            )
            for n in range(min(len(gradient), MOST_ROWS))
        ]
        return rows
    chosen = _chosen(element, target.column, weight.shape[0], step.value("contribution"))
    names = [f"by neuron {n + 1}" for n in range(weight.shape[1])]
    label = nodes[node.inputs[0]].label
    who = f"x{chosen + 1}" if target.column == 0 else f"neuron {chosen + 1}"
    return [
        f"The gradient of {who} sums weight \u00d7 gradient over the neurons that it feeds:",
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


def _chosen(element: Element, column: int, count: int, values: Any) -> int:
    """Returns the selected neuron if it is in the column, else that with the largest value."""
    if isinstance(element, Neuron) and element.column == column and element.number < count:
        return element.number
    flat = np.abs(np.nan_to_num(np.asarray(values, dtype=np.float64))).reshape(-1)
    return int(flat.argmax()) % max(1, count) if flat.size else 0
