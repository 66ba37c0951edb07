"""The grammar of formulas: parsed as Python; anything not allowed raises an error with its place.

Allowed are numbers, lists of numbers, tensors made from a shape (`FILLINGS`), names, + - * / ** @,
and the functions of one tensor in `FUNCTIONS`; a line may assign its value to a name.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from core.autograd.filling import FILLINGS, MOST_AXES, filled
from core.autograd.functional import FUNCTIONS
from core.autograd.mistakes import SIGNS, kind_of, said_of
from core.autograd.operation import Array

LONGEST = 10_000  # characters
MOST_PARTS = 2_000  # numbers, names and operations
DEEPEST = 100  # nested parts; the terms of a long sum do not count as nested
MOST_NUMBERS = 500_000  # in the text, and that its operations may read or make
LARGEST_SEED = 2**32
PI = ("pi", "\u03c0")

OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
}
_CALLED = re.compile(rf"\b({'|'.join(FUNCTIONS)})[ \t]+")
_ALLOWED = f"numbers, names, + - * / ** @ and {', '.join([*FUNCTIONS, *FILLINGS])}"
_NOT_ALLOWED = f"is not allowed; a formula may contain {_ALLOWED}"


class ExpressionError(ValueError):
    """An error in an expression, at character `start`, `length` characters long."""

    def __init__(self, message: str, start: int = 0, length: int = 1) -> None:
        super().__init__(message)
        self.start = start
        self.length = max(1, length)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a formula: name = tree, or a tree alone (name "").

    `given` has the numbers if the line assigns only a number, a list or a filled shape to the
    name. `target` is the name in the syntax tree, if there is one.
    """

    name: str
    tree: ast.expr
    given: Array | None
    target: ast.Name | None = None


@dataclass
class Formula:
    """A parsed text that contains only allowed parts.

    lines     from the top
    literals  the numbers of each part that is neither a name nor an operation
    """

    text: str
    lines: list[Line] = field(default_factory=list)
    literals: dict[ast.expr, Array] = field(default_factory=dict)

    def error(self, message: str, tree: ast.AST) -> ExpressionError:
        """Returns an error at a part of the text."""
        line, column = getattr(tree, "lineno", 1), getattr(tree, "col_offset", 0)
        last, end = getattr(tree, "end_lineno", line), getattr(tree, "end_col_offset", column + 1)
        start = _offset(self.text, line, _characters(self.text, line, column))
        stop = _offset(self.text, last, _characters(self.text, last, end))
        return ExpressionError(message, start, stop - start)

    def number(self, tree: ast.expr) -> Array | None:
        """Returns the numbers of a literal part, with its signs, or None for any other part."""
        match tree:
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                inner = self.number(operand)
                return None if inner is None else -inner
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.number(operand)
        return self.literals.get(tree)

    def names(self, line: Line) -> list[ast.Name]:
        """Returns the names that a line reads, from left to right."""
        found = [
            part
            for part in ast.walk(line.tree)
            if isinstance(part, ast.Name) and part.id not in FUNCTIONS and part.id not in FILLINGS
        ]
        return sorted(found, key=lambda part: (part.lineno, part.col_offset))


def read(text: str) -> Formula:
    """Parses a formula. Raises ExpressionError, with the place and a remedy, if it is invalid."""
    if "\0" in text:
        raise ExpressionError(
            "a formula cannot contain a null character; delete it", text.index("\0")
        )
    if len(text) > LONGEST:
        raise ExpressionError(
            f"the formula is too long: it may have at most {LONGEST:,} characters"
        )
    try:
        body = ast.parse("\n".join(line.strip() for line in _lines(text))).body
    except SyntaxError as error:
        start = _offset(text, error.lineno or 1, (error.offset or 1) - 1)
        for called in _CALLED.finditer(text):
            if called.end() == start:
                name = called[1]
                said = f"{name} is a function; write {name}(...)"
                raise ExpressionError(said, called.start(), len(name)) from None
        raise ExpressionError(said_of(error), start) from None
    except (RecursionError, MemoryError, ValueError):
        raise ExpressionError(
            f"parts may be nested at most {DEEPEST} deep, and a formula may have at most "
            f"{MOST_PARTS:,}"
        ) from None
    if not body:
        raise ExpressionError("type a formula, for example tanh(w*x + b)")
    formula = Formula(text)
    statements = [_statement(statement, formula) for statement in body]
    _check(statements, formula)
    for target, tree in statements:
        name = "" if target is None else target.id
        formula.lines.append(Line(name, tree, _given(name, tree, formula), target))
    return formula


