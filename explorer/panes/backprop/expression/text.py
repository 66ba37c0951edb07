"""All sentences of the mode: about a step, a node, a nudge, and learning. No Qt."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from core.autograd import parted
from core.autograd.operation import in_brackets
from core.numbers import TIMES, format_number
from core.tokenization.telling import count, listed
from explorer.panes.backprop.expression.compute import Array, Computed
from explorer.panes.backprop.expression.draft import ExpressionDraft
from explorer.panes.backprop.expression.step_arithmetic import arithmetic_at, slope
from explorer.panes.backprop.expression.what_if import WhatIf

MOST_LISTED = 3  # inputs that matter equally
FLAT = 1e-9  # smaller gradients count as 0
MOST_NAMED = 5  # inputs that take steps
WORSE = 10.0  # times the first loss: the steps diverge
Piece = tuple[str, str]  # text, and a theme color or "sign:<number>"


def number(value: Array) -> str:
    """Formats a single number, or the shape of a tensor."""
    array = np.asarray(value)
    return format_number(array.item()) if array.size == 1 else shape(array)


def shape(array: Array) -> str:
    return "(" + f" {TIMES} ".join(str(size) for size in array.shape) + ")"


def arithmetic(computed: Computed, moment: int) -> list[Piece]:
    """Returns the step's numbers in one line, of tensors one element; empty at moment 0."""
    place = computed.plan.places[moment]
    if place is None:
        return []
    if place.phase == "seed":
        return [(f"{slope(computed, place.node)} = ", "muted"), ("1", "text")]
    told = arithmetic_at(computed, moment)
    name = f"{told.name}: " if told.size > 1 else ""
    role = "text" if place.phase == "forward" else f"sign:{told.value}"
    return [(f"{name}{told.written} ", "muted"), (told.result, role)]


def headline(computed: Computed, moment: int) -> str:
    """Returns one sentence about the current moment."""
    place = computed.plan.places[moment]
    names = computed.graph.nodes
    out = names[computed.output].label
    if computed.broken is not None and (place is None or moment == len(computed.plan) - 1):
        return trouble(computed)
    if place is None:
        inputs = len(computed.leaves)
        numbers = "its input" if inputs == 1 else f"its {inputs} inputs"
        return f"Play the formula forward from {numbers} to {out}, then back to find the gradients"
    node = names[place.node]
    if place.phase == "forward":
        return f"Forward: {node.label} is computed as {node.text}"
    if place.phase == "seed":
        return f"The backward pass begins: the gradient of {out} with respect to itself is 1"
    assert place.input is not None
    target = names[node.inputs[place.input]].label
    if place.phase == "backward":
        last = moment == len(computed.plan) - 1
        if last:
            return summary(computed)
        if computed.local((place.node, place.input)) is None:  # of a matrix product, a mean, ...
            return (
                f"Backward: the gradient of {node.label} flows back through {node.text} to {target}"
            )
        return (
            f"Backward: the gradient of {node.label}, times the local derivative, flows to {target}"
        )
    if place.phase == "copies":
        return f"{target} was copied to fit the shape, so the contributions to its copies add up"
    return f"{target} is used more than once, so the contributions of its uses add up"


def summary(computed: Computed) -> str:
    """Returns what all gradients together show: which input matters most."""
    out = computed.graph.nodes[computed.output].label
    single = {
        name: float(np.asarray(computed.gradient(node)).item())
        for name, node in computed.leaves.items()
        if computed.gradient(node) is not None and np.size(computed.gradient(node)) == 1
    }
    if len(single) < 2:
        return f"Now every input has its gradient, which shows how strongly {out} depends on it"
    steep = [name for name, one in single.items() if not np.isfinite(one)]
    if steep:
        return f"{out} is infinitely steep in {steep[0]} here, so this gradient is not finite"
    most = max(map(abs, single.values()))
    if most < FLAT:
        return "All gradients are 0 here, as at the bottom of a valley"
    first = [name for name, one in single.items() if math.isclose(abs(one), most, rel_tol=1e-9)]
    how = f"at a rate of {format_number(most)} per unit"
    if len(first) > 1:
        who = "All inputs" if len(first) == len(single) else _listed(first)
        return f"{who} matter equally: each moves {out} {how}"
    way = "raises" if single[first[0]] > 0 else "lowers"
    return f"{first[0]} matters most: raising it {way} {out} {how}"


def _listed(names: list[str], most: int = MOST_LISTED) -> str:
    """Joins names: "a", "a and b", "a, b and 3 more"."""
    if len(names) > most:
        names = [*names[: most - 1], f"{len(names) - most + 1} more"]
    return listed(names)


def trouble(computed: Computed) -> str:
    """Returns the cause of the first value that is not finite, and the remedy."""
    assert computed.broken is not None
    node = computed.graph.nodes[computed.broken]
    tensor = node.tensor
    if tensor.operation is None:
        return (
            f"{node.label} is not finite, so no result computed from it is; give it a finite value"
        )
    kind = tensor.operation.name
    inputs = [before.data for before in tensor.inputs]
    value = number(tensor.data) if tensor.data.size == 1 else "not finite everywhere"
    reasons: dict[str, str] = {
        "Log": "only numbers above 0 have a finite logarithm",
        "Sqrt": "negative numbers have no real square root",
        "Divide": "something is divided by 0",
        "Exp": "e to this power is too large for a 64-bit number",
    }
    if kind == "Power" and np.isnan(tensor.data).any():
        reasons["Power"] = "this power of a negative number is not a real number"
    elif kind == "Power" and (inputs[0] == 0).any():
        reasons["Power"] = "a negative power of 0 divides by 0"
    reason = reasons.get(kind, "it is too large for a 64-bit number")
    said = tensor.operation.text(*map(number, inputs))
    remedy = "Move an input" if tensor.requires_grad else "Change the formula"
    return f"{node.label} = {said} is {value}: {reason}. {remedy} to get a finite value"


