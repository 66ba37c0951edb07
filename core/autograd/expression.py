"""A typed formula as a graph: parsed with Python's grammar, but never evaluated by Python.

    W = randn(2, 3)
    n = x @ W + b
    sum(tanh(n))

core.autograd.grammar defines what a formula may contain. Anything else is refused, so typed text
cannot run other code.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np

from core.autograd.functional import FUNCTIONS
from core.autograd.grammar import (
    MOST_NUMBERS,
    MOST_PARTS,
    OPERATORS,
    PI,
    ExpressionError,
    Formula,
    Line,
    read,
)
from core.autograd.naming import again
from core.autograd.tensor import Tensor, constant

_CONSTANTS = dict.fromkeys(PI, math.pi)


@dataclass(eq=False)
class Parts:
    """The parts of a formula's text that belong to its Tensors.

    made   the part that an operation computes
    read   the names that refer to a Tensor: where a line assigns numbers, and wherever it is read
    lines  the line, from 1, that names a Tensor
    """

    made: dict[Tensor, ast.expr] = field(default_factory=dict)
    read: dict[Tensor, list[ast.expr]] = field(default_factory=dict)
    lines: dict[Tensor, int] = field(default_factory=dict)

    def of(self, tensor: Tensor) -> list[ast.expr]:
        """Returns the part that computes the Tensor, or for a leaf each name that refers to it."""
        made = self.made.get(tensor)
        return self.read.get(tensor, []) if made is None else [made]


@dataclass(frozen=True)
class Expression:
    """A parsed expression.

    names     the names that need a value, in the order of their first use
    defaults  the numbers that lines assign to names ("w = 0.5", "W = randn(3, 4)"), each name once:
              leaves, whose numbers `evaluate` may replace
    """

    text: str
    names: tuple[str, ...]
    defaults: Mapping[str, np.ndarray]
    _formula: Formula

    def evaluate(
        self,
        values: Mapping[str, Any] | None = None,
        parts: Parts | None = None,
        most_numbers: int = MOST_NUMBERS,
    ) -> Tensor:
        """Returns the result, with its graph, for `values`: numbers, arrays or Tensors by name.

        A number or array becomes a leaf that gets a gradient; a Tensor is used unchanged. Unused
        names are ignored. `parts` is filled with the part of the text for each Tensor; `place`
        returns the position of a part. Raises ExpressionError, with the place, for a name without
        a value, shapes that do not fit or a value that is not a number, and before all operations
        together read or make more than `most_numbers`.
        """
        maker = _Maker(self._formula, Parts() if parts is None else parts, most_numbers)
        return maker.run(self._start(values or {}), self._given(values or {}))

    def numbers(self, values: Mapping[str, Any]) -> np.ndarray:
        """Returns the result as an array for values that broadcast. No intermediate is stored, so
        arrays of any size work. Raises as `evaluate` does, and ValueError if the shapes do not
        broadcast.
        """
        fixed = {name: constant(value) for name, value in values.items()}
        wanted = math.prod(np.broadcast_shapes(*(one.shape for one in fixed.values())))
        maker = _Maker(self._formula, None, MOST_NUMBERS + MOST_PARTS * wanted)
        return maker.run(self._start(fixed), self._given(fixed)).data

    def place(self, part: ast.expr) -> tuple[int, int]:
        """Returns the position of a part in the text: its first character and its length."""
        error = self._formula.error("", part)
        return error.start, error.length

    def given_at(self, name: str) -> tuple[int, int]:
        """Returns the position of the numbers that a line assigns to a name of `defaults`."""
        given = (line for line in self._formula.lines if line.given is not None)
        return self.place(next(line.tree for line in given if line.name == name))

    def _start(self, values: Mapping[str, Any]) -> dict[str, Tensor]:
        """Returns the Tensors of the names that are read before any line assigns them."""
        known: dict[str, Tensor] = {}
        for name in self.names:
            if name in values:
                known[name] = _leaf(name, values[name])
            elif name in _CONSTANTS:
                known[name] = constant(_CONSTANTS[name])
            else:
                raise self._missing(name)
        return known

    def _given(self, values: Mapping[str, Any]) -> dict[str, Tensor]:
        """Returns the Tensors of names with default numbers, replaced where `values` has others."""
        return {
            name: _leaf(name, values.get(name, default)) for name, default in self.defaults.items()
        }

    def _missing(self, name: str) -> ExpressionError:
        for line in self._formula.lines:
            for part in self._formula.names(line):
                if part.id == name:
                    return self._formula.error(f"{name} has no value; give it one", part)
        raise AssertionError(f"{name} is not in {self.text!r}")


def parse(text: str) -> Expression:
    """Parses an expression. Raises ExpressionError, with place and remedy, if it is invalid."""
    if not isinstance(text, str):
        raise ExpressionError(f"a formula is text, like 'tanh(w*x + b)'; this is {text!r:.40}")
    formula = read(text)
    defaults: dict[str, np.ndarray] = {}
    made: set[str] = set()  # names that an earlier line has assigned
    free: dict[str, None] = {}  # names that are read before any line assigns them
    for line in formula.lines:
        free |= dict.fromkeys(part.id for part in formula.names(line) if part.id not in made)
        if line.given is not None:
            if line.name in defaults:
                raise formula.error(
                    f"a line above has given {line.name} its numbers; use another name for these",
                    line.tree,
                )
            if line.name in free:
                raise formula.error(
                    f"a line above uses {line.name} before it gets these numbers; move this line "
                    "up or use another name",
                    line.tree,
                )
            defaults[line.name] = line.given
        made.add(line.name)
    return Expression(text, tuple(free), defaults, formula)


def expression(text: str, /, **values: Any) -> Tensor:
    """Parses and evaluates: `expression("tanh(w*x + b)", w=0.5, x=2.0, b=-1.0)`.

    `leaves` of the Tensor has the values by name; after `backward()` each has its gradient. For
    large arrays, call `evaluate` with a `most_numbers` above its default, MOST_NUMBERS.
    """
    return parse(text).evaluate(values)


class _Maker:
    """Makes the Tensors of a formula, line by line, and reports the place of an error."""

    def __init__(self, formula: Formula, parts: Parts | None, most_numbers: int) -> None:
        """Without `parts`, results do not store their inputs, so there is no graph."""
        self.formula = formula
        self.parts = parts
        self.most_numbers = most_numbers
        self.numbers = 0  # how many were read or made so far

    def run(self, known: dict[str, Tensor], given: Mapping[str, Tensor]) -> Tensor:
        result = constant(0.0)
        called = {line.name for line in self.formula.lines} | known.keys()
        for line in self.formula.lines:
            if line.given is not None:
                result = given[line.name]
            else:
                result = self._value(line.tree, known)
            if line.name:
                self._note(line, result)
                name = again(line.name, called) if line.name in known else line.name
                known[line.name] = result if result.name else result.named(name)
                called.add(known[line.name].name)
        return result

    def _note(self, line: Line, result: Tensor) -> None:
        """Records the line that names the result, unless the result already has another name."""
        assert line.target is not None
        if self.parts is None or (result.name and line.given is None):
            return
        self.parts.lines[result] = line.target.lineno
        if line.given is not None:
            self.parts.read[result] = [line.target]

    def _value(self, tree: ast.expr, known: Mapping[str, Tensor]) -> Tensor:
        match tree:
            case ast.Name(id=name):
                if self.parts is not None:
                    self.parts.read.setdefault(known[name], []).append(tree)
                return known[name]
            case ast.UnaryOp() if (number := self.formula.number(tree)) is not None:
                return constant(number)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._made(tree, Tensor.__neg__, self._value(operand, known))
            case ast.UnaryOp(operand=operand):
                return self._value(operand, known)
            case ast.BinOp():
                return self._chain(tree, known)
            case ast.Call(func=ast.Name(id=name), args=[argument]) if name in FUNCTIONS:
                return self._made(tree, FUNCTIONS[name], self._value(argument, known))
            case _:
                return constant(self.formula.literals[tree])

    def _chain(self, tree: ast.BinOp, known: Mapping[str, Tensor]) -> Tensor:
        """Computes a long sum or product from the left; each operation is inside the next."""
        parts: list[ast.BinOp] = []
        first: ast.expr = tree
        while isinstance(first, ast.BinOp):
            parts.append(first)
            first = first.left
        result = self._value(first, known)
        for part in reversed(parts):
            other = self._value(part.right, known)
            result = self._made(part, OPERATORS[type(part.op)], result, other)
        return result

    def _made(self, tree: ast.expr, function: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
        self._count(tree, *(tensor.shape for tensor in inputs))
        try:
            result = function(*inputs)
        except ValueError as error:
            raise self.formula.error(str(error), tree) from error
        if self.parts is None:
            return constant(result.data)
        # A product with a vector reshapes it first: that belongs to the same part.
        new = [result]
        while new:
            tensor = new.pop()
            if not tensor.is_leaf and tensor not in self.parts.made and tensor not in inputs:
                self.parts.made[tensor] = tree
                new.extend(tensor.inputs)
        return result

    def _count(self, tree: ast.expr, *shapes: tuple[int, ...]) -> None:
        """Raises ExpressionError if an operation on these shapes would exceed `most_numbers`."""
        shape = shapes[0]
        try:
            if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.MatMult):
                shape = _product_shape(*shapes)
            elif shapes[-1] != shape:
                shape = np.broadcast_shapes(*shapes)
        except ValueError:
            return  # the shapes do not fit: the operation raises the error
        largest = max(math.prod(each) for each in (shape, *shapes))
        self.numbers += largest
        if self.numbers > self.most_numbers:
            raise self.formula.error(
                f"this works on {largest:,} numbers to give shape {shape}; all operations together "
                f"may work on at most {self.most_numbers:,}, so use smaller lists",
                tree,
            )


def _product_shape(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    """Returns the shape of a @ b, size 1 for a vector's missing axis. Raises ValueError."""
    rows, columns = a[-2] if len(a) > 1 else 1, b[-1] if len(b) > 1 else 1
    return (*np.broadcast_shapes(a[:-2], b[:-2]), rows, columns)


def _leaf(name: str, value: Any) -> Tensor:
    if isinstance(value, Tensor):
        return value if value.name or not value.is_leaf else value.named(name)
    try:
        given = np.asarray(value)  # check the kind: NumPy would turn None into nan and "3" into 3
        if given.dtype.kind not in "iuf" and not all(isinstance(one, Real) for one in given.flat):
            raise TypeError(given.dtype)
        return Tensor(given.astype(np.float64), name=name)
    except OverflowError:
        raise ExpressionError(f"the value of {name} is too large for a float") from None
    except (TypeError, ValueError):
        told = f"the value of {name} is neither a number nor an array of numbers"
        raise ExpressionError(told) from None
