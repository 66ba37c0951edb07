"""All sentences of Network: headlines, titles of steps, text at the pointer. No Qt here."""

from __future__ import annotations

import math

from core.numbers import format_number, format_percent
from core.tokenization.telling import count
from explorer.panes.backprop.network.diagnosis import (
    WORSE,
    Diagnosis,
    dead_neurons,
    guessing,
    in_trouble,
    saturated_layers,
)
from explorer.panes.backprop.network.draft import REACH, Data
from explorer.panes.backprop.network.elements import (
    DataPoint,
    Element,
    Neuron,
    Weight,
    is_dead,
    name_of,
)
from explorer.panes.backprop.network.keyframe import Keyframe
from explorer.panes.backprop.network.sample import Sample

LOADING = "Building the network."
VANISHED = 1000.0  # factor by which the gradient shrinks
SOLVED = 0.97  # share of the points
RESET = "Reset with a lower learning rate."
NO_ADDING = "To add points, go back to training first (Esc)"
NO_POINTS = "There are no points to learn from: choose Add, then click on the plane."


def keyframe_title(keyframe: Keyframe) -> str:
    """Title of a keyframe in the transport."""
    steps = count(keyframe.step, "step")
    if keyframe.diverged:
        return f"diverged after {steps}"
    if math.isnan(keyframe.train_loss):
        return f"after {steps}: no points"
    loss = f"training loss {format_number(keyframe.train_loss)}"
    test = keyframe.test_loss
    more = "" if math.isnan(test) else f", test loss {format_number(test)}"
    return f"after {steps}: {loss}{more}"


def headline(
    keyframe: Keyframe | None,
    diagnosis: Diagnosis,
    error: str = "",
    begun: Keyframe | None = None,
) -> str:
    """Describes a keyframe with its diagnosis; `begun` is the first keyframe."""
    if error:
        return "Something went wrong; the reason is below."
    if keyframe is None:
        return LOADING
    if keyframe.diverged:
        steps = count(keyframe.step, "step")
        return f"Training diverged after {steps}: {keyframe.diverged}."
    if not keyframe.layers:
        return NO_POINTS
    first = format_number(diagnosis.first)
    if diagnosis.away:
        return (
            f"Step {keyframe.step:,}: the loss grew from {first} to "
            f"{format_number(keyframe.train_loss)} because the steps are too large. {RESET}"
        )
    where = f"Step {keyframe.step:,}: "
    if keyframe.step == 0:
        preset = diagnosis.preset
        if preset is not None and keyframe.draft.is_like(preset.draft):
            return preset.look
        return (
            "Nothing has been learned yet: the weights are random. Play trains the network; Step "
            "takes a single step."
        )
    return where + _judgment(keyframe, diagnosis, begun)


def _neurons_are_dead(keyframe: Keyframe) -> str:
    dead, hidden = dead_neurons(keyframe), sum(keyframe.sizes[1:-1])
    if dead == hidden:
        return "the only neuron is dead" if hidden == 1 else f"all {hidden} neurons are dead"
    return f"{dead} of {hidden} neurons {'is' if dead == 1 else 'are'} dead"


def _judgment(keyframe: Keyframe, diagnosis: Diagnosis, begun: Keyframe | None) -> str:
    """Names problems first, the cause before its effects; else says how well the network does. If
    it has solved its task, dead neurons are no problem.
    """
    rose = diagnosis.rose
    update = keyframe.update
    if keyframe.draft.norm == "batch" and update is not None and len(update.said) == 1:
        return (
            "batch norm over a batch of 1 makes every sum 0, so no weight before it learns. Use a "
            "larger batch."
        )
    if told := _alike(keyframe):
        return told
    chance = guessing(keyframe.classes)
    if keyframe.train_loss > WORSE * chance:
        remedy = ""
        if diagnosis.worse or not math.isnan(rose):
            remedy = f" The steps are too large. {RESET}"
        elif diagnosis.first > WORSE * chance:
            remedy = " Make the initial weights smaller and reset."
        return (
            f"the loss of {format_number(keyframe.train_loss)} is worse than guessing, which would "
            f"give {format_number(chance)}.{remedy}"
        )
    dead, flat = dead_neurons(keyframe), saturated_layers(keyframe)
    neurons = _neurons_are_dead(keyframe)
    if in_trouble(keyframe) and not math.isnan(rose):
        what = neurons if dead else f"layer {flat[0]} is saturated"
        why = f"the steps were too large (the loss rose to {format_number(rose)})"
        return f"{what} because {why}. {RESET}"
    if _is_solved(keyframe):
        return f"solved: {_success(keyframe)}"
    loss, test = keyframe.train_loss, keyframe.test_loss
    if not math.isnan(test) and test > 2 * loss + 0.1:
        return (
            f"the network overfits. Its loss is {format_number(loss)} on the training points but "
            f"{format_number(test)} on the test points."
        )
    if dead:
        who = "It outputs" if dead == 1 else "They output"
        whose = "its" if dead == 1 else "their"
        return f"{neurons}. {who} 0 for every point, so no gradient reaches {whose} weights."
    if flat:
        share = keyframe.layers[flat[0] - 1].saturated
        said = f"{format_percent(share)} of layer {flat[0]}'s outputs are saturated"
        if begun is not None and begun.step == 0 and flat[0] in saturated_layers(begun):
            return f"{said}. Make the initial weights smaller and reset."
        return f"{said}, where the slope is near 0, so little gradient passes."
    if math.inf > shrinks(keyframe) > VANISHED:
        return (
            "the gradient vanishes on its way back. In layer 1 it is "
            f"{format_number(shrinks(keyframe))} times smaller than in the output layer."
        )
    return _success(keyframe)


