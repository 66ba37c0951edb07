"""The numbers of a followed point in its loss and in a norm. No Qt here."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.autograd import functional as F
from core.autograd.layers import BinaryCrossEntropy, CrossEntropy, Normalize, softmax
from core.numbers import MINUS, TIMES, format_number
from core.substitution import arithmetic
from core.trace import Step
from explorer.panes.backprop.network.sample import Sample
from explorer.widgets.live_numbers import Equation, in_a_line

OF_NORM = ("centered", "scale", "shift", "stretch")  # values of a norm that norm_rows shows


def loss_rows(sample: Sample, index: int) -> list[Any] | None:
    """Returns the numbers of a step of cross-entropy; None for any other step."""
    place, step = sample.place_at(index), sample.step_at(index)
    operation = sample.graph.nodes[place.node].tensor.operation
    if place.phase not in ("forward", "backward"):
        return None
    if isinstance(operation, BinaryCrossEntropy):
        return _of_two(sample, step) if place.phase == "forward" else _back_to_one(sample, step)
    if isinstance(operation, CrossEntropy):
        return _of_many(sample) if place.phase == "forward" else _back_to_many(sample, step)
    return None


def _of_two(sample: Sample, step: Step) -> list[Any]:
    """Returns max(z, 0) - z y + log(1 + e^-|z|), term by term."""
    z, y, name = float(sample.output[0]), sample.target, sample.name_of_output
    p = F.sigmoid(z).item()
    right = ("log p", p) if y else (f"log(1 {MINUS} p)", p)
    return [
        Equation(name, z, "text", "the network's output"),
        Equation("y", f"{y:g}", "text", "the true class, 0 or 1"),
        Equation(f"max({name}, 0)", max(z, 0.0)),
        Equation(f"{MINUS}{name} {TIMES} y", -z * y + 0.0),
        Equation(f"log(1 + e^{MINUS}|{name}|)", float(step.value("rest")[0])),
        Equation(
            "L", sample.loss, "accent", f"= {MINUS}{right[0]} with p = {format_number(right[1])}"
        ),
    ]


def _back_to_one(sample: Sample, step: Step) -> list[Any]:
    """Returns p - y, to which the derivative of the loss simplifies."""
    y, name, told = sample.target, sample.name_of_output, arithmetic(step, 0)
    p = float(step.value("p")[0])
    upstream = float(step.value("upstream"))
    return [
        Equation("p", p, "text", f"\u03c3({name}): the predicted probability of class 1"),
        Equation("y", f"{y:g}", "text", "the true class, 0 or 1"),
        Equation(f"p {MINUS} y", p - y, "text", "the error of that probability"),
        Equation("dL/dL", upstream, "text", "the upstream gradient (N = 1 point)"),
        in_a_line(told),
        Equation(f"dL/d{name}", told.value, "accent", f"dL/dL {TIMES} (p {MINUS} y) / N"),
    ]


def _of_many(sample: Sample) -> list[Any]:
    """Returns the softmax probability of each class, and -log of the right one."""
    z, right, name = sample.output, int(sample.target), sample.name_of_output
    shares = softmax(z)
    rows: list[Any] = [
        Equation(
            f"p[{number + 1}]",
            float(share),
            "text",
            f"class {number}{' (the right one)' if number == right else ''}, from "
            f"{name}[{number + 1}] = {format_number(float(z[number]))}",
        )
        for number, share in enumerate(shares)
    ]
    return [*rows, Equation("L", sample.loss, "accent", f"= {MINUS}log p[{right + 1}]")]


def _back_to_many(sample: Sample, step: Step) -> list[Any]:
    """Returns p - 1 for the right class, p for the others."""
    right, name = int(sample.target), sample.name_of_output
    shares = softmax(sample.output)
    made = np.asarray(step.value("contribution")).reshape(-1)
    rows: list[Any] = [
        "Each gradient is the probability of its class, minus 1 for the right class:"
    ]
    for number, share in enumerate(shares):
        wanted = 1 if number == right else 0
        words = f"class {number}: {format_number(float(share))} {MINUS} {wanted}"
        rows.append(Equation(f"dL/d{name}[{number + 1}]", float(made[number]), "accent", words))
    return rows


def norm_rows(sample: Sample, index: int) -> list[Any]:
    """Returns layer norm's mean and deviation over all neurons of the layer, and in the backward
    pass the part subtracted from each gradient. Nothing for any other step.
    """
    place, step = sample.place_at(index), sample.step_at(index)
    nodes = sample.graph.nodes
    node = nodes[place.node]
    operation = node.tensor.operation
    if not isinstance(operation, Normalize):
        return []
    a = np.asarray(nodes[node.inputs[0]].tensor.data)
    deviation = 1 / float(step.value("scale").reshape(-1)[0])
    if place.phase == "forward":
        mean = float(a.mean())
        return [
            Equation("\u03bc", mean, "text", "mean over the layer"),
            Equation(
                "\u221a(\u03c3\u00b2 + \u03b5)",
                deviation,
                "text",
                "standard deviation over the layer",
            ),
        ]
    slope = f"dL/d{node.label}"
    return [
        Equation(f"mean of {slope}", float(step.value("shift").reshape(-1)[0])),
        Equation(
            f"mean of {slope} {TIMES} {node.label}", float(step.value("stretch").reshape(-1)[0])
        ),
        Equation(
            "\u221a(\u03c3\u00b2 + \u03b5)", deviation, "text", "standard deviation over the layer"
        ),
    ]
