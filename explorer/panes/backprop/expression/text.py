"""Every sentence of the mode: about a step, a node, a nudge, and learning. No Qt."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from core.autograd import Place, parted
from core.autograd.operation import in_brackets
from core.numbers import TIMES
from explorer.panes.backprop.expression.cells import (
    cell_name,
    copies_of,
    largest,
    share_of,
)
from explorer.panes.backprop.expression.compute import Array, Computed
from explorer.panes.backprop.expression.draft import ExpressionDraft
from explorer.panes.backprop.expression.number_text import numeral
from explorer.panes.backprop.expression.what_if import WhatIf

PARTIAL = "\u2202"
SUMMED = 2  # products of a sum that are written out
FLAT = 1e-9  # a gradient below this is none
MOST_NAMED = 5  # inputs that take steps
WORSE = 10.0  # times the first loss: the steps lead away
Piece = tuple[str, str]  # text, and a color of the theme or "sign:<number>"


def number(value: Array) -> str:
    """One number as it is, a tensor by its shape."""
    array = np.asarray(value)
    return numeral(array.item()) if array.size == 1 else shape(array)


def shape(array: Array) -> str:
    return "(" + f" {TIMES} ".join(str(size) for size in array.shape) + ")"


def slope(computed: Computed, node: int) -> str:
    """dL/d(node), as people write it in a line."""
    names = computed.graph.nodes
    return f"{PARTIAL}{names[computed.output].label}/{PARTIAL}{names[node].label}"


def arithmetic(computed: Computed, moment: int) -> list[Piece]:
    """The step's numbers in one line; empty for the first moment."""
    place = computed.plan.places[moment]
    if place is None:
        return []
    if place.phase == "forward":
        return _forward(computed, place.node)
    if place.phase == "seed":
        return [(slope(computed, place.node), "muted"), (" = ", "muted"), ("1", "text")]
    assert place.input is not None
    edge = (place.node, place.input)
    target = computed.graph.nodes[place.node].inputs[place.input]
    flow = computed.flows.along[edge]
    if place.phase == "backward":
        return _edge(computed, place, target)
    if place.phase == "copies":
        return _copies(computed, edge, target)
    before = computed.gradient_at(target, moment - 1)
    if before is not None and flow.size == 1:
        after = computed.gradient_at(target, moment)
        assert after is not None
        return [
            _signed(before),
            (" + ", "muted"),
            (in_brackets(number(flow)), _sign(flow)),
            (" = ", "muted"),
            _signed(after),
        ]
    return [("gradient + contribution, each ", "muted"), (shape(flow), "text")]


def _forward(computed: Computed, node: int) -> list[Piece]:
    tensor = computed.graph.nodes[node].tensor
    operation = tensor.operation
    assert operation is not None
    if any(before.data.size > 1 for before in tensor.inputs) or tensor.data.size > 1:
        said = computed.graph.nodes[node].text
        shapes = [shape(before.data) if before.ndim else "1" for before in tensor.inputs]
        sizes = f"shapes {' and '.join(shapes)} give " if tensor.data.size > 1 else ""
        return [(f"{said}: {sizes}", "muted"), (number(tensor.data), "text")]
    said = operation.text(*(number(before.data) for before in tensor.inputs))
    return [(said, "muted"), (" = ", "muted"), (number(tensor.data), "text")]


def _edge(computed: Computed, place: Place, target: int) -> list[Piece]:
    assert place.input is not None
    upstream = computed.gradient(place.node)
    edge = (place.node, place.input)
    local, flow = computed.local(edge), computed.contribution(edge)
    assert upstream is not None
    if local is not None and local.size == 1 and upstream.size == 1:
        if not local.any() and not np.isfinite(upstream) and not flow.any():
            return [_signed(upstream), (" is stopped here: ", "muted"), _signed(flow)]
        return [
            _signed(upstream),
            (f" {TIMES} ", "muted"),
            (in_brackets(number(local)), "text"),
            (" = ", "muted"),
            _signed(flow),
        ]
    if local is not None and np.shape(local) == np.shape(flow) == np.shape(upstream):
        return _largest(upstream, local, flow)
    if _kind(computed, place.node) == "MatMul" and not computed.is_copied(edge):
        return _products(computed, edge)
    return [(_how(computed, place, target), "muted"), (number(flow), "text")]


