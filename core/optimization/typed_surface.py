"""A surface from a typed formula of x and y."""

from __future__ import annotations

import re

from core.autograd import Expression, ExpressionError, Graph, Tensor, graph_of, parse
from core.autograd.grammar import read
from core.optimization.surfaces import Span, Surface

LONGEST_FORMULA = 400  # characters of LaTeX to draw at most
USUAL_SPAN = (-3.0, 3.0, -3.0, 3.0)
# The precedence of an operation in written form, and the precedence that each of its parts needs
# to be written without parentheses. WHOLE: parts such as roots, which never need them.
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
_BY_NAME = {"GELU"}  # its formula is too long to write out
_FUNCTION = (PRODUCT, (POWER,))  # such as a sine


def typed_surface(
    text: str, start: tuple[float, float] = (-2.0, 1.5), span: Span = USUAL_SPAN
) -> Surface:
    """Returns the surface of a formula, such as "x**2 + 3*sin(y)": see core.autograd.expression.

    Raises ExpressionError (a ValueError), with the place, for text that is not a formula, names
    other than x, y and pi, lines that assign x or y, and operations that combine several numbers
    (sum, softmax, @, ...).
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
    """Raises ExpressionError unless each height depends on one point: arrays of points are computed
    at once.
    """
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
    """Returns the formula in usual notation as LaTeX; dots if it is too long to draw."""
    written: list[tuple[str, int]] = []  # for each node: LaTeX and precedence
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