def _statement(statement: ast.stmt, formula: Formula) -> tuple[ast.Name | None, ast.expr]:
    match statement:
        case ast.Expr(value=value):
            return None, value
        case ast.Assign(targets=[ast.Name() as target], value=value):
            _parts(target, formula)
            return target, value
    raise formula.error(
        f"{kind_of(statement)} is not allowed; a line is `name = formula` or a formula, which may "
        f"contain {_ALLOWED}",
        statement,
    )


def _check(statements: list[tuple[ast.Name | None, ast.expr]], formula: Formula) -> None:
    """Fills `literals`; raises ExpressionError at the first part that is not allowed."""
    parts = numbers = 0
    for target, line in statements:
        name = "" if target is None else target.id
        shapes = 0  # how many fillings this line has so far
        for tree, depth in _walk(line, formula):
            parts += 1
            if depth > DEEPEST:
                raise formula.error(f"parts may be nested at most {DEEPEST} deep", tree)
            if parts > MOST_PARTS:
                raise formula.error(f"a formula may have at most {MOST_PARTS:,} parts", tree)
            if isinstance(tree, ast.Constant | ast.List):
                formula.literals[tree] = _numbers(tree, formula)
            elif _is_filling(tree):
                formula.literals[tree] = _filling(tree, f"{name}.{shapes}", formula, numbers)
                shapes += 1
            if tree in formula.literals:
                numbers += formula.literals[tree].size


def _walk(line: ast.expr, formula: Formula) -> Iterator[tuple[ast.expr, int]]:
    """Yields every part of a line, from left to right, with its depth."""
    stack = [(line, 1)]
    while stack:
        tree, depth = stack.pop()
        yield tree, depth
        inner = [(part, depth + 1) for part in _parts(tree, formula)]
        if isinstance(tree, ast.BinOp):  # a + b + c is (a + b) + c, but a reader sees it as flat
            inner[0] = (tree.left, depth)
        stack.extend(reversed(inner))


def _parts(tree: ast.AST, formula: Formula) -> list[ast.expr]:
    """Returns the parts directly inside an allowed part; raises ExpressionError for any other."""
    match tree:
        case ast.Constant() | ast.List():
            return []
        case ast.Name(id=name):
            if name in FUNCTIONS or name in FILLINGS:
                raise formula.error(f"{name} is a function; write {name}(...)", tree)
            if name.startswith("_"):
                raise formula.error(f"a name must start with a letter, and {name} does not", tree)
            return []
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return [operand]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            return [left, right]
        case ast.BinOp(op=ast.BitXor()):
            raise formula.error("^ does not mean a power here; write **", tree)
        case ast.BinOp(op=op):
            raise formula.error(f"{SIGNS[type(op)]} {_NOT_ALLOWED}", tree)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords):
            if name in FILLINGS:
                return []
            if name not in FUNCTIONS:
                known = ", ".join([*FUNCTIONS, *FILLINGS])
                known += "; the natural logarithm is log" if name == "ln" else ""
                raise formula.error(f"there is no function {name}; use one of {known}", tree)
            if len(args) != 1 or keywords or isinstance(args[0], ast.Starred):
                raise formula.error(f"{name} takes one value in parentheses", tree)
            return args
    raise formula.error(f"{kind_of(tree)} {_NOT_ALLOWED}", tree)


