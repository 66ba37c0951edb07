"""One bar of signed numbers. Knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SignedBar:
    """A part and its number.

    before     what it was before something was changed; None: nothing was
    is_off     switched off
    is_fixed   cannot be switched
    is_rest    gray: what is left over
    tip        what a tooltip says
    """

    name: str
    value: float
    before: float | None = None
    is_off: bool = False
    is_fixed: bool = False
    is_rest: bool = False
    tip: str = ""
