"""A marked line as a row of symbols: names of values, numbers, signs.

    products = x @ weight.mT     ->  x · weight^T = products
    hidden = self.c_fc(x)        ->  x -> hidden

It is derived from the line's own syntax tree, so that no equation is written twice.
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
WHOLE = ("softmax", "logsumexp")  # functions of a whole row, in addition to the reductions
SUM, PRODUCT, POWER, ATOM = range(4)  # how tightly a part binds
LEVELS = {"+": SUM, "-": SUM, "\u00d7": PRODUCT, "/": PRODUCT, "@": PRODUCT, "^": POWER}
ALL = -1  # instead of a row or column index: all of them

Cell = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Symbol:
    """A value, if `name` is not "", or else a sign or number.

    cell     the part of it that the chosen cell of the result depends on: row and column, or ALL
    turned   whether rows are shown as columns
    """

    words: str
    name: str = ""
    cell: Cell = (0, 0)
    turned: bool = False


def symbols_of(line: MarkedLine, names: Collection[str], cell: Cell = (0, 0)) -> list[Symbol]:
    """Returns the line from left to right; the last value is its result.

    names  the available values, in order: for a line that does not compute, those that it reads
           become the others
    cell   the chosen cell of the result

    Raises ValueError for a computation that cannot be written as a row of symbols.
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
    """Adds brackets unless the part binds at least as tightly as `least`."""
    match node:
        case ast.BinOp(op=op):
            level = LEVELS[OPERATORS[type(op)]]
        case ast.UnaryOp():
            level = -1  # a minus inside a row
        case _:
            level = ATOM
    brackets = level < least
    yield from [Symbol("(")] * brackets
    yield from _symbols(node, cell)
    yield from [Symbol(")")] * brackets
