"""Names of what a formula calls by one name several times: the second c is c\u2082 everywhere."""

from __future__ import annotations

import re
from collections.abc import Collection

from core.numbers import lowered

_RAISED = {0x2080 + digit: str(digit) for digit in range(10)}
_AGAIN = re.compile("^(.+?)([\u2080-\u2089]+)$")


def again(name: str, called: Collection[str]) -> str:
    """The name of what a later line calls `name` once more, where all of `called` are taken: the
    second c is c\u2082, so that dL/dc means one thing. Where there is a c2 as well, which a formula
    sets alike, it is c\u2083.
    """
    count = 2
    while {f"{name}{count}", f"{name}_{count}", later := lowered(name, count)} & set(called):
        count += 1
    return later


def parted(label: str) -> tuple[str, int]:
    """ "c\u2082" -> "c", 2; a name that only one has, or the first of it, is number 1."""
    if match := _AGAIN.match(label):
        return match[1], int(match[2].translate(_RAISED))
    return label, 1
