"""What a gradient by nudging says of the one by backward, in few words and in a whole sentence.

No Qt here.
"""

from __future__ import annotations

import math

from explorer.panes.backprop.expression.explaining import AGREES, difference, is_within_error
from explorer.panes.backprop.expression.whatif import WhatIf
from explorer.panes.backprop.expression.writing import compared

AGREE = ("agrees", "Nudging it finds the same gradient")
WITHIN = ("agrees within 1e\u22126", "Both are too small for nudging to tell them apart")
KINK = ("agrees, but at a kink", "The slope differs on the two sides: no number is right for both")
NEAR = ("differs: a kink is near", "The slope differs on the two sides of a kink")
BENDS = ("differs: it bends fast", "It bends too much even within the smallest nudge of the check")
DROWNED = ("spoilt by rounding", "The numbers are too large: a nudge is lost in rounding")
SMALL = ("too small to tell", "What a nudge changes is too small to tell from rounding")
NOTHING = ("nothing to compare", "One of the two is not finite")


def verdict(what: WhatIf, numeric: float, its_error: float) -> tuple[str, str]:
    """Of `what`'s gradient."""
    error = difference(what.gradient, numeric)
    off = what.gradient - numeric
    if not math.isfinite(error):
        return NOTHING
    if error < AGREES:
        small = numeric == 0 and off != 0
        first, second = compared(what.gradient, numeric, True)
        return SMALL if small else KINK if what.is_kink else AGREE if first == second else WITHIN
    if is_within_error(what.gradient, numeric, its_error):
        return DROWNED
    # where a kink lies within the nudge, both are apart by half of what the two sides are
    gap = what.gaps[0]
    return NEAR if what.is_kink or 0.8 * gap < abs(2 * off) < 1.2 * gap else BENDS
