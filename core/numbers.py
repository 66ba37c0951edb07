"""The format of numbers on screen: three significant digits, a true minus, 1.2e-5 below 1e-3."""

from __future__ import annotations

import math
import re

MINUS = "\u2212"
TIMES = "\u00d7"
INFINITY = "\u221e"
ABOUT = "\u2248"
THIN_SPACE = "\u2009"
_RAISED = str.maketrans(
    "-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
)
_LOWERED = str.maketrans(
    "0123456789", "\u2080\u2081\u2082\u2083\u2084\u2085\u2086\u2087\u2088\u2089"
)
_EXPONENT = re.compile(r"(?<=\d)e([+-]?)0*(?=\d)")


def lowered(name: str, number: int) -> str:
    """Returns a name with a number as its index: "c\u2082"."""
    return name + str(number).translate(_LOWERED)


def typeset(text: str) -> str:
    """Returns a number printed by Python in typographic form: U+2212 as minus, 1e-5 for 1e-05."""
    return _EXPONENT.sub(lambda found: "e" + found[1].rstrip("+"), text).replace("-", MINUS)


def typed(text: str) -> str:
    """Returns a number in ASCII, for other programs: "-" as minus; any other text is unchanged."""
    plain = text.replace(MINUS, "-")
    try:
        float(plain.replace(",", ""))
    except ValueError:
        return text
    return plain


def format_number(value: float, digits: int = 3) -> str:
    """Formats `value` for the screen: 0.314, 12.3, 1,235, 1.2e-5, 4.5e9, with U+2212 as minus.

    Whole numbers below ten million keep all their digits; "nan" and infinities are spelt out.
    """
    value = float(value)
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return INFINITY if value > 0 else MINUS + INFINITY
    if value == 0:
        return "0"
    sign = MINUS if value < 0 else ""
    size = abs(value)
    if size < 1e-3 or size >= 1e7:
        mantissa, exponent = f"{size:.{max(digits - 2, 0)}e}".split("e")
        power = int(exponent)
        return f"{sign}{mantissa}e{MINUS if power < 0 else ''}{abs(power)}"
    if size == int(size):
        return f"{sign}{int(size):,}"
    decimals = max(digits - 1 - math.floor(math.log10(size)), 0)
    text = f"{size:,.{decimals}f}"
    if len(text.replace(",", "").replace(".", "").lstrip("0")) > digits and decimals > 0:
        text = f"{size:,.{decimals - 1}f}"  # rounding carried: 9.999 -> 10.0
    return sign + text


def format_power(exponent: int, base: int = 2) -> str:
    """Formats a power with a raised exponent: 2\u207b\u00b9\u2070."""
    return f"{base}{str(exponent).translate(_RAISED)}"


def format_short(value: float, letters: int) -> str:
    """Formats `value` as exactly as fits into `letters` letters: 0.0016, 1.6e-3, 2e-3. Values far
    too small for that become about 0; any other that does not fit is as short as possible.
    """
    value = float(value)
    written = [format_number(value, digits) for digits in (3, 2, 1)]
    if math.isfinite(value) and value:
        for decimals in (1, 0):
            mantissa, exponent = f"{value:.{decimals}e}".split("e")
            written.append(typeset(f"{mantissa}e{exponent}"))
    fitting = [text for text in written if len(text) <= letters]
    if not fitting and abs(value) < 1e-99:
        return ABOUT + "0"
    return fitting[0] if fitting else min(written, key=len)


def format_significant(value: float, digits: int = 3) -> str:
    """Formats `value` with all its digits, even if it is small or large: 1.20e-5, 4.50e9.

    For arithmetic on screen: with fewer, a product would not equal that of its factors.
    """
    size = abs(float(value))
    powers = 0 < size < 1e-3 or 1e7 <= size < math.inf
    return format_number(value, digits + powers)


def format_general(value: float, digits: int = 6) -> str:
    """Formats `value` with its own digits, at most `digits`: 0.9, 1e-8, as settings are written."""
    value = float(value)
    return typeset(f"{value:.{digits}g}") if math.isfinite(value) else format_number(value)


def format_fixed(value: float, decimals: int = 2) -> str:
    """Formats `value` with fixed decimals, so that a changing number keeps its width: 1,871.30."""
    value = float(value)
    if not math.isfinite(value):
        return format_number(value)
    text = f"{abs(value):,.{decimals}f}"
    negative = value < 0 and float(text.replace(",", "")) != 0
    return (MINUS if negative else "") + text


def format_count(value: int) -> str:
    """Formats a count for a headline: 804,096 below a million, then 1.24 M, 3.10 B."""
    for limit, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if abs(value) >= limit:
            return f"{format_number(value / limit)}{THIN_SPACE}{letter}"
    return typeset(f"{value:,}")


def format_flops(count: float) -> str:
    """Formats a count of additions and multiplications: 912 FLOPs, 62.6 MFLOPs, 735 TFLOPs."""
    for unit, letter in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= unit:
            return f"{format_number(count / unit)} {letter}FLOPs"
    return f"{int(count)} FLOPs"


def format_percent(share: float) -> str:
    """Formats a share 0..1 as whole per cent; "<1 %" for small ones above 0."""
    if 0 < share < 0.005:
        return f"<1{THIN_SPACE}%"
    return f"{share * 100:.0f}{THIN_SPACE}%"


def format_share(share: float) -> str:
    """Formats small shares with two digits: 2.4 %, 0.03 %, <0.01 %; others as `format_percent`."""
    if not 0 < share < 0.0995:
        return format_percent(share)
    digits = "<0.01" if share < 5e-5 else format_significant(100 * share, 2)
    return f"{digits}{THIN_SPACE}%"


def format_duration(seconds: float) -> str:
    """Formats a duration in its two largest units: 0.8 s, 42 s, 3 min 20 s, 2 h 5 min; in days
    above four days.
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole > 4 * 86_400:
        return f"{round(whole / 86_400):,} days"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def format_estimate(seconds: float) -> str:
    """Formats an uncertain duration, after "about": 40 s, 5 min, 2 h 30 min, 12 days."""
    if seconds < 55:
        return f"{max(1, round(seconds)) if seconds < 10 else 5 * round(seconds / 5)} s"
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return f"{minutes} min"
    if seconds > 4 * 86_400:
        return format_duration(seconds)
    hours, rest = divmod(round(minutes / 10) * 10, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def format_brief(seconds: float) -> str:
    """Formats a short time with three digits: 412 ms, 83 µs, 1.24 s; from ten seconds on as
    `format_duration`.
    """
    if seconds >= 10:
        return format_duration(seconds)
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{format_significant(seconds / size)} {unit}"
    return "0" if seconds <= 0 else f"{format_significant(seconds * 1e6)} µs"


def format_bytes(count: float) -> str:
    """Formats bytes in decimal units: 912 B, 12.3 MB."""
    size, unit = byte_unit(count)
    return f"{int(count)} B" if unit == "B" else f"{format_number(count / size)} {unit}"


def byte_unit(count: float) -> tuple[float, str]:
    """Returns the largest decimal unit not above `count` bytes, with its size: (1e6, "MB")."""
    units = (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")
    return next((one for one in units if count >= one[0]), (1.0, "B"))
