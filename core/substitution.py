"""A marked line with its numbers: `average_before * beta1 + slope * (1 - beta1)` is
0.1 x 0.9 + 0.5 x (1 - 0.9) = 0.14.

It is derived from the line's own syntax tree and a Step's values, so that no rule is written twice.
For arrays, one cell is shown: an elementwise line takes each operand's number there, a matrix
product and a sum their three largest terms, "+ (13 more = 0.21)".
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from core.calculation import POWER, ROOT, Piece, Term, number, solve
from core.marked_line import (
    OPERATORS,
    TURNED,
    MarkedLine,
    function_of,
    is_method,
    marked_line,
    operand_of,
    reduces,
)
from core.numbers import ABOUT, format_significant
from core.sources import Origin, origins_of
from core.trace import Step

Cell = tuple[int, ...]

LARGEST = 3  # terms of a long sum that are written out
WHOLE = 4  # sums of at most this many terms are written completely
LARGE = 30.0  # above this, softmax subtracts the largest value, so that e^x stays readable


@dataclass(frozen=True, slots=True)
class Operand:
    """A number that the line reads: its name in the code, its cell, its value."""

    name: str
    cell: Cell
    value: float


class Products(NamedTuple):
    """A complete sum of products: left (n,) times right (n,), and their names."""

    left: np.ndarray
    right: np.ndarray
    names: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """A line with the numbers of one cell.

    name       the line's result
    cell       the cell that is shown; () for a single number
    size       number of cells
    value      the number in the cell
    pieces     the written expression: each piece with the code's name for it, "" for signs; empty
               if the line only moves numbers
    result     `value`, written
    exact      whether working out the written expression gives `result`; otherwise it is near
    operands   the numbers that are read, in order, each once
    products   all products, if the whole line is a sum of products
    origins    for a line that only moves numbers: origins of this one; empty if it has none
    """

    name: str
    cell: Cell
    size: int
    value: float
    pieces: tuple[Piece, ...]
    result: str
    exact: bool = True
    operands: tuple[Operand, ...] = ()
    products: Products | None = None
    origins: tuple[Origin, ...] = ()

    @property
    def moves(self) -> bool:
        """Whether the line only moves numbers."""
        return not self.pieces

    @property
    def expression(self) -> str:
        """The expression as on paper; or the number's origin."""
        if self.pieces:
            return "".join(piece.text for piece in self.pieces)
        return " + ".join(str(origin) for origin in self.origins)

    @property
    def sign(self) -> str:
        """The sign before the result: "=" if it is exact, else "≈"."""
        return "=" if self.exact else ABOUT

    def __str__(self) -> str:
        expression = self.expression
        return f"{expression} {self.sign} {self.result}" if expression else self.result


def arithmetic(step: Step, cell: int | Cell | None = None) -> Arithmetic:
    """Returns the step's marked line with its numbers; for an array, those of one cell.

    cell  its index; an int counts through all cells, row by row. None: the largest number's

    Working out the written expression gives the written result, within its digits; if no number of
    digits suffices (the result is tiny compared with its parts, or was computed in 32 bits) `exact`
    is False. For a line that only moves numbers, returns the number's origin.

    Raises ValueError for a cell out of range, a step that lacks a value its line reads, and a line
    that computes but breaks the rules of core.marked_line.
    """
    line = marked_line(step.code)
    if not line.computes:
        made = line.made or next(iter(step.values), "")
        return _moved(step, line, made, cell)
    missing = [name for name in (line.made, *line.reads) if name not in step.values]
    if missing:
        raise ValueError(
            f"step {step.name} lacks {', '.join(missing)}, which its marked line reads or makes; "
            "give the step every name of that line"
        )
    arrays = {name: _numbers(step.value(name)) for name in (line.made, *line.reads)}
    return _computed(line, arrays, cell)


def _numbers(value: Any) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{array.dtype} values are no numbers; arithmetic has real ones alone")
    return array


