"""A surface that a person types: a formula of x and y."""

from __future__ import annotations

import re

from core.autograd import Expression, ExpressionError, Graph, Tensor, graph_of, parse
from core.autograd.grammar import read
from core.optimization.surfaces import Span, Surface

LONGEST_FORMULA = 400  # characters of LaTeX that are worth drawing
USUAL_SPAN = (-3.0, 3.0, -3.0, 3.0)
# How tightly an operation holds its parts together when it is written out, and how tightly each
# part must hold by itself to stand there without parentheses. Whole things (a root) need none.
SUM, PRODUCT, POWER, WHOLE = 1, 2, 3, 4
_WRITTEN = {
    "Add": (SUM, (SUM, SUM)),
    "Subtract": (SUM, (SUM, PRODUCT)),
    "Negate": (SUM, (PRODUCT,)),
    "Multiply": (PRODUCT, (PRODUCT, PRODUCT)),
    "Divide": (POWER, (0, 0)),
    "Power": (POWER, (WHOLE, 0)),
    "Exp": (POWER, (0,)),
    "Sqrt": (WHOLE, (0,)),
    "Abs": (WHOLE, (0,)),
    "ReLU": (WHOLE, (0,)),
    "Sigmoid": (POWER, (PRODUCT,)),
    "GELU": (WHOLE, (0,)),
}
_BY_NAME = {"GELU"}  # what it computes takes lines of its own
_FUNCTION = (PRODUCT, (POWER,))  # the sine of something


def typed_surface(
    text: str, start: tuple[float, float] = (-2.0, 1.5), span: Span = USUAL_SPAN
) -> Surface:
    """The surface of a formula, for example "x**2 + 3*sin(y)": see core.autograd.expression.

    Raises ExpressionError (a ValueError), with the place, for what cannot be read, for other names
    than x and y, for lines that give those another value, and for functions that mix several
    numbers (sum, softmax, @, ...).
    """
    if not text.strip():
        raise ExpressionError("type a formula of x and y, for example x**2 + 3*sin(y)")
    parsed, formula = parse(text), read(text)
    for line in formula.lines:
        if line.target is not None and line.name in ("x", "y"):
            said = f"{line.name} is a coordinate of the map; give this line another name"
            raise formula.error(said, line.target)
    strange = [name for name in parsed.names if name not in ("x", "y", "pi")]
    if strange:
        found = re.search(rf"\b{strange[0]}\b", text)
        place = found.start() if found else 0
        raise ExpressionError(
            f"the name {strange[0]} is unknown: a surface is a formula of x and y",
            place,
            len(strange[0]),
        )

    def height(x: object, y: object) -> object:
        values = _named(parsed, x, y)
        return parsed.evaluate(values) if isinstance(x, Tensor) else parsed.numbers(values)

    graph = graph_of(parsed.evaluate(_named(parsed, 0.5, 0.5)))
    _check_each_by_itself(graph, text)
    return Surface(
        name="typed",
        title="Your own surface",
        formula=rf"f(x, y) = {_latex(graph)}",
        height=height,
        minima=(),
        start=start,
        span=span,
        what="Where is the surface lowest, and which optimizer gets there?",
    )


def _check_each_by_itself(graph: Graph, text: str) -> None:
    """Arrays of points go through the formula at once: no point may see another."""
    tensors = [node.tensor for node in graph.nodes]
    operations = [tensor.operation for tensor in tensors if tensor.operation is not None]
    if not (all(one.elementwise for one in operations) and not any(one.shape for one in tensors)):
        raise ExpressionError(
            "a surface has one height for each x and y; leave out lists, @ and functions such as "
            "sum, mean, max and softmax",
            0,
            len(text),
        )


def _named(parsed: Expression, x: object, y: object) -> dict[str, object]:
    given = {"x": x, "y": y}
    return {name: given[name] for name in parsed.names if name in given}


def _latex(graph: Graph) -> str:
    """The formula as people write it; dots for one that is too long to draw."""
    written: list[tuple[str, int]] = []  # of each node: LaTeX, and how tightly it holds together
    for node in graph.nodes:
        operation = node.tensor.operation
        if operation is None:
            written.append((node.latex, WHOLE))
            continue
        holds, wanted = _WRITTEN.get(operation.name, _FUNCTION)
        parts = [
            written[number][0]
            if written[number][1] >= least
            else rf"\left( {written[number][0]} \right)"
            for number, least in zip(node.inputs, wanted, strict=True)
        ]
        if operation.name in _BY_NAME:
            latex = rf"\mathrm{{{operation.name}}}({', '.join(parts)})"
        else:
            latex = operation.latex("", *parts).removeprefix(" = ")
        if len(latex) > LONGEST_FORMULA:
            return r"\dots"
        written.append((latex, holds))
    return written[-1][0]