def _largest(upstream: Array, local: Array, flow: Array) -> list[Piece]:
    """Of a tensor the element that gets most."""
    at = np.unravel_index(int(np.abs(flow).argmax()), flow.shape)
    name = f"[{', '.join(str(int(one)) for one in at)}]"
    return [
        (f"element {name}: ", "muted"),
        _signed(upstream[at]),
        (f" {TIMES} ", "muted"),
        (in_brackets(number(local[at])), "text"),
        (" = ", "muted"),
        _signed(flow[at]),
    ]


def _copies(computed: Computed, edge: tuple[int, int], target: int) -> list[Piece]:
    """Of the number that gets most what comes to each of its copies."""
    flow = computed.flows.along[edge]
    element = largest(flow)
    shares = computed.contribution(edge).reshape(-1)[copies_of(computed, edge, element)]
    pieces: list[Piece] = [(f"{cell_name(computed, target, element)}: ", "muted")]
    for at, share in enumerate(shares[: SUMMED + 1]):
        pieces += [] if at == 0 else [(" + ", "muted")]
        pieces.append((number(share) if at == 0 else in_brackets(number(share)), _sign(share)))
    if shares.size > SUMMED + 1:
        pieces.append((f" + {shares.size - SUMMED - 1} more", "muted"))
    return [*pieces, (" = ", "muted"), _signed(flow.reshape(-1)[element])]


def _products(computed: Computed, edge: tuple[int, int]) -> list[Piece]:
    """Of a matrix product the number that gets most: a sum of products."""
    element = largest(computed.flows.along[edge])
    share = share_of(computed, edge, element)
    assert share is not None
    target = computed.graph.nodes[edge[0]].inputs[edge[1]]
    pieces: list[Piece] = [(f"{cell_name(computed, target, element)}: ", "muted")]
    for at, (upstream, local) in enumerate(zip(share.upstream, share.local, strict=True)):
        if at == SUMMED:
            pieces.append((f" + {share.cells.size - SUMMED} more", "muted"))
            break
        pieces += [] if at == 0 else [(" + ", "muted")]
        written = number(upstream) if at == 0 else in_brackets(number(upstream))
        pieces.append((written, _sign(upstream)))
        pieces += [(f" {TIMES} ", "muted"), (in_brackets(number(local)), "text")]
    return [*pieces, (" = ", "muted"), _signed(np.asarray(share.total))]


def _kind(computed: Computed, node: int) -> str:
    operation = computed.graph.nodes[node].tensor.operation
    return "" if operation is None else operation.name


def _how(computed: Computed, place: Place, target: int) -> str:
    """What an operation that is not elementwise hands back, in a few words."""
    size = computed.value(target).size
    return {
        "Sum": f"the same for each of {size} numbers, shape ",
        "Mean": f"1/{size} of it for each of {size} numbers, shape ",
        "Max": "all of it for the largest, nothing for the others, shape ",
        "Reshape": "the same numbers, back in shape ",
        "Transpose": "the same numbers, turned back to shape ",
        "Softmax": "weight \u00d7 (upstream \u2212 its weighted mean), shape ",
    }.get(_kind(computed, place.node), "upstream becomes ")


def _sign(value: Array) -> str:
    return f"sign:{np.asarray(value).item()}" if np.size(value) == 1 else "text"


def _signed(value: Array) -> Piece:
    return number(value), _sign(value)


def headline(computed: Computed, moment: int) -> str:
    """One sentence: what is seen now."""
    place = computed.plan.places[moment]
    names = computed.graph.nodes
    out = names[computed.output].label
    if computed.broken is not None and (place is None or moment == len(computed.plan) - 1):
        return trouble(computed)
    if place is None:
        count = len(computed.leaves)
        numbers = "one input" if count == 1 else f"{count} inputs"
        return f"{numbers.capitalize()} on the left, {out} on the right: play it forward, then back"
    node = names[place.node]
    if place.phase == "forward":
        return f"Forward: {node.label} = {node.text} is computed from its inputs"
    if place.phase == "seed":
        return f"Backward begins: {out} changes one for one with itself, so its gradient is 1"
    assert place.input is not None
    target = names[node.inputs[place.input]].label
    if place.phase == "backward":
        last = moment == len(computed.plan) - 1
        if last:
            return summary(computed)
        return f"Backward: {target} gets the gradient of {node.label} times the local derivative"
    if place.phase == "copies":
        return f"{target} was copied to fit the shape, so the gradients of its copies are added up"
    return f"{target} is used more than once: each use moves {out}, so its gradients add up"