def _computed(
    line: MarkedLine, arrays: dict[str, np.ndarray], cell: int | Cell | None
) -> Arithmetic:
    made, numbers = line.made, _Numbers(arrays)
    result = arrays[made]
    shape = numbers.shape(line.formula)
    if shape != result.shape:
        raise ValueError(
            f"the line gives shape {shape}, and {made} has shape {result.shape}; give the values "
            "of one run of the line"
        )
    place = _place(made, result, cell)
    term = numbers.term(line.formula, place, result.ndim == 0)
    value = float(result[place])
    solved = solve(term, value)
    return Arithmetic(
        made,
        place,
        result.size,
        value,
        solved.pieces,
        solved.result,
        solved.exact,
        tuple(numbers.read.values()),
        numbers.products(line.formula, place),
    )


def _place(name: str, array: np.ndarray, cell: int | Cell | None) -> Cell:
    """Returns the cell's index. Raises ValueError if the array has no such cell."""
    if not array.size:
        raise ValueError(f"{name} has shape {array.shape} and no number; choose another step")
    if cell is None:
        cell = int(np.abs(np.nan_to_num(array)).argmax())
    if isinstance(cell, (int, np.integer)) and not isinstance(cell, bool):
        if not 0 <= cell < array.size:
            raise ValueError(f"{name} has no cell {cell}; its {array.size} count from 0")
        return tuple(int(one) for one in np.unravel_index(cell, array.shape))
    if isinstance(cell, (str, float, bool)) or not all(
        isinstance(one, (int, np.integer)) and not isinstance(one, bool) for one in cell
    ):
        raise ValueError(f"a cell of {name} is a number or an index such as (0, 1), not {cell!r}")
    place = tuple(int(one) for one in cell)
    if len(place) != array.ndim or not all(
        0 <= one < size for one, size in zip(place, array.shape, strict=True)
    ):
        raise ValueError(f"{name} has no cell {place}; its shape is {array.shape}, from 0 each")
    return place


def _moved(step: Step, line: MarkedLine, made: str, cell: int | Cell | None) -> Arithmetic:
    if not made:
        raise ValueError(f"step {step.name} has no value; give it what its line makes")
    if made not in step.values:
        raise ValueError(
            f"step {step.name} does not hold {made}, which its line makes; keep it there"
        )
    array = step.value(made)
    place = _place(made, array, cell)
    known = {name: step.value(name) for name in step.values if name.partition("[")[0] in line.reads}
    origins = origins_of(line.formula, known, array.shape, place) if line.made else ()
    item = array[place]
    value = float(item) if array.dtype.kind in "fiub" else math.nan
    result = str(item) if math.isnan(value) else format_significant(value)
    return Arithmetic(made, place, array.size, value, (), result, origins=origins)