def _alike(keyframe: Keyframe) -> str:
    """Explains the effect of equal weights in all neurons; "" if they differ."""
    if not any(weights.any() for weights in keyframe.weights):
        return (
            "every weight and its gradient are still 0, so only the last bias learns. The loss is "
            f"{format_number(keyframe.train_loss)}."
        )
    inner = [weights for weights in keyframe.weights[:-1] if weights.shape[1] > 1]
    if inner and all((weights == weights[:, :1]).all() for weights in inner):
        return (
            "the neurons of each layer still have equal weights. Their gradients are equal too, "
            "so they all learn the same."
        )
    return ""


def _is_solved(keyframe: Keyframe) -> bool:
    """Returns True if nearly all training and test points are classified correctly."""
    test = keyframe.test_accuracy
    return keyframe.train_accuracy >= SOLVED and (math.isnan(test) or test >= SOLVED)


def _success(keyframe: Keyframe) -> str:
    """Gives the accuracy, or the loss if there are no classes."""
    if math.isnan(keyframe.train_accuracy):
        test = keyframe.test_loss
        also = "" if math.isnan(test) else f" and {format_number(test)} on the test points"
        loss = format_number(keyframe.train_loss)
        return f"the loss is {loss} on the training points{also}."
    where = (
        "on the correct side of the boundary" if keyframe.classes == 2 else "classified correctly"
    )
    train = f"{format_percent(keyframe.train_accuracy)} of the training points"
    if math.isnan(keyframe.test_accuracy):
        return f"{train} are {where}; there are no test points."
    return f"{train} and {format_percent(keyframe.test_accuracy)} of the test points are {where}."


def shrinks(keyframe: Keyframe) -> float:
    """Returns how many times smaller the gradient is in the first layer than in the last."""
    first, last = keyframe.layers[0].gradients.size, keyframe.layers[-1].gradients.size
    return last / first if first > 0 else math.inf


# at the pointer


def pointer_words(element: Element, keyframe: Keyframe, data: Data | None) -> str:
    """Describes an element at the pointer."""
    sizes = keyframe.sizes
    if isinstance(element, Weight):
        value = keyframe.weights[element.layer][element.before, element.after]
        first = name_of(element.layer, element.before, sizes)
        then = name_of(element.layer + 1, element.after, sizes)
        return f"weight {format_number(value)}: {first} \u2192 {then}"
    if isinstance(element, Neuron):
        name = name_of(element.column, element.number, sizes)
        if element.column == 0:
            return f"{name}: a coordinate, from \u2212{REACH} to {REACH} across the plane"
        bias = format_number(keyframe.biases[element.column - 1][element.number])
        dead = is_dead(keyframe, element.column, element.number)
        return f"{name}: bias {bias}" + (", dead (its output is 0 for every point)" if dead else "")
    if isinstance(element, DataPoint) and data is not None:
        x, y = data.points[element.number]
        target = data.targets[element.number]
        what = f"class {int(target)}" if data.classes else f"target {format_number(target)}"
        side = "test point" if data.tested[element.number] else "training point"
        return f"({format_number(x)}, {format_number(y)}), {what}, {side}"
    return ""


# followed point


def sample_headline(sample: Sample, index: int) -> str:
    x, y = (format_number(value) for value in sample.point)
    if index == 0:
        target = format_number(sample.target)
        what = (
            f"belongs to class {int(sample.target)}" if sample.classes else f"has target {target}"
        )
        return f"The point ({x}, {y}) {what}. Follow it forward, then back."
    in_loss = sample.roles[sample.place_at(index).node].kind == "loss"
    if index < sample.seed:
        if in_loss:
            words = LOSS_WORDS[min(sample.classes, 3)]
            return f"Forward: the loss says how wrong {_output(sample)} is. {words}"
        return f"Forward: the point ({x}, {y}) becomes a loss, operation by operation."
    if index < len(sample) - 1:
        if in_loss:
            return f"Backward through the loss: {_slope(sample)}."
        return (
            "Backward: each operation multiplies the gradient by its local derivative and passes "
            "it on."
        )
    loss = format_number(sample.loss)
    return (
        "Now every weight has its gradient, which shows how strongly this point's loss "
        f"({loss}) depends on it."
    )


