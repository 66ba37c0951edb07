"""A pocket calculator: works out what people read, knowing nothing of what wrote it."""

from __future__ import annotations

import re

import numpy as np

NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e\u2212?\d+)?|\u221e|nan"
RAISED = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
TOKEN = re.compile(
    rf"({NUMBER})|(e\^|log|tanh|sin|cos|max|[+\u2212\u00d7/^()|,\u221a])|([{RAISED}]+)"
)


def typed(text: str) -> float:
    """A number as it is typed."""
    plain = text.replace("\u2212", "-").replace(",", "").replace("\u221e", "inf")
    return float(plain)


def worked_out(written: str) -> float:
    """What a person finds who types in `written`."""
    told = re.sub(rf"\([\d,]+ more = (\u2212?(?:{NUMBER}))\)", r"(\1)", written)
    told = re.sub(r", [\d,]+ smaller\)", ")", told)
    tokens = []
    place = 0
    while place < len(told):
        if told[place] == " ":
            place += 1
            continue
        match = TOKEN.match(told, place)
        assert match, f"{told!r} cannot be typed from {told[place:]!r}"
        tokens.append(match)
        place = match.end()
    calculator = _Calculator([match[0] for match in tokens])
    with np.errstate(all="ignore"):
        value = calculator.sum()
    assert calculator.done, f"{told!r}: {calculator.rest}"
    return float(value)


class _Calculator:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens, self.at = tokens, 0

    @property
    def done(self) -> bool:
        return self.at == len(self.tokens)

    @property
    def rest(self) -> list[str]:
        return self.tokens[self.at :]

    def next(self) -> str:
        return "" if self.done else self.tokens[self.at]

    def take(self, *wanted: str) -> str:
        token = self.next()
        if not token or (wanted and token not in wanted):
            raise AssertionError(f"{wanted} expected before {self.rest} of {self.tokens}")
        self.at += 1
        return token

    def sum(self) -> np.float64:
        value = self.product()
        while self.next() in ("+", "\u2212"):
            sign, other = self.take(), self.product()
            value = value + other if sign == "+" else value - other
        return value

    def product(self) -> np.float64:
        value = self.signed()
        while self.next() in ("\u00d7", "/"):
            sign, other = self.take(), self.signed()
            value = value * other if sign == "\u00d7" else value / other
        return value

    def signed(self) -> np.float64:
        if self.next() == "\u2212":
            self.take()
            return -self.power()
        return self.power()

    def power(self) -> np.float64:
        value = self.atom()
        token = self.next()
        if token == "^":
            self.take()
            return value ** self.atom()
        if token and token[0] in RAISED:
            self.take()
            return value ** np.float64("".join(str(RAISED.index(one)) for one in token))
        return value

    def atom(self) -> np.float64:
        token = self.take()
        match token:
            case "(":
                value = self.sum()
                self.take(")")
                return value
            case "|":
                value = abs(self.sum())
                self.take("|")
                return value
            case "\u221a":
                return np.sqrt(self.atom())
            case "e^":
                return np.exp(self.atom())
            case "log" | "tanh" | "sin" | "cos" | "max":
                self.take("(")
                values = [self.sum()]
                while self.next() == ",":
                    self.take()
                    values.append(self.sum())
                self.take(")")
                return max(values) if token == "max" else getattr(np, token)(values[0])
        return np.float64(typed(token))


def within_its_digits(found: float, result: str) -> bool:
    """Whether `found` is `result` within the digits that are written, of which there are three at
    least.
    """
    told = typed(result)
    if not np.isfinite(told):
        return bool(np.isnan(told)) or found == told
    mantissa, _, power = result.replace("\u2212", "-").partition("e")
    decimals = len(mantissa.partition(".")[2])
    unit = 10.0 ** (int(power or 0) - decimals)
    third = 10.0 ** (np.floor(np.log10(abs(told))) - 2) if told else unit
    return abs(found - told) <= min(unit, third) / 2 * (1 + 1e-6)
