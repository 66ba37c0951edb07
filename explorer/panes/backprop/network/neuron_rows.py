"""The calculation of a neuron's output for one point. No Qt here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from core.autograd.layers import Normalize
from core.autograd.mlp import sums_step
from core.numbers import format_number
from core.trace import Step
from explorer.panes.backprop.network.elements import Neuron, is_dead, name_of
from explorer.panes.backprop.network.keyframe import Keyframe, Passed
from explorer.widgets.live_numbers import Equation, Terms

SUM = "\u03a3 w \u00d7 x"
DEVIATION = "\u221a(\u03c3\u00b2 + \u03b5)"
LATEX = {"tanh": r"\tanh", "relu": r"\mathrm{relu}", "sigmoid": r"\sigma", "gelu": r"\mathrm{gelu}"}


def neuron_step(keyframe: Keyframe, element: Neuron) -> Step | None:
    """Returns the neuron's formula, and the line of core that computes the sums of its layer; None
    without training points.
    """
    if not keyframe.passed:
        return None
    kind, norm = keyframe.draft.activation, keyframe.draft.norm
    last = element.column == len(keyframe.weights)
    formula = r"z = \sum_i w_i \, x_i + b"
    if normed := norm != "none" and not last:
        formula = r"z = g \cdot \frac{\sum_i w_i \, x_i - \mu}{\sqrt{\sigma^2 + \epsilon}} + b"
    if not last:
        says = "z" if kind == "linear" else f"{LATEX[kind]}(z)"
        formula = rf"{formula}, \quad a = {says}"
    layer = element.column - 1
    one = keyframe.passed[layer]
    own = {"weight": keyframe.weights[layer], "bias": keyframe.biases[layer]}
    step = sums_step({"sums": one.sums, "x": one.x, **own}, normed)
    return replace(step, title=neuron_title(keyframe, element), formula=formula)


def neuron_title(keyframe: Keyframe, element: Neuron) -> str:
    """ "Layer 1, neuron 5"."""
    name = name_of(element.column, element.number, keyframe.sizes)
    return name[:1].upper() + name[1:]


def neuron_rows(keyframe: Keyframe, element: Neuron) -> list[Any]:
    """Returns the largest terms of its sum, and its output, for the first training point."""
    layer, number = element.column - 1, element.number
    weights = keyframe.weights[layer][:, number]
    bias = float(keyframe.biases[layer][number])
    names = [name_of(layer, n, keyframe.sizes) for n in range(len(weights))]
    rows: list[Any] = []
    if keyframe.passed:
        rows += _of_point(keyframe, element, names, bias)
    else:
        rows += [Equation(f"w from {n}", float(w)) for n, w in zip(names, weights, strict=True)]
        rows.append(Equation("b", bias, "text", "bias"))
    if is_dead(keyframe, element.column, number):
        rows.append(
            "This neuron is dead: its output is 0 for every training point, so no gradient "
            "reaches its weights."
        )
    return rows


def _of_point(keyframe: Keyframe, element: Neuron, names: list[str], bias: float) -> list[Any]:
    layer, number = element.column - 1, element.number
    one: Passed = keyframe.passed[layer]
    x, y = (format_number(float(value)) for value in keyframe.passed[0].x[0])
    short = [name.removeprefix(f"layer {layer}, ") for name in names]
    last, norm = element.column == len(keyframe.weights), keyframe.draft.norm
    rows: list[Any] = [
        f"For the first training point, ({x}, {y}):",
        Terms(
            SUM, keyframe.weights[layer][:, number], one.x[0], ("text", "text"), short, None, "text"
        ),
    ]
    normed = norm != "none" and not last
    if normed:
        rows += _of_norm(keyframe, layer, number)
    rows.append(Equation("b", bias, "text", "bias"))
    said = f"= g \u00d7 (\u03a3 \u2212 \u03bc) / {DEVIATION} + b" if normed else f"= {SUM} + b"
    rows.append(Equation("z", float(one.normed[0, number]), "accent" if last else "text", said))
    if not last:
        kind = keyframe.draft.activation
        note = "= z" if kind == "linear" else f"= {kind}(z), the output"
        rows.append(Equation("a", float(one.out[0, number]), "accent", note))
    return rows


def _of_norm(keyframe: Keyframe, layer: int, number: int) -> list[Any]:
    """Returns the mean, deviation and gain with which a norm rescales a neuron's sum."""
    sums, learned = keyframe.passed[layer].sums, keyframe.learner_state
    if keyframe.draft.norm == "layer":
        mean, variance = float(sums.mean()), float(sums.var())
        whose = ("mean of the layer's sums", "their standard deviation")
    else:
        mean = float(learned.running[f"{layer}.mean"][number])
        variance = float(learned.running[f"{layer}.variance"][number])
        whose = ("running mean over the batches", "running standard deviation")
    gain = float(learned.parameters[f"{layer}.gain"][number])
    return [
        Equation("\u03bc", mean, "text", whose[0]),
        Equation(DEVIATION, float(np.sqrt(variance + Normalize.eps)), "text", whose[1]),
        Equation("g", gain, "text", "gain"),
    ]


def neuron_table(keyframe: Keyframe, element: Neuron) -> dict[str, np.ndarray]:
    """Returns the weights into the neuron, and its bias."""
    layer = element.column - 1
    return {
        "weights": keyframe.weights[layer][:, element.number],
        "bias": keyframe.biases[layer][element.number : element.number + 1],
    }