LOSS_WORDS = {
    0: "It is the squared error (z \u2212 y)\u00b2.",
    2: "It is binary cross-entropy in the form max(z, 0) \u2212 z y + log(1 + exp(\u2212|z|)), "
    "which cannot overflow.",
    3: "It is cross-entropy: \u2212log of the probability that softmax gives the right class.",
}

# By operation: the titles of its forward and its backward step.
LOSS_TITLES = {
    "BinaryCrossEntropy": (
        "binary cross-entropy loss: \u2212log of the right class's probability",
        "back through the loss: dL/dz = p \u2212 y",
    ),
    "CrossEntropy": (
        "cross-entropy loss: \u2212log of the right class's probability",
        "back through the loss: dL/dz = p \u2212 y for each class",
    ),
    "Subtract": (
        "squared error: the difference z \u2212 y",
        "back through the difference: the gradient stays the same",
    ),
    "Power": (
        "squared error: the square of the difference",
        "back through the square: multiplied by 2 (z \u2212 y)",
    ),
    "Mean": (
        "squared error: the mean over one point",
        "back through the mean: the gradient stays the same",
    ),
}

# By operation: the title of a norm's forward step.
NORM_TITLES = {
    "Normalize": "normalized over its neurons",
    "Subtract": "minus the running mean",
    "Multiply": "divided by the running deviation",
}


def _inputs(sample: Sample, node: int) -> tuple[int, ...]:
    return sample.graph.nodes[node].inputs


def _output(sample: Sample) -> str:
    said = sample.output
    return f"z = {format_number(float(said[0]))}" if len(said) == 1 else "the prediction"


def _slope(sample: Sample) -> str:
    """Gives dL/dz of the loss, in symbols and numbers."""
    z, y = sample.output, sample.target
    if sample.classes == 0:
        slope = 2 * (float(z[0]) - y)
        return f"dL/dz = 2 (z \u2212 y) = {format_number(slope)}"
    if sample.classes > 2:
        return "dL/dz = softmax(z) \u2212 y, where y is 1 for the right class and 0 for the others"
    p = 1 / (1 + math.exp(-max(-700.0, min(700.0, float(z[0])))))
    slope = format_number(p - y)
    return f"dL/dz = sigmoid(z) \u2212 y = {format_number(p)} \u2212 {y:g} = {slope}"


def _whose(sample: Sample, column: int) -> str:
    name = sample.name_of_layer(column)
    return "the output's" if name == "output" else f"{name}'s"


def sample_title(sample: Sample, index: int) -> str:
    """Title of a step in the transport."""
    if index == 0:
        return "the point enters the network"
    step, place = sample.step_at(index), sample.place_at(index)
    role = sample.roles[place.node]
    operation = step.name.split(".")[1]
    if place.phase == "seed":
        return "the backward pass begins: dL/dL = 1"
    if role.kind == "loss" and operation in LOSS_TITLES:
        return LOSS_TITLES[operation][place.phase != "forward"]
    layer = sample.name_of_layer(role.column)
    is_one = step.value("out").size == 1  # a layer of one neuron
    s, biases = ("", "bias") if is_one else ("s", "biases")
    if place.phase == "forward":
        if role.kind == "product":
            return f"{layer}: weighted sum{s} of its inputs"
        if role.kind == "sum" and operation == "Add":
            return f"{layer}: sum{s} plus {biases}"
        if role.kind == "out":
            ends = operation == "Add"  # the last layer has no activation
            what = f"sum{s} plus {biases}" if ends else f"{operation.lower()} of the sum{s}"
            return f"{layer}: {what}"
        if role.kind == "norm":
            what = NORM_TITLES.get(operation, "")
            gains = any(sample.roles[n].kind == "gain" for n in _inputs(sample, place.node))
            what = "multiplied by its gains" if gains else what
            return f"{layer}: {what} ({step.title})"
        return step.title
    assert place.input is not None
    target = sample.roles[_inputs(sample, place.node)[place.input]]
    if target.kind == "weight":
        return f"gradients of {_whose(sample, target.column)} weights: input \u00d7 gradient"
    if target.kind == "bias":
        sums = "that of the sum" if is_one else "those of the sums"
        return f"gradient{s} of {_whose(sample, target.column)} {biases}: equal to {sums}"
    if target.kind == "gain":
        return f"gradients of {_whose(sample, target.column)} gains: input \u00d7 gradient"
    if role.kind == "norm" and target.kind in ("norm", "product"):
        return f"back through {_whose(sample, target.column)} norm: {step.title}"
    if operation == "Add" and role.kind in ("sum", "out"):
        whose = _whose(sample, role.column)
        return f"back through {whose} {biases}: the gradient stays the same"
    if role.kind == "product" and target.kind == "out":
        to = f"layer {target.column}" if target.column else "the point"
        return f"back through {_whose(sample, role.column)} weights to {to}"
    if role.kind == "out" and target.kind == "sum":
        whose = _whose(sample, role.column)
        return f"back through {whose} {operation.lower()}: multiplied by its slope"
    return step.title