def summary(computed: Computed) -> str:
    """What all gradients together tell: who matters most."""
    out = computed.graph.nodes[computed.output].label
    single = {
        name: float(np.asarray(computed.gradient(node)).item())
        for name, node in computed.leaves.items()
        if computed.gradient(node) is not None and np.size(computed.gradient(node)) == 1
    }
    if len(single) < 2:
        return f"Now every input has its gradient: how strongly it moves {out}"
    steep = [name for name, one in single.items() if not np.isfinite(one)]
    if steep:
        return f"{out} is infinitely steep in {steep[0]} here: its gradient is not finite"
    most = max(map(abs, single.values()))
    if most < FLAT:
        return "All gradients are 0 here, as at the bottom of a valley"
    first = [name for name, one in single.items() if math.isclose(abs(one), most, rel_tol=1e-9)]
    how = f"at first by {numeral(most)} per unit"
    if len(first) > 1:
        who = "All inputs" if len(first) == len(single) else _listed(first)
        return f"{who} matter equally: each moves {out}, {how}"
    way = "raises" if single[first[0]] > 0 else "lowers"
    return f"{first[0]} matters most: raising it {way} {out}, {how}"


def _listed(names: list[str]) -> str:
    """ "a and b", "a, b and 3 more"."""
    if len(names) > SUMMED + 1:
        names = [*names[:SUMMED], f"{len(names) - SUMMED} more"]
    return f"{', '.join(names[:-1])} and {names[-1]}"


def trouble(computed: Computed) -> str:
    """Where the first value that is not finite comes from, and what follows."""
    assert computed.broken is not None
    node = computed.graph.nodes[computed.broken]
    tensor = node.tensor
    if tensor.operation is None:
        return f"{node.label} is not finite, so nothing computed from it is; give it another value"
    kind = tensor.operation.name
    inputs = [before.data for before in tensor.inputs]
    value = number(tensor.data) if tensor.data.size == 1 else "not finite everywhere"
    reasons: dict[str, str] = {
        "Log": "a logarithm exists only above 0",
        "Sqrt": "a square root exists only from 0 up",
        "Divide": "something is divided by 0",
        "Exp": "e to so large a power is too large for a 64-bit number",
    }
    if kind == "Power" and np.isnan(tensor.data).any():
        reasons["Power"] = "this power of a negative number is not a real number"
    elif kind == "Power" and (inputs[0] == 0).any():
        reasons["Power"] = "a negative power of 0 divides by 0"
    reason = reasons.get(kind, "it is too large for a 64-bit number")
    said = tensor.operation.text(*map(number, inputs))
    remedy = "Move an input" if tensor.requires_grad else "Change the formula"
    return f"{node.label} = {said} is {value}: {reason}. {remedy} to get out"


def title(computed: Computed, moment: int) -> str:
    """A moment in a few words, for the scrubber; core's own words where it has some."""
    place = computed.plan.places[moment]
    names = computed.graph.nodes
    if place is None:
        return "The inputs"
    node = names[place.node]
    if place.phase == "forward":
        return f"{node.label} = {node.text}"
    if place.phase == "seed":
        return f"Backward begins at {node.label}"
    assert place.input is not None
    target = names[node.inputs[place.input]].label
    return {
        "backward": f"{node.label} hands {target} its share",
        "copies": f"{target}: the gradients of its copies add up",
        "accumulate": f"{target}: the gradients of its uses add up",
    }[place.phase]


def told(computed: Computed, node: int) -> str:
    """A node in words: what it is, its value and its gradient."""
    one = computed.graph.nodes[node]
    value, gradient = computed.value(node), computed.gradient(node)
    name = one.label if one.is_leaf else f"{one.label} = {one.text}"
    said = f"{name}, value {_in_words(value)}"
    said = said if gradient is None else f"{said}, gradient {_in_words(gradient)}"
    return ". ".join(filter(None, (said, lines_of_names(computed, [node]))))


