"""A marked line as a row of what stands in it: names of values, numbers, signs.

    products = x @ weight.mT     ->  x · weight^T = products
    hidden = self.c_fc(x)        ->  x -> hidden

It is read from the line's own syntax tree, so that nobody writes an equation a second time.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from core.calculation import EXACT, told
from core.marked_line import OPERATORS, TURNED, MarkedLine, function_of, operand_of, reduces
from core.numbers import MINUS

SIGNS = {**OPERATORS, ast.Sub: MINUS, ast.MatMult: "\u00b7"}
BECOMES, EQUALS = "\u2192", "="
WHOLE = ("softmax", "logsumexp")  # functions of a whole row, beside those that reduce one
SUM, PRODUCT, POWER, ATOM = range(4)  # how firmly a part holds together
LEVELS = {"+": SUM, "-": SUM, "\u00d7": PRODUCT, "/": PRODUCT, "@": PRODUCT, "^": POWER}
ALL = -1  # in place of a row or column: all of them

Cell = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Symbol:
    """A value, where `name` is not "", else a sign or a number.

    cell     what of it the chosen cell of the result comes from: row and column, or ALL
    turned   rows as columns
    """

    words: str
    name: str = ""
    cell: Cell = (0, 0)
    turned: bool = False


def symbols_of(line: MarkedLine, names: Collection[str], cell: Cell = (0, 0)) -> list[Symbol]:
    """The line from left to right; the last value is what it makes.

    names  the values that there are, in order: of a line that does not compute, those that it
           reads become the others
    cell   the chosen one of what it makes

    Raises ValueError for a line that computes what no row of signs can say.
    """
    if line.computes:
        return [*_symbols(line.formula, cell), Symbol(EQUALS), Symbol(line.made, line.made, cell)]
    given = [name for name in names if name in line.reads]
    made = [name for name in names if name not in line.reads]
    read = [Symbol(name, name, (cell[0], ALL)) for name in given]
    return [*read, Symbol(BECOMES), *(Symbol(name, name, cell) for name in made)]


def _symbols(node: ast.expr, cell: Cell) -> Iterator[Symbol]:
    match node:
        case ast.Name(id=name):
            yield Symbol(name, name, cell)
        case ast.Constant(value=int() | float() as value):
            yield Symbol(told(value, EXACT, as_written=True))
        case ast.Attribute(value=ast.Name(id=name), attr=attr) if attr in TURNED:
            yield Symbol(name, name, (cell[1], cell[0]), turned=True)
        case ast.BinOp(left=left, op=op, right=right):
            sign, is_product = OPERATORS[type(op)], isinstance(op, ast.MatMult)
            level = LEVELS[sign]
            rows, columns = ((cell[0], ALL), (ALL, cell[1])) if is_product else (cell, cell)
            yield from _bracketed(left, rows, ATOM if sign == "^" else level)
            yield Symbol(SIGNS[type(op)])
            yield from _bracketed(right, columns, level + 1)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield Symbol(MINUS)
            yield from _bracketed(operand, cell, POWER)
        case ast.Call() if function := function_of(node):
            is_whole = reduces(node) or function in WHOLE
            inside = (cell[0], ALL) if is_whole else cell
            yield Symbol(f"{function} (")
            for at, part in enumerate([operand_of(node)] if is_whole else node.args):
                yield from [Symbol(",")] * (at > 0)
                yield from _symbols(part, inside)
            yield Symbol(")")
        case _:
            raise ValueError(
                f"`{ast.unparse(node)}` has no row of signs; compute it in a line above"
            )


def _bracketed(node: ast.expr, cell: Cell, least: int) -> Iterator[Symbol]:
    """With brackets, unless it holds together as firmly as that."""
    match node:
        case ast.BinOp(op=op):
            level = LEVELS[OPERATORS[type(op)]]
        case ast.UnaryOp():
            level = -1  # a minus within a row
        case _:
            level = ATOM
    brackets = level < least
    yield from [Symbol("(")] * brackets
    yield from _symbols(node, cell)
    yield from [Symbol(")")] * brackets
