"""One optimizer step as a Trace: the loss of its batch, then the optimizer's lines. No Qt here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.autograd.loss_step import loss_step
from core.optimization.optimizer_trace import trace_update
from core.optimization.optimizers import optimizer_of
from core.trace import Trace
from explorer.panes.backprop.network.elements import Element, Neuron, Weight, is_there
from explorer.panes.backprop.network.keyframe import Keyframe, Update


@dataclass(frozen=True)
class Bias:
    """The bias of neuron `after` in layer `layer`, counted from 0."""

    layer: int
    after: int


def parameter_of(one: Weight | Bias) -> tuple[str, tuple[int, ...]]:
    """Returns the parameter's name and the index into it."""
    if isinstance(one, Bias):
        return f"{one.layer}.bias", (one.after,)
    return f"{one.layer}.weight", (one.before, one.after)


def layer_of(element: Element, keyframe: Keyframe) -> int | None:
    """Returns the layer of a weight, or the layer of weights into a neuron; else None."""
    if not is_there(element, keyframe.sizes):
        return None
    if isinstance(element, Neuron):
        return element.column - 1 if element.column else None
    return element.layer if isinstance(element, Weight) else None


def largest_gradient(keyframe: Keyframe, of_layer: int | None = None) -> Weight | None:
    """Returns the weight with the largest gradient in the last step, in `of_layer` or overall; None
    before the first step.
    """
    layers = range(len(keyframe.weights)) if of_layer is None else (of_layer,)
    found = _largest(keyframe, [f"{layer}.weight" for layer in layers])
    return Weight(*found) if found is not None else None


def largest_bias_gradient(keyframe: Keyframe) -> Bias | None:
    """Returns the bias with the largest gradient; None before the first step."""
    found = _largest(keyframe, [f"{layer}.bias" for layer in range(len(keyframe.biases))])
    return Bias(*found) if found is not None else None


def _largest(keyframe: Keyframe, names: Sequence[str]) -> tuple[int, ...] | None:
    """Returns the layer of the largest gradient of these parameters, and the index within it."""
    gradients = keyframe.update.gradients if keyframe.update is not None else {}
    sizes = {name: np.abs(np.nan_to_num(gradients[name])) for name in names if name in gradients}
    if not sizes:
        return None
    name = max(sizes, key=lambda one: float(sizes[one].max()))
    place = np.unravel_index(int(sizes[name].argmax()), sizes[name].shape)
    return int(name.partition(".")[0]), *map(int, place)


def update_trace(keyframe: Keyframe, layer: int | None = None) -> Trace | None:
    """Returns the loss, then each line of the optimizer for the weights of `layer`, by default the
    layer with the largest gradient.
    """
    update, largest = keyframe.update, largest_gradient(keyframe)
    if update is None or largest is None:
        return None
    layer = largest.layer if layer is None else layer
    trace = Trace({"layer": layer})
    trace.append(loss_step(update.loss, update.said, update.targets))
    first = len(trace)
    for step in optimizer_trace(update, f"{layer}.weight"):
        parent = step.parent if step.parent is None else step.parent + first
        trace.append(replace(step, parent=parent))
    return trace.finish()


def optimizer_trace(update: Update, name: str) -> Trace:
    """Returns the optimizer's lines for parameter `name`."""
    rule = optimizer_of(update.optimizer, update.before[name].ndim)
    settings = rule.settings(learning_rate=update.learning_rate, weight_decay=0.0)
    state, taken = update.states.get(name, (rule.state(), 0))
    return trace_update(
        rule.name,
        update.before[name],
        update.gradients[name],
        state,
        taken + 1,
        settings,
    )
