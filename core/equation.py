"""A marked line as a row of what stands in it: names of values, numbers, signs.

    products = x @ weight.mT     ->  x · weight^T = products
    hidden = self.c_fc(x)        ->  x -> hidden

It is read from the line's own syntax tree, so that nobody writes an equation a second time.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from core.marked_line import OPERATORS, MarkedLine, function_of
from core.numbers import MINUS, format_general

SIGNS = {**OPERATORS, ast.Sub: MINUS, ast.MatMult: "\u00b7"}
BECOMES, EQUALS = "\u2192", "="
WHOLE = ("softmax", "mean", "sum", "max", "logsumexp")  # functions of a whole row
ALL = -1  # in place of a row or column: all of them

Cell = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Term:
    """A value, where `name` is not "", else a sign or a number.

    cell     what of it the chosen cell of the result comes from: row and column, or ALL
    turned   rows as columns
    """

    words: str
    name: str = ""
    cell: Cell = (0, 0)
    turned: bool = False


def terms_of(line: MarkedLine, names: Collection[str], cell: Cell = (0, 0)) -> list[Term]:
    """The line from left to right; the last value is what it makes.

    names  the values that there are, in order: of a line that does not compute, those that it
           reads become the others
    cell   the chosen one of what it makes
    """
    if line.computes:
        return [*_terms(line.formula, cell), Term(EQUALS), Term(line.made, line.made, cell)]
    given = [name for name in names if name in line.reads]
    made = [name for name in names if name not in line.reads]
    read = [Term(name, name, (cell[0], ALL)) for name in given]
    return [*read, Term(BECOMES), *(Term(name, name, cell) for name in made)]


def _terms(node: ast.expr, cell: Cell) -> Iterator[Term]:
    match node:
        case ast.Name(id=name):
            yield Term(name, name, cell)
        case ast.Constant(value=value):
            yield Term(format_general(float(value), 3))  # type: ignore[arg-type]
        case ast.Attribute(value=ast.Name(id=name)):
            yield Term(name, name, (cell[1], cell[0]), turned=True)
        case ast.BinOp(left=left, op=op, right=right):
            is_product = isinstance(op, ast.MatMult)
            yield from _bracketed(left, op, (cell[0], ALL) if is_product else cell)
            yield Term(SIGNS[type(op)])
            yield from _bracketed(right, op, (ALL, cell[1]) if is_product else cell)
        case ast.UnaryOp(operand=operand):
            yield Term(MINUS)
            yield from _terms(operand, cell)
        case ast.Call(args=[given, *_]):
            function = function_of(node)
            yield Term(f"{function} (")
            yield from _terms(given, (cell[0], ALL) if function in WHOLE else cell)
            yield Term(")")


def _bracketed(node: ast.expr, op: ast.operator, cell: Cell) -> Iterator[Term]:
    """With brackets round a sum within a product, or a difference."""
    is_sum = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)
    brackets = is_sum and not isinstance(op, ast.Add)
    yield from [Term("(")] * brackets
    yield from _terms(node, cell)
    yield from [Term(")")] * brackets