def _numbers(tree: ast.expr, formula: Formula) -> Array:
    """Returns a number or nested lists of numbers as an array."""
    try:
        value = np.asarray(_written(tree), dtype=np.float64)
        if value.size:
            return value
    except (ValueError, OverflowError, RecursionError):
        pass
    said = (
        "a list may only hold numbers, in rows of equal length"
        if isinstance(tree, ast.List)
        else ""
    )
    raise formula.error(said or "a formula may only contain plain numbers", tree)


def _written(tree: ast.expr) -> Any:
    """Returns a number or nested lists; a float before its sign is applied, so that -0 keeps it."""
    match tree:
        case ast.List(elts=rows):
            return [_written(row) for row in rows]
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return float(value)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant() as one):
            return -_written(one)
        case ast.UnaryOp(op=ast.UAdd(), operand=ast.Constant() as one):
            return _written(one)
    raise ValueError("not numbers")


def _is_filling(tree: ast.expr) -> bool:
    match tree:
        case ast.Call(func=ast.Name(id=name)):
            return name in FILLINGS
    return False


def _filling(tree: ast.expr, key: str, formula: Formula, before: int) -> Array:
    """Returns the numbers of zeros(3, 4) and the like; the formula has `before` numbers already."""
    assert isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name)
    name = tree.func.id
    sizes = [_whole(size) for size in tree.args]
    shape = tuple(size for size in sizes if size is not None)
    seeds = [_whole(one.value) for one in tree.keywords if one.arg == "seed"]
    if len(shape) != len(sizes) or not 1 <= len(shape) <= MOST_AXES or min(shape) < 1:
        raise formula.error(
            f"{name} takes a shape of 1 to {MOST_AXES} positive whole numbers, for example "
            f"{name}(3, 4)",
            tree,
        )
    if len(seeds) != len(tree.keywords) or not all(
        seed is not None and 0 <= seed < LARGEST_SEED for seed in seeds
    ):
        raise formula.error(
            f"besides its shape, {name} takes only a seed, a whole number below {LARGEST_SEED:,}: "
            f"{name}(3, 4, seed=1)",
            tree,
        )
    if before + math.prod(shape) > MOST_NUMBERS:
        raise formula.error(
            f"shape {shape} has {math.prod(shape):,} numbers, and a formula may have at most "
            f"{MOST_NUMBERS:,} in all; use a smaller one",
            tree,
        )
    return filled(name, shape, key, next((seed for seed in seeds if seed is not None), 0))


def _whole(tree: ast.expr) -> int | None:
    """Returns the value of a literal whole number, or None for anything else."""
    value = tree.value if isinstance(tree, ast.Constant) else None
    return value if type(value) is int else None


def _given(name: str, tree: ast.expr, formula: Formula) -> Array | None:
    """Returns the numbers that a line assigns to its name, or None if it computes something."""
    return formula.number(tree) if name else None


@lru_cache(maxsize=4)  # callers ask for the places of many parts of the same text
def _lines(text: str) -> tuple[str, ...]:
    """Splits text into lines as Python does, also at a carriage return; no character is lost."""
    return tuple(text.replace("\r\n", " \n").replace("\r", "\n").split("\n"))


def _characters(text: str, line: int, column: int) -> int:
    """Converts a column of `ast`, which counts UTF-8 bytes, to a count of characters."""
    return len(_lines(text)[line - 1].strip().encode()[:column].decode(errors="ignore"))


def _offset(text: str, line: int, column: int) -> int:
    """Returns the position in `text` of column `column` of the stripped line `line` (from 1)."""
    lines = _lines(text)
    line = min(line, len(lines))
    indent = len(lines[line - 1]) - len(lines[line - 1].lstrip())
    return min(len(text), sum(len(before) + 1 for before in lines[: line - 1]) + indent + column)
