"""Names of values that a formula assigns to one name repeatedly: the second c is c\u2082."""

from __future__ import annotations

import re
from collections.abc import Collection

from core.numbers import lowered

_RAISED = {0x2080 + digit: str(digit) for digit in range(10)}
_AGAIN = re.compile("^(.+?)([\u2080-\u2089]+)$")


def again(name: str, called: Collection[str]) -> str:
    """Returns a new name for a value that a later line assigns to `name` again.

    The second c is c\u2082, so that dL/dc is unambiguous. If `called`, the names in use, has c2,
    which LaTeX would show in the same way, it is c\u2083.
    """
    count = 2
    while {f"{name}{count}", f"{name}_{count}", later := lowered(name, count)} & set(called):
        count += 1
    return later


def parted(label: str) -> tuple[str, int]:
    """Splits a name from its number: "c\u2082" -> "c", 2; without a subscript the number is 1."""
    if match := _AGAIN.match(label):
        return match[1], int(match[2].translate(_RAISED))
    return label, 1