class _Numbers:
    """A formula's numbers: whole arrays, their shapes, and the Term of one cell.

    read  the operands used by Terms, by name and cell
    """

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        self.arrays = arrays
        self.read: dict[tuple[str, Cell], Operand] = {}
        self.wholes: dict[ast.expr, np.ndarray] = {}  # computed operands of matrix products

    # Shapes and whole arrays -----------------------------------------------------------------

    def shape(self, node: ast.expr) -> tuple[int, ...]:
        match node:
            case ast.Name(id=name):
                return self.arrays[name].shape
            case ast.Constant():
                return ()
            case ast.UnaryOp(operand=operand):
                return self.shape(operand)
            case ast.Attribute(value=value):
                return _turned(node.attr, self.shape(value))
            case ast.BinOp(left=left, op=ast.MatMult(), right=right):
                a, b = self.shape(left), self.shape(right)
                front = np.broadcast_shapes(a[:-2], b[:-2])
                return (*front, *a[-2:-1], *(b[-1:] if len(b) > 1 else ()))
            case ast.BinOp(left=left, right=right):
                return np.broadcast_shapes(self.shape(left), self.shape(right))
            case ast.Call() if reduces(node):
                whole, (axes, keep) = self.shape(operand_of(node)), self.axes(node)
                if keep:
                    return tuple(1 if axis in axes else n for axis, n in enumerate(whole))
                return tuple(n for axis, n in enumerate(whole) if axis not in axes)
            case ast.Call() if function_of(node) == "softmax":
                return self.shape(node.args[0])
            case ast.Call() if function_of(node) == "logsumexp":
                return ()
            case ast.Call():
                return np.broadcast_shapes(*(self.shape(part) for part in node.args))
        raise ValueError(f"`{ast.unparse(node)}` has no arithmetic")

    def array(self, node: ast.expr) -> np.ndarray:
        """Computes the whole array, to find the largest terms of a sum."""
        with np.errstate(all="ignore"):  # infinity and nan are valid here
            return np.asarray(self._array(node), np.float64)

    def _array(self, node: ast.expr) -> Any:
        match node:
            case ast.Name(id=name):
                return self.arrays[name].astype(np.float64)
            case ast.Constant(value=value):
                return np.float64(value)  # type: ignore[arg-type]
            case ast.UnaryOp(operand=operand):
                return -self._array(operand)
            case ast.Attribute(value=value, attr=attr):
                inner = self._array(value)
                return inner.T if attr == "T" else inner.mT
            case ast.BinOp(left=left, op=op, right=right):
                a, b = self._array(left), self._array(right)
                return _APPLIED[OPERATORS[type(op)]](a, b)
            case ast.Call() if reduces(node):
                axes, keep = self.axes(node)
                kind = getattr(np, function_of(node))
                return kind(self._array(operand_of(node)), axis=axes, keepdims=keep)
        assert isinstance(node, ast.Call)
        function, arrays = function_of(node), [self._array(part) for part in node.args]
        if function == "softmax":
            axis, _ = self.axes(node)
            above = np.exp(arrays[0] - arrays[0].max(axis, keepdims=True))
            return above / above.sum(axis, keepdims=True)
        if function == "logsumexp":
            return np.logaddexp.reduce(arrays[0].reshape(-1))
        if function in ("relu", "max", "maximum"):
            return np.maximum(arrays[0], arrays[1] if len(arrays) > 1 else 0.0)
        return getattr(np, function)(*arrays)

    def axes(self, node: ast.Call) -> tuple[tuple[int, ...], bool]:
        """Returns the axes of a reduction or softmax, and whether reduced ones keep size 1."""
        given = {one.arg: one.value for one in node.keywords}
        written = node.args if is_method(node) else node.args[1:]
        axis = given.get("axis") or given.get("dim") or (written[0] if written else None)
        ndim = len(self.shape(operand_of(node)))
        stays = given.get("keepdims") or given.get("keepdim")
        keep = stays is not None and bool(self._plain(stays))
        if ndim == 0:  # a single number has no axes
            axes: tuple[int, ...] = ()
        elif axis is None:
            axes = (ndim - 1,) if function_of(node) == "softmax" else tuple(range(ndim))
        else:
            axes = tuple(int(one) % ndim for one in np.ravel(self._plain(axis)))
        return axes, keep

    def _plain(self, node: ast.expr) -> Any:
        """Returns the value of a setting of a call."""
        if isinstance(node, ast.Name):
            return self.arrays[node.id]
        return ast.literal_eval(node)

    # The Term of a cell ----------------------------------------------------------------------

    def term(self, node: ast.expr, cell: Cell, single: bool, anchor: bool = True) -> Term:
        """Returns the Term of a node's number in `cell`, an index of the node's own shape.

        single  whether the whole line gives one number
        anchor  whether readers want to see how far the result is from its numbers
        """
        match node:
            case ast.Name(id=name):
                array = self.arrays[name]
                value = float(array[cell])
                self.read.setdefault((name, cell), Operand(name, cell, value))
                return number(value, name, anchor and (single or array.ndim > 0))
            case ast.Constant(value=value):
                return number(float(value))
            case ast.UnaryOp(operand=operand):
                return Term("neg", (self.term(operand, cell, single, anchor),))
            case ast.Attribute(value=value, attr=attr):
                return self.term(value, _turned(attr, cell), single, anchor)
            case ast.BinOp(left=left, op=ast.MatMult(), right=right):
                return self._product(left, right, cell, single)
            case ast.BinOp(left=left, op=op, right=right):
                parts = [self._part(part, cell, single, anchor) for part in (left, right)]
                sign = OPERATORS[type(op)]
                if sign == "^" and not parts[1].sign and parts[1].value == 0.5:
                    return Term(ROOT, (parts[0],))
                return Term(sign, tuple(parts))
        assert isinstance(node, ast.Call)
        function = function_of(node)
        if reduces(node):
            return self._reduced(node, function, cell, single)
        if function == "softmax":
            return self._softmax(node, cell, single)
        if function == "logsumexp":
            return self._logsumexp(node.args[0], single)
        parts = [self._part(part, cell, single, anchor) for part in node.args]
        if function == "relu":
            parts.insert(0, number(0.0))
        return Term(_SIGNS.get(function, function), tuple(parts))

    def _part(self, node: ast.expr, cell: Cell, single: bool, anchor: bool) -> Term:
        """Returns the Term of an operand that NumPy would broadcast."""
        shape = self.shape(node)
        own = cell[len(cell) - len(shape) :]
        place = tuple(0 if size == 1 else at for at, size in zip(own, shape, strict=True))
        return self.term(node, place, single, anchor)

    def _product(self, left: ast.expr, right: ast.expr, cell: Cell, single: bool) -> Term:
        """Returns the Term of a row of the left matrix times a column of the right one."""
        rows, columns = self._factors(left, right, cell)
        with np.errstate(all="ignore"):
            made = np.array([self._at(left, a) * self._at(right, b)
                             for a, b in zip(rows, columns, strict=True)])  # fmt: skip

        def term(at: int) -> Term:
            a = self.term(left, rows[at], single, False)
            return Term("\u00d7", (a, self.term(right, columns[at], single, False)))

        return _summed(made, term)

    def _factors(
        self, left: ast.expr, right: ast.expr, cell: Cell
    ) -> tuple[list[Cell], list[Cell]]:
        """Returns the cells of both matrices whose products add up to `cell`."""
        a, b = self.shape(left), self.shape(right)
        back = (len(a) > 1) + (len(b) > 1)
        front, ends = cell[: len(cell) - back], cell[len(cell) - back :]
        ends_of_a, ends_of_b = ends[: len(a) > 1], ends[int(len(a) > 1) :]

        def before(shape: tuple[int, ...]) -> Cell:
            sizes = shape[:-2]
            own = front[len(front) - len(sizes) :]
            return tuple(0 if size == 1 else at for at, size in zip(own, sizes, strict=True))

        count = a[-1]
        rows = [(*before(a), *ends_of_a, at) for at in range(count)]
        columns = [(*before(b), at, *ends_of_b) for at in range(count)]
        return rows, columns

    def _at(self, node: ast.expr, cell: Cell) -> float:
        if isinstance(node, ast.Attribute):
            return self._at(node.value, _turned(node.attr, cell))
        if isinstance(node, ast.Name):
            return float(self.arrays[node.id][cell])
        if node not in self.wholes:
            self.wholes[node] = self.array(node)
        return float(self.wholes[node][cell])

    def products(self, node: ast.expr, cell: Cell) -> Products | None:
        """Returns all factors if the whole formula is one matrix product of names, or None."""
        match node:
            case ast.BinOp(left=left, op=ast.MatMult(), right=right):
                names = [_name(part) for part in (left, right)]
                if all(names):
                    rows, columns = self._factors(left, right, cell)
                    a = np.array([self._at(left, one) for one in rows])
                    b = np.array([self._at(right, one) for one in columns])
                    return Products(a, b, (names[0], names[1]))
        return None

    def _reduced(self, node: ast.Call, function: str, cell: Cell, single: bool) -> Term:
        inner = operand_of(node)
        whole = self.array(inner)
        axes, keep = self.axes(node)
        cells = _group(whole.shape, axes, cell, keep)
        values = whole[tuple(np.array(cells).T)] if cells and whole.ndim else whole.reshape(-1)

        def term(at: int) -> Term:
            return self.term(inner, cells[at], single, False)

        if function == "max":
            order = np.argsort(-np.nan_to_num(values, nan=np.inf), kind="stable")
            shown = order if len(order) <= WHOLE else order[:LARGEST]
            parts = [term(int(at)) for at in shown]
            if len(shown) < len(values):
                parts.append(Term("less", count=len(values) - len(shown)))
            return Term("max", tuple(parts))
        total = _summed(values, term)
        return Term("/", (total, number(len(values)))) if function == "mean" else total

    def _softmax(self, node: ast.Call, cell: Cell, single: bool) -> Term:
        """Returns e^x over the sum of all e^x along the axis; subtracts the largest x if e^x would
        be huge or tiny.
        """
        inner, (axes, _) = node.args[0], self.axes(node)
        whole = self.array(inner)
        cells = _group(whole.shape, axes, cell, True)
        values = whole[tuple(np.array(cells).T)].reshape(-1)
        terms = [partial(self.term, inner, one, single, False) for one in cells]
        raised, total, _ = _raised(values, terms)
        return Term("/", (raised(cells.index(cell)), total))

    def _logsumexp(self, inner: ast.expr, single: bool) -> Term:
        """Returns the log of the sum of all e^x; takes out the largest x if e^x would be huge or
        tiny.
        """
        whole = self.array(inner)
        cells = _group(whole.shape, tuple(range(whole.ndim)), (0,) * whole.ndim, True)
        terms = [partial(self.term, inner, one, single, False) for one in cells]
        _, total, less = _raised(whole.reshape(-1), terms)
        log = Term("log", (total,))
        return Term("+", (number(less, "largest"), log)) if less else log


