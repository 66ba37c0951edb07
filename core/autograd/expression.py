"""A formula that a person types, as a graph: parsed with Python's grammar, never evaluated by it.

    n = w1*x1 + w2*x2 + b
    tanh(n)

Allowed are numbers, lists of numbers, names, + - * / ** @, and the functions of one tensor in
`FUNCTIONS`; a line may give a part a name. Nothing else is, so nothing else can happen.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.autograd.functional import FUNCTIONS
from core.autograd.tensor import Tensor, constant

LONGEST = 10_000  # characters
MOST_PARTS = 2_000  # numbers, names and operations
DEEPEST = 100  # parts inside one another

_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
}
_CONSTANTS = {"pi": math.pi}
_ALLOWED = f"numbers, names, + - * / ** @ and {', '.join(FUNCTIONS)}"


class ExpressionError(ValueError):
    """What is wrong with an expression; it begins at character `start` and is `length` long."""

    def __init__(self, message: str, start: int = 0, length: int = 1) -> None:
        super().__init__(message)
        self.start = start
        self.length = max(1, length)


@dataclass(frozen=True)
class Expression:
    """A parsed expression.

    names     those that need a value, in the order of their first use
    defaults  names that a line gives numbers ("w = 0.5"): leaves, unless they are given others
    """

    text: str
    names: tuple[str, ...]
    defaults: Mapping[str, np.ndarray]
    _lines: tuple[tuple[str, ast.expr], ...]  # (name, or "" for none, what it is)

    def evaluate(
        self, values: Mapping[str, Any] | None = None, parts: dict[int, ast.expr] | None = None
    ) -> Tensor:
        """The graph for these values: numbers, arrays or Tensors by name; those not used are left.

        A number or array becomes a leaf that gets a gradient; a Tensor is used as it is. `parts` is
        filled with what each operation stands for in the text: the id of its Tensor -> a part whose
        `place` can be asked for. Raises ExpressionError, with the place, for a name without a
        value, shapes that do not fit, and a value that is no number.
        """
        parts = {} if parts is None else parts
        given = {**self.defaults, **(values or {})}
        known: dict[str, Tensor] = {}
        for name in self.names:
            if name in given:
                known[name] = _leaf(name, given[name])
            elif name in _CONSTANTS:
                known[name] = constant(_CONSTANTS[name])
            else:
                raise self._missing(name)
        result = constant(0.0)
        for name, tree in self._lines:
            if name in self.defaults and _is_number(tree):
                result = _leaf(name, given[name])
            else:
                result = self._value(tree, known, parts)
            if name:
                known[name] = result if result.name else result.named(name)
        return result

    def _missing(self, name: str) -> ExpressionError:
        for _, tree in self._lines:
            for part in ast.walk(tree):
                if isinstance(part, ast.Name) and part.id == name:
                    return _error(f"{name} has no value; give it one", part, self.text)
        raise AssertionError(f"{name} is not in {self.text!r}")

    def place(self, part: ast.expr) -> tuple[int, int]:
        """Where a part stands in the text: its first character, and how many there are."""
        error = _error("", part, self.text)
        return error.start, error.length

    def _value(
        self, tree: ast.expr, known: Mapping[str, Tensor], parts: dict[int, ast.expr]
    ) -> Tensor:
        match tree:
            case ast.Name(id=name):
                return known[name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                result = -self._value(operand, known, parts)
                parts[id(result)] = tree
                return result
            case ast.UnaryOp(operand=operand):
                return self._value(operand, known, parts)
            case ast.BinOp(left=left, op=op, right=right):
                a, b = self._value(left, known, parts), self._value(right, known, parts)
                result = self._placed(tree, _OPERATORS[type(op)], a, b)
                parts[id(result)] = tree
                return result
            case ast.Call(func=ast.Name(id=name), args=[argument]):
                inner = self._value(argument, known, parts)
                result = self._placed(tree, FUNCTIONS[name], inner)
                parts[id(result)] = tree
                return result
            case _:
                return constant(_numbers(tree, self.text))

    def _placed(self, tree: ast.expr, function: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
        try:
            return function(*inputs)
        except ValueError as error:
            raise _error(str(error), tree, self.text) from error


def parse(text: str) -> Expression:
    """Reads an expression. Raises ExpressionError, with the place and the remedy, for any other."""
    if len(text) > LONGEST:
        raise ExpressionError(
            f"{len(text):,} characters are too many for a formula; at most {LONGEST:,} are read"
        )
    flat = "\n".join(line.strip() for line in text.split("\n"))
    try:
        body = ast.parse(flat).body
    except SyntaxError as error:
        start = _offset(text, error.lineno or 1, (error.offset or 1) - 1)
        raise ExpressionError(f"this is no complete formula: {error.msg}", start) from None
    except (RecursionError, MemoryError, ValueError):
        raise ExpressionError(f"parts may stand at most {DEEPEST} deep in one another") from None
    if not body:
        raise ExpressionError("type a formula, for example tanh(w*x + b)")
    lines = [_line(statement, text) for statement in body]
    _check([tree for _, tree in lines], text)
    defaults = {name: _numbers(tree, text) for name, tree in lines if name and _is_number(tree)}
    return Expression(text, tuple(_free_names(lines)), defaults, tuple(lines))


def expression(text: str, /, **values: Any) -> Tensor:
    """`parse(text).evaluate(values)`: `expression("tanh(w*x + b)", w=0.5, x=2.0, b=-1.0)`.

    `leaves` of the Tensor has the values by name; after `backward()` each has its gradient.
    """
    return parse(text).evaluate(values)


def _line(statement: ast.stmt, text: str) -> tuple[str, ast.expr]:
    match statement:
        case ast.Expr(value=value):
            return "", value
        case ast.Assign(targets=[ast.Name(id=name) as target], value=value):
            _parts(target, text)
            return name, value
    raise _error(
        f"{_kind(statement)} is no part of a formula; a line is `name = formula` or a formula of "
        f"{_ALLOWED}",
        statement,
        text,
    )


def _check(trees: list[ast.expr], text: str) -> None:
    """Raises ExpressionError at the first part that is not allowed."""
    stack: list[tuple[ast.AST, int]] = [(tree, 1) for tree in reversed(trees)]
    parts = 0
    while stack:
        tree, depth = stack.pop()
        parts += 1
        if depth > DEEPEST:
            raise _error(f"parts may stand at most {DEEPEST} deep in one another", tree, text)
        if parts > MOST_PARTS:
            raise _error(f"a formula has at most {MOST_PARTS:,} parts", tree, text)
        stack.extend((inner, depth + 1) for inner in reversed(_parts(tree, text)))


def _parts(tree: ast.AST, text: str) -> list[ast.expr]:
    """What stands directly inside an allowed part; raises ExpressionError for another."""
    match tree:
        case ast.Constant() | ast.List():
            _numbers(tree, text)
            return []
        case ast.Name(id=name):
            if name in FUNCTIONS:
                raise _error(f"{name} is a function; write {name}(...)", tree, text)
            if name.startswith("_"):
                raise _error(f"a name starts with a letter, and {name} does not", tree, text)
            return []
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return [operand]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return [left, right]
        case ast.BinOp(op=ast.BitXor()):
            raise _error("^ is no power here; write **", tree, text)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords):
            if name not in FUNCTIONS:
                raise _error(
                    f"there is no function {name}; there are {', '.join(FUNCTIONS)}", tree, text
                )
            if len(args) != 1 or keywords or isinstance(args[0], ast.Starred):
                raise _error(f"{name} takes one value in parentheses", tree, text)
            return args
    raise _error(f"{_kind(tree)} is not allowed; a formula has {_ALLOWED}", tree, text)


def _numbers(tree: ast.AST, text: str) -> np.ndarray:
    """A number or nested lists of numbers, as an array."""
    try:
        value = ast.literal_eval(tree)
        array = np.asarray(value)
        if array.dtype.kind not in "iuf" or array.size == 0:
            raise ValueError("not numbers")
        return array.astype(np.float64)
    except (ValueError, OverflowError, RecursionError):
        said = "a list holds numbers, in rows of equal length" if isinstance(tree, ast.List) else ""
        raise _error(said or "only plain numbers stand in a formula", tree, text) from None


def _free_names(lines: list[tuple[str, ast.expr]]) -> list[str]:
    """Names that are used before any line gives them a value."""
    given: set[str] = set()
    free: list[str] = []
    for name, tree in lines:
        found = [part for part in ast.walk(tree) if isinstance(part, ast.Name)]
        found.sort(key=lambda part: (part.lineno, part.col_offset))
        for part in found:
            if part.id not in given and part.id not in free and part.id not in FUNCTIONS:
                free.append(part.id)
        given.add(name)
    return free


def _leaf(name: str, value: Any) -> Tensor:
    if isinstance(value, Tensor):
        return value if value.name or not value.is_leaf else value.named(name)
    try:
        return Tensor(np.asarray(value, dtype=np.float64), name=name)
    except (TypeError, ValueError):
        raise ExpressionError(f"the value of {name} is no number and no array of numbers") from None


def _kind(tree: ast.AST) -> str:
    """A part of Python that is no part of a formula, in words."""
    words = {
        ast.Attribute: "a dot after a name",
        ast.Subscript: "an index in brackets",
        ast.Lambda: "a lambda",
        ast.Compare: "a comparison",
        ast.BoolOp: "and, or",
        ast.IfExp: "a condition",
        ast.Call: "calling anything but a function's name",
        ast.Import: "an import",
        ast.ImportFrom: "an import",
    }
    name = type(tree).__name__
    comprehension = name.endswith("Comp") or name == "GeneratorExp"
    return "a comprehension" if comprehension else words.get(type(tree), f"Python's {name}")


def _is_number(tree: ast.expr) -> bool:
    """A number, a negative one, or a list of them: what a line can give a name as its value."""
    if isinstance(tree, ast.UnaryOp):
        return isinstance(tree.op, ast.USub) and isinstance(tree.operand, ast.Constant)
    return isinstance(tree, ast.Constant | ast.List)


def _error(message: str, tree: ast.AST, text: str) -> ExpressionError:
    line, column = getattr(tree, "lineno", 1), getattr(tree, "col_offset", 0)
    last, end = getattr(tree, "end_lineno", line), getattr(tree, "end_col_offset", column + 1)
    start = _offset(text, line, _characters(text, line, column))
    stop = _offset(text, last, _characters(text, last, end))
    return ExpressionError(message, start, stop - start)


def _characters(text: str, line: int, column: int) -> int:
    """`ast` counts bytes of UTF-8; this many characters are they."""
    return len(text.split("\n")[line - 1].strip().encode()[:column].decode(errors="ignore"))


def _offset(text: str, line: int, column: int) -> int:
    """Where column `column` of the stripped line `line` (from 1) is in `text`."""
    lines = text.split("\n")
    line = min(line, len(lines))
    indent = len(lines[line - 1]) - len(lines[line - 1].lstrip())
    return min(len(text), sum(len(before) + 1 for before in lines[: line - 1]) + indent + column)