def lines_of_names(computed: Computed, nodes: Iterable[int]) -> str:
    """Which line gives it, of each whose name several lines give ("c\u2082 is the c of line 5"),
    or "".
    """
    labels = (node.label for node in computed.graph.nodes)
    several = {name for name, count in map(parted, labels) if count > 1}
    found = {}
    for number in nodes:
        label, line = computed.graph.nodes[number].label, computed.line(number)
        name, _ = parted(label)
        if name in several and line is not None:
            found[label] = f"{label} is the {name} of line {line}"
    return ", ".join(found.values())


def leaf_tip(computed: Computed, node: int) -> str:
    """Of the node under the pointer."""
    tip = told(computed, node)
    tensor = computed.graph.nodes[node].tensor
    if tensor.operation is None and tensor.requires_grad:
        tip += "\nDrag it sideways, turn the wheel, or double-click to type a value"
    return tip


def edge_tip(computed: Computed, edge: tuple[int, int]) -> str:
    """Of the edge under the pointer."""
    moment = computed.plan.moment_of(edge)
    if moment is None:
        return "Nothing flows back here: this input is a constant"
    pieces = "".join(piece for piece, _ in arithmetic(computed, moment))
    return f"{title(computed, moment)}: {pieces}\nClick to see this step"


def predicted(what: WhatIf, output: str, slope: str) -> str:
    """What the gradient, written as `slope`, predicts of a nudge."""
    if not math.isfinite(what.result):
        return f"predicted: nothing, {output} is {numeral(what.result)} here"
    if not math.isfinite(what.gradient):
        return f"predicted: nothing, the slope is {slope} here"
    return (
        f"predicted: {slope} {TIMES} {in_brackets(numeral(what.nudge))} = {_plus(what.predicted)}"
    )


def true_change(what: WhatIf) -> str:
    """What a nudge does."""
    if math.isnan(what.true):
        return "true change: not known"
    off = f", off by {numeral(abs(what.error))}" if math.isfinite(what.error) else ""
    off = ", as predicted" if what.is_as_predicted else off
    return f"true change: {_plus(what.true)}{off}"


def _plus(value: float) -> str:
    """A number with its sign, also where that is plus."""
    return f"{'+' * (value > 0)}{numeral(value)}"


@dataclass(frozen=True)
class Learning:
    """How learning goes, and why no step can be taken; "" where one can."""

    words: str
    hindrance: str = ""


def learning(computed: Computed, draft: ExpressionDraft) -> Learning:
    output, learns = computed.graph.nodes[computed.output].label, draft.learning(computed)
    progress = _progress(draft.losses, output)
    if not learns:
        hindrance = "Every input is fixed: let one take steps"
        return Learning(progress or "Every input is fixed.", hindrance)
    if not math.isfinite(computed.result):
        reset = "reset, or " if draft.begin else ""
        hindrance = f"{output} is not finite here: {reset}move an input"
        return Learning(progress or hindrance, hindrance)
    if steep := draft.endless(computed):
        hindrance = f"The gradient of {steep} is not finite here: move an input, or fix {steep}"
        return Learning(hindrance, hindrance)
    more = " ..." if len(learns) > MOST_NAMED else ""
    return Learning(progress or f"Moves {', '.join(learns[:MOST_NAMED])}{more}")


def _progress(losses: Sequence[float], output: str) -> str:
    """What the steps so far have done, and the remedy where they lead away; "" before any."""
    if len(losses) < 2:
        return ""
    steps = len(losses) - 1
    counted = "1 step" if steps == 1 else f"{steps} steps"
    if not math.isfinite(losses[-1]):
        return f"{output} is not finite after {counted}: lower the rate and reset"
    told = f"{numeral(losses[0])} \u2192 {numeral(losses[-1])} in {counted}"
    rising = losses[-1] > losses[-2]
    if rising and abs(losses[-1]) > WORSE * max(abs(losses[0]), 1e-12):
        return f"{told}: it diverges; lower the rate and reset"
    return f"{told}: it rose, so the rate is too large here" if rising else told


def _in_words(array: Array) -> str:
    if np.size(array) == 1:
        return number(array)
    return f"of shape {' by '.join(str(size) for size in array.shape)}"