def title(computed: Computed, moment: int) -> str:
    """Returns the title of a moment for the scrubber, with core's terms."""
    place = computed.plan.places[moment]
    names = computed.graph.nodes
    if place is None:
        return "The inputs"
    node = names[place.node]
    if place.phase == "forward":
        return f"{node.label} = {node.text}"
    if place.phase == "seed":
        return f"The backward pass begins at {node.label}"
    assert place.input is not None
    target = names[node.inputs[place.input]].label
    return {
        "backward": f"{target} gets a contribution from {node.label}",
        "copies": f"The contributions to the copies of {target} add up",
        "accumulate": f"The contributions to {target} add up",
    }[place.phase]


def told(computed: Computed, node: int) -> str:
    """Returns a node in words: its name, value and gradient."""
    one = computed.graph.nodes[node]
    value, gradient = computed.value(node), computed.gradient(node)
    name = one.label if one.is_leaf else f"{one.label} = {one.text}"
    said = f"{name}, value {_in_words(value)}"
    said = said if gradient is None else f"{said}, gradient {_in_words(gradient)}"
    return ". ".join(filter(None, (said, lines_of_names(computed, [node]))))


def lines_of_names(computed: Computed, nodes: Iterable[int]) -> str:
    """Returns, for nodes whose name several lines set, the line of each, or "": "c\u2082 is the
    value set on line 5".
    """
    labels = (node.label for node in computed.graph.nodes)
    several = {name for name, number in map(parted, labels) if number > 1}
    found = {}
    for number in nodes:
        label, line = computed.graph.nodes[number].label, computed.line(number)
        name, _ = parted(label)
        if name in several and line is not None:
            found[label] = f"{label} is the value set on line {line}"
    return "; ".join(found.values())


def leaf_tip(computed: Computed, node: int) -> str:
    """Returns the tooltip of a node."""
    tip = told(computed, node)
    tensor = computed.graph.nodes[node].tensor
    if tensor.operation is None and tensor.requires_grad:
        tip += "\nDrag sideways or turn the wheel to change it; double-click to type a value"
    return tip


def edge_tip(computed: Computed, edge: tuple[int, int]) -> str:
    """Returns the tooltip of an edge."""
    moment = computed.plan.moment_of(edge)
    if moment is None:
        return "Nothing flows back here: this input is a constant"
    pieces = "".join(piece for piece, _ in arithmetic(computed, moment))
    return f"{title(computed, moment)}: {pieces}\nClick to see this step"


def predicted(what: WhatIf, output: str, slope: str) -> str:
    """Returns the change that the gradient, written as `slope`, predicts for a nudge."""
    if not math.isfinite(what.result):
        return f"no prediction, since {output} is {format_number(what.result)}"
    if not math.isfinite(what.gradient):
        return f"no prediction, since the slope is {slope}"
    nudge = in_brackets(format_number(what.nudge))
    return f"predicted: {slope} {TIMES} {nudge} = {_plus(what.predicted)}"


def true_change(what: WhatIf) -> str:
    """Returns the actual change of the output by a nudge."""
    if math.isnan(what.true):
        return "actual: unknown"
    off = f" (off by {format_number(abs(what.error))})" if math.isfinite(what.error) else ""
    off = ", as predicted" if what.is_as_predicted else off
    return f"actual: {_plus(what.true)}{off}"


def _plus(value: float) -> str:
    """Formats a number with its sign, even if positive."""
    return f"{'+' * (value > 0)}{format_number(value)}"


@dataclass(frozen=True)
class Learning:
    """The progress of learning, and why no step can be taken, or ""."""

    words: str
    hindrance: str = ""


def learning(computed: Computed, draft: ExpressionDraft) -> Learning:
    output, learns = computed.graph.nodes[computed.output].label, draft.learning(computed)
    progress = _progress(draft.losses, output)
    if not learns:
        hindrance = "Every input is fixed; let at least one take steps"
        return Learning(progress or hindrance, hindrance)
    if not math.isfinite(computed.result):
        reset = "reset, or " if draft.begin else ""
        hindrance = f"{output} is not finite, so no step can be taken: {reset}move an input"
        return Learning(progress or hindrance, hindrance)
    if steep := draft.endless(computed):
        hindrance = f"The gradient of {steep} is not finite: move an input, or fix {steep}"
        return Learning(hindrance, hindrance)
    return Learning(progress or f"A step moves {_listed(learns, MOST_NAMED)}")


def _progress(losses: Sequence[float], output: str) -> str:
    """Returns the effect of the steps so far, with a remedy if they diverge; "" before any."""
    if len(losses) < 2:
        return ""
    counted = count(len(losses) - 1, "step")
    if not math.isfinite(losses[-1]):
        return f"{output} is not finite after {counted}: lower the rate and reset"
    told = f"{format_number(losses[0])} \u2192 {format_number(losses[-1])} in {counted}"
    rising = losses[-1] > losses[-2]
    if rising and abs(losses[-1]) > WORSE * max(abs(losses[0]), 1e-12):
        return f"{told}: {output} is diverging, so lower the rate and reset"
    return f"{told}: {output} rose, so the rate is too large here" if rising else told


def _in_words(array: Array) -> str:
    if np.size(array) == 1:
        return number(array)
    return f"of shape {' by '.join(str(size) for size in array.shape)}"
