"""A line of a rule with the numbers of one coordinate or weight in it: 0.9 x 14.2 + 0.1 x 54.4 =
18.2. No Qt.

What a line computes is written once more here, as a formula of names, so that a person can read
it with numbers. A test works each formula out and finds what core's own line made. Who works out
what is written, with a pocket calculator, finds the result that is written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import numpy as np

from core.autograd import Expression, parse
from core.optimization.rule import numbers_of
from core.trace import Step, Trace
from explorer.theme.numbers import ABOUT, MINUS, format_significant

RAISED = str.maketrans("0123456789", "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")
SHARES = ("beta", "beta1", "beta2", "momentum", "rest", "rest1", "rest2")
AS_SET = (*SHARES, "eps", "weight_decay", "step")  # written as a person has set them
ENOUGH, FINE, MOST = 3, 7, 12  # digits of a result, of one that hardly moves, and of an operand
EQUALS = " =\u00a0"  # where a line goes on in the next, its result has its sign
NEAR = 1e-9  # of a result: what is so near to the middle of two is rounded up or down by chance
SHRUNK = "param * (1 - rate * weight_decay)"
SLOPE = "grad + weight_decay * param"
VELOCITY = "momentum * velocity_before + slope"

# By optimizer and by the mark of its line. `rest` is what a share leaves of 1.
FORMULAS: dict[str, dict[str, str]] = {
    "sgd": {"decay": SLOPE, "move": "param - rate * slope"},
    "momentum": {"decay": SLOPE, "velocity": VELOCITY, "move": "param - rate * velocity"},
    "nesterov": {
        "decay": SLOPE,
        "velocity": VELOCITY,
        "ahead": "slope + momentum * velocity",
        "move": "param - rate * ahead",
    },
    "adagrad": {
        "decay": SLOPE,
        "total": "total_before + slope**2",
        "direction": "slope / (sqrt(total) + eps)",
        "move": "param - rate * direction",
    },
    "rmsprop": {
        "decay": SLOPE,
        "square": "beta * square_before + rest * slope**2",
        "direction": "slope / (sqrt(square) + eps)",
        "move": "param - rate * direction",
    },
    "adam": {
        "decay": SLOPE,
        "average": "beta1 * average_before + rest1 * slope",
        "square": "beta2 * square_before + rest2 * slope**2",
        "average_hat": "average / (1 - beta1**step)",
        "square_hat": "square / (1 - beta2**step)",
        "direction": "average_hat / (sqrt(square_hat) + eps)",
        "move": "param - rate * direction",
    },
    "adamw": {
        "decay": SHRUNK,
        "average": "beta1 * average_before + rest1 * grad",
        "square": "beta2 * square_before + rest2 * grad**2",
        "average_hat": "average / (1 - beta1**step)",
        "square_hat": "square / (1 - beta2**step)",
        "direction": "average_hat / (sqrt(square_hat) + eps)",
        "move": "shrunk - rate * direction",
    },
    "lion": {
        "decay": SHRUNK,
        "mixed": "beta1 * average_before + rest1 * grad",
        "sign": "mixed / abs(mixed)",
        "move": "shrunk - rate * sign",
        "average": "beta2 * average_before + rest2 * grad",
    },
    "muon": {
        "decay": SHRUNK,
        "average": "momentum * average_before + rest * grad",
        "ahead": "rest * grad + momentum * average",
        "move": "shrunk - rate * scale * direction",
    },
}


def formula_of(trace: Trace, line: Step) -> str:
    """The line's formula of names; "" where it is no sum of few terms, or none is written yet."""
    known = FORMULAS.get(str(trace.about["optimizer"]), {})
    mark = line.name.removeprefix("optimizer.")
    return known.get(mark, "") if line.parent is None else ""


def names_of(trace: Trace) -> dict[str, np.ndarray]:
    """Every name that a formula may hold, a number for each of the parameter's, (n,)."""
    about = trace.about
    settings = numbers_of(about["settings"])
    found: dict[str, Any] = dict(settings)
    for part, rest in (
        ("beta", "rest"), ("momentum", "rest"), ("beta1", "rest1"), ("beta2", "rest2"),
    ):  # fmt: skip
        if part in settings:
            found[rest] = 1 - settings[part]
    found |= {"param": about["param"], "grad": about["grad"], "step": about["step"]}
    if hasattr(about["state"], "__dataclass_fields__"):
        found |= {f"{name}_before": value for name, value in asdict(about["state"]).items()}
    for index in trace.children(None):
        found |= trace[index].values
    count = np.size(about["param"])
    return {
        name: np.broadcast_to(np.asarray(value, float).reshape(-1), (count,))
        for name, value in found.items()
        if np.size(value) in (1, count)
    }