_SIGNS = {"sqrt": ROOT, "exp": POWER, "abs": "| |", "maximum": "max", "relu": "max"}
_APPLIED = {
    "+": np.add,
    "-": np.subtract,
    "\u00d7": np.multiply,
    "/": np.divide,
    "^": np.power,
    "@": np.matmul,
}


def _summed(values: np.ndarray, term: Callable[[int], Term]) -> Term:
    """Returns the sum of terms: all if few, or else the three largest and the sum of the others."""
    if len(values) == 0:
        return number(0.0)
    order = np.argsort(-np.abs(np.nan_to_num(values, nan=np.inf)), kind="stable")
    shown = sorted(int(at) for at in (order if len(order) <= WHOLE else order[:LARGEST]))
    parts = [term(at) for at in shown]
    if len(parts) == 1:
        return parts[0]
    if len(shown) < len(values):
        with np.errstate(all="ignore"):
            rest = np.delete(values, shown)
            parts.append(Term("more", value=float(rest.sum()), count=len(rest)))
    return Term("+", tuple(parts))


def _raised(
    values: np.ndarray, terms: Sequence[Callable[[], Term]]
) -> tuple[Callable[[int], Term], Term, float]:
    """Returns e^x of each, their sum, and the number subtracted from each x first: the largest, if
    e^x would be huge or tiny.
    """
    largest = float(values.max())
    less = largest if math.isfinite(largest) and abs(largest) > LARGE else 0.0

    def raised(at: int) -> Term:
        x = terms[at]()
        return Term(POWER, (Term("-", (x, number(less, "largest"))) if less else x,))

    with np.errstate(all="ignore"):
        above = np.exp(values - less)
    return raised, _summed(above, raised), less


def _group(shape: tuple[int, ...], axes: tuple[int, ...], cell: Cell, keep: bool) -> list[Cell]:
    """Returns the cells of an array that a reduction's `cell` is computed from."""
    if not shape:
        return [()]
    rest = iter(cell)
    ranges = []
    for axis, size in enumerate(shape):
        at = next(rest) if keep or axis not in axes else 0
        ranges.append(range(size) if axis in axes else range(at, at + 1))
    places = np.stack(np.meshgrid(*ranges, indexing="ij"), -1).reshape(-1, len(shape))
    return list(map(tuple, places.tolist()))  # at once: a vocabulary has 100,000 cells


def _turned(attr: str, cell: Cell) -> Cell:
    """Converts an index, or a shape, of the transposed array to one of the array itself."""
    return cell[::-1] if attr == "T" else (*cell[:-2], *cell[-2:][::-1])


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute) and node.attr in TURNED:
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
