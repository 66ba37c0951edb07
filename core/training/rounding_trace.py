"""One weight's update in a number format as a Trace: bits of weight and update, their sum, rounded.

The sum is exact; the format stores the nearest of its numbers. If that is the old weight, the
update is lost: it was less than half the spacing to the next number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from core.trace import Step, Trace
from core.training.bits import TracedNumber, align
from core.training.number_formats import FORMATS, NumberFormat, decode, encode, kind_of, rounding

_HERE = "core.training.rounding_trace:exact_sum#sum"
_FORMATS = "core.training.number_formats"
FORMULAS = {
    "normal": r"x = (-1)^s \, 2^{e - b} \left(1 + \frac{m}{2^M}\right)",
    "subnormal": r"x = (-1)^s \, 2^{1 - b} \, \frac{m}{2^M}",
    "infinity": r"x = (-1)^s \cdot \infty",
    "nan": r"x = \mathrm{NaN}",
    "sum": r"y = w + \Delta w",
    "spacing": r"\delta = 2^{\lfloor \log_2 |y| \rfloor - M}",
    "steps": r"n = \frac{y}{\delta}",
    "whole": r"\hat{n} = \mathrm{round}(n)",
    "rounded": r"\hat{y} = \hat{n} \, \delta",
    "stored": r"|\hat{y}| > x_{\max}",
}
TITLES = {
    "sum": "Sum: computed exactly, with as many digits as it takes",
    "spacing": "Spacing: how far apart the format's numbers of this size are",
    "steps": "Count: how many spacings fit into the number",
    "whole": "Round to a whole number of spacings; halfway, to the even one",
    "rounded": "Multiply: that many spacings make the rounded number",
    "stored": "Overflow: the number is too large for the format",
}


def exact_sum(weight: float, update: float) -> float:
    """Returns the sum of weight and update, in fp64."""
    total = weight + update  # step: sum
    return total


def trace_rounded_sum(weight: float, update: float, format: NumberFormat | str) -> Trace:
    """Traces the sum of `weight` and `update` in a format, both rounded to it first.

    Steps are named "number.weight", "number.update", "number.sum" (each with its sign, exponent and
    mantissa as whole numbers; the sum's in fp64), "rounding.sum", "rounding.spacing" ...
    "rounding.rounded", "rounding.stored" if it overflows, and "number.result". `about` has
    "format", "weight", "update", "total", "result", "numbers": these bit by bit, "lost": whether an
    update that is not 0 left the weight unchanged.

    Raises ValueError for an unknown format.
    """
    format = number_format(format) if isinstance(format, str) else format
    weight, update = (float(format.round(value)) for value in (weight, update))
    total = exact_sum(weight, update)
    result = float(format.round(total))
    lost = update != 0 and result == weight
    lines = list(trace_rounding(total, format))
    rows = (
        TracedNumber("weight", weight, format, 0),
        TracedNumber("update", update, format, 1, is_rounded=True),
        TracedNumber("exact sum", total, FORMATS["fp64"], 2, is_rounded=True),
        TracedNumber("stored", result, format, 4 + len(lines)),
    )
    about = {"format": format, "weight": weight, "update": update, "total": total}
    about |= {"result": result, "lost": lost}
    spacing = float(rounding(total, format).spacing)
    trace = Trace({**about, "numbers": align(rows, spacing)})
    trace.append(_number("weight", "The weight: its sign, exponent and mantissa", weight, format))
    trace.append(_number("update", "The update: its sign, exponent and mantissa", update, format))
    values = {"weight": weight, "update": update, "total": total}
    trace.append(_step("rounding.sum", TITLES["sum"], FORMULAS["sum"], _HERE, values))
    trace.append(
        _number(
            "sum", "The exact sum: its sign, exponent and mantissa in fp64", total, FORMATS["fp64"]
        )
    )
    for line in lines:
        trace.append(line)
    fate = "has not changed" if lost else "has changed"
    title = f"Stored in {format.name.removesuffix('fn')}: the weight {fate}"
    trace.append(_number("result", title, result, format))
    return trace.finish()


class LostUpdate(NamedTuple):
    """A weight whose update a format loses, and the share of updates that it loses."""

    weight: float
    update: float
    share: float


def lost_update(
    weights: np.ndarray, updates: np.ndarray, format: NumberFormat | str
) -> LostUpdate | None:
    """Returns the median, by size relative to its weight, of all updates that leave a stored weight
    unchanged; if there are none, the smallest update. Ignores zeros and values that are not finite;
    None if nothing remains.

    weights, updates  (n,)

    Raises ValueError for an unknown format.
    """
    format = number_format(format) if isinstance(format, str) else format
    moved = np.isfinite(weights) & np.isfinite(updates) & (weights != 0) & (updates != 0)
    weights, updates = weights[moved].astype(np.float64), updates[moved].astype(np.float64)
    if not len(weights):
        return None
    stored = format.round(weights)
    is_lost = format.round(stored + format.round(updates)) == stored
    order = np.argsort(np.abs(updates / weights))
    lost = order[is_lost[order]]
    at = lost[len(lost) // 2] if len(lost) else order[0]
    return LostUpdate(float(weights[at]), float(updates[at]), float(is_lost.mean()))


def number_format(name: str) -> NumberFormat:
    """Returns the format of that name. Raises ValueError, with the known ones, for another."""
    if name not in FORMATS:
        raise ValueError(f"unknown number format {name!r}; use one of {', '.join(FORMATS)}")
    return FORMATS[name]


def _number(name: str, title: str, value: float, format: NumberFormat) -> Step:
    """Returns a step with a stored number's three fields and the line that computes the number."""
    sign, exponent, mantissa = (int(part) for part in encode(value, format))
    kind = kind_of(exponent, mantissa, format)
    values: dict[str, float] = {
        "sign": sign,
        "exponent": exponent,
        "mantissa": mantissa,
        "direction": 1 - 2 * sign,
        "power": max(exponent, 1) - format.bias,
        "parts": format.parts,
        "value": decode(sign, exponent, mantissa, format),
    }
    if kind == "infinity":
        values["endless"] = np.inf
    return _step(f"number.{name}", title, FORMULAS[kind], f"{_FORMATS}:decode#{kind}", values)


def trace_rounding(value: float, format: NumberFormat) -> Iterator[Step]:
    """Yields how a value is rounded to the format: "rounding.spacing" ... "rounding.rounded", and
    "rounding.stored" if it overflows.
    """
    made = rounding(value, format)
    values = {"value": value, "mantissa_bits": format.mantissa_bits, **made._asdict()}
    lines = {
        "spacing": ("exponent", "mantissa_bits", "spacing"),
        "steps": ("value", "spacing", "steps"),
        "whole": ("steps", "whole"),
        "rounded": ("whole", "spacing", "rounded"),
    }
    if not np.array_equal(made.stored, made.rounded, equal_nan=True):
        lines["stored"] = ("rounded", "stored")
    for line, names in lines.items():
        told = {name: values[name] for name in names}
        marker = f"{_FORMATS}:rounding#{line}"
        yield _step(f"rounding.{line}", TITLES[line], FORMULAS[line], marker, told)


def _step(name: str, title: str, formula: str, code: str, values: dict[str, float]) -> Step:
    return Step(name, title, formula, code, {key: np.asarray(one) for key, one in values.items()})