def equation(formula: str, names: Mapping[str, np.ndarray], axis: int, result: float) -> str:
    """The formula with the numbers of one coordinate or weight in it, and what it makes: axis 0 is
    x, axis 1 is y.

    With as few digits, three or more, as let a person check it, and see how far it has moved from
    a number that it was.
    """
    of_this = {name: float(names[name][axis]) for name in _names(formula) if name in names}
    if not np.isfinite([result, *of_this.values()]).all():
        return f"{written(formula, of_this, ENOUGH)}{EQUALS}{format_significant(result)}"
    found = ""
    for digits in range(ENOUGH, FINE + 1):
        told = format_significant(result, digits)
        count = _digits_for(formula, of_this, _read(told), digits)
        if not count:
            continue
        line = f"{written(formula, of_this, count)}{EQUALS}{told}"
        if _moves(of_this, result, _read(told), count):
            return line
        found = found or line
    return found or f"{written(formula, of_this, FINE)} {ABOUT} {format_significant(result)}"


def product(left: float, right: float) -> str:
    """Two factors, with as many digits as a person needs who finds three of what they make."""
    names = {"left": left, "right": right}
    made = left * right
    if not math.isfinite(made):
        return written("left * right", names, ENOUGH)
    told = _read(format_significant(made, ENOUGH))
    count = _digits_for("left * right", names, told, ENOUGH)
    return written("left * right", names, count or FINE)


def _digits_for(formula: str, names: Mapping[str, float], told: float, digits: int) -> int:
    """How many each operand needs, for what they make to be told in so many; 0 where none are
    enough: it is next to nothing beside them.
    """
    for count in range(digits, MOST + 1):
        made = float(_parsed(formula).evaluate(_as_read(names, count)).data)
        ends = (_read(format_significant(made * near, digits)) for near in (1 - NEAR, 1 + NEAR))
        if all(one == told for one in ends):
            return count
    return 0


def _moves(names: Mapping[str, float], result: float, told: float, count: int) -> bool:
    """Whether what is read tells rightly, by a half, how far the result is from each operand."""
    return all(
        abs((told - read) - (result - value)) <= abs(result - value) / 2
        for (name, value), read in zip(names.items(), _as_read(names, count).values(), strict=True)
        if name not in AS_SET
    )


def _as_read(names: Mapping[str, float], count: int) -> dict[str, float]:
    return {name: _read(_told(name, value, count)) for name, value in names.items()}


def written(formula: str, names: Mapping[str, float], digits: int) -> str:
    """The formula with numbers of so many digits in it, as people write them."""

    def number(match: re.Match[str]) -> str:
        name = match[0]
        if name in ("sqrt", "abs"):
            return name
        value = names[name]
        before, after = formula[: match.start()].rstrip(), formula[match.end() :].lstrip()
        if before.endswith("**"):
            return f"{value:.0f}"
        text = _told(name, value, digits)
        alone = before[-1:] in ("", "(") and not after.startswith("**")
        signed = text[0] == MINUS or (after.startswith("**") and "e" in text)
        return f"({text})" if signed and not alone else text

    text = re.sub(r"[a-z]\w*", number, formula)
    text = re.sub(r"sqrt\(([^()]*)\)", "\u221a\\1", text)
    text = re.sub(r"abs\(([^()]*)\)", "|\\1|", text)
    text = re.sub(r"\*\*(\d+)", lambda match: match[1].translate(RAISED), text)
    return text.replace("*", "\u00d7").replace(" - ", " \u2212 ")


def _names(formula: str) -> list[str]:
    return re.findall(r"[a-z]\w*", formula)


@lru_cache(maxsize=64)
def _parsed(formula: str) -> Expression:
    return parse(formula)


def _told(name: str, value: float, digits: int) -> str:
    """Without zeros at the end: 0.9, 1e-8."""
    text = format_significant(value, MOST if name in AS_SET else digits)
    mantissa, *power = text.split("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return "e".join([mantissa, *power])


def _read(text: str) -> float:
    """What a person types who reads it."""
    return float(text.replace(MINUS, "-").replace(",", ""))
