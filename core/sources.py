"""Traces where the numbers of a marked line that only moves numbers came from.

The line is run again on positions instead of numbers: the value of a cell is then the position that
its number came from.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

Cell = tuple[int, ...]
NOWHERE = -1  # position of numbers without origin, such as a mask's value


class Origin(NamedTuple):
    """A cell of a value that the line reads."""

    name: str
    cell: Cell

    def __str__(self) -> str:
        return f"{self.name}[{', '.join(map(str, self.cell))}]" if self.cell else self.name


class _Unknown(Exception):
    """Raised if the line has an unsupported operation, or reads a value missing from the step."""


def origins_of(
    formula: ast.expr, values: Mapping[str, np.ndarray], shape: tuple[int, ...], cell: Cell
) -> tuple[Origin, ...]:
    """Returns the origins of the number in `cell` of a line's result, which has that shape.

    One cell; for `np.add.at` all that it adds up; none if there is no origin (a mask's fixed value)
    or the line is not supported. values are those that the line reads, by name; of a list, each
    under its own name, "parts[0]".
    """
    starts: dict[str, int] = {}
    places: dict[str, np.ndarray] = {}
    count = 0
    for name, array in values.items():
        starts[name] = count
        places[name] = np.arange(count, count + array.size).reshape(array.shape)
        count += array.size
    try:
        match formula:
            case ast.Call(ast.Attribute(attr="at"), [_, index, ast.Name(id=name)]):
                cells = np.arange(math.prod(shape)).reshape(shape)
                added = cells[_index(index, values)] == cells[cell]
                return tuple(Origin(name, _cell(one)) for one in np.argwhere(added))
        found = np.asarray(_followed(formula, values, places, shape))
    except (_Unknown, IndexError, TypeError, ValueError):
        return ()
    if found.shape != shape or int(found[cell]) == NOWHERE:
        return ()
    at = int(found[cell])
    name = next(one for one in values if starts[one] <= at < starts[one] + values[one].size)
    own = np.unravel_index(at - starts[name], values[name].shape)
    return (Origin(name, _cell(own)),)


def _cell(place: Iterable[np.integer]) -> Cell:
    return tuple(int(one) for one in place)


def _followed(
    node: ast.expr,
    values: Mapping[str, np.ndarray],
    places: Mapping[str, np.ndarray],
    shape: tuple[int, ...],
) -> np.ndarray:
    def follow(part: ast.expr) -> np.ndarray:
        return _followed(part, values, places, shape)

    index: Any
    match node:
        case ast.Name(id=name) if name in places:
            return places[name]
        case ast.Attribute(value=value, attr="T"):
            return follow(value).T
        case ast.Attribute(value=value, attr="mT"):
            return follow(value).mT
        case ast.Subscript(value=value, slice=key):
            index = _index(key, values)
            return np.asarray(follow(value)[index])
        case ast.Call(func=ast.Attribute(attr="where"), args=[condition, yes, no]):
            chosen = [_or_nowhere(part, follow) for part in (yes, no)]
            return np.where(_value(condition, values), *chosen)
        case ast.Call(func=ast.Attribute(attr="concatenate"), args=[ast.Name(id=name), axis]):
            parts = [places[one] for one in places if one.startswith(f"{name}[")]
            return np.concatenate(parts, int(_value(axis, values)))
        case ast.Call(func=ast.Attribute(value=value, attr="masked_fill"), args=[hidden, _]):
            return np.where(_value(hidden, values), NOWHERE, follow(value))
        case ast.Call(func=ast.Attribute(value=value, attr="reshape")):
            moved = follow(value)
            return moved.reshape(shape) if moved.size == math.prod(shape) else moved
        case ast.Call(func=ast.Attribute(value=value, attr="transpose"), args=[axes]):
            return follow(value).transpose([int(one) for one in _value(axes, values)])
        case ast.Call(func=ast.Attribute(value=value, attr="take"), args=[at, axis]):
            return follow(value).take(_whole(at, values), int(_value(axis, values)))
    raise _Unknown


def _or_nowhere(node: ast.expr, follow: Callable[[ast.expr], np.ndarray]) -> np.ndarray:
    try:
        return follow(node)
    except _Unknown:
        return np.asarray(NOWHERE)


def _index(node: ast.expr, values: Mapping[str, np.ndarray]) -> Any:
    match node:
        case ast.Tuple(elts=parts):
            return tuple(_index(part, values) for part in parts)
        case ast.Slice():
            ends = (node.lower, node.upper, node.step)
            return slice(*(None if end is None else int(_value(end, values)) for end in ends))
    return _whole(node, values)


def _whole(node: ast.expr, values: Mapping[str, np.ndarray]) -> np.ndarray:
    found = _value(node, values)
    return found if found.dtype.kind in "iub" else found.astype(int)


def _value(node: ast.expr, values: Mapping[str, np.ndarray]) -> np.ndarray:
    if isinstance(node, ast.Name):
        if node.id not in values:
            raise _Unknown
        return np.asarray(values[node.id])
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
        return ~_value(node.operand, values)
    try:
        return np.asarray(ast.literal_eval(node))
    except ValueError:
        raise _Unknown from None
