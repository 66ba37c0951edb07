"""What the mode says: headlines, titles of steps. No Qt here."""

from __future__ import annotations

import math

from explorer.panes.backprop.network.moment import Moment
from explorer.panes.backprop.network.presets import Preset
from explorer.panes.backprop.network.sample import Sample
from explorer.theme_numbers import format_number

LOADING = "The network is being made."
NO_POINTS = "There are no points to learn from: click some onto the plane."


def moment_title(moment: Moment) -> str:
    """One line for the transport."""
    steps = "1 step" if moment.step == 1 else f"{moment.step:,} steps"
    if moment.diverged:
        return f"diverged after {steps}"
    if math.isnan(moment.train_loss):
        return f"after {steps}: no points"
    loss = f"loss {format_number(moment.train_loss)}"
    test = "" if math.isnan(moment.test_loss) else f", test {format_number(moment.test_loss)}"
    return f"after {steps}: {loss}{test}"


def headline(moment: Moment | None, state: str, error: str, preset: Preset | None) -> str:
    """One sentence: what you see now."""
    if error:
        return "Something went wrong; the reason stands below."
    if moment is None:
        return LOADING
    if moment.diverged:
        why = moment.diverged.replace(": the steps", ", for the steps")
        return f"It diverged after {moment.step:,} steps: {why}."
    if not moment.layers:
        return NO_POINTS
    if preset is not None and moment.experiment == preset.experiment:
        return preset.look
    where = f"Step {moment.step:,}: "
    if moment.step == 0:
        return "Nothing is learned yet: the weights are random. Play learns, Step takes one step."
    return where + _judgment(moment)


def _judgment(moment: Moment) -> str:
    """What stands out: trouble first, then how well it does."""
    dead = sum(int(layer.dead.sum()) for layer in moment.layers)
    inner = moment.layers[:-1]
    if dead:
        what = "1 neuron is" if dead == 1 else f"{dead} neurons are"
        return f"{what} dead, 0 for every point, and cannot learn any more."
    flat = [number for number, layer in enumerate(inner, 1) if layer.saturated > 0.5]
    if flat:
        return f"layer {flat[0]} is saturated: where it is flat, little gradient comes through."
    first, last = inner[0].gradients.std if inner else 1.0, moment.layers[-1].gradients.std
    if inner and 0 < first < last / 1000:
        return (
            "the gradient vanishes on its way back: in layer 1 it is "
            f"{format_number(last / first)} times smaller than at the end."
        )
    loss, test = moment.train_loss, moment.test_loss
    if not math.isnan(test) and test > 2 * loss + 0.1:
        return (
            f"it overfits: loss {format_number(loss)} on the points it learns from, "
            f"{format_number(test)} on the test's."
        )
    if math.isnan(moment.test_accuracy):
        return f"loss {format_number(loss)}, on the test points {format_number(test)}."
    return (
        f"{moment.train_accuracy:.0%} of the points are on the right side of the line, "
        f"{moment.test_accuracy:.0%} of the test points."
    )


# one sample


def sample_headline(sample: Sample, moment: int) -> str:
    x, y = (format_number(value) for value in sample.point)
    what = f"class {int(sample.target)}" if sample.classes else format_number(sample.target)
    if moment == 0:
        return f"One point, ({x}, {y}), should become {what}: follow it forward, then back."
    if moment < sample.seed:
        return f"Forward: the point ({x}, {y}) becomes a loss, operation by operation."
    if moment < len(sample) - 1:
        return "Backward: each operation hands the gradient on, times its local derivative."
    loss = format_number(sample.loss)
    return f"Every weight knows now how the loss {loss} of this point changes with it."


def sample_title(sample: Sample, moment: int) -> str:
    """One line for the transport."""
    if moment == 0:
        return "the point comes in"
    step, place = sample.step_at(moment), sample.place_at(moment)
    role = sample.roles[place.node]
    operation = step.name.split(".")[1]
    if place.phase == "seed":
        return "backward begins: dL/dL = 1"
    if place.phase == "forward":
        if role.kind == "product":
            return f"layer {role.column}: weighted sums of what comes in"
        if role.kind == "sum" and operation == "Add":
            return f"layer {role.column}: plus its biases"
        if role.kind == "out":
            return f"layer {role.column}: {operation.lower()} of its sums"
        return step.title
    assert place.input is not None
    target = sample.roles[sample.graph.nodes[place.node].inputs[place.input]]
    if target.kind == "weight":
        return f"gradient of layer {target.column}'s weights: what came in \u00d7 gradient"
    if target.kind == "bias":
        return f"gradient of layer {target.column}'s biases: that of its sums"
    if role.kind == "product" and target.kind == "out":
        to = f"layer {target.column}" if target.column else "the point"
        return f"back through layer {role.column}'s weights to {to}"
    if role.kind == "out" and target.kind == "sum":
        return f"back through layer {role.column}'s {operation.lower()}: \u00d7 its slope"
    return step.title
